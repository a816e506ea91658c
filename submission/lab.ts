/** The lab's file: which boards there are, of which types, and what they may use. YAML; all problems at once. */
import { z } from 'zod';
import { DeviceName, own, TIMEOUT_SECONDS_MAX } from '../machines/names.ts';
import { check, readDocument } from './document.ts';
import { addressesOf, isAddress, type Subnet, subnetOf } from './ipv4.ts';
import { driverRules, driversOf } from './lab-driver-rules.ts';
import { BRIDGED, DRIVERS, DriverFields, DriverSettings, settingsOf } from './lab-drivers.ts';
import { didYouMean, list, quote } from './quoting.ts';
import { IMAGE, isAbsolutePath, isImage } from './sources.ts';
import {
  entryOf,
  type Finding,
  type ObjectTree,
  type Problem,
  settle,
  type Tree,
  textOf,
} from './tree.ts';

/** Linux keeps 15 characters of an interface's name. */
const BRIDGE_NAME_CHARACTERS_MAX = 15;
const LAB_PROCESSES_DEFAULT = 512;
const LAB_CONSOLE_BYTES_DEFAULT = 1024 ** 3;
const LAB_BOOT_SECONDS_DEFAULT = 120;
const LAB_SOURCE_FILE_BYTES_DEFAULT = 256 * 1024;
const LAB_SOURCE_BYTES_DEFAULT = 8 * 1024 ** 2;
/** What Linux allows a whole machine. */
const PROCESSES_MAX = 4_194_304;
/** Ten years, and as many jobs as nobody counts. */
const HEALTH_HOURS_MAX = 87_600;
const HEALTH_JOBS_MAX = 1_000_000;
const JOB_LIMIT_MAX = 1_000_000;

const atLeastOne = (unit: string, max: number) => {
  const expected = `a whole number of ${unit} from 1 to ${max}`;
  return z.int(expected).min(1, expected).max(max, expected);
};
const Tag = z
  .string()
  .regex(/^[^\s\p{Cc}]{1,128}$/u, 'a word of 1 to 128 characters without blanks');
const TypeName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'letters, digits and . _ -');
const Name = z
  .string()
  .regex(
    new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,${BRIDGE_NAME_CHARACTERS_MAX - 1}}$`),
    `an interface name of at most ${BRIDGE_NAME_CHARACTERS_MAX} letters, digits and . _ -`,
  );
const Folder = z.string().refine(isAbsolutePath, 'an absolute path without ".."');
const Image = z.string().refine(isImage, IMAGE);
const Driver = z.enum(DRIVERS);
const Limits = z.strictObject({
  /** Of one board at a time. */
  processes: atLeastOne('processes', PROCESSES_MAX),
  /** Of one member's console file. */
  consoleBytes: atLeastOne('bytes', Number.MAX_SAFE_INTEGER),
  bootSeconds: atLeastOne('seconds', TIMEOUT_SECONDS_MAX),
  /** Of one file of a test that is kept, and of all those of one suite. */
  sourceFileBytes: atLeastOne('bytes', Number.MAX_SAFE_INTEGER),
  sourceBytes: atLeastOne('bytes', Number.MAX_SAFE_INTEGER),
});

/** How the boards of a type are checked. `job`: the file of a job for one board, as the lab's file names it. */
const HealthCheck = z.strictObject({
  job: z.string().min(1, 'the file of a job'),
  everyHours: atLeastOne('hours', HEALTH_HOURS_MAX).optional(),
  everyJobs: atLeastOne('jobs', HEALTH_JOBS_MAX).optional(),
});

/** A lab as the server uses it: the file's boards in the file's order, every default filled in. */
export const Lab = z.strictObject({
  bridge: z.strictObject({ name: Name.optional(), subnet: z.string().optional() }),
  /** Folders that `file:` images and `testdef_urls` may read. */
  allowFiles: z.array(Folder),
  limits: Limits,
  /** How many of the lab's boards may be held at once; absent: all. */
  jobLimit: z.int().optional(),
  devices: z.array(
    z.strictObject({
      name: DeviceName,
      type: TypeName,
      tags: z.array(Tag),
      driver: Driver,
      /** What the board boots when no action deployed another. */
      image: Image,
      address: z.string().optional(),
      healthCheck: HealthCheck.optional(),
      /** How it is driven, as its driver reads it. */
      settings: DriverSettings,
    }),
  ),
});
export type Lab = z.infer<typeof Lab>;

const LabFile = z.strictObject({
  bridge: Lab.shape.bridge.optional(),
  allow_files: z.array(Folder).default([]),
  limits: z
    .strictObject({
      processes: Limits.shape.processes.default(LAB_PROCESSES_DEFAULT),
      console_bytes: Limits.shape.consoleBytes.default(LAB_CONSOLE_BYTES_DEFAULT),
      boot_seconds: Limits.shape.bootSeconds.default(LAB_BOOT_SECONDS_DEFAULT),
      source_file_bytes: Limits.shape.sourceFileBytes.default(LAB_SOURCE_FILE_BYTES_DEFAULT),
      source_bytes: Limits.shape.sourceBytes.default(LAB_SOURCE_BYTES_DEFAULT),
    })
    .prefault({}),
  worker: z
    .strictObject({ job_limit: atLeastOne('boards', JOB_LIMIT_MAX).optional() })
    .prefault({}),
  device_types: z.record(
    TypeName,
    z.strictObject({
      driver: Driver.default('local'),
      image: Image.default('host:'),
      ...DriverFields,
      health_check: z
        .strictObject({
          job: HealthCheck.shape.job,
          every_hours: HealthCheck.shape.everyHours,
          every_jobs: HealthCheck.shape.everyJobs,
          disabled: z.boolean().default(false),
        })
        .optional(),
    }),
  ),
  devices: z.record(
    DeviceName,
    z.strictObject({
      type: z.string('the name of one of device_types'),
      tags: z.array(Tag).default([]),
      address: z.string().optional(),
      ...DriverFields,
    }),
  ),
});
type LabFile = z.infer<typeof LabFile>;

/**
 * Reads a lab's YAML file. Never throws, whatever the text.
 *
 * @returns the lab, or every problem of the file, in document order
 */
export function parseLab(text: string): { lab: Lab } | { problems: Problem[] } {
  const document = readDocument(text, 'yaml');
  const { tree } = document;
  if (tree === undefined) return { problems: settle(document.text, document.findings) };
  const checked = check(LabFile, tree);
  const findings = [...document.findings, ...checked.findings, ...labRules(tree)];
  if (findings.length > 0 || checked.value === undefined)
    return { problems: settle(document.text, findings) };
  return { lab: normalise(checked.value, tree) };
}

function normalise(file: LabFile, tree: Tree): Lab {
  const { processes, console_bytes, boot_seconds, source_file_bytes, source_bytes } = file.limits;
  // The tree keeps the file's order; a JavaScript object would put a board called `7` first.
  const devices = boardsOf(tree).flatMap(({ name }) => {
    const device = own(file.devices, name);
    const type = device && own(file.device_types, device.type);
    if (device === undefined || type === undefined) return [];
    const { address } = device;
    const { driver, image } = type;
    const tags = [...new Set(device.tags)];
    return [
      {
        name,
        type: device.type,
        tags,
        driver,
        image,
        settings: settingsOf(fieldsOf(type), fieldsOf(device)),
        ...(address === undefined ? {} : { address }),
        ...healthCheckOf(type),
      },
    ];
  });
  const { job_limit: jobLimit } = file.worker;
  return {
    bridge: file.bridge ?? {},
    allowFiles: file.allow_files,
    limits: {
      processes,
      consoleBytes: console_bytes,
      bootSeconds: boot_seconds,
      sourceFileBytes: source_file_bytes,
      sourceBytes: source_bytes,
    },
    ...(jobLimit === undefined ? {} : { jobLimit }),
    devices,
  };
}

const fieldsOf = ({ commands, login, qemu, console, ssh }: DriverFields): DriverFields => ({
  ...{ commands, login, qemu, console, ssh },
});

/** A check that the file disables is none. */
function healthCheckOf({
  health_check: is,
}: LabFile['device_types'][string]): Pick<Lab['devices'][number], 'healthCheck'> {
  if (is === undefined || is.disabled) return {};
  const { job, every_hours: everyHours, every_jobs: everyJobs } = is;
  return {
    healthCheck: {
      job,
      ...(everyHours === undefined ? {} : { everyHours }),
      ...(everyJobs === undefined ? {} : { everyJobs }),
    },
  };
}

/** The rules between fields, read from the tree so that they speak beside all other problems. */
function labRules(lab: Tree): Finding[] {
  if (lab.kind !== 'object') return [];
  return [...typeRules(lab), ...networkRules(lab), ...driverRules(lab)];
}

function boardsOf(lab: Tree): { name: string; board: Tree; keyOffset: number }[] {
  const devices = entryOf(lab, 'devices')?.value;
  if (devices?.kind !== 'object') return [];
  return [...devices.entries].map(([name, { value, keyOffset }]) => ({
    name,
    board: value,
    keyOffset,
  }));
}

function typeRules(lab: ObjectTree): Finding[] {
  const findings: Finding[] = [];
  const types = entryOf(lab, 'device_types')?.value;
  const boards = boardsOf(lab);
  const devices = entryOf(lab, 'devices');
  if (devices?.value.kind === 'object' && boards.length === 0) {
    const message = 'expected at least one board, got none';
    findings.push({ offset: devices.value.start, path: ['devices'], message });
  }
  if (types?.kind !== 'object') return findings;
  const known = [...types.entries.keys()];
  for (const { name, board } of boards) {
    const type = entryOf(board, 'type')?.value;
    const asked = textOf(board, 'type');
    if (type === undefined || asked === undefined || types.entries.has(asked)) continue;
    const expected = known.length === 0 ? 'a type of device_types' : `one of ${list(known)}`;
    const message = () => {
      const parts = [`unknown device type ${quote(asked)};`, didYouMean(asked, known)];
      return [...parts.filter((part) => part !== ''), `expected ${expected}`].join(' ');
    };
    findings.push({ offset: type.start, path: ['devices', name, 'type'], message, expected });
  }
  return findings;
}

/** Boards with a place on the bridge. */
function bridgedBoards(lab: ObjectTree): ReturnType<typeof boardsOf> {
  const drivers = driversOf(lab);
  return boardsOf(lab).filter(({ name }) => BRIDGED.has(drivers.get(name) ?? ''));
}

function networkRules(lab: ObjectTree): Finding[] {
  return [...bridgeRules(lab), ...ownAddressRules(lab)];
}

/** A board that is not on the bridge says itself where it is reached. */
function ownAddressRules(lab: ObjectTree): Finding[] {
  const bridged = new Set(bridgedBoards(lab).map(({ name }) => name));
  return boardsOf(lab).flatMap(({ name, board }) => {
    const written = textOf(board, 'address');
    const offset = entryOf(board, 'address')?.value.start;
    if (bridged.has(name) || written === undefined || offset === undefined) return [];
    if (isAddress(written)) return [];
    const expected = 'an IPv4 address';
    const path = ['devices', name, 'address'];
    return [{ offset, path, message: `expected ${expected}, got ${quote(written)}`, expected }];
  });
}

function bridgeRules(lab: ObjectTree): Finding[] {
  const entry = entryOf(entryOf(lab, 'bridge')?.value, 'subnet');
  const written = textOf(entryOf(lab, 'bridge')?.value, 'subnet');
  if (entry !== undefined && written !== undefined) {
    const path = ['bridge', 'subnet'];
    const offset = entry.value.start;
    const subnet = subnetOf(written);
    if (typeof subnet === 'string') {
      const message = `expected ${subnet}, got ${quote(written)}`;
      return [{ offset, path, message, expected: subnet }];
    }
    const boards = bridgedBoards(lab).length;
    const findings = addressRules(lab, subnet, written);
    if (boards <= subnet.boardsMax) return findings;
    const message = `${quote(written)} has addresses for ${subnet.boardsMax} boards; this lab has ${boards}`;
    return [...findings, { offset, path, message }];
  }
  if (entry !== undefined) return [];
  return bridgedBoards(lab).flatMap(({ name, board }) => {
    const address = entryOf(board, 'address');
    if (address === undefined) return [];
    const message = 'an address of its own needs "bridge: { subnet: ... }" to lie in';
    return [{ offset: address.keyOffset, path: ['devices', name, 'address'], message }];
  });
}

function addressRules(lab: ObjectTree, subnet: Subnet, written: string): Finding[] {
  const taken = new Map<string, string>();
  return bridgedBoards(lab).flatMap(({ name, board }) => {
    const offset = entryOf(board, 'address')?.value.start;
    const address = textOf(board, 'address');
    if (offset === undefined || address === undefined) return [];
    const path = ['devices', name, 'address'];
    const { first, last } = addressesOf(subnet);
    if (!subnet.holds(address)) {
      const expected = `an IPv4 address of ${written} from ${first} to ${last}`;
      return [{ offset, path, message: `expected ${expected}, got ${quote(address)}`, expected }];
    }
    const owner = taken.get(address);
    if (owner === undefined) {
      taken.set(address, name);
      return [];
    }
    return [{ offset, path, message: `${address} is already the address of ${quote(owner)}` }];
  });
}

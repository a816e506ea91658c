/** `muster init`: a first lab's file, from what this machine has: boards of its own kernel or without one, serial lines. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { type Arch, fetchKernel } from '../../dispatcher/debian-kernel.ts';
import { lacksOf } from '../../dispatcher/drivers/registry.ts';
import { LabRefused, readLabFile } from '../../server/lab-file.ts';
import { type Cli, exampleText } from '../command.ts';
import { CliFailure, EXIT } from '../exit.ts';

const SERIAL_FOLDER = '/dev/serial/by-id';

/** What of a machine becomes boards. */
export interface Found {
  /** What it lacks for boards of each kind, in words; `undefined`: nothing. */
  lacks: { local: string | undefined; qemu: string | undefined };
  /** Serial lines, by the names that stay. */
  serial: readonly string[];
}

export function initCommand(cli: Cli): Command {
  return new Command('init')
    .description("write a first lab's file from what this machine has, and check it")
    .argument('[file]', 'where to write it', 'lab.yaml')
    .option('--fetch-kernel', "fetch Debian's kernel for QEMU boards; it is not installed")
    .addOption(
      new Option('--arch <arch>', 'the kernel that is fetched')
        .choices(['x86_64', 'aarch64'])
        .default('x86_64'),
    )
    .addHelpText(
      'after',
      `${exampleText(['muster init', 'muster init --fetch-kernel my-lab.yaml'])}

Nothing that is there is written over. Exit status: 0 written and right, 2 not.`,
    )
    .action(async (file: string, wanted: { fetchKernel?: boolean; arch: Arch }) => {
      const { io } = cli;
      if (wanted.fetchKernel)
        await fetchKernel(wanted.arch, (line) => io.err(`${line}\n`)).catch(cannotFetch);
      const found = await lookAround();
      await writeFile(file, labText(found), { flag: 'wx' }).catch((error: unknown) => {
        throw cannotWrite(file, error);
      });
      const { lab } = await readLabFile(file).catch((error: unknown) => {
        throw error instanceof LabRefused ? wrong('lab-refused', error.message) : error;
      });
      const boards = lab.devices.map(({ name, driver }) => `${name} (${driver})`).join(', ');
      await io.out(`${file}: ${boards}\n`);
      for (const line of notes(found)) await io.out(`${line}\n`);
      await io.out(`\nStart it: muster serve --lab ${file}\n`);
    });
}

async function lookAround(): Promise<Found> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-init-'));
  try {
    const names = await readdir(SERIAL_FOLDER).catch(() => []);
    const serial = names.sort().map((name) => join(SERIAL_FOLDER, name));
    return { lacks: await lacksOf(folder), serial };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function notes({ lacks, serial }: Found): string[] {
  const { local, qemu } = lacks;
  return [
    ...(local === undefined ? [] : [`Local boards will be plain processes: ${local}.`]),
    ...(qemu === undefined
      ? []
      : [
          `No QEMU boards: ${qemu}. On Debian: apt-get install qemu-system-x86 busybox-static cpio, then muster init --fetch-kernel.`,
        ]),
    ...(serial.length === 0
      ? []
      : ['The boards on serial lines are comments: say how their power is switched first.']),
  ];
}

/** The file, with what a lab changes first beside it. */
export function labText(found: Found): string {
  const hasQemu = found.lacks.qemu === undefined;
  return `# The boards of this lab: docs/lab.md has every field. Check a change with: muster check-lab FILE
device_types:
  # Boards without hardware: each ${found.lacks.local === undefined ? 'has a network, a root and processes of its own' : `is a plain process of this machine (${found.lacks.local})`}.
  local: { driver: local }
${
  hasQemu
    ? `  # Boards with a kernel of their own: Debian's, with busybox. Name programs of this machine that they shall have.
  qemu:
    driver: qemu
    qemu: { memory_mb: 256, programs: [] }
`
    : ''
}${found.serial.length > 0 ? SERIAL_TYPE : ''}
devices:
  local01: { type: local }
  local02: { type: local }
${hasQemu ? '  qemu01: { type: qemu }\n  qemu02: { type: qemu }\n' : ''}${found.serial.map(serialBoard).join('')}`;
}

const SERIAL_TYPE = `  # Hardware on a serial line: docs/how-to/lab-hardware.md says more.
  # hardware:
  #   driver: console
  #   login:
  #     prompts: ['# $']
  #     auto_login: { username: root }
`;

const serialBoard = (
  path: string,
  index: number,
): string => `  # board${String(index + 1).padStart(2, '0')}:
  #   type: hardware
  #   console:
  #     connect: 'exec picocom --quiet --baud 115200 ${path}'
  #     power_on: 'say here how its power comes'
  #     power_off: 'say here how its power goes'
`;

function cannotFetch(error: unknown): never {
  throw wrong('no-kernel', error instanceof Error ? error.message : String(error));
}

function cannotWrite(file: string, error: unknown): CliFailure {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === 'EEXIST' ? 'it is there already, and nothing is written over' : message;
  return wrong('cannot-write', `${file}: ${why}`);
}

const wrong = (code: string, message: string): CliFailure =>
  new CliFailure({ code, exit: EXIT.usage, message });

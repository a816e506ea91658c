import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Lab } from '../../submission/lab.ts';
import { settingsOf } from '../../submission/lab-drivers.ts';
import { LAB, labOf, labProblems, line } from './jobs.ts';

const lab = (rest: string, devices = '  b1: { type: panda }') =>
  `device_types:\n  panda: {}\n  beaglexm: {}\ndevices:\n${devices}\n${rest}`;
/** A lab with a board of a type whose health is checked like this, and one of a type without a check. */
const typed = (healthCheck: string) =>
  `device_types:
  panda:
    health_check: ${healthCheck}
  imx: {}
devices:
  b1: { type: panda }
  b2: { type: imx }
`;
const placed = (text: string) =>
  labProblems(text).map((problem) => `${problem.line}:${problem.column} ${line(problem)}`);
const SOURCES = { sourceFileBytes: 262_144, sourceBytes: 8_388_608 };
const settings = settingsOf();
const said = (text: string) => labProblems(text).map(line);

describe('a right lab', () => {
  it('is the boards in the order of the file, with every default filled in', () => {
    expect(labOf(LAB)).toEqual({
      bridge: { subnet: '10.66.0.0/24', name: 'muster0' },
      allowFiles: ['/srv/images'],
      limits: { processes: 256, consoleBytes: 1_000_000, bootSeconds: 60, ...SOURCES },
      devices: [
        {
          name: 'panda01',
          type: 'panda',
          tags: ['mytag1'],
          driver: 'local',
          image: 'host:',
          address: '10.66.0.10',
          settings,
        },
        {
          ...{
            name: 'panda02',
            type: 'panda',
            tags: [],
            driver: 'local',
            image: 'host:',
            settings,
          },
        },
        {
          name: '7',
          type: 'beaglexm',
          tags: ['mytag2', 'usb'],
          driver: 'local',
          image: 'file:///srv/images/beagle.tar.gz',
          settings,
        },
      ],
    });
    expect(Lab.safeParse(labOf(LAB)).success).toBe(true);
  });

  it('needs only types and boards', () => {
    expect(labOf(lab(''))).toEqual({
      bridge: {},
      allowFiles: [],
      limits: { processes: 512, consoleBytes: 1_073_741_824, bootSeconds: 120, ...SOURCES },
      devices: [{ name: 'b1', type: 'panda', tags: [], driver: 'local', image: 'host:', settings }],
    });
  });

  it('the boards of a type share its health check, and a worker its limit', () => {
    const text = typed('{ job: checks/panda.json, every_hours: 24, every_jobs: 10 }');
    const { devices, jobLimit } = labOf(`${text}worker: { job_limit: 2 }\n`);
    expect(jobLimit).toBe(2);
    const healthCheck = { job: 'checks/panda.json', everyHours: 24, everyJobs: 10 };
    expect(devices).toMatchObject([{ name: 'b1', healthCheck }, { name: 'b2' }]);
    expect(devices[1]).not.toHaveProperty('healthCheck');
    expect(Lab.safeParse(labOf(text)).success).toBe(true);
  });

  it('a health check needs nothing but its job, and a disabled one is none', () => {
    expect(labOf(typed('{ job: c.json }')).devices[0]?.healthCheck).toEqual({ job: 'c.json' });
    const disabled = labOf(typed('{ job: c.json, every_jobs: 5, disabled: true }'));
    expect(disabled.devices[0]).not.toHaveProperty('healthCheck');
    expect(labOf(lab('worker: {}'))).not.toHaveProperty('jobLimit');
  });

  it('the example of the documentation is one', () => {
    const document = readFileSync(new URL('../../docs/lab.md', import.meta.url), 'utf8');
    const example = /```yaml\n([^`]*)```/.exec(document)?.[1] ?? '';
    expect(labOf(example).devices).toHaveLength(3);
  });

  it('the examples of how-to pages are labs: a board with its line alone', () => {
    const page = new URL('../../docs/how-to/serial-only-board.md', import.meta.url);
    const [, example = ''] = /```yaml\n([^`]*)```/.exec(readFileSync(page, 'utf8')) ?? [];
    const [board] = labOf(example).devices;
    expect(board).toMatchObject({ name: 'router01', driver: 'console' });
    expect(board?.address).toBeUndefined();
  });

  it('a limit that is not written has its default', () => {
    expect(labOf(lab('limits: { processes: 9 }')).limits).toEqual({
      processes: 9,
      consoleBytes: 1_073_741_824,
      bootSeconds: 120,
      ...SOURCES,
    });
  });

  it('boards may be called what JavaScript objects have already', () => {
    const text = 'device_types: {constructor: {}}\ndevices: {toString: {type: constructor}}';
    expect(labOf(text).devices).toMatchObject([{ name: 'toString', type: 'constructor' }]);
  });
});

describe('a wrong lab', () => {
  it('a board that is there twice names both places', () => {
    const text = lab('', '  b1: { type: panda }\n  b2: { type: panda }\n  b1: { type: panda }');
    expect(labProblems(text)).toEqual([
      {
        path: 'devices.b1',
        line: 7,
        column: 3,
        message: '"b1" is here twice; the first is at line 5, column 3',
      },
    ]);
  });

  it('an unknown type names the known ones and the nearest', () => {
    expect(said(lab('', '  b1: { type: pnda }'))).toEqual([
      'devices.b1.type: unknown device type "pnda"; did you mean "panda"? expected one of panda, beaglexm',
    ]);
    expect(said(lab('', '  b1: { type: constructor }'))).toEqual([
      'devices.b1.type: unknown device type "constructor"; expected one of panda, beaglexm',
    ]);
  });

  it('an unknown driver names the known ones', () => {
    expect(said('device_types: {p: {driver: qmu}}\ndevices: {a: {type: p}}')).toEqual([
      'device_types.p.driver: expected one of local, qemu, console, ssh, got "qmu"; did you mean "qemu"?',
    ]);
  });

  it.each([
    ['processes', -1, 'processes from 1 to'],
    ['processes', 0, 'processes from 1 to'],
    ['console_bytes', -1, 'bytes from 1 to'],
    ['boot_seconds', 1.5, 'seconds from 1 to'],
    ['boot_seconds', '"5"', 'seconds from 1 to'],
  ])('a limit of %s: %s is an error', (name, value, expected) => {
    expect(said(lab(`limits: { ${name}: ${value} }`))).toEqual([
      expect.stringContaining(`limits.${name}: expected a whole number of ${expected}`),
    ]);
  });

  it.each([
    ['job_limit: -1', '7:22', 'job_limit', 'expected a whole number of boards from 1 to'],
    ['job_limit: 0', '7:22', 'job_limit', 'expected a whole number of boards from 1 to'],
    ['job_limit: "2"', '7:22', 'job_limit', 'expected a whole number of boards from 1 to'],
    ['joblimit: 2', '7:11', 'joblimit', 'unknown field "joblimit"; did you mean "job_limit"?'],
  ])('a worker with %s is an error at its place', (field, place, name, expected) => {
    expect(placed(lab(`\nworker: { ${field} }`))).toEqual([
      expect.stringContaining(`${place} worker.${name}: ${expected}`),
    ]);
  });

  it.each([
    ['{ every_hours: 5 }', '3:19', '.job', 'missing'],
    ['{ job: "" }', '3:26', '.job', 'expected the file of a job'],
    ['{ job: 5 }', '3:26', '.job', 'expected'],
    ['{ job: c, every_hours: -1 }', '3:42', '.every_hours', 'expected a whole number of hours'],
    ['{ job: c, every_jobs: 0 }', '3:41', '.every_jobs', 'expected a whole number of jobs'],
    ['{ job: c, every_jobs: 1.5 }', '3:41', '.every_jobs', 'expected a whole number of jobs'],
    ['{ job: c, disabled: "yes" }', '3:39', '.disabled', 'expected'],
    ['{ job: c, every_days: 1 }', '3:29', '.every_days', 'unknown field'],
    ['c.json', '3:19', '', 'expected an object'],
  ])('a health check of %s is an error at its place', (is, place, name, expected) => {
    expect(placed(typed(is))).toEqual([
      expect.stringContaining(`${place} device_types.panda.health_check${name}: ${expected}`),
    ]);
  });

  it.each(['-b', 'a b', 'a/b', `${'x'.repeat(64)}`])('%j is no name of a board', (name) => {
    expect(said(lab('', `  "${name}": { type: panda }`))[0]).toContain('expected a host name');
  });

  it('names of types, tags and the bridge are checked', () => {
    expect(said('device_types: {"a b": {}}\ndevices: {a: {type: "a b"}}')[0]).toContain('letters');
    expect(said(lab('', '  b1: { type: panda, tags: ["a b"] }'))[0]).toContain('expected a word');
    expect(said(lab('bridge: { name: sixteen-letters- }'))[0]).toContain('at most 15 letters');
  });

  it.each([
    ['10.66.0.0', 'a subnet such as 10.66.0.0/24'],
    ['10.66.0/24', 'a subnet such as'],
    ['10.66.0.256/24', 'a subnet such as'],
    ['010.66.0.0/24', 'a subnet such as'],
    ['10.66.0.0/024', 'a subnet such as'],
    ['10.66.0.0/24/1', 'a subnet such as'],
    ['10.66.0.7/24', 'the first address of the subnet, 10.66.0.0/24'],
    ['10.66.0.0/31', 'a subnet with a prefix from /8 to /30'],
    ['10.0.0.0/7', 'a subnet with a prefix from /8 to /30'],
    ['127.0.0.0/8', 'a subnet of addresses that boards can have'],
    ['224.0.0.0/24', 'a subnet of addresses that boards can have'],
  ])('%s is no subnet', (subnet, expected) => {
    expect(said(lab(`bridge: { subnet: ${subnet} }`))).toEqual([
      expect.stringContaining(`bridge.subnet: expected ${expected}`),
    ]);
  });

  it('a subnet must have an address for every board and one for the bridge', () => {
    const boards = (count: number) =>
      lab(
        'bridge: { subnet: 10.66.0.0/29 }',
        Array.from({ length: count }, (_, i) => `  b${i}: { type: panda }`).join('\n'),
      );
    expect(said(boards(5))).toEqual([]);
    expect(said(boards(6))).toEqual([
      'bridge.subnet: "10.66.0.0/29" has addresses for 5 boards; this lab has 6',
    ]);
  });

  it.each(['10.66.0.0', '10.66.0.1', '10.66.0.255', '10.66.1.2', 'x', '::1'])(
    'a board cannot have the address %s of 10.66.0.0/24',
    (address) => {
      const text = lab(
        'bridge: { subnet: 10.66.0.0/24 }',
        `  b1: { type: panda, address: "${address}" }`,
      );
      expect(said(text)).toEqual([
        `devices.b1.address: expected an IPv4 address of 10.66.0.0/24 from 10.66.0.2 to 10.66.0.254, got "${address}"`,
      ]);
    },
  );

  it('an address belongs to one board', () => {
    const boards = ['b1', 'b2'].map((name) => `  ${name}: { type: panda, address: 10.66.0.2 }`);
    expect(said(lab('bridge: { subnet: 10.66.0.0/24 }', boards.join('\n')))).toEqual([
      'devices.b2.address: 10.66.0.2 is already the address of "b1"',
    ]);
  });

  it('an address needs a subnet to lie in', () => {
    expect(said(lab('', '  b1: { type: panda, address: 10.66.0.2 }'))[0]).toContain(
      'needs "bridge',
    );
  });

  it('folders are absolute, images of a known scheme', () => {
    expect(said(lab('allow_files: [srv, /a/../b]'))).toHaveLength(2);
    expect(said('device_types: {p: {image: "ftp://x"}}\ndevices: {a: {type: p}}')[0]).toContain(
      'device_types.p.image: expected "host:", file:///path or an http(s) URL',
    );
  });

  it('a lab has boards and types', () => {
    expect(said('bridge: {}')).toEqual([
      'device_types: missing; expected an object',
      'devices: missing; expected an object',
    ]);
    expect(said('device_types: {p: {}}\ndevices: {}')).toEqual([
      'devices: expected at least one board, got none',
    ]);
    expect(said('device_types: {}\ndevices: {a: {type: p}}')[0]).toContain(
      'unknown device type "p"',
    );
    expect(said('device_types:\n  p:\ndevices: {a: {type: p}}')).toEqual([
      'device_types.p: expected an object, got null',
    ]);
  });

  it('all problems come at once, in the order of the file, with line and column', () => {
    const text = lab(
      'limits: { processes: -5, cpu: 1 }\nbridge: 5',
      '  b1: { tpye: panda }\n  -x: {}',
    );
    expect(labProblems(text).map((p) => `${p.line}:${p.column} ${p.path}`)).toEqual([
      '5:7 devices.b1.type',
      '5:9 devices.b1.tpye',
      '6:3 devices["-x"]',
      '7:22 limits.processes',
      '7:26 limits.cpu',
      '8:9 bridge',
    ]);
  });

  it('a malformed file says where', () => {
    expect(labProblems('devices:\n\tb1: {}')).toMatchObject([{ line: 2, column: 1 }]);
    expect(labProblems('')).toMatchObject([
      { line: 1, column: 1, message: 'the document is empty' },
    ]);
  });
});

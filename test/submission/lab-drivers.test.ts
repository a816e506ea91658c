/** What the lab's file says of how boards are driven, and what is wrong with it: each problem where it stands. */
import { describe, expect, it } from 'vitest';
import { labOf, labProblems, line } from './jobs.ts';

const said = (text: string) =>
  labProblems(text).map((problem) => `${problem.line}:${problem.column} ${line(problem)}`);
const hardware = (boards: string, type = '') => `device_types:
  bbb: { driver: console${type} }
devices:
${boards}`;
const power = 'power_on: "on", power_off: "off"';

describe('a right lab', () => {
  it('has the fields of a board over those of its type, one by one', () => {
    const { devices } = labOf(`device_types:
  bbb:
    driver: console
    commands: { cleanup: clean, seconds: 9 }
    login: { prompts: ['# $'] }
    console: { connect: 'telnet ser2net \${MUSTER_DEVICE}', power_on: all-on, power_off: all-off }
devices:
  b1: { type: bbb }
  b2: { type: bbb, console: { power_on: on-2 }, commands: { pre_boot: look } }
`);
    expect(devices[0]?.settings).toMatchObject({
      ...{ commands: { cleanup: 'clean', seconds: 9 }, login: { prompts: ['# $'] } },
      console: { power_on: 'all-on', power_off: 'all-off' },
    });
    expect(devices[1]?.settings).toMatchObject({
      ...{ commands: { cleanup: 'clean', seconds: 9, pre_boot: 'look' } },
      console: { power_on: 'on-2', power_off: 'all-off' },
    });
  });

  it('says where a board is that is on no bridge', () => {
    const [board] = labOf(
      hardware(`  b1: { type: bbb, address: 192.168.7.2, console: { connect: c, ${power} } }\n`),
    ).devices;
    expect(board?.address).toBe('192.168.7.2');
  });

  it('gives a QEMU board what it does not say', () => {
    const [board] = labOf(
      'device_types: { q: { driver: qemu, qemu: { memory_mb: 512 } } }\ndevices: { q1: { type: q } }\n',
    ).devices;
    expect(board?.settings.qemu).toEqual({
      ...{ arch: 'x86_64', accel: 'tcg', memory_mb: 512, cpus: 1, programs: [], args: [] },
    });
  });
});

describe('a wrong lab', () => {
  it.each([
    [
      'two boards on one console',
      hardware(
        `  b1: { type: bbb, console: { connect: telnet a 1, ${power} } }\n  b2: { type: bbb, console: { connect: telnet  a 1, ${power} } }\n`,
      ),
      ['5:3 devices.b2: the console "telnet a 1" is already that of "b1": a line has one board'],
    ],
    [
      'a console that is another board’s other console',
      hardware(
        `  b1: { type: bbb, console: { connect: a, ${power}, consoles: { x: b } } }\n  b2: { type: bbb, console: { connect: b, ${power} } }\n`,
      ),
      ['5:3 devices.b2: the console "b" is already that of "b1": a line has one board'],
    ],
    [
      'two boards on one machine',
      'device_types: { m: { driver: ssh, commands: { cleanup: c } } }\ndevices:\n  m1: { type: m, ssh: { host: h } }\n  m2: { type: m, ssh: { host: h, port: 22 } }\n',
      ['4:3 devices.m2: the machine h is already that of "m1": a line has one board'],
    ],
    [
      'hardware without a line or power',
      hardware('  b1: { type: bbb, console: { connect: c } }\n'),
      [
        '4:3 devices.b1: a board of the driver "console" needs "console: { power_on: ... }": the command that powers it on',
        '4:3 devices.b1: a board of the driver "console" needs "console: { power_off: ... }": the command that powers it off: a board that cannot be switched off is never clean',
      ],
    ],
    [
      'a machine that nobody cleans',
      'device_types: { m: { driver: ssh } }\ndevices: { m1: { type: m, ssh: { host: h } } }\n',
      [
        '2:12 devices.m1: a board of the driver "ssh" needs "commands: { cleanup: ... }": the command that cleans it: a machine that is always on is never clean by itself',
      ],
    ],
    [
      'a section of another driver',
      'device_types: { p: { qemu: { cpus: 2 } } }\ndevices: { a: { type: p, ssh: { host: h } } }\n',
      [
        '1:22 device_types.p.qemu: "qemu" is for boards of the driver qemu; this one\'s is "local"',
        '2:26 devices.a.ssh: "ssh" is for boards of the driver ssh; this one\'s is "local"',
      ],
    ],
    [
      'a prompt that matches everything',
      hardware(
        `  b1: { type: bbb, console: { connect: c, ${power} }, login: { prompts: ['x*'] } }\n`,
      ),
      [
        '4:98 devices.b1.login.prompts[0]: expected a regular expression that matches some text and not none, got "x*"',
      ],
    ],
    [
      'an address that is none',
      hardware(`  b1: { type: bbb, address: here, console: { connect: c, ${power} } }\n`),
      ['4:29 devices.b1.address: expected an IPv4 address, got "here"'],
    ],
    [
      'a digest that is none',
      'device_types: { q: { driver: qemu, qemu: { kernel: { url: "file:///k", sha256: abc } } } }\ndevices: { q1: { type: q } }\n',
      [
        '1:80 device_types.q.qemu.kernel.sha256: expected a sha256: 64 hexadecimal digits in lower case, got "abc"',
      ],
    ],
  ])('%s', (_, text, problems) => {
    expect(said(text)).toEqual(problems);
  });
});

/** What boards on a serial line do to whoever listens: real terminals, and a board that misbehaves as it is told. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import type { DriverFields } from '../../submission/lab-drivers.ts';
import { commands, deploy, until } from './harness.ts';
import { auto_login, endOf, job, lab, labOf } from './line-lab.ts';

afterEach(() => lab.close());

describe('a board boots', { timeout: 90_000 }, () => {
  test('with a login, and runs what the job says', async () => {
    await labOf('kernel login shell', { login: { auto_login } });
    expect(await job()).toBe('complete');
    expect(lab.console(1, 'b1')).toContain('\nit runs 2\n');
  });

  test('though it prints binary', async () => {
    await labOf('binary kernel shell');
    expect(await job()).toBe('complete');
  });

  test('through its bootloader, with each command at a prompt of its own', async () => {
    const bootloader = {
      ...{ interrupt_prompt: 'stop autoboot', interrupt_characters: ' ', prompt: '=> $' },
      commands: ['setenv a 1', 'boot'],
    };
    await labOf('uboot kernel shell', { login: { bootloader } });
    expect(await job()).toBe('complete');
    expect(lab.console(1, 'b1')).toContain('uboot got: setenv a 1');
  });

  test('and its other consoles are recorded too', async () => {
    const consoles = { uart1: 'echo "from the other line of $MUSTER_DEVICE"; exec sleep 1000' };
    await labOf('shell', { console: { consoles } });
    expect(await job()).toBe('complete');
    const other = join(lab.dataDir, 'jobs/1/b1.console-uart1');
    expect(readFileSync(other, 'utf8')).toContain('from the other line of b1');
    await lab.empty();
  });
});

describe('a board that does not boot is named for what it did', { timeout: 90_000 }, () => {
  test.each([
    ['its kernel panicked', 'kernel panic', {}, /its kernel panicked: .*Unable to mount root fs/],
    ['it starts over and over', 'loop', {}, /starts over and over: a kernel started 4 times/],
    ['it refuses the login', 'login', wrongPassword(), /the login as root failed 3 times/],
    [
      'it asks for a login that the lab does not give',
      'login',
      {},
      /no auto_login for it: board login:/,
    ],
    [
      'it asks for a password that the lab does not give',
      'login',
      noPassword(),
      /asks for a password/,
    ],
    [
      'it ends each time before it has a shell',
      'kernel',
      {},
      /it started 3 times, and ended each time/,
    ],
  ] as const)('%s', async (_, words, fields, reason) => {
    await labOf(words, fields);
    expect(await job()).toMatch(reason);
    expect(lab.server.of('FailMember')[0]).toMatchObject({ fault: 'board' });
    await lab.empty();
  });

  test('it prints without end', async () => {
    await labOf('flood', {}, { consoleBytes: 1_048_576, bootSeconds: 40 });
    expect(await job()).toMatch(/more than 1048576 bytes/);
    await lab.empty();
  });
});

function wrongPassword(): DriverFields {
  return { login: { auto_login: { ...auto_login, password: 'wrong' } } };
}
function noPassword(): DriverFields {
  const { password: _, ...rest } = auto_login;
  return { login: { auto_login: rest } };
}

describe('a board is gone in the middle of a job', { timeout: 90_000 }, () => {
  test('when its line is closed', async () => {
    await labOf('shell');
    lab.server.allocate(1, [{ device: 'b1', actions: [commands('echo begun; sleep 1000')] }]);
    await until(
      () => lab.console(1, 'b1').includes('\nbegun'),
      () => lab.console(1, 'b1'),
    );
    const state = JSON.parse(readFileSync(join(lab.dataDir, 'boards/b1/state.json'), 'utf8'));
    process.kill(state.process.pid, 'SIGKILL');
    expect((await lab.ends(1, 60)).b1).toMatch(/^the line to the board was closed/);
  });
});

describe('a board whose worker comes back', { timeout: 90_000 }, () => {
  test('goes on with its action, and with the one after it', async () => {
    await labOf('shell');
    const go = join(lab.folder, 'go');
    const waits = `echo begun; until [ -e ${go} ]; do sleep 0.1; done; echo "through $((1 + 1))"`;
    const actions = [commands(waits), commands('echo "and on $((2 + 2))"')];
    lab.server.allocate(1, [{ device: 'b1', actions }]);
    const text = () => lab.console(1, 'b1');
    await until(() => text().includes('\nbegun'), text);
    await lab.dispatcher?.stop({ killBoards: false });
    await lab.open();
    await until(() => text().includes('(taken up again)'), text);
    writeFileSync(go, '');
    expect((await lab.ends(1, 60)).b1).toBe('complete');
    expect(text().match(/^through 2$/gm)).toHaveLength(1);
    expect(text().match(/^and on 4$/gm)).toHaveLength(1);
    await lab.empty();
  });
});

describe('a script that reads its answers from the console', { timeout: 90_000 }, () => {
  // What LAVA's own scripts do, in a line; `test/lab/serial.process.test.ts` has the scripts themselves.
  const ask = (id: string) =>
    `LAVA_TEST_BIN=/none; echo "<LAVA_MULTI_NODE> <LAVA_SYNC ${id}>"; read -r answer; echo "${id} heard $answer"`;

  test('hears each once, though its worker came back between them', async () => {
    await labOf('shell');
    const go = join(lab.folder, 'go');
    const waits = `until [ -e ${go} ]; do sleep 0.1; done`;
    const script = `${ask('one')}; ${waits}; ${ask('two')}; ${ask('three')}`;
    lab.server.allocate(1, [{ device: 'b1', actions: [commands(script)] }]);
    const text = () => lab.console(1, 'b1');
    await until(() => text().includes('one heard <LAVA_SYNC_COMPLETE>'), text);
    await lab.dispatcher?.stop({ killBoards: false });
    await lab.open();
    await until(() => text().includes('(taken up again)'), text);
    writeFileSync(go, '');
    expect((await lab.ends(1, 60)).b1).toBe('complete');
    const syncs = lab.server.calls.filter((call) => call.startsWith('b1: sync'));
    expect(syncs).toEqual(['b1: sync one', 'b1: sync two', 'b1: sync three']);
    for (const id of ['one', 'two', 'three'])
      expect(text().match(new RegExp(`^${id} heard .*$`, 'gm'))).toEqual([
        `${id} heard <LAVA_SYNC_COMPLETE>`,
      ]);
  });
});

describe('the lab’s commands', { timeout: 90_000 }, () => {
  const said = () => readFileSync(join(lab.folder, 'said'), 'utf8').trim().split('\n');
  const say = (word: string) => `echo ${word} >>"$LAB_SAID"`;

  test('switch the power around a boot, and it is off at the end', async () => {
    process.env.LAB_SAID = '/dev/null';
    await labOf('shell', {
      console: { power_on: say('on'), power_off: say('off') },
      commands: { pre_boot: say('pre'), post_boot: say('post'), cleanup: say('cleanup') },
    });
    process.env.LAB_SAID = join(lab.folder, 'said');
    expect(await job()).toBe('complete');
    await lab.empty();
    expect(said().join(' ')).toMatch(/^(off )+pre on post (off )+cleanup$/);
  });

  test('that hang are ended, and named', async () => {
    await labOf('shell', { console: { power_on: 'sleep 1000' }, commands: { seconds: 1 } });
    expect(await job()).toMatch(/the lab's power_on did not end within 1 s/);
  });

  test('that fail are named with what they said', async () => {
    await labOf('shell', { console: { power_on: 'echo "no such outlet" >&2; exit 3' } });
    expect(await job()).toMatch(/the lab's power_on ended with status 3: no such outlet/);
  });

  test('that cannot switch a board off leave it to the next boot, which says so', async () => {
    process.env.LAB_SAID = join(mkdtempSync(join(tmpdir(), 'muster-power-')), 'on');
    const power_off = 'if [ -e "$LAB_SAID" ]; then exit 7; fi';
    await labOf('shell', { console: { power_on: 'touch "$LAB_SAID"', power_off } });
    expect(await job()).toBe('complete');
    await lab.empty();
    expect(lab.logged.map(({ message }) => message)).toContain(
      'a board is given up as it is: it is not off, or not clean',
    );
    lab.server.allocate(2, [{ device: 'b1', actions: [commands('true')] }]);
    expect((await lab.ends(2)).b1).toMatch(/the lab's power_off ended with status 7/);
    rmSync(dirname(process.env.LAB_SAID), { recursive: true });
  });

  test('that deploy get the images as files, checked and unpacked', async () => {
    const image = Buffer.from('the image of the job\n');
    const dtb = join(mkdtempSync(join(tmpdir(), 'muster-dtb-')), 'board.dtb');
    writeFileSync(dtb, 'a device tree\n');
    await labOf('shell', {
      console: {
        deploy: 'cat "$MUSTER_IMAGE" "$MUSTER_IMAGE_DTB" >"$LAB_SAID"',
        images: { dtb: { url: `file://${dtb}` } },
      },
    });
    process.env.LAB_SAID = join(lab.folder, 'said');
    writeFileSync(join(lab.folder, 'image.gz'), gzipSync(image));
    expect(await endOf(deploy(`file://${lab.folder}/image.gz`))).toBe('complete');
    rmSync(dirname(dtb), { recursive: true });
    expect(said()).toEqual(['the image of the job', 'a device tree']);
  });

  test.each([
    ['does not exist', '/none.img', '', /image-refused|cannot be read|no such file/i],
    [
      'has another digest',
      '/x.img',
      `#sha256=${'0'.repeat(64)}`,
      /has the sha256 [0-9a-f]{64}, expected 0{64}/,
    ],
    ['is no archive though it says so', '/broken.gz', '', /image file:.*broken\.gz/],
    ['is empty', '/empty.img', '', /is empty/],
  ])('are not asked to deploy an image that %s', async (_, file, digest, reason) => {
    await labOf('shell', { console: { deploy: 'touch "$LAB_SAID"' } });
    process.env.LAB_SAID = join(lab.folder, 'deployed');
    writeFileSync(join(lab.folder, 'x.img'), 'x');
    writeFileSync(join(lab.folder, 'empty.img'), '');
    writeFileSync(join(lab.folder, 'broken.gz'), gzipSync(Buffer.alloc(100_000)).subarray(0, 60));
    expect(await endOf(deploy(`file://${lab.folder}${file}${digest}`))).toMatch(reason);
    expect(existsSync(join(lab.folder, 'deployed'))).toBe(false);
  });
});

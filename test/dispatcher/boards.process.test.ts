/** Real boards with namespaces, from deploy to teardown, and what test scripts do to them. */

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { openProcessLimit } from '../../dispatcher/drivers/local/process-limit.ts';
import { shellQuoted } from '../../dispatcher/programs.ts';
import {
  boot,
  commands,
  definition,
  deploy,
  git,
  gitRepository,
  hashOf,
  Lab,
  leftovers,
  namespacesSkipped,
  shell,
  submit,
  until,
} from './harness.ts';
import { SOURCE_LIMITS } from './limits.ts';

const lack = await namespacesSkipped();
/** Without a limit a fork bomb would be one for this whole machine. */
const limited = (await openProcessLimit('00000000', 100)).kind !== 'none';
if (!limited) console.log('skipped: a fork bomb: nothing here limits the processes of a board');
let lab: Lab;
afterEach(() => lab.close());

/** A step that fails when the command works. (`! command` would pass under `set -e` either way.) */
const never = (command: string): string => `if ${command}; then exit 9; fi`;

/** One board, one job with these steps. */
async function run(steps: string[], given: ConstructorParameters<typeof Lab>[1] = {}) {
  lab = new Lab(['panda01'], given);
  const repository = gitRepository(join(lab.folder, 'repo'), {
    'tests.yaml': definition(...steps),
  });
  await lab.open();
  lab.server.allocate(1, [{ device: 'panda01', actions: [shell(git(repository, 'tests.yaml'))] }]);
}

describe.skipIf(lack !== undefined)('a board with namespaces', () => {
  test('goes through deploy, boot, test shell and submit, and nothing of it is left', async () => {
    lab = new Lab(['panda01']);
    const repository = gitRepository(join(lab.folder, 'repo'), {
      'sub/tests.yaml': `metadata: {name: hello}\nparameters: {WHO: nobody, KEPT: yes}\nrun:\n  steps:\n    - echo "I am $(lava-self), $WHO $KEPT"\n    - cat beside.txt\n`,
      'beside.txt': 'from the checkout\n',
    });
    await lab.open();
    const tests = shell(git(repository, 'sub/tests.yaml', [['WHO', "it's $me"]]));
    const actions = [deploy('host:'), boot(), tests, submit()];
    lab.server.allocate(1, [{ device: 'panda01', actions }]);
    expect(await lab.ends(1)).toEqual({ panda01: 'complete' });
    const text = lab.console(1, 'panda01');
    expect(text).toContain("\nI am panda01, it's $me yes\n");
    expect(text).toContain('\nfrom the checkout\n');
    expect(lab.server.calls).toContain('panda01: suite start 0_hello hello');
    expect(lab.server.of('ConfirmBoot')[0]?.address).toBe(lab.dispatcher?.addressOf('panda01'));
    expect(lab.server.of('EndAction').map(({ outcome }) => outcome)).toEqual([
      'ok',
      'ok',
      'ok',
      'ok',
    ]);
    const offsets = lab.server.reports.map((report) => report.console ?? -1);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    expect(lab.dispatcher?.consoleSize(1, 'panda01')).toBeGreaterThanOrEqual(offsets.at(-1) ?? 0);
    await lab.empty();
    expect(await leftovers(lab)).toEqual([]);
    expect(lab.console(1, 'panda01')).toContain('muster: ended: complete\n');
  });

  test('has its own name, address, /tmp, processes and root, and reaches its group by name', async () => {
    // Not below /tmp, of which a board has its own: the data folder must be hidden where it could be seen.
    lab = new Lab(['panda01', 'panda02'], {}, '/var/tmp');
    writeFileSync(join(lab.folder, 'beside-the-data'), 'yes');
    const marker = `/muster-test-${process.pid}`;
    const repository = gitRepository(join(lab.folder, 'repo'), {
      'tests.yaml': definition(
        'test "$(hostname)" = "$(lava-self)"',
        'for n in panda01 panda02; do ping -c 1 -W 5 $n; done',
        'test "$(ls /tmp)" = ""; echo $(hostname) > /tmp/mine; sleep 0.3; cat /tmp/mine',
        `hostname > ${marker}; hostname > /usr/bin/muster-test`,
        'echo "pids $(ls -d /proc/[0-9]* | wc -l)"',
        'test "$(id -u)" = 0',
        `ls ${lab.folder}/beside-the-data; ${never(`ls ${shellQuoted(lab.dataDir)}/boards`)}`,
        never('mount -t tmpfs x /mnt'),
        never('mknod /tmp/disk b 8 0'),
        never('umount /proc/sys'),
        // The value that is there: also a board that may write it changes nothing on this machine.
        never('cat /proc/sys/vm/swappiness | tee /proc/sys/vm/swappiness'),
        never('echo h > /proc/sysrq-trigger'),
        'echo 1 > /proc/sys/net/ipv4/ip_forward',
      ),
    });
    await lab.open();
    const actions = [shell(git(repository, 'tests.yaml'))];
    lab.server.allocate(1, [
      { device: 'panda01', role: 'a', actions },
      { device: 'panda02', role: 'b', actions },
    ]);
    expect(await lab.ends(1)).toEqual({ panda01: 'complete', panda02: 'complete' });
    expect(lab.server.calls.filter((call) => call.includes('case=exit'))).toEqual([]);
    for (const device of ['panda01', 'panda02']) {
      expect(lab.console(1, device)).toContain(`\n${device}\n`);
      const pids = /^pids (\d+)$/m.exec(lab.console(1, device))?.[1];
      expect(Number(pids)).toBeLessThan(15);
    }
    expect(existsSync(marker)).toBe(false);
    expect(existsSync('/usr/bin/muster-test')).toBe(false);
    await lab.empty();
    expect(await leftovers(lab)).toEqual([]);
  });

  test('cannot fill the memory of its worker', async () => {
    await run(['df -kP / /tmp /dev/shm /run /lava/ | awk \'NR > 1 { print "size", $2 }\'']);
    await lab.ends(1);
    const sizes = [...lab.console(1, 'panda01').matchAll(/^size (\d+)$/gm)].map((m) =>
      Number(m[1]),
    );
    expect(sizes).toHaveLength(5);
    for (const kib of sizes) expect(kib * 1024).toBeLessThan(totalmem() / 3);
  });

  test('keeps its root over a reboot and gets a new one with a deploy', async () => {
    lab = new Lab(['panda01']);
    await lab.open();
    const look = commands(
      'echo "seen: $(cat /kept /tmp/kept 2>&1)"',
      'echo here | tee /kept /tmp/kept',
    );
    const again = [deploy('host:'), look];
    const actions = [deploy('host:'), boot(), look, boot(), look, ...again, ...again];
    lab.server.allocate(1, [{ device: 'panda01', actions }]);
    expect(await lab.ends(1)).toEqual({ panda01: 'complete' });
    const seen = lab.console(1, 'panda01').match(/^seen: .*(\n.*No such.*)?/gm);
    expect(seen?.map((line) => line.startsWith('seen: here'))).toEqual([false, true, false, false]);
    expect(lab.server.of('StartBoot')).toHaveLength(4);
    expect(new Set(lab.server.reports.map(({ key }) => key)).size).toBe(lab.server.reports.length);
  });

  test('reports what test scripts say on the console, once, with its offset', async () => {
    lab = new Lab(['panda01']);
    await lab.open();
    const say = [
      "printf '<LAVA_SIGNAL_TESTSET START speed>\\n<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=fast RESULT=pass MEASUREMENT=1.5 UNITS=s>\\n'",
      "printf '<LAVA_SIGNAL_TESTSET STOP>\\n<LAVA_SIGNAL_TESTREFERENCE log fail http://x/y>\\n'",
      "printf 'a half <LAVA_SIGNAL_TESTCASE TEST_CASE_ID=half RESULT=pass>\\n'",
    ];
    lab.server.allocate(1, [{ device: 'panda01', actions: [commands(...say)] }]);
    expect(await lab.ends(1)).toEqual({ panda01: 'complete' });
    expect(lab.server.of('RecordResult')).toEqual([
      expect.objectContaining({
        set: 'speed',
        case: 'fast',
        result: 'pass',
        measurement: '1.5',
        units: 's',
      }),
      expect.objectContaining({ case: 'log', result: 'fail', note: 'http://x/y' }),
      expect.objectContaining({ case: 'half', result: 'pass' }),
    ]);
    for (const { key, console: at } of lab.server.reports.filter((r) => r.key.includes('signal'))) {
      const start = Number(key.split('.').at(-2));
      const line = Buffer.from(lab.console(1, 'panda01')).subarray(start, at).toString();
      expect(line).toMatch(/^(a half )?<LAVA_SIGNAL_.*>\n$/);
    }
  });

  test('that raises ends its member', async () => {
    await run(["echo '<LAVA_SIGNAL_TESTRAISE no link>'; sleep 1000"]);
    expect(await lab.ends(1)).toEqual({ panda01: 'no link' });
    await lab.empty();
  });

  test('runs a script that writes to /dev/stdout without losing what was printed before', async () => {
    await run(['echo before', 'echo middle > /dev/stdout', 'echo after']);
    await lab.ends(1);
    expect(lab.console(1, 'panda01')).toMatch(
      /muster: action 0[\s\S]*\nbefore\n[\s\S]*\nmiddle\n[\s\S]*\nafter\n/,
    );
  });

  test('whose script kills the shell of the board ends as failed, with the status', async () => {
    await run(['kill -9 $(cut -d " " -f 4 /proc/$PPID/stat); sleep 1000']);
    expect(await lab.ends(1)).toEqual({
      panda01: 'the shell of the board ended (status 137) before its tests were through',
    });
    await lab.empty();
    expect(await leftovers(lab)).toEqual([]);
  });

  test('whose script kills the test runner ends as failed', async () => {
    await run(['kill -9 $PPID; sleep 1000']);
    expect((await lab.ends(1)).panda01).toMatch(
      /the test runner on the board ended \(status 137\)/,
    );
  });

  test('whose script kills every process ends as failed, and only that board', async () => {
    lab = new Lab(['panda01', 'panda02']);
    await lab.open();
    lab.server.allocate(1, [{ device: 'panda02', actions: [commands('sleep 1000')] }]);
    await until(
      () => lab.console(1, 'panda02').includes('+ sleep'),
      () => lab.console(1, 'panda02'),
    );
    lab.server.allocate(2, [{ device: 'panda01', actions: [commands('kill -9 -1')] }]);
    expect((await lab.ends(2)).panda01).toMatch(/the shell of the board ended \(status 137\)/);
    expect(lab.server.member(1, 'panda02').end).toBeUndefined();
    await until(
      () => readdirSync(join(lab.dataDir, 'boards')).length === 1,
      () => 'two boards',
    );
    expect(await leftovers(lab)).toContain('panda02');
  });

  test('whose script signals its process group leaves the console alive', async () => {
    await run(['trap : TERM; kill -TERM 0; sleep 0.1; echo still here']);
    await lab.ends(1);
    expect(lab.console(1, 'panda01')).toContain('\nstill here\n');
  });

  test('with a script that never ends is taken down when its step is no longer owed', async () => {
    await run([
      'echo begun',
      "set +x; trap '' TERM HUP INT; (setsid sleep 1000 &); printf half; while :; do sleep 1000; done",
    ]);
    await until(
      () => lab.console(1, 'panda01').endsWith('\nhalf'),
      () => lab.console(1, 'panda01'),
    );
    lab.server.end(1, 'panda01', 'cancelled', ['cancelled by a test', 'waited for panda07']);
    await lab.empty();
    expect(await leftovers(lab)).toEqual([]);
    expect(lab.console(1, 'panda01')).toMatch(
      /\nhalf\nmuster: cancelled by a test\nmuster: waited for panda07\n$/,
    );
    expect(lab.server.of('EndAction')).toEqual([]);
  });

  test.skipIf(!limited)(
    'with a fork bomb is taken down, and never has more processes than its limit',
    async () => {
      await run(['echo begun', 'bomb() { bomb | bomb & }; bomb; sleep 1000'], {
        local: { processes: 128 },
        limits: { consoleBytes: 64 * 1024 ** 2, bootSeconds: 60, ...SOURCE_LIMITS },
      });
      const group = `/sys/fs/cgroup/pids/muster-${hashOf(lab).slice(0, 8)}-panda01`;
      await until(
        () => lab.console(1, 'panda01').includes('ork'),
        () => lab.console(1, 'panda01').slice(-500),
      );
      if (existsSync(group))
        expect(Number(readFileSync(join(group, 'pids.peak'), 'utf8'))).toBeLessThanOrEqual(128);
      if (lab.server.member(1, 'panda01').end === undefined)
        lab.server.end(1, 'panda01', 'cancelled');
      await lab.empty();
      expect(await leftovers(lab)).toEqual([]);
    },
  );

  test('that prints 100 MB goes on, in flat memory', async () => {
    await run(['yes 0123456789 | head -c 104857600', 'echo afterwards']);
    const before = process.memoryUsage.rss();
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss());
    }, 20);
    expect(await lab.ends(1)).toEqual({ panda01: 'complete' });
    clearInterval(timer);
    expect(most - before).toBeLessThan(64 * 1024 ** 2);
    expect(lab.dispatcher?.consoleSize(1, 'panda01')).toBeGreaterThan(104_857_600);
  });

  test('that prints more than its console may hold fails, and the file stays bounded', async () => {
    await run(['yes'], { limits: { consoleBytes: 1_048_576, bootSeconds: 60, ...SOURCE_LIMITS } });
    expect(await lab.ends(1)).toEqual({
      panda01: 'the board printed more than 1048576 bytes on its console',
    });
    expect(lab.server.of('FailMember')).toHaveLength(1);
    await lab.empty();
    expect(statSync(join(lab.dataDir, 'jobs/1/panda01.console')).size).toBeLessThan(
      1_048_576 + 4_096,
    );
  });

  test('that plants links in its own folder leads the worker nowhere', async () => {
    lab = new Lab(['panda01']);
    await lab.open();
    const target = join(lab.folder, 'target');
    const actions = [
      commands(
        `rm -rf /lava-1/env /lava-1/1; ln -s ${target} /lava-1/env; ln -s ${lab.folder} /lava-1/1`,
      ),
      commands('echo second'),
    ];
    lab.server.allocate(1, [{ device: 'panda01', actions }]);
    expect(await lab.ends(1)).toEqual({ panda01: 'complete' });
    expect(existsSync(target)).toBe(false);
    expect(readdirSync(lab.folder)).toEqual([basename(lab.dataDir)]);
    expect(lab.console(1, 'panda01')).toContain('\nsecond\n');
  });

  test('goes from one job to the next without a trace of the first', async () => {
    lab = new Lab(['panda01']);
    await lab.open();
    const look = commands('echo "seen: $(ls -d /lava-* /x 2>/dev/null | tr "\\n" " ")"; touch /x');
    lab.server.allocate(1, [{ device: 'panda01', actions: [look] }]);
    await lab.ends(1);
    lab.server.allocate(2, [{ device: 'panda01', actions: [look] }]);
    await lab.ends(2);
    expect(lab.console(2, 'panda01')).toContain('seen: /lava-2 \n');
  });

  test('removes its bridge when the dispatcher stops, and two labs do not meet', async () => {
    lab = new Lab(['panda01']);
    const other = new Lab(['panda01']);
    try {
      const [one, two] = [await lab.open(), await other.open()];
      expect(one.gateway?.address).not.toBe(two.gateway?.address);
      const bridges = () =>
        execFileSync('ip', ['-br', 'link', 'show', 'type', 'bridge'], { encoding: 'utf8' });
      expect(bridges()).toContain(`m${hashOf(lab).slice(0, 8)}br`);
      await one.stop({ killBoards: false });
      expect(bridges()).not.toContain(`m${hashOf(lab).slice(0, 8)}br`);
      expect(bridges()).toContain(`m${hashOf(other).slice(0, 8)}br`);
    } finally {
      await other.close();
    }
  });
});

/** Boards on a serial line that take their time, or everybody else's. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { commands, Lab, until } from './harness.ts';
import { endOf, job, lab, labOf, openLab } from './line-lab.ts';

afterEach(() => lab.close());

describe('a board boots', { timeout: 240_000 }, () => {
  test('though everything comes back twice', async () => {
    await labOf('twice shell');
    expect(await job()).toBe('complete');
  });

  test('when its prompt was printed before, and nothing comes until somebody types', async () => {
    await labOf('waits shell');
    expect(await job()).toBe('complete');
  });

  test('though it prints what looks like a prompt and is none', async () => {
    await labOf('lies shell');
    expect(await job()).toBe('complete');
  });

  test('when each character must have its time', async () => {
    const login = { character_delay_ms: 1, prompts: ['board# $'] };
    await labOf('shell', { login }, { consoleBytes: 4_194_304, bootSeconds: 150 });
    expect(await job()).toBe('complete');
  });
});

describe('a board that prints 100 MB on its line', { timeout: 240_000 }, () => {
  test('goes on, is heard afterwards, and its worker keeps none of it in memory', async () => {
    await labOf('shell', {}, { consoleBytes: 268_435_456, bootSeconds: 60 });
    const before = process.memoryUsage.rss();
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss());
    }, 50);
    const prints = commands('yes 0123456789 | head -c 104857600', 'lava-send after');
    expect(await endOf(prints)).toBe('complete');
    clearInterval(timer);
    expect(most - before).toBeLessThan(96 * 1024 ** 2);
    expect(lab.dispatcher?.consoleSize(1, 'b1')).toBeGreaterThan(104_857_600);
    expect(lab.server.calls).toContain('b1: send after');
  });
});

describe('a board that was not switched off', { timeout: 90_000 }, () => {
  test('is not taken for one that booted', async () => {
    // A line to a shell that outlives every connection.
    const own = new Lab(['b1']);
    const [input, output] = ['in', 'out'].map((name) => join(own.folder, name));
    const start = 'mkfifo "$0" "$1"; exec <>"$0" 1<>"$1"; exec script -qfc "exec sh -i" /dev/null';
    const board = spawn('sh', ['-c', start, input, output] as string[], {
      ...{ detached: true, stdio: 'ignore' },
    });
    try {
      await until(
        () => existsSync(output ?? ''),
        () => 'no line',
      );
      // The mark is for processes of this machine: a board is none.
      const unmarked = `sed -u s/MUSTER_BOARD=/OTHER=/ >${input}`;
      const connect = `stty raw -echo; cat <${output} & exec ${unmarked}`;
      await openLab({ console: { connect }, login: { prompts: ['[#$] $'] } }, own);
      expect(await job()).toBe('complete');
      await lab.empty();
      lab.server.allocate(2, [{ device: 'b1', actions: [commands('true')] }]);
      expect((await lab.ends(2, 60)).b1).toMatch(/it was not switched off/);
    } finally {
      if (board.pid !== undefined) process.kill(-board.pid, 'SIGKILL');
    }
  });
});

describe('a board that says nothing', { timeout: 90_000 }, () => {
  test('is named for that, and its boot fails at once', async () => {
    await labOf('silent', { console: { silent_seconds: 2 } });
    expect(await job()).toMatch(/it has said nothing for 2 s/);
    expect(lab.server.of('FailMember')[0]).toMatchObject({ fault: 'board' });
    await lab.empty();
  });
});

describe('a board is gone in the middle of a job', { timeout: 90_000 }, () => {
  const kernel = '[    0.000000] Linux version 6.1.0-fake (gcc)';
  test('when it rebooted, and the line of the console says where', async () => {
    await labOf('shell');
    const dies = `printf '${kernel}\\nboard login: '; exec sleep 1000`;
    expect(await endOf(commands(dies))).toMatch(
      /^the board rebooted \(line \d+ of its console\) before its tests were through$/,
    );
  });

  test('when its kernel panicked', async () => {
    await labOf('shell');
    const dies =
      "printf '[   3.1] Kernel panic - not syncing: Attempted to kill init!\\n'; exec sleep 1000";
    expect(await endOf(commands(dies))).toMatch(/^its kernel panicked: .*Attempted to kill init!/);
  });

  test('but not when a test prints what a kernel once said, and goes on', async () => {
    await labOf('shell');
    const says = `printf '${kernel}\\n[   3.1] Kernel panic - not syncing: once\\n'; echo; echo 'that was dmesg'; sleep 5`;
    expect(await endOf(commands(says))).toBe('complete');
  });
});

/** QEMU boards whose worker or whose QEMU is killed: at each step, and nothing of them is left. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import type { MemberCommand } from '../../machines/commands.ts';
import { commands, deploy, Lab, leftovers, until } from './harness.ts';
import { SOURCE_LIMITS } from './limits.ts';
import { qemuSkipped } from './qemu-parts.ts';

const skipped = await qemuSkipped();
const childFile = fileURLToPath(new URL('serve-child.ts', import.meta.url));
const board = { name: 'panda01', type: 'q', tags: [], driver: 'qemu', image: 'host:' };
const limits = { consoleBytes: 64 * 1024 ** 2, bootSeconds: 120, ...SOURCE_LIMITS };

describe.skipIf(skipped !== undefined)('a QEMU board', { timeout: 300_000 }, () => {
  let lab: Lab;
  let worker: ChildProcess | undefined;
  const killWorker = async () => {
    const gone = worker && once(worker, 'close');
    worker?.kill('SIGKILL');
    worker = undefined;
    await gone;
  };
  afterEach(async () => {
    await killWorker();
    await lab.close();
  });
  const text = () => lab.console(1, 'panda01');

  test('whose QEMU is killed ends its job, and leaves nothing', async () => {
    lab = new Lab(['panda01'], { boards: [board], limits });
    await lab.open();
    const actions = [commands('echo begun; sleep 1000')];
    lab.server.allocate(1, [{ device: 'panda01', actions }]);
    await until(() => text().includes('\nbegun'), text, 100);
    const state = readFileSync(join(lab.dataDir, 'boards/panda01/state.json'), 'utf8');
    process.kill(JSON.parse(state).process.pid, 'SIGKILL');
    expect((await lab.ends(1, 60)).panda01).toBe('the board ended before its tests were through');
    await lab.empty();
    expect(await leftovers(lab)).toEqual([]);
  });

  // What the console says when the worker is killed.
  test.each([
    ['deploys', /deploying host:/],
    ['boots', /muster: booting/],
    ['logs in', /MUSTER_BOARD_SHELL/],
    ['lays its files out', /MUSTER_BOARD_LOOP/],
    ['tests', /\nbegun/],
  ])('goes on after kill -9 of its worker while it %s', async (_, sign) => {
    lab = new Lab(['panda01'], { boards: [board], limits });
    const { server } = lab;
    const actions = [deploy('host:'), commands('echo begun; sleep 4; echo "done $((40 + 2))"')];
    await server.listen();
    const { port } = server;
    await server.close();
    const words = ['--import', 'tsx', childFile, lab.dataDir, String(port)];
    worker = spawn(process.execPath, [...words, JSON.stringify(actions), 'qemu'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let reported = '';
    worker.stdout?.on('data', (chunk: Buffer) => {
      reported += chunk.toString();
    });
    await until(() => sign.test(text()), text, 120);
    await killWorker();
    await server.listen(port);
    server.allocate(1, [{ device: 'panda01', actions }]);
    for (const line of reported.split('\n').slice(0, -1))
      await server.report(...(JSON.parse(line) as [number, MemberCommand, { key: string }]));
    await lab.open();
    expect(await lab.ends(1, 200)).toEqual({ panda01: 'complete' });
    expect(text().match(/\ndone 42\n/g)).toHaveLength(1);
    await lab.empty();
    expect(await leftovers(lab)).toEqual([]);
  });
});

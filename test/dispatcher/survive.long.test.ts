/** Boards survive the `kill -9` of their dispatcher, and the next one takes them over or clears them away. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import {
  isAlive,
  kill,
  MARK_VARIABLE,
  markedProcesses,
  type ProcessId,
  processId,
} from '../../dispatcher/drivers/processes.ts';
import type { Action } from '../../machines/definition.ts';
import type { FakeServer } from './fake-server.ts';
import { commands, hashOf, Lab, leftovers, namespacesSkipped, until } from './harness.ts';

const lack = await namespacesSkipped();
const childScript = fileURLToPath(new URL('serve-child.ts', import.meta.url));
let lab: Lab;
let child: ChildProcess | undefined;
afterEach(async () => {
  child?.kill('SIGKILL');
  child = undefined;
  await lab.close();
});

type Kind = 'namespaces' | 'plain';
const kinds: Kind[] = lack === undefined ? ['namespaces', 'plain'] : ['plain'];

/** After the first sign of life of the dispatcher: before, while and after a board boots. */
const KILL_AFTER_MS = [0, 50, 120, 300];

/** Waits in the job until the server gives the board another role. */
const UNTIL_GO = 'until lava-send go; do sleep 0.05; done 2>/dev/null';

interface Life {
  reports: Parameters<FakeServer['report']>[];
}

/** Starts a dispatcher in a child process, with one job on `panda01`. */
async function live(kind: Kind, actions: Action[]): Promise<Life> {
  lab = new Lab(['panda01'], kind === 'plain' ? { local: { namespaces: false } } : {});
  mkdirSync(lab.dataDir);
  await lab.server.listen();
  const { port } = lab.server;
  await lab.server.close();
  const args = [
    '--import',
    'tsx',
    childScript,
    lab.dataDir,
    String(port),
    JSON.stringify(actions),
    kind,
  ];
  const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  child = started;
  const reports: Life['reports'] = [];
  let rest = '';
  started.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) reports.push(JSON.parse(line));
  });
  return { reports };
}

async function killChild(): Promise<void> {
  const gone = new Promise((done) => child?.once('close', done));
  child?.kill('SIGKILL');
  await gone;
  child = undefined;
}

/** A server that knows what the first one was told, and a dispatcher in this process. */
async function reopen(life: Life, actions: Action[], role: string): Promise<void> {
  const { server } = lab;
  await server.listen(server.port);
  server.allocate(1, [{ device: 'panda01', role, actions }]);
  for (const report of life.reports) await server.report(...report);
  await lab.open();
}

const boardProcess = (): ProcessId =>
  JSON.parse(readFileSync(join(lab.dataDir, 'boards/panda01/state.json'), 'utf8')).process;

describe.each(kinds)('a %s board whose dispatcher was killed', (kind) => {
  test('runs on, and the next dispatcher sees its end', async () => {
    const actions = [
      commands(
        "echo '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=early RESULT=pass>'",
        'echo begun',
        UNTIL_GO,
        'echo through',
      ),
    ];
    const life = await live(kind, actions);
    const text = () => lab.console(1, 'panda01');
    await until(() => text().includes('\nbegun\n'), text);
    await until(() => life.reports.some(([, c]) => c.type === 'RecordResult'), text);
    await killChild();
    expect(isAlive(boardProcess())).toBe(true);
    await reopen(life, actions, 'go');
    expect(await lab.ends(1)).toEqual({ panda01: 'complete' });
    expect(text().match(/^begun$/gm)).toHaveLength(1);
    expect(text()).toContain('\nthrough\n');
    expect(text()).toContain('(taken up again)');
    expect(lab.server.of('RecordResult').map((result) => result.case)).toEqual(['early']);
    expect(lab.server.of('StartBoot')).toHaveLength(1);
    await lab.empty();
    expect(await leftovers(lab)).toEqual([]);
  });

  test('that died meanwhile fails its member', async () => {
    const actions = [commands('echo begun', UNTIL_GO)];
    const life = await live(kind, actions);
    await until(
      () => lab.console(1, 'panda01').includes('\nbegun\n'),
      () => lab.console(1, 'panda01'),
    );
    await until(
      () => life.reports.some(([, c]) => c.type === 'StartAction'),
      () => 'no start',
    );
    await killChild();
    const board = boardProcess();
    process.kill(board.pid, 'SIGKILL');
    await until(
      () => !isAlive(board),
      () => 'the board lives',
    );
    await reopen(life, actions, 'go');
    expect((await lab.ends(1)).panda01).toMatch(/^the board is gone/);
    await lab.empty();
    expect(await leftovers(lab)).toEqual([]);
  });

  test('is cleared away at the next start when its job is over', async () => {
    const actions = [commands('echo begun', '(setsid sleep 1000 &)', 'sleep 1000')];
    await live(kind, actions);
    await until(
      () => lab.console(1, 'panda01').includes('+ sleep 1000'),
      () => lab.console(1, 'panda01'),
    );
    await killChild();
    expect(await leftovers(lab)).not.toEqual([]);
    await lab.server.listen(lab.server.port);
    lab.server.endedLines.set('1.panda01', ['the job was cancelled']);
    await lab.open();
    await lab.empty();
    expect(await leftovers(lab)).toEqual([]);
    expect(lab.console(1, 'panda01')).toMatch(/muster: the job was cancelled\n$/);
  });

  test('and killed at any moment leaves nothing that the next start does not clear away', async () => {
    for (const ms of KILL_AFTER_MS) {
      await live(kind, [commands('echo begun', 'sleep 1000')]);
      await until(
        () => existsSync(join(lab.dataDir, 'boards')),
        () => 'no start',
      );
      // Not to wait for anything: the moment of the kill is what is varied.
      await delay(ms);
      await killChild();
      await lab.server.listen(lab.server.port);
      await lab.open();
      await lab.empty();
      expect(await leftovers(lab), `after ${ms} ms`).toEqual([]);
      if (ms !== KILL_AFTER_MS.at(-1)) await lab.close();
    }
  }, 120_000);

  test('with a state that cannot be read is cleared away', async () => {
    await live(kind, [commands('echo begun', 'sleep 1000')]);
    await until(
      () => lab.console(1, 'panda01').includes('\nbegun\n'),
      () => lab.console(1, 'panda01'),
    );
    await killChild();
    writeFileSync(join(lab.dataDir, 'boards/panda01/state.json'), '{"job":');
    await lab.server.listen(lab.server.port);
    await lab.open();
    expect(readdirSync(join(lab.dataDir, 'boards'))).toEqual([]);
    expect(await leftovers(lab)).toEqual([]);
  });

  test.skipIf(kind === 'plain')('whose folder is gone is cleared away too', async () => {
    await live(kind, [commands('echo begun', 'sleep 1000')]);
    await until(
      () => lab.console(1, 'panda01').includes('\nbegun\n'),
      () => lab.console(1, 'panda01'),
    );
    await killChild();
    const board = join(lab.dataDir, 'boards/panda01');
    execFileSync('umount', ['-l', join(board, 'volume')]);
    rmSync(board, { recursive: true });
    const processes = await markedProcesses(MARK_VARIABLE, hashOf(lab));
    for (const { pid } of processes) {
      const id = processId(pid);
      if (id !== undefined) kill(id);
    }
    await until(
      () => processes.every(({ pid }) => processId(pid) === undefined),
      () => 'the board lives',
    );
    // Its cgroup at least is left, where there are cgroups.
    await lab.server.listen(lab.server.port);
    await lab.open();
    expect(await leftovers(lab)).toEqual([]);
  });
});

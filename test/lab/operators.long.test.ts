/** Operators at boards behind a real pty, with the real command line, a real server and a real worker. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import type { DeviceConsoles, DeviceView } from '../../api/schemas.ts';
import { until, WorkerProcess } from '../worker/worker-process.ts';
import { ServerProcess } from './server-process.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Where jobs on those boards have their folders: the boards are this machine. */
const HOME = mkdtempSync(join(tmpdir(), 'muster-operators-'));
afterAll(() => rmSync(HOME, { recursive: true, force: true }));

/** A board whose line is a shell on a terminal of its own, and whose power is a file. */
const labOf = (power: string) => `
device_types:
  hw:
    driver: console
    commands: { seconds: 2 }
    login: { home: ${HOME} }
    console:
      power_on: 'echo on >>${power}'
      power_off: 'echo off >>${power}'
devices:
  b1:
    type: hw
    console: { connect: 'PS1="board# " exec sh -i # b1' }
  b2:
    type: hw
    console: { connect: 'PS1="board# " exec sh -i # b2', reset: 'exec sleep 100' }
`;

async function serverOf(power = '/dev/null'): Promise<ServerProcess> {
  const server = await ServerProcess.make(labOf(power));
  onTestFinished(async () => {
    await server.end('SIGKILL');
    await server.start();
    await server.end('SIGTERM');
    await server.remove();
  });
  await server.start();
  return server;
}

/** A command line; `onTerminal`: with a terminal around it. */
class Muster {
  readonly #child: ChildProcess;
  out = '';
  readonly exit: Promise<number | null>;

  constructor(server: ServerProcess, words: string[], onTerminal = false) {
    const env = { ...process.env, MUSTER_URL: server.url };
    const command = [process.execPath, MAIN, ...words];
    this.#child = onTerminal
      ? spawn('script', ['-q', '-f', '-e', '-c', command.join(' '), '/dev/null'], { env })
      : spawn(process.execPath, [MAIN, ...words], { env });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (bytes: Buffer) => {
        this.out += bytes;
      });
    this.exit = once(this.#child, 'close').then(([code]) => code as number | null);
    onTestFinished(() => void this.#child.kill('SIGKILL'));
  }
  type(text: string | Buffer): void {
    this.#child.stdin?.write(text);
  }
  end(text = ''): void {
    this.#child.stdin?.end(text);
  }
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
  async says(text: string | RegExp): Promise<void> {
    await until(async () => this.out.match(text) !== null).catch(() => {
      throw new Error(`it does not say ${text}: ${JSON.stringify(this.out)}`);
    });
  }
}

const device = (server: ServerProcess, name = 'b1') =>
  server.get<DeviceView>(`/api/devices/${name}`);
const isOnline = (server: ServerProcess, name = 'b1') =>
  until(async () => (await device(server, name)).online);
const consoles = async (server: ServerProcess, name = 'b1') =>
  (await server.get<DeviceConsoles>(`/api/devices/${name}/consoles`)).consoles;

describe('muster console', { timeout: 120_000 }, () => {
  test('on a terminal types what is pressed, leaves at Ctrl-], and shows later what was seen', async () => {
    const server = await serverOf();
    const muster = new Muster(server, ['console', 'b1'], true);
    await muster.says(/Ctrl-\] leaves[\s\S]*board# /);
    expect((await device(server)).offlineReason).toMatch(/^console of /);
    muster.type('echo "sum $((40 + 2))"\r');
    await muster.says('sum 42');
    // Ctrl-C is the board's.
    muster.type('sleep 1000\r');
    await muster.says(/sleep 1000[\r\n]/);
    muster.type('\u0003');
    muster.type('echo "still $((1 + 1)) here"\r');
    await muster.says('still 2 here');
    muster.type('\u001d');
    expect(await muster.exit).toBe(0);
    expect(muster.out).toContain('b1 is given back');
    expect(await device(server)).toMatchObject({ online: true });
    const show = new Muster(server, ['console', 'b1', '--show', '1']);
    expect(await show.exit).toBe(0);
    expect(show.out).toContain('sum 42');
    const list = new Muster(server, ['console', 'b1', '--list']);
    expect(await list.exit).toBe(0);
    expect(list.out).toContain('it was left');
  });

  test('types all that comes from a pipe, garbage and all, and gives the board back', async () => {
    const server = await serverOf();
    const muster = new Muster(server, ['console', 'b1']);
    muster.type(Buffer.from([0, 0xff, 0xfe, 0x1b, 0x5b, 0x15]));
    muster.end('\necho "piped $((3 * 3))"\n');
    expect(await muster.exit).toBe(0);
    expect(muster.out).toContain('piped 9');
    await isOnline(server);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('gives the board back at %s, and ends with %i', async (signal, exit) => {
    const server = await serverOf();
    const muster = new Muster(server, ['console', 'b1']);
    await muster.says('board# ');
    muster.signal(signal);
    expect(await muster.exit).toBe(exit);
    expect(await device(server)).toMatchObject({ online: true });
  });

  test('that is killed loses the board to the queue again', async () => {
    const server = await serverOf();
    const muster = new Muster(server, ['console', 'b1']);
    await muster.says('board# ');
    muster.signal('SIGKILL');
    await isOnline(server);
  });

  test('is refused beside another one, and while a job has the board', async () => {
    const server = await serverOf();
    const first = new Muster(server, ['console', 'b1']);
    await first.says('board# ');
    const second = new Muster(server, ['console', 'b1']);
    expect(await second.exit).toBe(1);
    expect(second.out).toMatch(/has the console of b1/);
    const { id } = await server.post('/api/jobs', {
      ...{ timeout: 300, job_name: 'busy', device_group: [{ role: 'r', count: 1, device: 'b2' }] },
      actions: [{ command: 'lava_command_run', parameters: { commands: ['sleep 1000'] } }],
    });
    await until(async () => (await device(server, 'b2')).job === id);
    const third = new Muster(server, ['console', 'b2']);
    expect(await third.exit).toBe(1);
    expect(third.out).toContain(`job ${id} has b2: cancel it first`);
    const power = new Muster(server, ['device', 'b2', '--power', 'off']);
    expect(await power.exit).toBe(1);
    expect(power.out).toContain(`job ${id} has b2: cancel it first`);
    await server.post(`/api/jobs/${id}/cancel`, {});
  });

  test('ends with 1 when its line ends, and says why', async () => {
    const server = await serverOf();
    const muster = new Muster(server, ['console', 'b1']);
    await muster.says('board# ');
    muster.type('exit\n');
    expect(await muster.exit).toBe(1);
    expect(muster.out.replace(/\s+/g, ' ')).toContain('the line to the board was closed');
    await isOnline(server);
  });

  test('is over when the server is killed, and its next start gives the board back', async () => {
    const server = await serverOf();
    const muster = new Muster(server, ['console', 'b1']);
    await muster.says('board# ');
    await server.end('SIGKILL');
    expect(await muster.exit).toBe(1);
    await server.start();
    await isOnline(server);
    expect(await consoles(server)).toMatchObject([{ reason: 'the server was killed' }]);
    const again = new Muster(server, ['console', 'b1']);
    again.end('echo "again $((1 + 1))"\n');
    expect(await again.exit).toBe(0);
    expect(again.out).toContain('again 2');
  });

  test('has the power of the board switched beside it, and a command that hangs is ended', async () => {
    const server = await serverOf();
    const power = join(server.folder, 'power');
    await writeFile(join(server.folder, 'lab.yaml'), labOf(power));
    await server.json('/api/lab/reload');
    const muster = new Muster(server, ['console', 'b1']);
    await muster.says('board# ');
    for (const how of ['on', 'reset', 'off', 'off'])
      expect(await new Muster(server, ['device', 'b1', '--power', how]).exit).toBe(0);
    await muster.says('muster: power reset: done');
    expect((await readFile(power, 'utf8')).split('\n').filter((word) => word !== '')).toEqual([
      ...['on', 'off', 'on', 'off', 'off'],
    ]);
    const hangs = new Muster(server, ['device', 'b2', '--power', 'reset']);
    expect(await hangs.exit).toBe(1);
    expect(hangs.out.replace(/\s+/g, ' ')).toContain("the lab's reset did not end within 2 s");
    muster.end();
    expect(await muster.exit).toBe(0);
    await server.end('SIGTERM');
    const switched = (await server.log()).filter(({ type }) => type === 'DevicePowerSwitched');
    expect(switched).toHaveLength(5);
    expect(switched.at(-1)?.data).toMatchObject({ power: 'reset', outcome: 'failed' });
  });
});

describe('a board behind a worker', { timeout: 120_000 }, () => {
  async function far() {
    const server = await ServerProcess.bare();
    await server.start();
    const worker = await WorkerProcess.make(server, { lab: labOf('/dev/null') });
    onTestFinished(async () => {
      await worker.end('SIGKILL');
      await server.end('SIGKILL');
      await server.start();
      await worker.start();
      await worker.remove();
      await server.end('SIGTERM');
      await server.remove();
    });
    await worker.start();
    return { server, worker };
  }

  test('has its power and its console over the line, and comes back', async () => {
    const { server } = await far();
    expect(await new Muster(server, ['device', 'b1', '--power', 'reset']).exit).toBe(0);
    const hangs = new Muster(server, ['device', 'b2', '--power', 'reset']);
    expect(await hangs.exit).toBe(1);
    expect(hangs.out.replace(/\s+/g, ' ')).toContain("the lab's reset did not end within 2 s");
    const muster = new Muster(server, ['console', 'b1']);
    muster.type('echo "far $((2 * 4))"\n');
    await muster.says('far 8');
    muster.type(`${': a paste\n'.repeat(20_000)}echo "after $((5 + 5))"\n`);
    await muster.says('after 10');
    muster.end();
    expect(await muster.exit).toBe(0);
    await isOnline(server);
    expect((await consoles(server))[0]?.bytes).toBeGreaterThan(200_000);
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'ends its console when its worker goes by %s in the middle, and comes back with it',
    async (signal) => {
      const { server, worker } = await far();
      const muster = new Muster(server, ['console', 'b1']);
      await muster.says('board# ');
      await worker.end(signal);
      expect(await muster.exit).toBe(1);
      expect(muster.out).toMatch(/is over|broke/);
      const refused = new Muster(server, ['console', 'b1']);
      expect(await refused.exit).toBe(1);
      expect(refused.out).toContain('is away');
      await worker.start();
      await isOnline(server);
      const again = new Muster(server, ['console', 'b1']);
      again.end('echo "again $((1 + 1))"\n');
      expect(await again.exit).toBe(0);
      expect(again.out).toContain('again 2');
    },
  );

  test('ends its console when the server is killed in the middle, and is given back', async () => {
    const { server } = await far();
    const muster = new Muster(server, ['console', 'b1']);
    await muster.says('board# ');
    await server.end('SIGKILL');
    expect(await muster.exit).toBe(1);
    await server.start();
    await isOnline(server);
    const again = new Muster(server, ['console', 'b1']);
    again.end('echo "again $((1 + 1))"\n');
    expect(await again.exit).toBe(0);
    expect(again.out).toContain('again 2');
  });
});

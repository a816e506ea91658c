/** The boards' door when another program has its port: another one, or a refusal in words, and never half a server. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify from 'fastify';
import pino from 'pino';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { openBoardDoor } from '../../server/board-door.ts';
import { startServer } from '../../server/server.ts';
import { namespacesSkipped, until } from '../dispatcher/harness.ts';

const lack = await namespacesSkipped();

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'muster-door-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
});

const portFile = () => readFile(join(dataDir, 'board-port'), 'utf8');

/** Another program on a port. */
async function takes(port: number, host = '127.0.0.1'): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  onTestFinished(() => void server.close());
  return server;
}

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

async function freePort(): Promise<number> {
  const server = await takes(0);
  const port = portOf(server);
  await new Promise((closed) => server.close(closed));
  return port;
}

async function open(boardsRun: boolean): Promise<string> {
  const app = Fastify();
  onTestFinished(() => app.close());
  return openBoardDoor(app, { address: '127.0.0.1', dataDir, boardsRun });
}

test('the door of the boards is at the port that it had before', async () => {
  const port = await freePort();
  await writeFile(join(dataDir, 'board-port'), String(port));
  expect(await open(true)).toBe(`http://127.0.0.1:${port}`);
});

test('another program on its port: it takes another one when no board runs', async () => {
  const port = portOf(await takes(0));
  await writeFile(join(dataDir, 'board-port'), String(port));
  const url = await open(false);
  expect(new URL(url).port).not.toBe(String(port));
  expect(await portFile()).toBe(new URL(url).port);
});

test('another program on its port: it says so when boards run that know no other', async () => {
  const port = portOf(await takes(0));
  await writeFile(join(dataDir, 'board-port'), String(port));
  await expect(open(true)).rejects.toMatchObject({
    code: 'server-refused',
    message: expect.stringMatching(`127.0.0.1:${port} .*taken by another program`),
  });
  expect(await portFile()).toBe(String(port));
});

test.each(['', 'x', '-1', '0', '70000', '8e9', '80.5', '[]'])(
  'whatever the file of its port holds, it opens: %j',
  async (text) => {
    await writeFile(join(dataDir, 'board-port'), text);
    const url = await open(true);
    expect(await portFile()).toBe(new URL(url).port);
  },
);

test.skipIf(lack !== undefined)(
  'a server that cannot open the door of the boards answers nobody, and its boards run on',
  async () => {
    const labFile = join(dataDir, 'lab.yaml');
    await writeFile(labFile, 'device_types: { p: {} }\ndevices: { p1: { type: p } }\n');
    const port = await freePort();
    const start = () =>
      startServer({ dataDir, labFile, host: '127.0.0.1', port, log: pino({ level: 'silent' }) });
    const first = await start();
    const body = JSON.stringify({
      ...{ timeout: 60, job_name: 'x', device_type: 'p' },
      actions: [
        {
          command: 'lava_command_run',
          parameters: { commands: ['until [ -e /go ]; do sleep 0.1; done'] },
        },
      ],
    });
    const headers = { 'content-type': 'application/json' };
    await fetch(`${first.url}/api/jobs`, { method: 'POST', headers, body });
    const console = async () =>
      readFile(join(dataDir, 'jobs/1/p1.console'), 'utf8').catch(() => '');
    let text = '';
    while (!text.includes('+ until')) text = await console();
    await first.stop();
    const blocker = await takes(Number(await portFile()), '0.0.0.0');
    await expect(start()).rejects.toMatchObject({ code: 'server-refused' });
    await expect(fetch(first.url)).rejects.toThrow();
    expect(existsSync(join(dataDir, 'boards/p1/state.json'))).toBe(true);
    await new Promise((closed) => blocker.close(closed));
    const second = await start();
    while (!text.includes('taken up again')) text = await console();
    await second.stop({ killBoards: true });
    await until(
      () => !existsSync(join(dataDir, 'boards/p1')),
      () => 'the board is there',
    );
  },
);

/** A server that is started with a full disk: everything can be read, and it goes to work by itself when there is room. */
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, expect, it } from 'vitest';
import { startServer } from '../../server/server.ts';
import { mountSmallDisk } from '../store/disks.ts';
import { skipBecause, type Undo, undoAll, until } from '../store/events.ts';

const undo: Undo = [];
afterEach(() => undoAll(undo));

const LAB = {
  device_types: { qa: { driver: 'local', image: 'host:' } },
  devices: { qa01: { type: 'qa' } },
};
const JOB = {
  timeout: 60,
  job_name: 'waits',
  device_type: 'qa',
  actions: [{ command: 'lava_command_run', parameters: { commands: ['true'] } }],
};

/** Writes until the disk takes no more byte. */
function fill(file: string): void {
  const handle = openSync(file, 'a');
  const block = Buffer.alloc(4096);
  try {
    for (;;) writeSync(handle, block);
  } catch {
    closeSync(handle);
  }
}

async function onSmallDisk(context: { skip(note?: string): never }) {
  const dir = mkdtempSync(join(tmpdir(), 'muster-full-'));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
  const found = mountSmallDisk(dir, 8 * 1024);
  if ('lacks' in found) return skipBecause(context, found.lacks);
  undo.push(found.unmount);
  const dataDir = join(dir, 'data');
  const said: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => said.push(JSON.parse(line).msg) });
  const start = async (labFile?: string) => {
    const server = await startServer({
      dataDir,
      host: '127.0.0.1',
      port: 0,
      namespaces: false,
      log,
      ...(labFile !== undefined && { labFile }),
    });
    let isStopped = false;
    const stop = async () => {
      if (!isStopped) await server.stop({ killBoards: true });
      isStopped = true;
    };
    undo.push(stop);
    return { url: server.url, stop };
  };
  const ballast = join(dir, 'ballast');
  return { dir, dataDir, said, start, ballast };
}

const ask = async (url: string, method = 'GET', body?: unknown) => {
  const answer = await fetch(url, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

it('starts with a full disk to be read, refuses to write in words, and is at work when there is room', async (context) => {
  const { dir, said, start, ballast } = await onSmallDisk(context);
  const first = await start();
  const none = await ask(`${first.url}/api/jobs`, 'POST', JOB);
  expect(none.body).toMatchObject({ id: 1, state: 'rejected' });
  await first.stop();

  const labFile = join(tmpdir(), `muster-full-lab-${process.pid}.json`);
  writeFileSync(labFile, JSON.stringify(LAB));
  undo.push(() => rmSync(labFile));
  fill(ballast);
  const { url } = await start(labFile);
  expect(said.join('\n')).toMatch(/cannot write: .*muster\.db.*make room.*everything can be read/);
  expect((await ask(`${url}/api/jobs/1`)).body).toMatchObject({ id: 1, state: 'rejected' });
  expect((await ask(`${url}/api/jobs`)).body).toMatchObject({ jobs: [{ id: 1 }] });
  const refused = await ask(`${url}/api/jobs`, 'POST', JOB);
  expect(refused).toMatchObject({ status: 503, body: { code: 'store-unavailable' } });
  expect(refused.body.detail).toMatch(/make room.*everything can be read$/);
  expect((await ask(`${url}/api/health`)).status).toBe(503);

  rmSync(ballast);
  await until('there is room', async () => (await ask(`${url}/api/health`)).status === 200);
  expect(said.at(-1)).toBe('there is room again: the server is at work');
  const accepted = await ask(`${url}/api/jobs`, 'POST', JOB);
  expect(accepted.body).toMatchObject({ id: 2, state: 'submitted' });
  expect(readdirSync(dir)).not.toContain('ballast');
  const isOver = async () => (await ask(`${url}/api/jobs/2`)).body.state === 'complete';
  await until('the job is over', isOver, 60_000);
});

it('with a full disk and nothing to begin with, the next append says why, and goes through when there is room', async (context) => {
  const { dataDir, start, ballast } = await onSmallDisk(context);
  const first = await start();
  await ask(`${first.url}/api/jobs`, 'POST', JOB);
  await first.stop();
  mkdirSync(dataDir, { recursive: true });
  fill(ballast);
  const { url } = await start();
  expect((await ask(`${url}/api/jobs/1`)).body).toMatchObject({ id: 1 });
  expect(await ask(`${url}/api/jobs`, 'POST', JOB)).toMatchObject({ status: 503 });
  rmSync(ballast);
  const isTaken = async () => (await ask(`${url}/api/jobs`, 'POST', JOB)).status === 201;
  await until('it is taken', isTaken);
});

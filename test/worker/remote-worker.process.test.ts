/** A server and workers as processes of their own, with nothing between them but lines that can be cut. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RecordedEvent } from '../../machines/events.ts';
import type { CaseView, JobView } from '../../projections/views.ts';
import { checkLog } from '../lab/invariants.ts';
import { ServerProcess } from '../lab/server-process.ts';
import { TcpProxy } from '../store/tcp-proxy.ts';
import { until, WorkerProcess } from './worker-process.ts';

const LAB = `
device_types: { panda: { driver: local } }
devices: { panda01: { type: panda }, panda02: { type: panda } }
`;

const jobOf = (commands: string[], count = 2, type = 'panda') => ({
  timeout: 300,
  job_name: 'far',
  device_group: [{ role: 'peer', count, device_type: type }],
  actions: [{ command: 'lava_command_run', parameters: { commands } }],
});

async function bare(): Promise<ServerProcess> {
  const server = await ServerProcess.bare();
  await server.start();
  onTestFinished(async () => {
    await server.end('SIGKILL');
    await server.remove();
  });
  return server;
}

async function workerOf(
  server: ServerProcess,
  is: Partial<Parameters<typeof WorkerProcess.make>[1]> = {},
): Promise<WorkerProcess> {
  const worker = await WorkerProcess.make(server, { lab: LAB, ...is });
  onTestFinished(() => worker.remove());
  return worker;
}

const stateOf = async (server: ServerProcess, id: number) =>
  (await server.get<JobView>(`/api/jobs/${id}`)).state;

const eventsOf = async (server: ServerProcess, id: number) =>
  (await server.get<{ events: RecordedEvent[] }>(`/api/jobs/${id}/events?limit=1000`)).events;

const sees = (server: ServerProcess, id: number, type: string, count = 1) =>
  until(async () => (await eventsOf(server, id)).filter((e) => e.type === type).length >= count);

const ended = (server: ServerProcess, id: number) =>
  until(async () => !['submitted', 'allocated'].includes(await stateOf(server, id)));

const consoleOf = async (server: ServerProcess, id: number, device: string) =>
  (await fetch(`${server.url}/api/jobs/${id}/members/${device}/console`)).text();

const workerState = async (server: ServerProcess, name = 'lab2') =>
  (await server.get<{ workers: { name: string; state: string }[] }>('/api/workers')).workers.find(
    (worker) => worker.name === name,
  )?.state;

async function assertComplete(server: ServerProcess, id: number): Promise<void> {
  const job = await server.get<JobView>(`/api/jobs/${id}`);
  expect([job.state, job.reason]).toEqual(['complete', undefined]);
  const { cases } = await server.get<{ cases: CaseView[] }>(`/api/jobs/${id}/results`);
  expect(cases.filter(({ result }) => result !== 'pass')).toEqual([]);
}

/** Round after round of talk, in two processes' hands at any moment. */
const talk = (rounds: number) =>
  `i=0; while [ $i -lt ${rounds} ]; do i=$((i+1)); lava-sync round || exit 1; lava-send m$i from=$(lava-self) || exit 2; lava-wait-all m$i || exit 3; echo round $i is over; done`;

describe('a group of boards behind a worker', { timeout: 90_000 }, () => {
  it('runs over the line alone, and leaves its consoles at the server and nothing at the worker', async () => {
    const server = await bare();
    const worker = await workerOf(server);
    expect(await worker.start()).toBeUndefined();
    const { id } = await server.post(
      '/api/jobs',
      jobOf([talk(3), 'echo caf\\303\\251 | cat -v', 'false || echo done']),
    );
    await ended(server, id);
    await worker.letGo(id);
    await assertComplete(server, id);
    await until(async () =>
      (await consoleOf(server, id, 'panda01')).endsWith('panda01 ended complete\n'),
    );
    expect(await consoleOf(server, id, 'panda01')).toContain('round 3 is over');
    await until(async () => (await readdir(join(worker.dataDir, 'jobs', String(id)))).length === 0);
    expect(await readFile(join(worker.dataDir, 'reports.jsonl'), 'utf8')).toBe('');
    const times = await readFile(
      join(server.dataDir, 'jobs', String(id), 'panda01.console.times'),
      'utf8',
    );
    expect(times).toMatch(/^(\d+ \d+\n)+$/);
    await server.end('SIGTERM');
    checkLog(await server.log(), { finished: true });
  });

  it('is followed while it runs', async () => {
    const server = await bare();
    const worker = await workerOf(server);
    await worker.start();
    const { id } = await server.post(
      '/api/jobs',
      jobOf(['lava-wait go; echo it went at $(date +%s%3N)'], 1),
    );
    await sees(server, id, 'WaitStarted');
    const [{ device } = { device: '' }] = (await server.get<JobView>(`/api/jobs/${id}`)).members;
    const url = `${server.url}/api/jobs/${id}/members/${device}/console?follow=true`;
    const reader = (await fetch(url)).body?.getReader();
    let text = '';
    await new Promise<void>((resolve) => {
      const read = async (): Promise<void> => {
        const part = await reader?.read();
        text += Buffer.from(part?.value ?? []).toString();
        if (/^it went at \d{13}$/m.test(text.replaceAll('\r', ''))) return resolve();
        if (part?.done !== true) await read();
      };
      void read();
    });
    await reader?.cancel();
    await ended(server, id);
    await worker.letGo(id);
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'goes on when its worker is ended by %s in the middle of a wait',
    async (signal) => {
      const server = await bare();
      const worker = await workerOf(server);
      await worker.start();
      const { id } = await server.post('/api/jobs', jobOf([talk(40)]));
      await sees(server, id, 'WaitReleased', 10);
      await worker.end(signal);
      await until(async () => (await workerState(server)) === 'away');
      await worker.start();
      await ended(server, id);
      await worker.letGo(id);
      await assertComplete(server, id);
      const syncs = (await eventsOf(server, id)).filter(
        (e) => e.type === 'MessageSent' && e.data.verb === 'sync',
      );
      expect(syncs).toHaveLength(80);
    },
  );

  it('goes on when its server is killed in the middle of a wait', async () => {
    const server = await bare();
    const worker = await workerOf(server);
    await worker.start();
    const { id } = await server.post('/api/jobs', jobOf([talk(40)]));
    await sees(server, id, 'WaitReleased', 10);
    await server.end('SIGKILL');
    await server.start();
    await ended(server, id);
    await worker.letGo(id);
    await assertComplete(server, id);
    await server.end('SIGTERM');
    checkLog(await server.log(), { finished: true });
  });

  it('goes on when its line is cut again and again, and its consoles are whole', async () => {
    const server = await bare();
    const proxy = await TcpProxy.to(server.port);
    onTestFinished(() => proxy.close());
    const worker = await workerOf(server, { servers: [`http://127.0.0.1:${proxy.port}`] });
    await worker.start();
    const { id } = await server.post('/api/jobs', jobOf([talk(40)]));
    for (let cuts = 1; cuts <= 5; cuts++) {
      await sees(server, id, 'WaitReleased', 10 * cuts);
      proxy.cut();
    }
    await ended(server, id);
    await worker.letGo(id);
    await assertComplete(server, id);
    for (const device of ['panda01', 'panda02']) {
      await until(async () =>
        (await consoleOf(server, id, device)).includes(`${device} ended complete`),
      );
      const text = await consoleOf(server, id, device);
      const rounds = [...text.matchAll(/^round (\d+) is over$/gm)].map(([, n]) => Number(n));
      expect(rounds).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
    }
  });
});

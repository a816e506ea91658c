/**
 * A worker that is killed at every step of deploy, boot and test, that is stopped and goes on, whose clock is wrong and
 * whose disk is full: nothing is lost, nothing is done twice, and its boards are clean.
 */
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EventType, RecordedEvent } from '../../machines/events.ts';
import type { CaseView, JobView } from '../../projections/views.ts';
import { checkLog } from '../lab/invariants.ts';
import { ServerProcess } from '../lab/server-process.ts';
import { mountSmallDisk } from '../store/disks.ts';
import { skipBecause } from '../store/events.ts';
import { until, WorkerProcess } from './worker-process.ts';

const LAB =
  'device_types: { panda: {} }\ndevices: { panda01: { type: panda }, panda02: { type: panda } }';
const ROUNDS = 5;
const TALK = `i=0; while [ $i -lt ${ROUNDS} ]; do i=$((i+1)); lava-sync round; lava-send m$i from=$(lava-self); lava-wait-all m$i; lava-test-case case-$i --result pass; echo round $i is over; done`;
const job = (commands: string[]) => ({
  timeout: 300,
  job_name: 'hard',
  device_group: [{ role: 'peer', count: 2, device_type: 'panda' }],
  actions: [
    { command: 'deploy_linaro_image', parameters: { image: 'host:' } },
    { command: 'boot_linaro_image', parameters: {} },
    { command: 'lava_command_run', parameters: { commands } },
  ],
});

async function lab(is: Partial<Parameters<typeof WorkerProcess.make>[1]> = {}) {
  const server = await ServerProcess.bare();
  await server.start();
  onTestFinished(async () => {
    await server.end('SIGKILL');
    await server.remove();
  });
  const worker = await WorkerProcess.make(server, { lab: LAB, ...is });
  onTestFinished(() => worker.remove());
  expect(await worker.start()).toBeUndefined();
  return { server, worker };
}

const eventsOf = async (server: ServerProcess, id: number) =>
  (await server.get<{ events: RecordedEvent[] }>(`/api/jobs/${id}/events?limit=1000`)).events;

const ended = (server: ServerProcess, id: number) =>
  until(async () =>
    ['complete', 'failed'].includes((await server.get<JobView>(`/api/jobs/${id}`)).state),
  );

/** Complete, every case once for each board, every round once, consoles whole. */
async function assertWhole(server: ServerProcess, id: number): Promise<void> {
  const { state, reason } = await server.get<JobView>(`/api/jobs/${id}`);
  expect([state, reason]).toEqual(['complete', undefined]);
  const { cases } = await server.get<{ cases: CaseView[] }>(`/api/jobs/${id}/results`);
  const own = cases.filter((each) => each.case.startsWith('case-'));
  expect(own.map((each) => `${each.device} ${each.case}`).sort()).toEqual(
    ['panda01', 'panda02'].flatMap((device) =>
      Array.from({ length: ROUNDS }, (_, n) => `${device} case-${n + 1}`),
    ),
  );
  const events = await eventsOf(server, id);
  const sends = events.filter(({ type }) => type === 'MessageSent');
  expect(sends).toHaveLength(2 * 2 * ROUNDS);
  for (const device of ['panda01', 'panda02']) {
    const url = `${server.url}/api/jobs/${id}/members/${device}/console`;
    const text = await (await fetch(url)).text();
    const rounds = [...text.matchAll(/^round (\d+) is over$/gm)].map(([, n]) => Number(n));
    expect(rounds).toEqual(Array.from({ length: ROUNDS }, (_, n) => n + 1));
  }
}

describe('a worker that is killed by SIGKILL', () => {
  it('at every step of deploy, boot and test', { timeout: 900_000 }, async () => {
    const { server, worker } = await lab();
    const STEPS: [EventType, number][] = [
      ['JobAllocated', 1],
      ['ActionStarted', 1],
      ['ActionStarted', 2],
      ['ActionEnded', 2],
      ['MemberBooting', 1],
      ['MemberBooted', 1],
      ['ActionStarted', 5],
      ['SuitePrepared', 1],
      ['SuiteStarted', 1],
      ['WaitStarted', 2],
      ['WaitReleased', 3],
      ['MessageSent', 9],
      ['ResultRecorded', 12],
      ['ActionEnded', 5],
    ];
    const figures: string[] = [];
    for (const [type, count] of STEPS) {
      const { id } = await server.post('/api/jobs', job([TALK]));
      await until(
        async () => (await eventsOf(server, id)).filter((e) => e.type === type).length >= count,
      );
      await worker.end('SIGKILL');
      const from = performance.now();
      expect(await worker.start()).toBeUndefined();
      await ended(server, id);
      await worker.letGo(id);
      await assertWhole(server, id);
      expect(readdirSync(join(worker.dataDir, 'boards'))).toEqual([]);
      figures.push(`${type} ${count}: ${Math.round(performance.now() - from)} ms to its end`);
    }
    process.stdout.write(`killed ${STEPS.length} times\n${figures.join('\n')}\n`);
    expect(await readFile(join(worker.dataDir, 'reports.jsonl'), 'utf8')).toBe('');
    await worker.end('SIGTERM');
    await server.end('SIGTERM');
    checkLog(await server.log(), { finished: true });
  });
});

it('a worker that is stopped until the server has given up its line goes on', {
  timeout: 180_000,
}, async () => {
  const { server, worker } = await lab();
  const { id } = await server.post('/api/jobs', job([TALK]));
  await until(async () => (await eventsOf(server, id)).some(({ type }) => type === 'WaitReleased'));
  worker.signal('SIGSTOP');
  const stateIs = (state: string) =>
    until(async () => {
      const { workers } = await server.get<{ workers: { state: string }[] }>('/api/workers');
      return workers[0]?.state === state;
    });
  await stateIs('away');
  worker.signal('SIGCONT');
  await stateIs('connected');
  await ended(server, id);
  await worker.letGo(id);
  await assertWhole(server, id);
});

it('a worker that is stopped for so long that its jobs are given up goes on with the next ones', {
  timeout: 240_000,
}, async () => {
  const { server, worker } = await lab();
  const { id } = await server.post('/api/jobs', job(['lava-sync begun', 'sleep 1000']));
  await until(async () => (await eventsOf(server, id)).some(({ type }) => type === 'WaitReleased'));
  worker.signal('SIGSTOP');
  const stateIs = (state: string) =>
    until(async () => {
      const { workers } = await server.get<{ workers: { state: string }[] }>('/api/workers');
      return workers[0]?.state === state;
    }, 150_000);
  await stateIs('lost');
  await ended(server, id);
  expect((await server.get<JobView>(`/api/jobs/${id}`)).state).toBe('failed');
  worker.signal('SIGCONT');
  await stateIs('connected');
  await worker.letGo(id);
  expect(readdirSync(join(worker.dataDir, 'boards'))).toEqual([]);
  const next = await server.post('/api/jobs', job([TALK]));
  await ended(server, next.id);
  await worker.letGo(next.id);
  await assertWhole(server, next.id);
});

it.each([3_600_000, -3_600_000])(
  'the clock of a worker does not matter: %d ms beside the right time',
  { timeout: 120_000 },
  async (ms) => {
    const shift = `const now = Date.now; Date.now = () => now() + ${ms};`;
    const NODE_OPTIONS = `--import "data:text/javascript,${encodeURIComponent(shift)}"`;
    const { server, worker } = await lab({ env: { NODE_OPTIONS } });
    const from = Date.now();
    const { id } = await server.post('/api/jobs', job([TALK]));
    await ended(server, id);
    await worker.letGo(id);
    await assertWhole(server, id);
    for (const { meta } of await eventsOf(server, id)) {
      expect(meta.at).toBeGreaterThan(from - 1_000);
      expect(meta.at).toBeLessThan(Date.now() + 1_000);
    }
    const file = join(server.dataDir, 'jobs', String(id), 'panda01.console.times');
    for (const line of (await readFile(file, 'utf8')).trim().split('\n')) {
      const at = Number(line.split(' ')[1]);
      expect(at).toBeGreaterThan(from - 5_000);
      expect(at).toBeLessThan(Date.now() + 5_000);
    }
  },
);

it('a worker whose disk is full in the middle of a job goes on when there is room', {
  timeout: 180_000,
}, async (context) => {
  const dir = `/var/tmp/muster-small-${process.pid}`;
  mkdirSync(dir);
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const disk = mountSmallDisk(dir, 16 * 1024);
  if ('lacks' in disk) return skipBecause(context, disk.lacks);
  onTestFinished(disk.unmount);
  const { server, worker } = await lab({ dataDir: join(dir, 'data') });
  const { id } = await server.post('/api/jobs', job([TALK]));
  await until(async () => (await eventsOf(server, id)).some(({ type }) => type === 'WaitReleased'));
  const full = join(dir, 'full');
  const handle = openSync(full, 'w');
  try {
    for (;;) writeSync(handle, Buffer.alloc(4096));
  } catch {
    closeSync(handle);
  }
  await until(async () => worker.output.includes('cannot be kept on the disk of this worker'));
  rmSync(full);
  await ended(server, id);
  await until(async () => readdirSync(join(dir, 'data', 'jobs', String(id))).length === 0);
  await assertWhole(server, id);
});

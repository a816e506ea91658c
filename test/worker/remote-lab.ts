import { expect, onTestFinished } from 'vitest';
import type { RecordedEvent } from '../../machines/events.ts';
import type { CaseView, JobView } from '../../projections/views.ts';
import { ServerProcess } from '../lab/server-process.ts';
import { until, WorkerProcess } from './worker-process.ts';

const LAB = `
device_types: { panda: { driver: local } }
devices: { panda01: { type: panda }, panda02: { type: panda } }
`;

export const jobOf = (commands: string[], count = 2, type = 'panda') => ({
  timeout: 300,
  job_name: 'far',
  device_group: [{ role: 'peer', count, device_type: type }],
  actions: [{ command: 'lava_command_run', parameters: { commands } }],
});

export async function bare(): Promise<ServerProcess> {
  const server = await ServerProcess.bare();
  await server.start();
  onTestFinished(async () => {
    await server.end('SIGKILL');
    await server.remove();
  });
  return server;
}

export async function workerOf(
  server: ServerProcess,
  is: Partial<Parameters<typeof WorkerProcess.make>[1]> = {},
): Promise<WorkerProcess> {
  const worker = await WorkerProcess.make(server, { lab: LAB, ...is });
  onTestFinished(() => worker.remove());
  return worker;
}

export const stateOf = async (server: ServerProcess, id: number) =>
  (await server.get<JobView>(`/api/jobs/${id}`)).state;

export const eventsOf = async (server: ServerProcess, id: number) =>
  (await server.get<{ events: RecordedEvent[] }>(`/api/jobs/${id}/events?limit=1000`)).events;

export const sees = (server: ServerProcess, id: number, type: string, count = 1) =>
  until(async () => (await eventsOf(server, id)).filter((e) => e.type === type).length >= count);

export const ended = (server: ServerProcess, id: number) =>
  until(async () => !['submitted', 'allocated'].includes(await stateOf(server, id)));

export const consoleOf = async (server: ServerProcess, id: number, device: string) =>
  (await fetch(`${server.url}/api/jobs/${id}/members/${device}/console`)).text();

export const workerState = async (server: ServerProcess, name = 'lab2') =>
  (await server.get<{ workers: { name: string; state: string }[] }>('/api/workers')).workers.find(
    (worker) => worker.name === name,
  )?.state;

export async function assertComplete(server: ServerProcess, id: number): Promise<void> {
  const job = await server.get<JobView>(`/api/jobs/${id}`);
  expect([job.state, job.reason]).toEqual(['complete', undefined]);
  const { cases } = await server.get<{ cases: CaseView[] }>(`/api/jobs/${id}/results`);
  expect(cases.filter(({ result }) => result !== 'pass')).toEqual([]);
}

/** Round after round of talk, in two processes' hands at any moment. */
export const talk = (rounds: number) =>
  `i=0; while [ $i -lt ${rounds} ]; do i=$((i+1)); lava-sync round || exit 1; lava-send m$i from=$(lava-self) || exit 2; lava-wait-all m$i || exit 3; echo round $i is over; done`;

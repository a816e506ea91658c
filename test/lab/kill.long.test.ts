import { expect, it } from 'vitest';
import type { CaseView, JobView } from '../../projections/views.ts';
import { checkLog } from './invariants.ts';
import { ServerProcess } from './server-process.ts';

const KILLS = Number(process.env.MUSTER_KILLS ?? 6);
/** Enough talk for so many kills: each comes after some thirty events more. */
const ROUNDS = Math.max(60, 3 * KILLS);
const LAB = `
device_types: { panda: { driver: local } }
devices:
  panda01: { type: panda }
  panda02: { type: panda }
  panda03: { type: panda }
`;

const talk = `i=0; while [ $i -lt ${ROUNDS} ]; do i=$((i+1)); lava-sync round || exit 1; lava-send m$i from=$(lava-self) || exit 2; lava-wait-all m$i || exit 3; done`;

it(`survives kill -9 of the server at ${KILLS} random moments: every round once, every wait resumed`, {
  timeout: 60_000 + KILLS * 30_000,
}, async () => {
  const server = await ServerProcess.make(LAB);
  await server.start();
  const { id } = await server.post('/api/jobs', {
    timeout: 900 + 30 * KILLS,
    job_name: 'killed',
    device_group: [{ role: 'peer', count: 3, device_type: 'panda' }],
    actions: [{ command: 'lava_command_run', parameters: { commands: [talk] } }],
  });
  let kills = 0;
  const isOver = async () =>
    !['submitted', 'allocated'].includes((await server.get<JobView>(`/api/jobs/${id}`)).state);
  let version = 0;
  while (kills < KILLS && !(await isOver())) {
    // Not at a random time but after a random number of further events: each kill finds the lab at work.
    const target = version + 1 + Math.floor(Math.random() * 60);
    while (version < target && !(await isOver())) {
      const path = `/api/jobs/${id}/events?after=${version}&limit=1000`;
      const { events } = await server.get<{ events: { version: number }[] }>(path);
      version = events.at(-1)?.version ?? version;
    }
    await server.end('SIGKILL');
    kills++;
    await server.start();
  }
  while (!(await isOver())) await new Promise((resolve) => setImmediate(resolve));
  const job = await server.get<JobView>(`/api/jobs/${id}`);
  const { cases } = await server.get<{ cases: CaseView[] }>(`/api/jobs/${id}/results`);
  const held = async () =>
    (await server.get<{ devices: { state: string }[] }>('/api/devices')).devices.some(
      (d) => d.state === 'reserved',
    );
  while (await held()) await new Promise((resolve) => setImmediate(resolve));
  await server.end('SIGTERM');
  const log = await server.log();
  checkLog(log, { finished: true });
  const syncs = log.filter((e) => e.type === 'MessageSent' && e.data.verb === 'sync');
  process.stdout.write(`killed ${kills} times over ${log.length} events\n`);
  expect(job.reason).toBeUndefined();
  expect(job.state).toBe('complete');
  expect(syncs).toHaveLength(3 * ROUNDS);
  expect(cases.filter((c) => c.result !== 'pass')).toEqual([]);
  await server.remove();
});

/** Two real servers on one real EventStoreDB, each with a board of one group; either is killed at random moments. */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import type { RecordedEvent } from '../../machines/events.ts';
import type { CaseView, JobView } from '../../projections/views.ts';
import { openEventStoreDb } from '../../store/eventstoredb/eventstoredb.ts';
import { checkLog } from './invariants.ts';
import { ServerProcess } from './server-process.ts';

const connection = process.env.MUSTER_ESDB_URL;
const KILLS = Number(process.env.MUSTER_KILLS ?? 4);
const ROUNDS = 40;
/** Names and types of its own: the log may hold other tests, and other labs. */
const run = randomBytes(3).toString('hex');
const boards = [`a-${run}`, `b-${run}`];
const labOf = (name: string) => `
device_types: { ${name}: { driver: local } }
devices: { ${name}: { type: ${name} } }
`;
const talk = `i=0; while [ $i -lt ${ROUNDS} ]; do i=$((i+1)); lava-sync round || exit 1; lava-send m$i from=$(lava-self) || exit 2; lava-wait-all m$i || exit 3; done`;

if (connection === undefined)
  process.stdout.write(
    'skipped: two servers on one EventStoreDB; set MUSTER_ESDB_URL to a real server to run it\n',
  );

it.skipIf(connection === undefined)(
  `a group over two servers survives ${KILLS} kill -9 of either`,
  {
    timeout: 120_000 + KILLS * 30_000,
  },
  async () => {
    const servers = await Promise.all(
      boards.map((name) => ServerProcess.make(labOf(name), ['--store', connection ?? ''])),
    );
    const [first, second] = servers as [ServerProcess, ServerProcess];
    await Promise.all(servers.map((server) => server.start()));
    const types = async () =>
      (await first.get<{ devices: { type: string }[] }>('/api/devices')).devices.map((d) => d.type);
    while (!(await types()).includes(boards[1] ?? '')) await new Promise(setImmediate);
    const { id } = await first.post('/api/jobs', {
      timeout: 900,
      job_name: 'over two servers',
      device_group: boards.map((name) => ({ role: name, count: 1, device_type: name })),
      actions: [{ command: 'lava_command_run', parameters: { commands: [talk] } }],
    });

    let version = 0;
    const isOver = async (by: ServerProcess) =>
      !['submitted', 'allocated'].includes((await by.get<JobView>(`/api/jobs/${id}`)).state);
    for (let kill = 0; kill < KILLS && !(await isOver(second)); kill++) {
      const [victim, witness] = kill % 2 === 0 ? [first, second] : [second, first];
      const target = version + 1 + Math.floor(Math.random() * 60);
      while (version < target && !(await isOver(witness))) {
        const path = `/api/jobs/${id}/events?after=${version}&limit=1000`;
        const { events } = await witness.get<{ events: { version: number }[] }>(path);
        version = events.at(-1)?.version ?? version;
      }
      await victim.end('SIGKILL');
      await victim.start();
    }
    // Each server hears of what the other one wrote in its own time.
    for (const server of servers) while (!(await isOver(server))) await new Promise(setImmediate);
    const job = await second.get<JobView>(`/api/jobs/${id}`);
    const { cases } = await second.get<{ cases: CaseView[] }>(`/api/jobs/${id}/results`);
    const held = async () =>
      (
        await first.get<{ devices: { name: string; state: string }[] }>('/api/devices')
      ).devices.some(({ name, state }) => boards.includes(name) && state === 'reserved');
    while (await held()) await new Promise(setImmediate);
    await Promise.all(servers.map((server) => server.end('SIGTERM')));

    const ours = new Set([`job-${id}`, ...boards.map((name) => `device-${name}`)]);
    const log: RecordedEvent[] = [];
    const store = await openEventStoreDb({ connection: connection ?? '' });
    for await (const event of store.readAll()) if (ours.has(event.stream)) log.push(event);
    await store.close();
    checkLog(log, { finished: true });
    const syncs = log.filter((e) => e.type === 'MessageSent' && e.data.verb === 'sync');
    expect(job.reason).toBeUndefined();
    expect(job.state).toBe('complete');
    expect(syncs).toHaveLength(2 * ROUNDS);
    expect(cases.filter((c) => c.result !== 'pass')).toEqual([]);
    await Promise.all(servers.map((server) => server.remove()));
  },
);

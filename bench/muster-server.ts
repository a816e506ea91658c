/**
 * Muster in a process of its own for the bench: a log in a folder, groups of boards that have booted, the boards'
 * door, and the API with the door of the workers. It is what `muster serve` is, without a dispatcher: the load generator
 * speaks for the boards.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { buildApp } from '../api/app.ts';
import { buildBoardApp } from '../api/board-app.ts';
import { memberToken, tokenKeyOf } from '../api/tokens.ts';
import { newWorkerToken } from '../api/worker-parts.ts';
import { Engine } from '../engine/engine.ts';
import { openAddressSecrets } from '../server/address-secrets.ts';
import { workersDoor } from '../server/workers-door.ts';
import { memoryCheckpoints } from '../store/checkpoints.ts';
import { openEventStoreDb } from '../store/eventstoredb/eventstoredb.ts';
import { Objects } from '../store/objects.ts';
import { openSqliteStore } from '../store/sqlite/sqlite.ts';
import { parseJob } from '../submission/job.ts';
import type { BoardRegistration } from '../wire/server-port.ts';
import type { Asked, Member, Question, Ready, WorkerOfBench } from './muster-process.ts';
import { CpuProfile } from './profile.ts';

/** A log in an EventStoreDB may have the boards of other runs. */
const RUN = randomUUID().slice(0, 8);
const secret = Buffer.alloc(32, 7);
const JOB_SECONDS = 24 * 3600;
/** A wait is held for as long as a bench runs. */
const HELD_MS_MAX = 3_600_000;

/** Runs until it is told to stop. */
async function serveForBench(argument: string): Promise<void> {
  const asked = JSON.parse(argument) as Asked;
  const { folder, store: connection, sizes, heldMsMax = HELD_MS_MAX } = asked;
  const shared = connection !== undefined;
  const store = shared
    ? await openEventStoreDb({ connection })
    : await openSqliteStore({ file: join(folder, 'muster.db') });
  const engine = new Engine({ store, checkpoints: memoryCheckpoints(), shared });
  await engine.start();
  engine.open();
  const workers = await readyWorkers(engine, asked);
  const groups = await readyGroups(engine, sizes);
  const log = pino({ level: 'error' });
  const tokenKeys = () => [tokenKeyOf(secret)];
  const objects = await Objects.open(join(folder, 'objects'));
  const consoleFile = () => join(folder, 'console');
  writeFileSync(consoleFile(), Buffer.alloc(asked.consoleBytes ?? 0, 'a line of a console\n'));
  const doors = {
    ...{ engine, attachments: objects, tokenKeys, log, heldMsMax },
    consoleSize: () => 0,
    openSet: async () => ({}),
  };
  const boardApp = await buildBoardApp(doors);
  const secrets = openAddressSecrets(folder, secret);
  const app = await buildApp({
    ...doors,
    ...{ consoleFile, version: '0', keepSecret: secrets.keep, storeName: 'sqlite' },
    worker: workersDoor({ engine, dataDir: folder, secret, objects, secrets, version: '0' }),
  });
  const listen = async (door: FastifyInstance) =>
    Number(new URL(await door.listen({ host: '127.0.0.1', port: 0 })).port);
  const [port, apiPort] = [await listen(boardApp), await listen(app)];
  const profile = new CpuProfile();
  const tell = (answer: unknown) => process.send?.(answer ?? null);
  process.on('message', async (question: Question) => {
    if (question === 'held') tell(engine.heldWaits);
    if (question === 'memory') tell(process.memoryUsage.rss());
    if (question === 'profile') tell(await profile.start());
    if (question === 'profile-end') tell(await profile.end());
    if (question !== 'stop') return;
    await Promise.all([boardApp.close(), app.close()]);
    const by = { actor: 'user:bench' };
    const jobs = groups.flatMap(([member]) => member?.job ?? []);
    await Promise.all(jobs.map((id) => engine.cancel(id, 'measured', by)));
    await engine.stop();
    await store.close();
    process.disconnect();
  });
  const first = groups[0]?.[0];
  const consolePath = `/api/jobs/${first?.job}/members/${first?.device}/console?follow=true`;
  tell({ port, apiPort, consolePath, groups, workers, instance: RUN } satisfies Ready);
}

/** The workers, as if each had a line already: what is measured opens them, or none. */
async function readyWorkers(
  engine: Engine,
  { sizes, workers: count = 1 }: Asked,
): Promise<WorkerOfBench[]> {
  const boards = Array.from(
    { length: sizes.reduce((sum, size) => sum + size, 0) },
    (_, at): BoardRegistration => ({
      device: `board-${RUN}-${String(at).padStart(4, '0')}`,
      ...{ deviceType: RUN, tags: [], driver: 'local' },
    }),
  );
  const each = Math.ceil(boards.length / count);
  return Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const name = `bench-${RUN}-${at}`;
      const own = boards.slice(at * each, (at + 1) * each);
      const { token, digest } = newWorkerToken(name);
      await engine.changeWorker(name, { type: 'MakeWorkerToken', digest }, { actor: 'user:bench' });
      const line = { line: randomUUID(), instance: RUN, version: '0' };
      await engine.connectWorker(name, own, { line });
      return { token, boards: own };
    }),
  );
}

/** Submits a job for each group and boots its boards, as their worker would. */
async function readyGroups(engine: Engine, sizes: readonly number[]): Promise<Member[][]> {
  const ids: number[] = [];
  for (const size of sizes)
    ids.push((await engine.submit(jobFor(size), { actor: 'user:bench' })).id);
  return Promise.all(ids.map((id) => bootedGroup(engine, id)));
}

async function bootedGroup(engine: Engine, id: number): Promise<Member[]> {
  while ((await engine.job(id))?.state !== 'allocated')
    await new Promise((resolve) => setTimeout(resolve, 5));
  const boards = (await engine.job(id))?.members.map(({ device }) => device) ?? [];
  const by = { actor: 'worker:bench' };
  await Promise.all(
    boards.map(async (member) => {
      await engine.member(id, { type: 'StartBoot', member }, by);
      await engine.member(id, { type: 'ConfirmBoot', member }, by);
    }),
  );
  return boards.map((device) => ({ job: id, device, token: memberToken(secret, id, device) }));
}

function jobFor(size: number) {
  const document = JSON.stringify({
    timeout: JOB_SECONDS,
    job_name: 'bench',
    device_group: [{ role: 'peer', count: size, device_type: RUN }],
    actions: [{ command: 'lava_command_run', parameters: { commands: ['true'] } }],
  });
  const parsed = parseJob(document);
  if (!('definition' in parsed)) throw new Error('the job of the bench is not right');
  return { definition: parsed.definition, document };
}

await serveForBench(process.argv[2] ?? '');

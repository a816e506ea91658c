/**
 * Muster in a process of its own for the bench: a log in a folder, groups of boards that have booted, the boards'
 * door. It is what `muster serve` is, without a dispatcher: the load generator speaks for the boards.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { buildApp } from '../api/app.ts';
import { buildBoardApp } from '../api/board-app.ts';
import { memberToken, tokenKeyOf } from '../api/tokens.ts';
import { Engine } from '../engine/engine.ts';
import { memoryCheckpoints } from '../store/checkpoints.ts';
import { openEventStoreDb } from '../store/eventstoredb/eventstoredb.ts';
import { Objects } from '../store/objects.ts';
import { openSqliteStore } from '../store/sqlite/sqlite.ts';
import { parseJob } from '../submission/job.ts';
import type { Asked, Question, Ready } from './muster-process.ts';
import { CpuProfile } from './profile.ts';

/** A log in an EventStoreDB may have the boards of other runs. */
const RUN = randomUUID().slice(0, 8);
const WORKER = `bench-${RUN}`;
const JOB_SECONDS = 24 * 3600;
/** A wait is held for as long as a bench runs. */
const HELD_MS_MAX = 3_600_000;

/** Runs until it is told to stop. */
async function serveForBench(argument: string): Promise<void> {
  const asked = JSON.parse(argument) as Asked;
  const { folder, store: connection, sizes, consoleBytes, heldMsMax = HELD_MS_MAX } = asked;
  const secret = Buffer.alloc(32, 7);
  const shared = connection !== undefined;
  const store = shared
    ? await openEventStoreDb({ connection })
    : await openSqliteStore({ file: join(folder, 'muster.db') });
  const engine = new Engine({ store, checkpoints: memoryCheckpoints(), shared });
  await engine.start();
  engine.open();
  const groups = await readyGroups(engine, sizes);
  const log = pino({ level: 'error' });
  const tokenKeys = () => [tokenKeyOf(secret)];
  const attachments = await Objects.open(join(folder, 'objects'));
  const doors = {
    engine,
    attachments,
    tokenKeys,
    consoleSize: () => 0,
    openSet: async () => ({}),
    log,
    heldMsMax,
  };
  const consoleFile = () => join(folder, 'console');
  const app = await (consoleBytes === undefined
    ? buildBoardApp(doors)
    : buildApp({
        ...doors,
        consoleFile,
        version: '0',
        keepSecret: () => '0'.repeat(32),
        storeName: 'sqlite',
      }));
  writeFileSync(consoleFile(), Buffer.alloc(consoleBytes ?? 0, 'a line of a console\n'));
  const port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port);
  const profile = new CpuProfile();
  const tell = (answer: unknown) => process.send?.(answer ?? null);
  process.on('message', async (question: Question) => {
    if (question === 'held') tell(engine.heldWaits);
    if (question === 'memory') tell(process.memoryUsage.rss());
    if (question === 'profile') tell(await profile.start());
    if (question === 'profile-end') tell(await profile.end());
    if (question !== 'stop') return;
    await app.close();
    const by = { actor: 'user:bench' };
    await Promise.all(groups.map(({ id }) => engine.cancel(id, 'measured', by)));
    await engine.stop();
    await store.close();
    process.disconnect();
  });
  const [first] = groups;
  tell({
    port,
    consolePath: `/api/jobs/${first?.id}/members/${first?.boards[0]}/console?follow=true`,
    tokens: groups.map(({ id, boards }) => boards.map((board) => memberToken(secret, id, board))),
  } satisfies Ready);
}

/** Submits a job for each group and boots its boards, as their worker would. */
async function readyGroups(engine: Engine, sizes: readonly number[]) {
  const boards = sizes.reduce((sum, size) => sum + size, 0);
  await engine.connectWorker(
    WORKER,
    Array.from({ length: boards }, (_, i) => ({
      device: `board-${RUN}-${String(i).padStart(4, '0')}`,
      deviceType: RUN,
      tags: [],
      driver: 'local',
    })),
  );
  const ids: number[] = [];
  for (const size of sizes)
    ids.push((await engine.submit(jobFor(size), { actor: 'user:bench' })).id);
  return Promise.all(ids.map((id) => bootedGroup(engine, id)));
}

async function bootedGroup(engine: Engine, id: number): Promise<{ id: number; boards: string[] }> {
  while ((await engine.job(id))?.state !== 'allocated')
    await new Promise((resolve) => setTimeout(resolve, 5));
  const boards = (await engine.job(id))?.members.map(({ device }) => device) ?? [];
  const by = { actor: `worker:${WORKER}` };
  await Promise.all(
    boards.map(async (member) => {
      await engine.member(id, { type: 'StartBoot', member }, by);
      await engine.member(id, { type: 'ConfirmBoot', member }, by);
    }),
  );
  return { id, boards };
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

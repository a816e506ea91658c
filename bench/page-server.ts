/** A server for the bench of the page, in a process of its own: on a log that is there, or a lab whose boards are busy all the time. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { buildApp } from '../api/app.ts';
import { type Clock, systemClock } from '../engine/clock.ts';
import { Engine } from '../engine/engine.ts';
import { builtPage } from '../server/package-root.ts';
import { startServer } from '../server/server.ts';
import { memoryCheckpoints } from '../store/checkpoints.ts';
import { openMemoryStore } from '../store/memory.ts';
import { Objects } from '../store/objects.ts';
import { parseJob } from '../submission/job.ts';
import type { PageServerAsked, PageServerQuestion, PageServerUse } from './page-process.ts';

const log = pino({ level: 'silent' });
const WORKER = 'bench';
const MEMBERS = 4;
const ROUNDS = 3;
/** Jobs that run at once. */
const GROUPS = 12;

async function serve(asked: PageServerAsked): Promise<void> {
  const running = 'dataDir' in asked ? await onLog(asked.dataDir) : await busy(asked);
  const tell = (answer: unknown) => process.send?.(answer ?? null);
  process.on('message', async (question: PageServerQuestion) => {
    if (question === 'use') tell(await useOf(running));
    if (question !== 'stop') return;
    await running.stop();
    process.disconnect();
  });
  tell({ url: running.url });
}

interface Running {
  url: string;
  engine: Engine;
  /** How many there were: positions of a log in memory have gaps. */
  events(): number | Promise<number>;
  stop(): Promise<void>;
}

async function useOf({ engine, ...running }: Running): Promise<PageServerUse> {
  const { user, system } = process.cpuUsage();
  const events = await running.events();
  const simulatedMs = engine.now();
  return {
    cpuSeconds: (user + system) / 1e6,
    bytes: process.memoryUsage.rss(),
    events,
    simulatedMs,
  };
}

async function onLog(dataDir: string): Promise<Running> {
  const server = await startServer({ dataDir, host: '127.0.0.1', port: 0, log });
  const { url, engine } = server;
  return { url, engine, events: () => engine.head(), stop: () => server.stop() };
}

/** Its time goes so many times as fast as a clock. */
function quick(factor: number): (notBefore: number) => Clock {
  return (notBefore) => {
    const real = systemClock(notBefore);
    const start = real.now();
    return { ...real, now: () => Math.floor(start + (real.now() - start) * factor) };
  };
}

async function busy(asked: Extract<PageServerAsked, { boards: number }>): Promise<Running> {
  const engine = new Engine({
    store: openMemoryStore(),
    checkpoints: memoryCheckpoints(),
    clock: quick(asked.factor),
  });
  await engine.start();
  engine.open();
  const boards = Array.from({ length: asked.boards }, (_, n) => ({
    device: `board${String(n + 1).padStart(3, '0')}`,
    deviceType: 'panda',
    tags: [],
    driver: 'local',
  }));
  await engine.connectWorker(WORKER, boards);
  const pageFolder = builtPage();
  const app = await buildApp({
    engine,
    log,
    ...(pageFolder !== undefined && { pageFolder }),
    version: '0',
    tokenKeys: () => [],
    attachments: await Objects.open(join(tmpdir(), `muster-bench-${randomUUID()}`)),
    consoleFile: () => join(tmpdir(), 'muster-bench-no-console'),
    consoleSize: () => 0,
    openSet: async () => ({}),
    keepSecret: () => '0'.repeat(32),
    storeName: 'memory',
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const drive = new Drive(engine, asked.eventsPerSecond);
  for (let group = 0; group < GROUPS; group++) void drive.run();
  const stop = async () => {
    drive.isEnded = true;
    await app.close();
    await engine.stop();
  };
  return { url, engine, events: () => drive.events, stop };
}

/** Keeps groups of boards busy, at so many events a second in all. */
class Drive {
  isEnded = false;
  events = 0;
  readonly #engine: Engine;
  readonly #perSecond: number;
  readonly #began = performance.now();
  #jobs = 0;

  constructor(engine: Engine, perSecond: number) {
    this.#engine = engine;
    this.#perSecond = perSecond;
    engine.follow(0, (events) => {
      this.events += events.length;
    });
  }

  async run(): Promise<void> {
    while (!this.isEnded) await this.#job().catch(() => {});
  }

  /** Not before its time has come. */
  async #pace(): Promise<void> {
    for (;;) {
      const due = (1_000 * this.events) / this.#perSecond;
      const ahead = due - (performance.now() - this.#began);
      if (ahead <= 0 || this.isEnded) return;
      await new Promise((resolve) => setTimeout(resolve, Math.min(ahead, 100)));
    }
  }

  async #job(): Promise<void> {
    const engine = this.#engine;
    await this.#pace();
    const { id } = await engine.submit(jobNamed(`job of the bench ${++this.#jobs % 20}`), by);
    while ((await engine.job(id))?.state !== 'allocated') {
      if (this.isEnded) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const members = (await engine.job(id))?.members.map(({ device }) => device) ?? [];
    for (const member of members) {
      await engine.member(id, { type: 'StartBoot', member }, by);
      await engine.member(id, { type: 'ConfirmBoot', member }, by);
      await engine.member(id, { type: 'StartAction', member, action: 0 }, by);
      await this.#pace();
    }
    for (let round = 0; round < ROUNDS; round++) {
      const never = new AbortController().signal;
      await Promise.all(
        members.map((member) =>
          engine.call(id, member, 'sync', ['ready'], { key: randomUUID() }, never),
        ),
      );
      await this.#pace();
    }
    for (const member of members) {
      const end = { type: 'EndAction', member, action: 0, outcome: 'ok' } as const;
      await engine.member(id, end, by);
    }
  }
}

const by = { actor: `worker:${WORKER}` };

function jobNamed(name: string) {
  const document = JSON.stringify({
    timeout: 3_600,
    job_name: name,
    device_group: [{ role: 'peer', count: MEMBERS, device_type: 'panda' }],
    actions: [{ command: 'lava_command_run', parameters: { commands: ['true'] } }],
  });
  const parsed = parseJob(document);
  if (!('definition' in parsed)) throw new Error('the job of the bench is not right');
  return { definition: parsed.definition, document };
}

await serve(JSON.parse(process.argv[2] ?? '') as PageServerAsked);

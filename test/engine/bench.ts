/** A small lab around a real engine: boards, jobs and members driven by hand. */
import { Engine, type EngineOptions } from '../../engine/engine.ts';
import type { WorkerFacts } from '../../engine/registry.ts';
import type { JobDefinition } from '../../machines/definition.ts';
import type { RecordedEvent } from '../../machines/events.ts';
import type { JobState } from '../../machines/job/job.ts';
import { topicOf } from '../../machines/job/topics.ts';
import { memoryCheckpoints } from '../../store/checkpoints.ts';
import { openMemoryStore } from '../../store/memory.ts';
import type { EventStore } from '../../store/port.ts';
import type { BoardRegistration } from '../../wire/server-port.ts';

export const WORKER = 'here';

export function jobOf(
  roles: Record<string, number>,
  changes: Partial<JobDefinition> = {},
): JobDefinition {
  return {
    name: 'a job',
    form: 'json',
    countsSelf: false,
    priority: 50,
    timeoutSeconds: 3600,
    onUnreachable: 'fail',
    unreachableGraceSeconds: 30,
    roles: Object.entries(roles).map(([role, count]) => ({
      role,
      count,
      deviceType: 'panda',
      tags: [],
    })),
    actions: [
      {
        command: 'lava_command_run',
        roles: null,
        timeoutSeconds: 3600,
        parameters: { commands: ['true'] },
      },
    ],
    ...changes,
  };
}

/** So many boards of one type: `panda01`, `panda02`, ... */
export const pandas = (count: number, changes: Partial<BoardRegistration> = {}) =>
  Array.from(
    { length: count },
    (_, i): BoardRegistration => ({
      device: `panda${String(i + 1).padStart(2, '0')}`,
      deviceType: 'panda',
      tags: [],
      driver: 'local',
      ...changes,
    }),
  );

/** An engine with its one worker; `boards`: how many pandas it has, or which boards. */
export async function startEngine(
  options: Partial<EngineOptions> = {},
  boards: number | BoardRegistration[] = 3,
  facts: WorkerFacts & { worker?: string } = {},
) {
  const { worker = WORKER, ...is } = facts;
  const store = options.store ?? openMemoryStore();
  const checkpoints = options.checkpoints ?? memoryCheckpoints();
  const engine = new Engine({ ...options, store, checkpoints });
  await engine.start();
  engine.open();
  await engine.connectWorker(worker, typeof boards === 'number' ? pandas(boards) : boards, is);
  return { engine, store, checkpoints };
}

export async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const end = Date.now() + 20_000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > end) throw new Error(`never came: ${look}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export const user = { actor: 'user:test' };

export const submit = async (engine: Engine, definition: JobDefinition): Promise<number> =>
  (await engine.submit({ definition, document: '{}' }, user)).id;

/** Everything that the log holds. */
export async function logOf({ store }: { store: EventStore }): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of store.readAll()) events.push(event);
  return events;
}

/** How often each member has sent a message. */
export const countsOf = (job: JobState | undefined, message: string) =>
  job && topicOf(job.conversation.topics, message)?.counts;

export const stateOf = async (engine: Engine, id: number) => (await engine.job(id))?.state;

/** Submits a job and waits until it has its boards. */
export async function allocated(engine: Engine, definition: JobDefinition): Promise<number> {
  const id = await submit(engine, definition);
  await until(async () => ((await engine.job(id))?.state === 'allocated' ? true : undefined));
  return id;
}

/** Boots every member and starts its first action, as a worker would. */
export async function booted(engine: Engine, id: number): Promise<string[]> {
  const devices = (await engine.job(id))?.members.map((m) => m.device) ?? [];
  const by = { actor: `worker:${WORKER}` };
  for (const member of devices) {
    await engine.member(id, { type: 'StartBoot', member }, by);
    await engine.member(id, { type: 'ConfirmBoot', member }, by);
    await engine.member(id, { type: 'StartAction', member, action: 0 }, by);
  }
  return devices;
}

export async function finish(engine: Engine, id: number, device: string): Promise<void> {
  const command = { type: 'EndAction', member: device, action: 0, outcome: 'ok' } as const;
  await engine.member(id, command, { actor: `worker:${WORKER}` });
}

const forever = new AbortController().signal;
export const call = (
  engine: Engine,
  id: number,
  device: string,
  words: string,
  key: string = crypto.randomUUID(),
  signal = forever,
) => {
  const [verb = '', ...rest] = words.split(' ');
  return engine.call(
    id,
    device,
    verb as 'send' | 'wait' | 'wait-all' | 'sync',
    rest,
    { key },
    signal,
  );
};

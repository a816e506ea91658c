/**
 * The last runs of a definition that passed. They are read from the log when somebody asks, the newest first, and only as many
 * as may be; what a run was is remembered, since it is over.
 */
import { createHash } from 'node:crypto';
import { definitionKey, factsOf, PAST_RUNS, type RunFacts } from '../answers/run-facts.ts';
import { type JobEvent, type RecordedEvent, UnreadableEvent } from '../machines/events.ts';
import type { History } from './history/history.ts';
import type { ApiEngine } from './parts.ts';

/** Jobs that one answer looks at, and events that it reads. */
const JOBS_LOOKED_AT_MAX = 500;
const EVENTS_READ_MAX = 200_000;
/** Jobs of which it is remembered what they were. */
const REMEMBERED_MAX = 5_000;
const FACTS_REMEMBERED_MAX = 200;

interface Past {
  engine: Pick<ApiEngine, 'directory'>;
  history: Pick<History, 'events'>;
}

export class PastRuns {
  readonly #past: Past;
  /** By job: the key of its definition; jobs do not change theirs. */
  readonly #keys = new Map<number, string>();
  readonly #facts = new Map<number, RunFacts | 'did not pass'>();

  constructor(past: Past) {
    this.#past = past;
  }

  /**
   * The runs before a job, the newest first.
   *
   * @throws ApiProblem `stopping` when the signal aborts
   */
  async before(
    job: number,
    key: string,
    signal: AbortSignal,
    runsMax = PAST_RUNS,
  ): Promise<RunFacts[]> {
    const wanted = digestOf(key);
    const runs: RunFacts[] = [];
    const room = { jobs: JOBS_LOOKED_AT_MAX, events: EVENTS_READ_MAX };
    for (let id = job - 1; id >= 1 && runs.length < runsMax; id--) {
      if (room.jobs-- <= 0 || room.events <= 0) break;
      if ((this.#past.engine.directory.jobs.get(id)?.state ?? 'ended') !== 'ended') continue;
      const run = await this.#factsOf(id, wanted, signal, room).catch((error: unknown) => {
        // One that cannot be read is not compared with.
        if (!(error instanceof UnreadableEvent)) throw error;
      });
      if (run !== undefined) runs.push(run);
    }
    return runs;
  }

  async #factsOf(
    id: number,
    key: string,
    signal: AbortSignal,
    room: { events: number },
  ): Promise<RunFacts | undefined> {
    if ((await this.#keyOf(id, signal)) !== key) return undefined;
    let facts = this.#facts.get(id);
    if (facts === undefined) {
      const events = (await this.#past.history.events(id, signal)) as RecordedEvent<JobEvent>[];
      room.events -= events.length;
      facts = hasPassed(events) ? factsOf(id, events) : 'did not pass';
      keep(this.#facts, id, facts, FACTS_REMEMBERED_MAX);
    }
    return facts === 'did not pass' ? undefined : facts;
  }

  async #keyOf(id: number, signal: AbortSignal): Promise<string> {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const [first] = await this.#past.history.events(id, signal, 1);
    // Archived: it is as if it had never been.
    const isJob = first?.type === 'JobSubmitted';
    const key = isJob ? digestOf(definitionKey(first.data.definition)) : '';
    keep(this.#keys, id, key, REMEMBERED_MAX);
    return key;
  }
}

/** A definition may be long, and many are remembered. */
const digestOf = (key: string): string => createHash('sha256').update(key).digest('hex');

const hasPassed = (events: readonly RecordedEvent<JobEvent>[]): boolean =>
  events.at(-1)?.type === 'JobCompleted' &&
  !events.some(({ type, data }) => type === 'ResultRecorded' && data.result === 'fail');

function keep<T>(map: Map<number, T>, id: number, value: T, max: number): void {
  map.set(id, value);
  const [oldest] = map.keys();
  if (map.size > max && oldest !== undefined) map.delete(oldest);
}

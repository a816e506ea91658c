/**
 * What lint is told of the lab: which boards there are, and what those of each type lately took to be ready. Read from the log
 * when somebody asks, of the newest jobs alone; what a job took is remembered, since it is over.
 */
import { type ReadyTime, readyTimesOf } from '../answers/ready-times.ts';
import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import type { History } from './history/history.ts';
import type { ApiEngine } from './parts.ts';
import type { LintFacts } from './schemas.ts';

/** Jobs that one answer looks at, and events of each: boards come up at the beginning. */
const JOBS_LOOKED_AT_MAX = 60;
const EVENTS_OF_JOB_MAX = 1_000;
const REMEMBERED_MAX = 1_000;
/** The last runs of a type that count. */
const RUNS_MAX = 20;

export class LabMemory {
  readonly #engine: Pick<ApiEngine, 'directory' | 'jobCount'>;
  readonly #history: Pick<History, 'events'>;
  readonly #known = new Map<number, readonly ReadyTime[]>();

  constructor(engine: Pick<ApiEngine, 'directory' | 'jobCount'>, history: Pick<History, 'events'>) {
    this.#engine = engine;
    this.#history = history;
  }

  /** @throws ApiProblem `stopping` when the signal aborts */
  async facts(signal: AbortSignal): Promise<LintFacts> {
    const { devices } = this.#engine.directory;
    const boards: LintFacts['boards'] = [];
    for (const [name, { state: device }] of devices)
      if (device.state !== 'none' && device.state !== 'retired')
        boards.push({ name, type: device.deviceType, tags: [...device.tags] });
    const byType = new Map<string, ReadyTime[]>();
    const oldest = Math.max(1, this.#engine.jobCount - JOBS_LOOKED_AT_MAX + 1);
    for (let id = this.#engine.jobCount; id >= oldest; id--)
      for (const one of await this.#timesOf(id, signal)) {
        const device = devices.get(one.device)?.state;
        if (device === undefined || device.state === 'none') continue;
        const times = byType.get(device.deviceType) ?? [];
        byType.set(device.deviceType, times);
        if (times.length < RUNS_MAX) times.push(one);
      }
    const times = [...byType].map(([type, of]) => ({
      type,
      deploySeconds: middle(of.map(({ deployMs }) => deployMs)) / 1_000,
      bootSeconds: middle(of.map(({ bootMs }) => bootMs)) / 1_000,
      runs: of.length,
    }));
    return { boards, times };
  }

  async #timesOf(id: number, signal: AbortSignal): Promise<readonly ReadyTime[]> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const isOver = (this.#engine.directory.jobs.get(id)?.state ?? 'ended') === 'ended';
    if (!isOver) return [];
    const events = await this.#history.events(id, signal, EVENTS_OF_JOB_MAX).catch(() => {
      // One that cannot be read, or is archived, says nothing.
      signal.throwIfAborted();
      return [];
    });
    const times = readyTimesOf(events as RecordedEvent<JobEvent>[]);
    this.#known.set(id, times);
    const [first] = this.#known.keys();
    if (this.#known.size > REMEMBERED_MAX && first !== undefined) this.#known.delete(first);
    return times;
  }
}

const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

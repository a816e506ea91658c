/** What the server remembers of a log, its checkpoints, against a cold rebuild. */
import { isDeepStrictEqual } from 'node:util';
import {
  aheadOfLog,
  type Checkpoints,
  type Projection,
  type Saved,
} from '../../engine/projection-runner.ts';
import type { RecordedEvent } from '../../machines/events.ts';
import { type Fault, placeOf } from './event-checks.ts';

/** One projection built anew from nothing, up to where its checkpoint stands, and compared with it there. */
class Rebuild {
  readonly #projection: Projection<unknown>;
  readonly #saved: Saved | undefined;
  readonly #state: unknown;
  #isStopped = false;
  #isReached = false;

  constructor(projection: Projection<unknown>, saved: Saved | undefined) {
    this.#projection = projection;
    this.#saved = saved;
    this.#state = projection.empty();
    this.#isStopped = saved === undefined || saved.version !== projection.version;
  }

  take(event: RecordedEvent, onFault: (fault: Fault) => void): void {
    const saved = this.#saved;
    if (this.#isStopped || saved === undefined || event.position > saved.position) return;
    try {
      this.#projection.apply(this.#state, event);
    } catch (error) {
      this.#isStopped = true;
      const reason = error instanceof Error ? error.message : String(error);
      onFault({
        ...placeOf(event),
        reason: `the ${this.#projection.name} cannot take it: ${reason}`,
      });
    }
    this.#isReached = event.position === saved.position && event.id === saved.last.id;
  }

  /** Compares; returns what is worth a note. `head`: of the log. */
  end(head: number, onFault: (fault: Fault) => void): string[] {
    const { name, version } = this.#projection;
    const saved = this.#saved;
    if (saved === undefined) return [`no checkpoint of the ${name} yet`];
    if (saved.version !== version)
      return [`the checkpoint of the ${name} is another version's; the server builds it anew`];
    if (this.#isStopped) return [];
    if (!this.#isReached && saved.position > head)
      return [`${aheadOfLog(name, saved.position, head)}; the server builds it anew`];
    if (!this.#isReached)
      return [`the checkpoint of the ${name} is of another log; the server builds it anew`];
    const rebuilt = JSON.parse(JSON.stringify(this.#projection.toJson(this.#state)));
    const where = differenceOf(saved.state, rebuilt, name);
    if (where !== undefined)
      onFault({
        position: saved.position,
        reason: `a cold rebuild differs from the checkpoint: ${where}`,
      });
    return [];
  }
}

export async function rebuildOf(
  is: Projection<unknown>,
  checkpoints: Checkpoints,
): Promise<Rebuild> {
  return new Rebuild(is, (await checkpoints.load(is.name)) as Saved | undefined);
}

/** The first place where two JSON values differ; undefined: nowhere. */
function differenceOf(saved: unknown, rebuilt: unknown, at: string): string | undefined {
  if (isDeepStrictEqual(saved, rebuilt)) return undefined;
  if (isContainer(saved) && isContainer(rebuilt)) {
    for (const key of new Set([...Object.keys(saved), ...Object.keys(rebuilt)])) {
      const where = differenceOf(saved[key], rebuilt[key], `${at}.${key}`);
      if (where !== undefined) return where;
    }
  }
  return `${at} is ${brief(saved)}, rebuilt ${brief(rebuilt)}`;
}

const isContainer = (is: unknown): is is Record<string, unknown> =>
  typeof is === 'object' && is !== null;

const brief = (value: unknown): string => String(JSON.stringify(value)).slice(0, BRIEF_CHARS_MAX);
const BRIEF_CHARS_MAX = 80;

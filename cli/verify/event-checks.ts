/** What each event of a log says about it: its schema is read by then; its stream's machine, its numbers and its ids are not. */

import type { RecordedEvent } from '../../machines/events.ts';
import { initialJob, isOver, type JobState } from '../../machines/job/job.ts';
import { jobOf } from '../../machines/names.ts';
import { evolveAny } from '../../machines/streams.ts';
import { Fingerprints, fingerprintOf } from './fingerprints.ts';

/** What is wrong, and where. A fault of a checkpoint has no place in the log. */
export interface Fault {
  stream?: string;
  version?: number;
  position?: number;
  type?: string;
  reason: string;
}

/** What the events alone say. */
export interface Checked {
  events: number;
  streams: number;
  jobsOver: number;
  /** The position of the last event that was read. */
  head: number;
  faultCount: number;
  /** The first of them. */
  faults: Fault[];
}

const FAULTS_KEPT_MAX = 20;

/** `isBroken`: an event of it could not be taken, and nothing can be said of those after it. */
interface Stream {
  version: number;
  state: unknown;
  isBroken: boolean;
}

export class LogChecks {
  readonly #streams = new Map<string, Stream>();
  readonly #faults: Fault[] = [];
  readonly #ids = new Fingerprints();
  /** What caused something, and had not come as an event by then: mostly requests, which are no events. */
  readonly #causes = new Fingerprints();
  /** Fingerprints of ids that may have come twice, or after what they caused. */
  readonly doubted = new Set<number>();
  #faultCount = 0;
  #jobsOver = 0;
  #head = 0;
  /** The highest number that a job was given. */
  lastJob = 0;
  events = 0;

  fault(fault: Fault): void {
    this.#faultCount += 1;
    if (this.#faults.length < FAULTS_KEPT_MAX) this.#faults.push(fault);
  }

  take(event: RecordedEvent): void {
    this.events += 1;
    const wrong = (reason: string) => this.fault({ ...placeOf(event), reason });
    if (event.position <= this.#head)
      wrong(`its position is not above ${this.#head}, that of the event before it`);
    this.#head = event.position;
    const job = event.type === 'SubmissionReceived' ? event.version : (jobOf(event.stream) ?? 0);
    this.lastJob = Math.max(this.lastJob, job);
    if (fingerprintOf(event.id) === undefined) wrong(`its id ${event.id} is not a UUID`);
    this.#take(event.id, event.meta.causationId);
    this.#fold(event, wrong);
  }

  #take(id: string, causationId: string): void {
    const [own, cause] = [fingerprintOf(id), fingerprintOf(causationId)];
    if (cause !== undefined && !this.#ids.has(cause)) this.#causes.add(cause);
    if (own === undefined) return;
    if (this.#ids.has(own) || this.#causes.has(own)) this.doubted.add(own);
    this.#ids.add(own);
  }

  #fold(event: RecordedEvent, wrong: (reason: string) => void): void {
    const is = this.#streams.get(event.stream) ?? { version: 0, state: undefined, isBroken: false };
    this.#streams.set(event.stream, is);
    if (event.version !== is.version + 1) {
      const why = event.version > is.version ? 'events are missing' : 'it is not in its place';
      wrong(`event ${is.version + 1} of its stream should come here: ${why}`);
      is.isBroken = true;
    }
    is.version = event.version;
    if (is.isBroken) return;
    try {
      is.state = evolveAny(is.state, event);
      if (jobOf(event.stream) !== undefined && isOver(is.state as JobState)) {
        this.#jobsOver += 1;
        is.state = over(is.state as JobState);
      }
    } catch (error) {
      wrong(error instanceof Error ? error.message : String(error));
      is.isBroken = true;
    }
  }

  *readableStreams(): Iterable<string> {
    for (const [stream, { isBroken }] of this.#streams) if (!isBroken) yield stream;
  }

  summary(): Checked {
    return {
      events: this.events,
      streams: this.#streams.size,
      jobsOver: this.#jobsOver,
      head: this.#head,
      faultCount: this.#faultCount,
      faults: this.#faults,
    };
  }
}

/** How a job that is over stays here: nothing is legal after the end, so its state's name is enough. */
const overAs = new Map<string, JobState>();

function over({ state }: JobState): JobState {
  const known = overAs.get(state) ?? { ...initialJob, state };
  overAs.set(state, known);
  return known;
}

export const placeOf = ({ stream, version, position, type }: RecordedEvent) => ({
  stream,
  version,
  position,
  type,
});

/**
 * What happened before what in a job: vector clocks over its boards and the lab. A board's events follow one another; a wait
 * that is released has heard of every send that it counts; an event that another one caused comes after it.
 */
import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import { counts, openWait } from '../machines/job/conversation.ts';
import { evolveJob, initialJob, type JobState, placeOf } from '../machines/job/job.ts';

type Event = RecordedEvent<JobEvent>;

/** An event causes others of its own command alone: one append takes so many. */
const CAUSES_MAX = 20_000;

/** Where what is nobody's doing in particular happens: the engine, and whoever ordered something. */
export const LAB = 'lab';

/** How many events of each host happened before, this one among its own; hosts that had none are left out. */
export type Clock = ReadonlyMap<string, number>;

export interface Placed {
  host: string;
  clock: Clock;
}

/** Takes the events of one job in their order, and gives each its place. */
export class HappensBefore {
  #job: JobState = initialJob;
  readonly #hosts = new Map<string, Map<string, number>>();
  /** Of each send, by message and member: the clock at the latest. */
  readonly #sends = new Map<string, Map<string, Clock>>();
  /** Of events that may be named as a cause. */
  readonly #causes = new Map<string, Clock>();

  take(event: Event): Placed {
    const host = 'member' in event.data && event.type !== 'JobFailed' ? event.data.member : LAB;
    const clock = this.#hosts.get(host) ?? new Map<string, number>();
    this.#hosts.set(host, clock);
    for (const before of this.#heardOf(event, host)) merge(clock, before);
    clock.set(host, (clock.get(host) ?? 0) + 1);
    const placed = new Map(clock);
    this.#remember(event, host, placed);
    this.#job = evolveJob(this.#job, event);
    return { host, clock: placed };
  }

  *#heardOf(event: Event, host: string): Iterable<Clock> {
    const cause = this.#causes.get(event.meta.causationId);
    if (cause !== undefined) yield cause;
    // Boards are given out by the lab, and it hears how each of them ends.
    if (host !== LAB && !this.#hosts.get(host)?.has(LAB)) yield this.#hosts.get(LAB) ?? new Map();
    if (host === LAB) for (const clock of this.#hosts.values()) yield clock;
    if (event.type === 'WaitReleased') yield* this.#sendsOf(event.data.wait);
  }

  /** The sends that a wait counted. */
  *#sendsOf(number: number): Iterable<Clock> {
    const { conversation, group, members } = this.#job;
    const wait = openWait(conversation, number);
    if (wait === undefined) return;
    for (const [sender, clock] of this.#sends.get(wait.message) ?? [])
      if (counts(group, wait, placeOf(this.#job, sender)) || members.length === 0) yield clock;
  }

  #remember(event: Event, host: string, clock: Clock): void {
    this.#causes.set(event.id, clock);
    const [oldest] = this.#causes.keys();
    if (this.#causes.size > CAUSES_MAX && oldest !== undefined) this.#causes.delete(oldest);
    if (event.type !== 'MessageSent') return;
    const { message } = event.data;
    const sends = this.#sends.get(message) ?? new Map<string, Clock>();
    this.#sends.set(message, sends.set(host, clock));
  }
}

function merge(into: Map<string, number>, from: Clock): void {
  for (const [host, count] of from) if ((into.get(host) ?? 0) < count) into.set(host, count);
}

/** Whether the first of two events happened before the second; neither way: they are concurrent. */
export function isBefore(a: Placed, b: Placed): boolean {
  return a !== b && (b.clock.get(a.host) ?? 0) >= (a.clock.get(a.host) ?? 0);
}

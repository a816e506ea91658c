/**
 * What happened before what in a job: vector clocks over its boards and the lab. A board's events follow one another; a wait
 * that is released has heard of every send that it counts; an event that another one caused comes after it. Events that neither
 * comes before are concurrent, whatever the clock on the wall says. A log may have holes: what is not there orders nothing.
 */
import type { DataOf, JobEvent, RecordedEvent } from '../machines/events.ts';

type Event = RecordedEvent<JobEvent>;

/** An event causes others of its own command alone: one append takes so many. At least as many are remembered. */
const CAUSES_MAX = 20_000;

/** Where what is nobody's doing in particular happens: the engine, and whoever ordered something. */
export const LAB = 'lab';

/** How many events of each host happened before, this one among its own; hosts that had none are left out. */
export type Clock = ReadonlyMap<string, number>;

export interface Placed {
  host: string;
  clock: Clock;
}

/** By the place of each host; one that is not there yet had none. */
type Counts = Int32Array<ArrayBuffer>;

export const hostOf = (event: Event): string =>
  'member' in event.data && event.type !== 'JobFailed' ? event.data.member : LAB;

/** Takes the events of one job in their order, and gives each its place. */
export class HappensBefore {
  readonly #hosts: string[] = [];
  readonly #places = new Map<string, number>();
  readonly #now: Counts[] = [];
  readonly #roles = new Map<string, string>();
  #countsSelf = false;
  readonly #waits = new Map<number, DataOf<'WaitStarted'>>();
  /** Of each send, by message and member: the clock at the latest. */
  readonly #sends = new Map<string, Map<string, Counts>>();
  /** Of events that may be named as a cause: the latest, and those before them. */
  #causes = new Map<string, Counts>();
  #olderCauses: ReadonlyMap<string, Counts> = new Map();

  take(event: Event): Placed {
    const { host, counts } = this.count(event);
    const clock = new Map<string, number>();
    for (const [at, count] of counts.entries())
      if (count > 0) clock.set(this.#hosts[at] ?? '', count);
    return { host, clock };
  }

  /** As `take`, for many: the counts by `placeOf`, and whether anything was heard of other hosts. */
  count(event: Event): { host: string; counts: Counts; heard: boolean } {
    const host = hostOf(event);
    const place = this.placeOf(host);
    const before = this.#now[place] ?? new Int32Array(0);
    const counts = new Int32Array(Math.max(before.length, this.#hosts.length));
    counts.set(before);
    const heard = this.#hear(event, host, before.length === 0, counts);
    counts[place] = (before[place] ?? 0) + 1;
    this.#now[place] = counts;
    this.#remember(event, host, counts);
    return { host, counts, heard };
  }

  placeOf(host: string): number {
    const known = this.#places.get(host);
    if (known !== undefined) return known;
    this.#places.set(host, this.#hosts.length);
    return this.#hosts.push(host) - 1;
  }

  #hear(event: Event, host: string, isFirst: boolean, counts: Counts): boolean {
    const { causationId } = event.meta;
    const cause = this.#causes.get(causationId) ?? this.#olderCauses.get(causationId);
    let heard = cause !== undefined && merge(counts, cause);
    // Boards are given out by the lab, and it hears how each of them ends.
    if (host !== LAB && isFirst) heard = merge(counts, this.#now[this.placeOf(LAB)]) || heard;
    if (host === LAB) for (const now of this.#now) heard = merge(counts, now) || heard;
    if (event.type === 'WaitReleased') {
      for (const sent of this.#sendsOf(event.data.wait)) heard = merge(counts, sent) || heard;
      this.#waits.delete(event.data.wait);
    }
    return heard;
  }

  /** The sends that a wait counted. */
  *#sendsOf(number: number): Iterable<Counts> {
    const wait = this.#waits.get(number);
    if (wait === undefined) return;
    const countsSelf = this.#countsSelf && wait.verb !== 'sync';
    for (const [sender, counts] of this.#sends.get(wait.message) ?? []) {
      if (sender === wait.member && !countsSelf) continue;
      if (wait.role === undefined || this.#roles.get(sender) === wait.role) yield counts;
    }
  }

  #remember(event: Event, host: string, counts: Counts): void {
    this.#causes.set(event.id, counts);
    // By halves: a map that loses its first entry each time is slow to find the next.
    if (this.#causes.size >= CAUSES_MAX) {
      this.#olderCauses = this.#causes;
      this.#causes = new Map();
    }
    switch (event.type) {
      case 'JobSubmitted':
        this.#countsSelf = event.data.definition.countsSelf;
        return;
      case 'JobAllocated':
        for (const { device, role } of event.data.members) this.#roles.set(device, role);
        return;
      case 'WaitStarted':
        this.#waits.set(event.data.wait, event.data);
        return;
      case 'MessageSent': {
        const { message } = event.data;
        const sends = this.#sends.get(message) ?? new Map<string, Counts>();
        this.#sends.set(message, sends.set(host, counts));
        return;
      }
      default:
        return;
    }
  }
}

/** Whether it learned anything by it. */
function merge(into: Counts, from: Counts | undefined): boolean {
  if (from === undefined) return false;
  let learned = false;
  for (let at = 0; at < from.length && at < into.length; at++) {
    const count = from[at] ?? 0;
    if (count <= (into[at] ?? 0)) continue;
    into[at] = count;
    learned = true;
  }
  return learned;
}

/** Whether the first of two events happened before the second; neither way: they are concurrent. */
export function isBefore(a: Placed, b: Placed): boolean {
  return a !== b && (b.clock.get(a.host) ?? 0) >= (a.clock.get(a.host) ?? 0);
}

export interface Moment {
  /** `undefined`: of the job itself. */
  readonly member: { readonly device: string } | undefined;
  readonly version: number;
}

export type Order = 'before' | 'after' | 'concurrent' | 'same';

interface Track {
  readonly place: number;
  /** Of its own events. */
  readonly versions: number[];
  /** Where it heard of others: all that it knew then. */
  readonly heard: { version: number; counts: Counts }[];
}

/** The order of any two moments of a job. All of it is read when it is asked first, once. */
export class Orders {
  readonly #events: Iterable<Event>;
  #tracks: Map<string, Track> | undefined;

  constructor(events: Iterable<Event>) {
    this.#events = events;
  }

  order(a: Moment, b: Moment): Order {
    if (a.version === b.version) return 'same';
    if (this.#isBefore(a, b)) return 'before';
    return this.#isBefore(b, a) ? 'after' : 'concurrent';
  }

  #isBefore(a: Moment, b: Moment): boolean {
    if (a.version >= b.version) return false;
    const [host, other] = [a.member?.device ?? LAB, b.member?.device ?? LAB];
    // A board's own events are in their order, and the job's stand between those of all.
    if (host === other || host === LAB || other === LAB) return true;
    this.#tracks ??= tracksOf(this.#events);
    const mine = this.#tracks.get(host);
    if (mine === undefined) return false;
    const { heard = [] } = this.#tracks.get(other) ?? {};
    const last = heard[upTo(heard.length, (at) => heard[at]?.version ?? 0, b.version) - 1];
    const count = upTo(mine.versions.length, (at) => mine.versions[at] ?? 0, a.version);
    return (last?.counts[mine.place] ?? 0) >= count;
  }
}

function tracksOf(events: Iterable<Event>): Map<string, Track> {
  const order = new HappensBefore();
  const tracks = new Map<string, Track>();
  for (const event of events) {
    const { host, counts, heard } = order.count(event);
    let track = tracks.get(host);
    if (track === undefined) {
      track = { place: order.placeOf(host), versions: [], heard: [] };
      tracks.set(host, track);
    }
    track.versions.push(event.version);
    if (heard) track.heard.push({ version: event.version, counts });
  }
  return tracks;
}

/** How many of a sorted list are not above a value. */
function upTo(length: number, valueAt: (at: number) => number, value: number): number {
  let [from, to] = [0, length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (valueAt(middle) <= value) from = middle + 1;
    else to = middle;
  }
  return from;
}

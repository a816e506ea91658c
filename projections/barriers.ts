/** Who arrived at each barrier of a group and who is missing, from the events of its job. */

import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import { barrierKey, counts, missing, type Question, sent } from '../machines/job/conversation.ts';
import { evolveJob, initialJob, type JobState, placeOf } from '../machines/job/job.ts';
import { newMemory, standing, type Telling, tell } from './telling.ts';
import { type BarrierView, iso } from './views.ts';

type WaitView = BarrierView['waits'][number];
type Started = Extract<JobEvent, { type: 'WaitStarted' }>['data'];
type Ended = Extract<
  JobEvent,
  { type: 'WaitReleased' | 'WaitTimedOut' | 'WaitUnreachable' | 'WaitAbandoned' }
>;

/** A wait with all that happened to it; what is shown of it is as of one event. */
interface Wait {
  started: Started;
  version: number;
  since: number;
  barrier: Barrier;
  /** When it was found stuck, or no longer so. */
  marks: { version: number; stuck?: WaitView['stuck']; reason?: string }[];
  end?: Pick<WaitView, 'outcome' | 'endedAt' | 'by' | 'reason'> & { version: number };
}

interface Barrier {
  /** Of its first wait. */
  version: number;
  since: number;
  waits: Wait[];
}

/** When a member came: by the clock, and in the log. */
interface Arrival {
  at: number;
  version: number;
}
const NEVER: Arrival = { at: 0, version: 0 };

/** How many barriers are shown, and how many waits of one, where there are more: the last ones. */
export interface Shown {
  barriersMax: number;
  waitsMax: number;
}
const ALL: Shown = {
  barriersMax: Number.POSITIVE_INFINITY,
  waitsMax: Number.POSITIVE_INFINITY,
};

/** Every barrier in the order in which its first wait began, as it stands after the last of the events. */
export function barriersOf(events: Iterable<RecordedEvent>): BarrierView[] {
  let job = initialJob;
  let last = 0;
  const history = new BarrierHistory();
  for (const recorded of events) {
    const event = recorded as RecordedEvent<JobEvent>;
    job = evolveJob(job, event);
    history.take(event);
    last = event.version;
  }
  return history.at(last, job).barriers;
}

/** The barriers of a job at any of its events: takes the events in their order, and tells how they stood after one of them. */
export class BarrierHistory {
  readonly #barriers: Barrier[] = [];
  readonly #byKey = new Map<string, Barrier>();
  /** By their numbers. */
  readonly #waits = new Map<number, Wait>();
  /** By message and member: when it reached each count. */
  readonly #arrivals = new Map<string, Map<string, Arrival[]>>();
  readonly #memory = newMemory();

  take(event: RecordedEvent<JobEvent>): void {
    switch (event.type) {
      case 'MessageSent':
        this.#arrived(event);
        break;
      case 'WaitStarted':
        tell(event, this.#memory);
        this.#began(event);
        break;
      case 'WaitStuck':
      case 'WaitUnstuck':
        this.#marked(event);
        break;
      case 'WaitReleased':
      case 'WaitTimedOut':
      case 'WaitUnreachable':
      case 'WaitAbandoned': {
        const wait = this.#waits.get(event.data.wait);
        const telling = tell(event, this.#memory);
        if (wait !== undefined) wait.end = endOf(event, telling);
      }
    }
  }

  /** What began a wait; `undefined`: it has not begun by now. */
  started(number: number): Started | undefined {
    return this.#waits.get(number)?.started;
  }

  /**
   * How they stood after an event, in the order in which the first wait of each began.
   *
   * @param job as it was after that event
   * @returns those in which somebody waits, and the last ones; `leftOut`: how many others there were
   */
  at(
    version: number,
    job: JobState,
    shown: Shown = ALL,
  ): { barriers: BarrierView[]; leftOut: number } {
    let count = 0;
    for (let to = this.#barriers.length; count < to; ) {
      const middle = (count + to) >> 1;
      if ((this.#barriers[middle]?.version ?? 0) <= version) count = middle + 1;
      else to = middle;
    }
    const last = this.#barriers.slice(Math.max(0, count - shown.barriersMax), count);
    const wanted = new Set(last);
    const open = job.conversation.waits.flat().flatMap(({ wait }) => {
      const barrier = this.#waits.get(wait)?.barrier;
      return barrier === undefined || wanted.has(barrier) ? [] : [barrier];
    });
    const old = [...new Set(open)].sort((a, b) => a.version - b.version);
    const barriers = [...old, ...last].map((barrier) =>
      this.#view(barrier, job, version, shown.waitsMax),
    );
    return { barriers, leftOut: count - barriers.length };
  }

  #arrived({ data, meta, version }: Extract<RecordedEvent<JobEvent>, { type: 'MessageSent' }>) {
    const { member, message, count } = data;
    const ofMessage = this.#arrivals.get(message) ?? new Map<string, Arrival[]>();
    this.#arrivals.set(message, ofMessage);
    const ofMember = ofMessage.get(member) ?? [];
    ofMember[count] = { at: meta.at, version };
    ofMessage.set(member, ofMember);
  }

  #began({ data, meta, version }: Extract<RecordedEvent<JobEvent>, { type: 'WaitStarted' }>) {
    const { wait, verb, message, role = null, round } = data;
    const key = barrierKey({ member: -1, verb, message, role, round });
    let barrier = this.#byKey.get(key);
    if (barrier === undefined) {
      barrier = { version, since: meta.at, waits: [] };
      this.#byKey.set(key, barrier);
      this.#barriers.push(barrier);
    }
    const is: Wait = { started: data, version, since: meta.at, barrier, marks: [] };
    barrier.waits.push(is);
    this.#waits.set(wait, is);
  }

  #marked(event: Extract<RecordedEvent<JobEvent>, { type: 'WaitStuck' | 'WaitUnstuck' }>) {
    const { version, data } = event;
    const wait = this.#waits.get(data.wait);
    if (event.type === 'WaitUnstuck') {
      wait?.marks.push({ version });
      return;
    }
    const reason = reasonOf(tell(event, this.#memory));
    wait?.marks.push({ version, stuck: event.data.form, reason });
  }

  #view(barrier: Barrier, job: JobState, version: number, waitsMax: number): BarrierView {
    const begun = barrier.waits.filter((wait) => wait.version <= version);
    const waits = begun.slice(Math.max(0, begun.length - waitsMax));
    const [first = begun[0]] = barrier.waits;
    const {
      member = '',
      verb = 'wait',
      message = '',
      role = null,
      round = 1,
    } = first?.started ?? {};
    const question = { member: placeOf(job, member), verb, message, role, round };
    const view = barrierView(
      job,
      { question, since: barrier.since, waits: waits.map((wait) => waitView(wait, version)) },
      (who) => this.#arrivals.get(message)?.get(who)?.[round] ?? NEVER,
    );
    const earlier = begun.length - waits.length;
    return earlier > 0 ? { ...view, earlier } : view;
  }
}

function waitView({ started, since, marks, end }: Wait, version: number): WaitView {
  const { wait, member } = started;
  const view: WaitView = { wait, member, since: iso(since), outcome: 'open' };
  const mark = marks.findLast((one) => one.version <= version);
  if (mark?.stuck !== undefined) view.stuck = mark.stuck;
  if (mark?.reason !== undefined) view.reason = mark.reason;
  if (end === undefined || end.version > version) return view;
  const { version: _, ...ended } = end;
  if (ended.outcome === 'released') {
    // It was released after all: what was taken for a deadlock was none.
    delete view.stuck;
    delete view.reason;
  }
  return { ...view, ...ended };
}

const reasonOf = (telling: Telling): string => standing(telling).join('\n');

function endOf(event: RecordedEvent<Ended>, telling: Telling): NonNullable<Wait['end']> {
  const { version, meta } = event;
  const is = { version, outcome: OUTCOMES[event.type], endedAt: iso(meta.at) };
  if (event.type !== 'WaitReleased') return { ...is, reason: reasonOf(telling) };
  const { by } = event.data;
  return by === undefined ? is : { ...is, by };
}

const OUTCOMES = {
  WaitReleased: 'released',
  WaitTimedOut: 'timedOut',
  WaitUnreachable: 'unreachable',
  WaitAbandoned: 'abandoned',
} as const satisfies Record<Ended['type'], WaitView['outcome']>;

function barrierView(
  job: JobState,
  { question, since, waits }: { question: Question; since: number; waits: WaitView[] },
  arrivalOf: (member: string) => Arrival,
): BarrierView {
  // Of several who wait, each is counted by the others: only a single waiter is left out of its own barrier.
  const waiters = new Set(waits.map((w) => w.member));
  const asked = waiters.size > 1 ? { ...question, member: -1 } : question;
  const lacking = new Set(missing(job.conversation, job.group, asked));
  const isSync = question.verb === 'sync';
  const name = (place: number) => job.members[place]?.device ?? '';
  const places = job.members.map((_, place) => place);
  const arrived = places.filter((m) =>
    isSync
      ? sent(job.conversation, question.message, m) >= question.round
      : counts(job.group, asked, m) && !lacking.has(m),
  );
  // Many may come within one millisecond: it is the log that says who came last, not the clock.
  const arrivals = arrived
    .map((m) => ({
      member: name(m),
      ...arrivalOf(name(m)),
    }))
    .sort((a, b) => a.version - b.version);
  // A verb that was killed and called again waits at the same barrier: a member's last wait is what counts.
  const outcomes = new Map(waits.map((w) => [w.member, w.outcome]));
  const released = [...outcomes.values()].every((outcome) => outcome === 'released');
  const last = arrivals.at(-1)?.member;
  return {
    id: question.message,
    verb: question.verb,
    round: question.round,
    ...(question.role !== null && { role: question.role }),
    arrived: arrived.map(name),
    missing:
      released && question.verb === 'wait' ? [] : places.filter((m) => lacking.has(m)).map(name),
    released,
    since: iso(since),
    arrivals: arrivals.map(({ member, at }) => ({ member, at: iso(at) })),
    ...(last !== undefined && { last }),
    waits,
  };
}

/** Who arrived at each barrier of a group and who is missing, from the events of its job. */

import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import { barrierKey, counts, missing, type Question, sent } from '../machines/job/conversation.ts';
import { evolveJob, initialJob, type JobState, placeOf } from '../machines/job/job.ts';
import { newMemory, standing, type Telling, tell } from './telling.ts';
import { type BarrierView, iso } from './views.ts';

type WaitView = BarrierView['waits'][number];
type Ended = Extract<
  JobEvent,
  { type: 'WaitReleased' | 'WaitTimedOut' | 'WaitUnreachable' | 'WaitAbandoned' }
>;

interface Barrier {
  question: Question;
  since: number;
  waits: WaitView[];
}

/** When a member came: by the clock, and in the log. */
interface Arrival {
  at: number;
  version: number;
}
const NEVER: Arrival = { at: 0, version: 0 };

/** Every barrier in the order in which its first wait began, as it stands after the last of the events. */
export function barriersOf(events: Iterable<RecordedEvent>): BarrierView[] {
  let job = initialJob;
  const barriers = new Map<string, Barrier>();
  const waits = new Map<number, WaitView>();
  /** When each member reached each count of each message id. */
  const arrivals = new Map<string, Arrival>();
  const memory = newMemory();
  for (const recorded of events) {
    const event = recorded as RecordedEvent<JobEvent>;
    job = evolveJob(job, event);
    const at = event.meta.at;
    switch (event.type) {
      case 'MessageSent': {
        const { member, message, count } = event.data;
        arrivals.set(JSON.stringify([member, message, count]), { at, version: event.version });
        break;
      }
      case 'WaitStarted': {
        tell(event, memory);
        const { wait, member, verb, message, role, round } = event.data;
        const question = { member: placeOf(job, member), verb, message, role: role ?? null, round };
        const key = barrierKey(question);
        const barrier = barriers.get(key) ?? { question, since: at, waits: [] };
        barriers.set(key, barrier);
        const view: WaitView = { wait, member, since: iso(at), outcome: 'open' };
        barrier.waits.push(view);
        waits.set(wait, view);
        break;
      }
      case 'WaitStuck':
      case 'WaitUnstuck': {
        const view = waits.get(event.data.wait);
        if (view === undefined) break;
        delete view.stuck;
        delete view.reason;
        if (event.type === 'WaitUnstuck') break;
        view.stuck = event.data.form;
        view.reason = reasonOf(tell(event, memory));
        break;
      }
      case 'WaitReleased':
      case 'WaitTimedOut':
      case 'WaitUnreachable':
      case 'WaitAbandoned':
        end(waits.get(event.data.wait), event, tell(event, memory));
    }
  }
  return [...barriers.values()].map((barrier) => barrierView(job, barrier, arrivals));
}

const reasonOf = (telling: Telling): string => standing(telling).join('\n');

function end(view: WaitView | undefined, event: RecordedEvent<Ended>, telling: Telling): void {
  if (view === undefined) return;
  view.endedAt = iso(event.meta.at);
  view.outcome = OUTCOMES[event.type];
  if (event.type !== 'WaitReleased') {
    view.reason = reasonOf(telling);
    return;
  }
  // It was released after all: what was taken for a deadlock was none.
  delete view.stuck;
  delete view.reason;
  if (event.data.by !== undefined) view.by = event.data.by;
}

const OUTCOMES = {
  WaitReleased: 'released',
  WaitTimedOut: 'timedOut',
  WaitUnreachable: 'unreachable',
  WaitAbandoned: 'abandoned',
} as const satisfies Record<Ended['type'], WaitView['outcome']>;

function barrierView(
  job: JobState,
  { question, since, waits }: Barrier,
  times: ReadonlyMap<string, Arrival>,
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
      ...(times.get(JSON.stringify([name(m), question.message, question.round])) ?? NEVER),
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

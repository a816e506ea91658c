/**
 * A job at any of its events: its state, what each board's cache files hold, and the last line of each script that was heard of.
 * The state is the live one: it is folded by the same machine, from the same events.
 */
import { z } from 'zod';
import type { Callers, DataOf, JobEvent, RecordedEvent } from '../machines/events.ts';
import { cacheLines, openWait } from '../machines/job/conversation.ts';
import { evolveJob, initialJob, type JobState, placeOf } from '../machines/job/job.ts';
import type { OpenWait } from '../machines/job/wait-list.ts';
import { withItem } from '../machines/lists.ts';
import { BarrierHistory } from '../projections/barriers.ts';
import { AnswerRefused } from './refused.ts';

/** What a board's cache file held, and which event made it so. */
export interface CacheFile {
  readonly lines: readonly string[];
  readonly event: number;
}

/** What its board last called. */
export interface LastCall {
  readonly event: number;
  /** As it was typed, without its pairs: `lava-sync ready`, `lava-test-case login`. */
  readonly what: string;
  readonly from?: Callers;
}

/** What the events tell of one board beside the job's state. */
export interface BoardMemory {
  /** `null`: it has written none since it was booted. */
  readonly cache: CacheFile | null;
  /** The one of `lava-network collect`. */
  readonly networkCache: CacheFile | null;
  readonly call: LastCall | null;
  /** How many bytes its console had by then, and by which event that is known; `null`: nobody has said. */
  readonly console: { readonly bytes: number; readonly event: number } | null;
}

export interface Moment {
  /** The version of the last event; 0: before the first. */
  readonly event: number;
  readonly job: JobState;
  /** In group order; empty until the job has boards. */
  readonly boards: readonly BoardMemory[];
}

export const beforeAll: Moment = { event: 0, job: initialJob, boards: [] };
const blank: BoardMemory = { cache: null, networkCache: null, call: null, console: null };

type Event = RecordedEvent<JobEvent>;

/** The moment after one more event. @throws IllegalTransition */
export function after(moment: Moment, event: Event): Moment {
  const job = evolveJob(moment.job, event);
  if (event.type === 'JobAllocated')
    return { event: event.version, job, boards: job.members.map(() => blank) };
  const place = 'member' in event.data ? placeOf(job, event.data.member) : -1;
  const before = moment.boards[place];
  if (before === undefined) return { event: event.version, job, boards: moment.boards };
  const board = changed(before, event, moment.job);
  const boards = board === before ? moment.boards : withItem(moment.boards, place, board);
  return { event: event.version, job, boards };
}

function changed(board: BoardMemory, event: Event, job: JobState): BoardMemory {
  const bytes = event.meta.console;
  const seen = bytes === undefined ? board : { ...board, console: { bytes, event: event.version } };
  switch (event.type) {
    // What was in its temporary folder is gone.
    case 'MemberBooting':
      return { ...blank, console: seen.console };
    case 'MessageSent':
    case 'WaitStarted': {
      const { verb, message } = event.data;
      const role = 'role' in event.data && event.data.role ? ` ${event.data.role}` : '';
      return called(seen, event, `lava-${verb} ${message}${role}`, event.data.from);
    }
    case 'RequestRefused': {
      const { verb, message = '' } = event.data;
      return called(seen, event, `lava-${verb} ${message}`.trim(), event.data.from);
    }
    case 'ResultRecorded':
      return called(seen, event, `lava-test-case ${event.data.case}`, event.data.from);
    case 'WaitReleased':
    case 'WaitTimedOut':
    case 'WaitUnreachable':
    case 'WaitAbandoned':
      return waited(seen, event, job);
    default:
      return seen;
  }
}

/** A sync says who called in its message, and then begins its wait. */
function called(board: BoardMemory, event: Event, what: string, from?: Callers): BoardMemory {
  const said = from ?? (board.call?.what === what ? board.call.from : undefined);
  return { ...board, call: { event: event.version, what, ...(said && { from: said }) } };
}

type Ended = Extract<
  Event,
  { type: 'WaitReleased' | 'WaitTimedOut' | 'WaitUnreachable' | 'WaitAbandoned' }
>;

/** What a wait's end wrote (SEMANTICS 2): its lines, or nothing where it failed or its verb was killed. */
function waited(board: BoardMemory, event: Ended, job: JobState): BoardMemory {
  const wait = openWait(job.conversation, event.data.wait);
  if (wait === undefined || wait.verb === 'sync') return board;
  // Nobody there heard of it: the connection is gone, or the member ends with its wait.
  if (event.type === 'WaitAbandoned' && event.data.why !== 'verb-ended') return board;
  if (event.type === 'WaitTimedOut' && event.data.limit !== 'protocol') return board;
  const { conversation, group, members } = job;
  const lines = event.type === 'WaitReleased' ? cacheLines(conversation, group, members, wait) : [];
  const file = { lines, event: event.version };
  return isNetwork(board, wait) ? { ...board, networkCache: file } : { ...board, cache: file };
}

/** `lava-network collect` is a `lava-wait-all` with a cache file of its own. */
function isNetwork({ call }: BoardMemory, { verb, message }: OpenWait): boolean {
  if (verb !== 'wait-all' || message !== 'network_info') return false;
  const callers = call?.what.startsWith('lava-wait-all network_info') ? call.from : undefined;
  return callers === undefined || callers.some(({ argv }) => argv.some(isNetworkScript));
}
const isNetworkScript = (word: string): boolean => /(?:^|\/)lava-network$/.test(word);

/** How far apart the moments lie that are kept: what is between two of them is folded again. */
const KEPT_EVERY = 256;

/** One event of a job with what is needed to tell it, and how all stood after it. */
export interface Told {
  readonly event: Event;
  readonly moment: Moment;
  readonly barriers: BarrierHistory;
  /** How many events the job has by now. */
  readonly count: number;
}

/** All moments of a job. What was passed once is near: any of them costs at most so many events. */
export class Moments {
  readonly #events: Event[] = [];
  /** The moment after each multiple of `KEPT_EVERY` events, as far as anybody went. */
  readonly #kept: Moment[] = [beforeAll];
  #last = beforeAll;
  readonly #barriers = new BarrierHistory();
  /** How many events its barriers have taken in. */
  #heard = 0;

  /** @throws AnswerRefused as `take` does */
  constructor(events: readonly Event[] = []) {
    for (const event of events) this.take(event);
  }

  /** One more event. @throws AnswerRefused `unreadable-event`: one before it is missing, and nothing after that can be told */
  take(event: Event): void {
    expectNext(event, this.count);
    this.#events.push(event);
  }

  get events(): readonly Event[] {
    return this.#events;
  }

  get count(): number {
    return this.#events.length;
  }

  /** An event with how all stood after it. @throws AnswerRefused `no-such-event`; IllegalTransition */
  told(version: number): Told {
    const event = this.event(version);
    return { event, moment: this.at(version), barriers: this.barriers, count: this.count };
  }

  /** What all of its events say of its barriers. */
  get barriers(): BarrierHistory {
    for (const event of this.#events.slice(this.#heard)) this.#barriers.take(event);
    this.#heard = this.count;
    return this.#barriers;
  }

  /** The moment after an event, by its version. @throws AnswerRefused `no-such-event`; IllegalTransition */
  at(version: number): Moment {
    if (version > 0) this.event(version);
    const near = this.#kept[Math.min(Math.floor(version / KEPT_EVERY), this.#kept.length - 1)];
    let moment = near ?? beforeAll;
    if (this.#last.event <= version && this.#last.event > moment.event) moment = this.#last;
    while (moment.event < version) {
      const event = this.events[moment.event];
      if (event === undefined) break;
      moment = after(moment, event);
      if (moment.event === this.#kept.length * KEPT_EVERY) this.#kept.push(moment);
    }
    this.#last = moment;
    return moment;
  }

  /** An event by its version. @throws AnswerRefused `no-such-event` */
  event(version: number): Event {
    return this.events[version - 1] ?? noSuchEvent(version, this.count);
  }

  /** What began the wait that an event is about. It is looked for among the events before: most are near. */
  begun(event: Event): DataOf<'WaitStarted'> | undefined {
    if (!('wait' in event.data)) return undefined;
    const { wait } = event.data;
    for (let at = event.version - 1; at >= 0; at--) {
      const before = this.#events[at];
      if (before?.type === 'WaitStarted' && before.data.wait === wait) return before.data;
    }
    return undefined;
  }

  /** See `versionOf`. */
  versionOf(at: string | undefined): number {
    return versionOf(at, this.count, (version) => this.event(version).meta.at);
  }
}

/** @throws AnswerRefused `unreadable-event` */
export function expectNext(event: Event, count: number): void {
  const expected = count + 1;
  if (event.version !== expected)
    throw new AnswerRefused(
      'unreadable-event',
      `event ${expected} of the job is missing: event ${event.version} stands in its place`,
    );
}

/** @throws AnswerRefused `no-such-event` */
export function noSuchEvent(version: number, count: number): never {
  const has = `the job has ${count}, numbered from 1`;
  throw new AnswerRefused('no-such-event', `there is no event ${version}: ${has}`);
}

/**
 * The event that somebody means: by its number, or the last one up to a time in ISO 8601; absent: the last of all.
 *
 * @param count how many events the job has
 * @param timeOf when one of them was, by its version
 * @throws AnswerRefused `invalid-request`, `no-such-event`
 */
export function versionOf(
  at: string | undefined,
  count: number,
  timeOf: (version: number) => number,
): number {
  if (at === undefined) return count;
  if (/^\d{1,15}$/.test(at)) {
    const version = Number(at);
    return version >= 1 && version <= count ? version : noSuchEvent(version, count);
  }
  const time = z.iso.datetime({ offset: true }).safeParse(at).success ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(time)) {
    const expected = 'the number of an event, or a time such as 2026-08-01T14:03:59.250Z';
    const said = JSON.stringify(at.slice(0, 60));
    throw new AnswerRefused('invalid-request', `${said} is not ${expected}`);
  }
  let version = count;
  // Clocks may go back: it is the log that says what came last.
  while (version > 0 && timeOf(version) > time) version--;
  if (version > 0) return version;
  const first = new Date(timeOf(1)).toISOString();
  throw new AnswerRefused(
    'no-such-event',
    `nothing had happened by ${at}: the first event, its submission, was at ${first}`,
  );
}

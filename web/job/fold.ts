/**
 * A job's events, folded once into what is drawn: lanes with their spans and marks, arrows from sends to releases,
 * barriers. All of it points at events by their index, so that the job at any event is what began at or before it.
 * Pure, and knows nothing of a screen.
 */
import type { RecordedEvent } from '../api/types.ts';

/** What a member is about. */
export type Phase = 'held' | 'deploy' | 'boot' | 'run' | 'hand-in' | 'over';

/** From the event `from` to the event `to`, which ended it; `to` is `OPEN` while nothing has. */
export interface Span {
  from: number;
  to: number;
  label: string;
}
export interface PhaseSpan extends Span {
  phase: Phase;
}
export interface WaitSpan extends Span {
  wait: number;
  verb: 'wait' | 'wait-all' | 'sync';
  message: string;
  round: number;
  role: string | undefined;
  lane: number;
  missing: readonly string[];
  outcome: 'open' | 'released' | 'timedOut' | 'unreachable' | 'abandoned';
  /** The member whose arrival released it. */
  by: string | undefined;
  /** The cache file that its end wrote, or will write. */
  file: 'cache' | 'network' | undefined;
  /** Events at which it was seen to be stuck, and no longer. */
  stuck: Span[];
  barrier: Barrier;
}

export const OPEN = Number.MAX_SAFE_INTEGER;

export interface Lane {
  device: string;
  role: string;
  phases: PhaseSpan[];
  waits: WaitSpan[];
  suites: Span[];
  /** When it was booted: what was in its temporary folder is gone. */
  boots: number[];
  /** Sends, results, refusals and ends, in order. */
  marks: number[];
  /** How it ended; `undefined`: it has not. */
  end: { at: number; state: MemberEnd } | undefined;
}
export type MemberEnd = 'complete' | 'failed' | 'timedOut' | 'cancelled';

/** From the send that caused it to the release. */
export interface Arrow {
  from: number;
  to: number;
  fromLane: number;
  toLane: number;
}

/** What members meet at: a round of a sync, or what waits of the other verbs wait for. */
export interface Barrier {
  key: string;
  verb: WaitSpan['verb'];
  message: string;
  round: number;
  role: string | undefined;
  waits: WaitSpan[];
  /** The release that opened it; `OPEN`: none has. */
  opened: number;
  /** Who came last. */
  last: string | undefined;
}

export interface Sent {
  at: number;
  lane: number;
  count: number;
  pairs: readonly (readonly [string, string])[];
}

const ENDS: Readonly<Record<string, MemberEnd>> = {
  MemberCompleted: 'complete',
  MemberFailed: 'failed',
  MemberTimedOut: 'timedOut',
  MemberCancelled: 'cancelled',
};

const PHASES: Readonly<Record<string, Phase>> = {
  deploy_linaro_image: 'deploy',
  boot_linaro_image: 'boot',
  lava_test_shell: 'run',
  lava_command_run: 'run',
  submit_results: 'hand-in',
};

const OUTCOMES = {
  WaitReleased: 'released',
  WaitTimedOut: 'timedOut',
  WaitUnreachable: 'unreachable',
  WaitAbandoned: 'abandoned',
} as const;

/** Marks on a lane: what is told as a point in time. */
const MARKED = new Set([
  'MessageSent',
  'ResultRecorded',
  'RequestRefused',
  'SignalGarbled',
  'ScriptEnded',
  'AttachmentKept',
  ...Object.keys(ENDS),
]);

export class JobFold {
  readonly events: RecordedEvent[] = [];
  /** Of each event: when it was, its rank in the causal order, and the lane that it is on (-1: the job's). */
  readonly times: number[] = [];
  readonly ranks: number[] = [];
  readonly laneOf: number[] = [];
  readonly lanes: Lane[] = [];
  readonly arrows: Arrow[] = [];
  readonly barriers: Barrier[] = [];
  /** By message id. */
  readonly sends = new Map<string, Sent[]>();
  readonly waits = new Map<number, WaitSpan>();
  name = '';
  countsSelf = false;
  timeoutSeconds = 0;
  priority = 0;
  /** The event that ended the job. */
  ended: number | undefined;
  rankMax = 0;
  readonly #barriers = new Map<string, Barrier>();
  /** By message id and lane: the event of each send, by its count less one. */
  readonly #sentBy = new Map<string, number[][]>();
  readonly #laneOfDevice = new Map<string, number>();
  /** The rank that the next event of a lane comes after. */
  readonly #laneRank: number[] = [];
  #jobRank = 0;

  get length(): number {
    return this.events.length;
  }

  /** The event with which the job had its boards; the first while it has none. */
  get start(): number {
    return this.lanes[0]?.phases[0]?.from ?? 0;
  }

  laneNamed(device: string): number {
    return this.#laneOfDevice.get(device) ?? -1;
  }

  take(event: RecordedEvent): void {
    const at = this.events.push(event) - 1;
    const { member } = event.data as { member?: string };
    // The end of a job names a member as its cause; it is not that member's event.
    const lane = member === undefined || event.type === 'JobFailed' ? -1 : this.laneNamed(member);
    this.times.push(Math.max(event.meta.at, this.times[at - 1] ?? 0));
    this.laneOf.push(lane);
    const caused = this.#fold(event, at, lane);
    this.#rank(at, lane, caused);
    if (lane >= 0 && MARKED.has(event.type)) this.lanes[lane]?.marks.push(at);
  }

  /** @returns the event on another lane that this one had to wait for */
  #fold(event: RecordedEvent, at: number, lane: number): number | undefined {
    switch (event.type) {
      case 'JobSubmitted':
        this.name = event.data.definition.name;
        this.countsSelf = event.data.definition.countsSelf;
        this.timeoutSeconds = event.data.definition.timeoutSeconds;
        this.priority = event.data.definition.priority;
        return undefined;
      case 'JobPriorityChanged':
        this.priority = event.data.to;
        return undefined;
      case 'JobAllocated':
        for (const { device, role } of event.data.members) this.#addLane(device, role, at);
        return undefined;
      case 'MessageSent': {
        const { message, count, pairs } = event.data;
        const list = this.sends.get(message) ?? [];
        if (list.push({ at, lane, count, pairs }) === 1) this.sends.set(message, list);
        this.#sent(message, lane, count, at);
        return undefined;
      }
      case 'WaitStarted':
        return this.#startWait(event.data, at, lane);
      case 'WaitStuck':
        this.waits.get(event.data.wait)?.stuck.push({ from: at, to: OPEN, label: event.data.form });
        return undefined;
      case 'WaitUnstuck': {
        const last = this.waits.get(event.data.wait)?.stuck.at(-1);
        if (last !== undefined) last.to = at;
        return undefined;
      }
      case 'WaitReleased':
      case 'WaitTimedOut':
      case 'WaitUnreachable':
      case 'WaitAbandoned':
        return this.#endWait(event, at, lane);
      case 'JobCompleted':
      case 'JobFailed':
      case 'JobTimedOut':
      case 'JobCancelled':
      case 'JobRejected':
        this.ended = at;
        return undefined;
      default:
        this.#foldMember(event, at, this.lanes[lane]);
    }
    return undefined;
  }

  #foldMember(event: RecordedEvent, at: number, lane: Lane | undefined): void {
    if (lane === undefined) return;
    switch (event.type) {
      case 'ActionStarted':
        begin(lane, PHASES[event.data.command] ?? 'run', event.data.command, at);
        return;
      case 'ActionEnded':
        begin(lane, 'held', '', at);
        return;
      case 'MemberBooting':
        lane.boots.push(at);
        begin(lane, 'boot', 'boots', at);
        return;
      case 'MemberBooted': {
        const before = lane.phases.at(-2);
        // A board that was started because an action needs its shell goes on with that action.
        if (before?.phase === 'run') begin(lane, 'run', before.label, at);
        else begin(lane, 'boot', 'is up', at);
        return;
      }
      case 'SuiteStarted':
        lane.suites.push({ from: at, to: OPEN, label: event.data.suite });
        return;
      case 'SuiteEnded':
        closeSuites(lane, at, event.data.suite);
        return;
    }
    const state = ENDS[event.type];
    if (state === undefined) return;
    begin(lane, 'over', state, at);
    closeSuites(lane, at);
    lane.end = { at, state };
  }

  #addLane(device: string, role: string, at: number): void {
    const lane: Lane = {
      ...{ device, role, phases: [], waits: [], suites: [], boots: [], marks: [] },
      end: undefined,
    };
    this.#laneOfDevice.set(device, this.lanes.push(lane) - 1);
    this.#laneRank.push(0);
    begin(lane, 'held', '', at);
  }

  #startWait(
    data: Extract<RecordedEvent, { type: 'WaitStarted' }>['data'],
    from: number,
    lane: number,
  ): undefined {
    const { wait, verb, message, round, role, missing } = data;
    const barrier = this.#barrierOf(verb, message, verb === 'sync' ? round : 1, role);
    const label = verbText({ verb, message, role, round });
    const span: WaitSpan = {
      ...{ from, to: OPEN, label, wait, verb, message, round, role, lane, missing, barrier },
      ...{ outcome: 'open', by: undefined, stuck: [], file: fileOf(data) },
    };
    this.waits.set(wait, span);
    barrier.waits.push(span);
    this.lanes[lane]?.waits.push(span);
  }

  #endWait(
    event: Extract<RecordedEvent, { type: keyof typeof OUTCOMES }>,
    at: number,
    lane: number,
  ): number | undefined {
    const span = this.waits.get(event.data.wait);
    if (span === undefined) return;
    span.to = at;
    span.outcome = OUTCOMES[event.type];
    const stuck = span.stuck.at(-1);
    if (stuck?.to === OPEN) stuck.to = at;
    if (!isHeard(event)) span.file = undefined;
    if (event.type !== 'WaitReleased') return;
    span.by = event.data.by;
    if (span.barrier.opened === OPEN) {
      span.barrier.opened = at;
      span.barrier.last = span.by;
    }
    const by = span.by === undefined ? -1 : this.laneNamed(span.by);
    const from = this.#sentBy.get(span.message)?.[by]?.at(-1);
    if (from === undefined) return;
    const fromLane = this.laneOf[from] ?? -1;
    if (fromLane !== lane) this.arrows.push({ from, to: at, fromLane, toLane: lane });
    return from;
  }

  /** The event with which a lane had sent a message so often; `undefined`: it has not. */
  sendOf(message: string, lane: number, count: number): number | undefined {
    return this.#sentBy.get(message)?.[lane]?.[count - 1];
  }

  #sent(message: string, lane: number, count: number, at: number): void {
    const lanes = this.#sentBy.get(message) ?? [];
    this.#sentBy.set(message, lanes);
    let own = lanes[lane];
    if (own === undefined) {
      own = [];
      lanes[lane] = own;
    }
    own[count - 1] = at;
  }

  #barrierOf(
    verb: WaitSpan['verb'],
    message: string,
    round: number,
    role: string | undefined,
  ): Barrier {
    const key = [verb, message, round, role ?? ''].join('\0');
    const known = this.#barriers.get(key);
    if (known !== undefined) return known;
    const made = { key, verb, message, round, role, waits: [], opened: OPEN, last: undefined };
    this.#barriers.set(key, made);
    this.barriers.push(made);
    return made;
  }

  /** The length of the longest chain of causes that leads to it: an order without a clock. */
  #rank(at: number, lane: number, caused: number | undefined): void {
    const before = lane < 0 ? this.rankMax : Math.max(this.#jobRank, this.#laneRank[lane] ?? 0);
    const rank = Math.max(before, caused === undefined ? 0 : (this.ranks[caused] ?? 0)) + 1;
    this.ranks[at] = rank;
    if (lane < 0) this.#jobRank = rank;
    else this.#laneRank[lane] = rank;
    this.rankMax = Math.max(this.rankMax, rank);
  }
}

type Started = Extract<RecordedEvent, { type: 'WaitStarted' }>['data'];

/** A sync leaves the cache file alone; `lava-network collect` is a `lava-wait-all` with a file of its own. */
function fileOf({ verb, message, from }: Started): WaitSpan['file'] {
  if (verb === 'sync') return undefined;
  if (verb !== 'wait-all' || message !== 'network_info') return 'cache';
  const isCollect = from === undefined || from.some(({ argv }) => argv.some(isNetworkScript));
  return isCollect ? 'network' : 'cache';
}
const isNetworkScript = (word: string): boolean => /(?:^|\/)lava-network$/.test(word);

/** Whether the board heard how its wait ended: else the connection is gone, or its shell ended with the wait. */
function isHeard({ type, data }: Extract<RecordedEvent, { type: keyof typeof OUTCOMES }>): boolean {
  if (type === 'WaitAbandoned') return data.why === 'verb-ended';
  return type !== 'WaitTimedOut' || data.limit === 'protocol';
}

function begin(lane: Lane, phase: Phase, label: string, at: number): void {
  const last = lane.phases.at(-1);
  if (last?.phase === 'over') return;
  if (last !== undefined) last.to = at;
  lane.phases.push({ from: at, to: OPEN, phase, label });
}

function closeSuites(lane: Lane, at: number, name?: string): void {
  for (let s = lane.suites.length - 1; s >= 0; s--) {
    const suite = lane.suites[s];
    if (suite === undefined || (name === undefined && suite.to !== OPEN)) return;
    if (suite.to !== OPEN || (name !== undefined && suite.label !== name)) continue;
    suite.to = at;
    if (name !== undefined) return;
  }
}

/** A wait as its board typed it; of a sync that comes again the round. */
export function verbText(is: {
  verb: string;
  message: string;
  role?: string | undefined;
  round?: number;
}): string {
  const round = is.verb === 'sync' && (is.round ?? 1) > 1 ? ` (round ${is.round})` : '';
  return `lava-${is.verb} ${is.message}${is.role === undefined ? '' : ` ${is.role}`}${round}`;
}

/**
 * A job's events, folded once into what is drawn: lanes with their spans and marks, arrows from sends to releases,
 * barriers. All of it points at events by their index, so that the job at any event is what began at or before it.
 * Pure, and knows nothing of a screen.
 */
import type { RecordedEvent } from '../api/types.ts';
import { Meetings } from './meetings.ts';
import { Ranks } from './ranks.ts';
import {
  type Arrow,
  type Barrier,
  type Lane,
  type MemberEnd,
  OPEN,
  type Phase,
  type Sent,
  type WaitSpan,
} from './spans.ts';

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
  readonly ranks: readonly number[];
  readonly laneOf: number[] = [];
  readonly lanes: Lane[] = [];
  readonly arrows: readonly Arrow[];
  readonly barriers: readonly Barrier[];
  /** By message id. */
  readonly sends: ReadonlyMap<string, readonly Sent[]>;
  readonly waits: ReadonlyMap<number, WaitSpan>;
  name = '';
  countsSelf = false;
  timeoutSeconds = 0;
  priority = 0;
  /** The event that ended the job. */
  ended: number | undefined;
  readonly #ranks = new Ranks();
  readonly #meetings = new Meetings();
  readonly #laneOfDevice = new Map<string, number>();

  constructor() {
    this.ranks = this.#ranks.of;
    this.arrows = this.#meetings.arrows;
    this.barriers = this.#meetings.barriers;
    this.sends = this.#meetings.sends;
    this.waits = this.#meetings.waits;
  }

  get length(): number {
    return this.events.length;
  }

  /** The event with which the job had its boards; the first while it has none. */
  get start(): number {
    return this.lanes[0]?.phases[0]?.from ?? 0;
  }

  get rankMax(): number {
    return this.#ranks.max;
  }

  laneNamed(device: string): number {
    return this.#laneOfDevice.get(device) ?? -1;
  }

  /** The event with which a lane had sent a message so often; `undefined`: it has not. */
  sendOf(message: string, lane: number, count: number): number | undefined {
    return this.#meetings.sendOf(message, lane, count);
  }

  /**
   * Takes those that it has not yet.
   *
   * @returns the first that cannot be read: rows come as they lie in the log, and one of them may be damaged
   */
  takeNew(events: readonly RecordedEvent[]): RecordedEvent | undefined {
    for (const event of events) {
      if (event.version <= this.length) continue;
      try {
        this.take(event);
      } catch {
        return event;
      }
    }
    return undefined;
  }

  take(event: RecordedEvent): void {
    const at = this.events.push(event) - 1;
    const { member } = event.data as { member?: string };
    // The end of a job names a member as its cause; it is not that member's event.
    const lane = member === undefined || event.type === 'JobFailed' ? -1 : this.laneNamed(member);
    this.times.push(Math.max(event.meta.at, this.times[at - 1] ?? 0));
    this.laneOf.push(lane);
    const caused = this.#fold(event, at, lane);
    this.#ranks.take(at, lane, caused);
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
      case 'MessageSent':
        this.#meetings.send(event.data, at, lane);
        return undefined;
      case 'WaitStarted':
        this.lanes[lane]?.waits.push(this.#meetings.wait(event.data, at, lane));
        return undefined;
      case 'WaitStuck':
        this.#meetings.stick(event.data, at);
        return undefined;
      case 'WaitUnstuck':
        this.#meetings.unstick(event.data, at);
        return undefined;
      case 'WaitReleased': {
        const { by } = event.data;
        return this.#meetings.end(event, at, lane, by === undefined ? -1 : this.laneNamed(by));
      }
      case 'WaitTimedOut':
      case 'WaitUnreachable':
      case 'WaitAbandoned':
        return this.#meetings.end(event, at, lane, -1);
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
    this.#ranks.addLane();
    begin(lane, 'held', '', at);
  }
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

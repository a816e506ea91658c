/**
 * What each board of a job did by itself, from its events: commands in the order of its script, each with what it came after
 * and how long after it. What the rules made of them is left out: it is found again.
 */
import type { JobCommand } from '../machines/commands.ts';
import type { JobDefinition } from '../machines/definition.ts';
import type { DataOf, JobEvent, RecordedEvent } from '../machines/events.ts';

type Event = RecordedEvent<JobEvent>;

/** How a wait ended in the record. */
export type WaitEnd = 'released' | 'failed' | 'abandoned' | 'open';

export interface Step {
  readonly member: string;
  /** The event that shows it, by its version. */
  readonly event: number;
  readonly at: number;
  /** `abandon`: of the wait that another step of the board began. */
  readonly command: Exclude<JobCommand, { type: 'AbandonWait' }> | { abandons: number };
  /** The steps of its board whose waits had ended since the step before it: it came after those ends. */
  readonly heard: readonly number[];
  /** How long after the last of them, or after the step before it. */
  readonly gapMs: number;
  /** Of a step that waits. */
  readonly wait?: { readonly number: number; ends: WaitEnd; endedAt: number };
}

export interface Recording {
  readonly definition: JobDefinition;
  readonly document: string;
  readonly submittedAt: number;
  readonly allocated: DataOf<'JobAllocated'> & { readonly at: number };
  /** Of each board, in its order; `heard` and `abandons` are places in it. */
  readonly scripts: ReadonlyMap<string, readonly Step[]>;
  /** When somebody cancelled it. */
  readonly cancelled:
    | { readonly at: number; readonly reason: string; readonly event: number }
    | undefined;
  /** The boards that somebody else ended: what their scripts would have done later is not known. */
  readonly cutOff: ReadonlySet<string>;
  /** False: the record ends before the job did. */
  readonly isOver: boolean;
}

/** `undefined`: it never had its boards, so that nothing was said. */
export function recordingOf(events: readonly Event[]): Recording | undefined {
  const [first] = events;
  const given = events.find(({ type }) => type === 'JobAllocated');
  if (first?.type !== 'JobSubmitted' || given?.type !== 'JobAllocated') return undefined;
  const { definition, document } = first.data;
  const recorder = new Recorder(events, given.meta.at);
  const cancelled = events.find(({ type }) => type === 'JobCancelled');
  return {
    definition,
    document,
    submittedAt: first.meta.at,
    allocated: { ...given.data, at: given.meta.at },
    scripts: new Map(given.data.members.map(({ device }) => [device, recorder.script(device)])),
    cancelled:
      cancelled?.type === 'JobCancelled'
        ? { at: cancelled.meta.at, reason: cancelled.data.reason, event: cancelled.version }
        : undefined,
    cutOff: new Set(
      events.flatMap(({ type, data }) => (type === 'MemberCancelled' ? [data.member] : [])),
    ),
    isOver: OVER.has(events.at(-1)?.type ?? ''),
  };
}
const OVER: ReadonlySet<string> = new Set<JobEvent['type']>([
  'JobCompleted',
  'JobFailed',
  'JobTimedOut',
  'JobCancelled',
]);

class Recorder {
  readonly #scripts = new Map<string, Step[]>();
  readonly #waits = new Map<number, { step: number; member: string }>();
  /** Of each board, the steps whose waits have ended since its last step. */
  readonly #heard = new Map<string, number[]>();
  readonly #ids: ReadonlySet<string>;
  /** The requests that booted a board: its waits were given up by that. */
  readonly #boots: ReadonlySet<string>;
  readonly #faults: ReadonlyMap<string, DataOf<'MemberFailed'>>;
  readonly #from: number;

  constructor(events: readonly Event[], from: number) {
    this.#from = from;
    this.#ids = new Set(events.map(({ id }) => id));
    const causedBy = (type: JobEvent['type']) =>
      events.filter((event) => event.type === type).map((event) => event.meta.causationId);
    this.#boots = new Set(causedBy('MemberBooting'));
    this.#faults = new Map(
      events.flatMap(({ type, data, meta }) =>
        type === 'MemberFailed' ? [[meta.causationId, data] as const] : [],
      ),
    );
    for (const [at, event] of events.entries()) this.#take(event, events[at - 1]);
  }

  script(member: string): readonly Step[] {
    return this.#scripts.get(member) ?? [];
  }

  #take(event: Event, before: Event | undefined): void {
    if ('wait' in event.data && event.type !== 'WaitStarted') {
      this.#waited(event);
      return;
    }
    const command = this.#commandOf(event);
    if (command === undefined) return;
    const isWait = event.type === 'WaitStarted';
    // A sync is one call: its arrival, then its wait.
    const isSync = isWait && isArrivalOf(before, event);
    const shown = isSync && before !== undefined ? before : event;
    this.#add(shown, command, isWait ? event.data.wait : undefined);
  }

  #commandOf(event: Event): Step['command'] | undefined {
    switch (event.type) {
      case 'MemberBooting':
        return { type: 'StartBoot', member: event.data.member };
      case 'MemberBooted':
        return { type: 'ConfirmBoot', ...event.data };
      case 'ActionStarted':
        return { type: 'StartAction', member: event.data.member, action: event.data.action };
      case 'ActionEnded': {
        const { outcome, ...is } = event.data;
        if (outcome === 'timedOut') return undefined;
        const fault = this.#faults.get(event.id)?.fault;
        return { type: 'EndAction', ...is, outcome, ...(fault && { fault }) };
      }
      case 'MemberFailed':
        return this.#ids.has(event.meta.causationId)
          ? undefined
          : { type: 'FailMember', ...event.data };
      case 'MessageSent': {
        const { member, message, pairs, verb } = event.data;
        if (verb === 'sync') return undefined;
        const words = [message, ...pairs.map(([key, value]) => `${key}=${value}`)];
        return { type: 'CallVerb', member, verb, words };
      }
      case 'WaitStarted': {
        const { member, verb, message, role } = event.data;
        return {
          type: 'CallVerb',
          member,
          verb,
          words: role === undefined ? [message] : [message, role],
        };
      }
      default:
        return undefined;
    }
  }

  #add(event: Event, command: Step['command'], wait?: number): void {
    const member = 'member' in event.data ? event.data.member : '';
    const script = this.#scripts.get(member) ?? [];
    this.#scripts.set(member, script);
    const ended = this.#heard.get(member) ?? [];
    this.#heard.delete(member);
    const times = ended.map((at) => script[at]?.wait?.endedAt ?? 0);
    const last = Math.max(this.#from, script.at(-1)?.at ?? 0, ...times);
    if (wait !== undefined) this.#waits.set(wait, { step: script.length, member });
    script.push({
      member,
      event: event.version,
      at: event.meta.at,
      command,
      heard: ended,
      gapMs: Math.max(0, event.meta.at - last),
      ...(wait !== undefined && { wait: { number: wait, ends: 'open', endedAt: 0 } }),
    });
  }

  #waited(event: Event): void {
    const how = ENDS[event.type];
    if (how === undefined || !('wait' in event.data)) return;
    const known = this.#waits.get(event.data.wait);
    const step = known && this.#scripts.get(known.member)?.[known.step];
    if (known === undefined || step?.wait === undefined) return;
    const isOwnDoing =
      event.type === 'WaitAbandoned' &&
      !this.#ids.has(event.meta.causationId) &&
      !this.#boots.has(event.meta.causationId) &&
      event.data.why !== 'member-ended';
    // It is added first: the board did it while its wait was open.
    if (isOwnDoing) this.#addAbandon(event, known.member, known.step);
    step.wait.ends = how;
    step.wait.endedAt = event.meta.at;
    const heard = this.#heard.get(known.member) ?? [];
    this.#heard.set(known.member, [...heard, known.step]);
  }

  #addAbandon(event: Event, member: string, step: number): void {
    const script = this.#scripts.get(member) ?? [];
    const begun = script[step]?.at ?? this.#from;
    script.push({
      member,
      event: event.version,
      at: event.meta.at,
      command: { abandons: step },
      heard: [],
      gapMs: Math.max(0, event.meta.at - begun),
    });
  }
}

const ENDS: Partial<Record<JobEvent['type'], WaitEnd>> = {
  WaitReleased: 'released',
  WaitTimedOut: 'failed',
  WaitUnreachable: 'failed',
  WaitAbandoned: 'abandoned',
};

function isArrivalOf(before: Event | undefined, wait: Event): boolean {
  return (
    before?.type === 'MessageSent' &&
    wait.type === 'WaitStarted' &&
    wait.data.verb === 'sync' &&
    before.data.verb === 'sync' &&
    before.data.member === wait.data.member &&
    before.data.message === wait.data.message
  );
}

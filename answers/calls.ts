/** What each board of a job did, call by call, without what no two runs have in common: names of boards, times, values. */
import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import { verbOf } from '../machines/wording.ts';

type Event = RecordedEvent<JobEvent>;

export interface Call {
  /** What was done; equal in two runs that did the same. */
  readonly what: string;
  /** How it came out; empty: it did not come to an end. */
  outcome: string;
  /** What differs from run to run and means nothing by itself: values, measurements. */
  readonly values: string;
  readonly event: number;
  readonly at: number;
  /** The event that ended it. */
  endEvent: number;
  endAt: number;
}

export interface Place {
  readonly device: string;
  readonly role: string;
  /** Which of its role it is, in `lava-group` order. */
  readonly index: number;
}

export interface BoardCalls extends Place {
  readonly calls: readonly Call[];
}

/** In group order; empty: the job never had boards. */
export function callsOf(events: readonly Event[]): readonly BoardCalls[] {
  const fold = new CallsFold();
  for (const event of events) fold.take(event);
  return fold.boards;
}

/** The calls of all boards, as their events come. */
export class CallsFold {
  #boards: readonly BoardCalls[] = [];
  readonly #readers = new Map<string, Reader>();

  get boards(): readonly BoardCalls[] {
    return this.#boards;
  }

  take(event: Event): void {
    if (event.type === 'JobAllocated') {
      const seen = new Map<string, number>();
      this.#boards = event.data.members.map(({ device, role }) => {
        const index = seen.get(role) ?? 0;
        seen.set(role, index + 1);
        const calls: Call[] = [];
        this.#readers.set(device, new Reader(calls));
        return { device, role, index, calls };
      });
    } else if ('member' in event.data && event.type !== 'JobFailed')
      this.#readers.get(event.data.member)?.take(event);
  }
}

/** One board's events, in their order. */
class Reader {
  readonly #calls: Call[];
  /** Those that have not ended, by what ends them. */
  readonly #open = new Map<string, Call>();

  constructor(calls: Call[]) {
    this.#calls = calls;
  }

  take(event: Event): undefined {
    switch (event.type) {
      case 'ActionStarted':
        return this.#add(event, `action ${event.data.action} ${event.data.command}`, 'started');
      case 'ActionEnded':
        return this.#add(event, `end of action ${event.data.action}`, event.data.outcome);
      case 'MemberBooting':
        return this.#begin(event, 'boot', 'boot');
      case 'MemberBooted':
        return this.#end(event, 'boot', 'booted');
      case 'SuiteStarted':
        return this.#add(event, `suite ${event.data.suite}`, 'started');
      case 'SuiteEnded':
        return this.#add(event, `end of suite ${event.data.suite}`, 'ended');
      case 'MessageSent': {
        const { verb, message, pairs } = event.data;
        // A sync is told by its wait.
        if (verb === 'sync') return undefined;
        // Values differ from run to run; that there is none does not.
        const keys = pairs.map(([key, value]) => ` ${key}=${value === '' ? "''" : ''}`).join('');
        return this.#add(event, `lava-send ${message}${keys}`, 'sent', JSON.stringify(pairs));
      }
      case 'WaitStarted':
        return this.#begin(event, verbOf(event.data), `wait ${event.data.wait}`);
      case 'WaitReleased':
      case 'WaitTimedOut':
      case 'WaitUnreachable':
      case 'WaitAbandoned':
        return this.#end(event, `wait ${event.data.wait}`, ENDS[event.type]);
      case 'RequestRefused': {
        const { verb, message = '', code } = event.data;
        return this.#add(event, `lava-${verb} ${message}`.trim(), `refused: ${code}`);
      }
      case 'ResultRecorded': {
        const { set, case: id, result, measurement } = event.data;
        const name = set === undefined ? id : `${set}/${id}`;
        return this.#add(event, `lava-test-case ${name}`, result, measurement ?? '');
      }
      case 'ScriptEnded': {
        const { script, status, signal } = event.data;
        const by = signal === undefined ? '' : ` by ${signal}`;
        return this.#add(event, `end of ${script}`, `status ${status}${by}`);
      }
      case 'MemberCompleted':
      case 'MemberFailed':
      case 'MemberTimedOut':
      case 'MemberCancelled':
        return this.#add(event, 'end', ENDS[event.type]);
    }
  }

  #add(event: Event, what: string, outcome: string, values = ''): undefined {
    const { version, meta } = event;
    const { at } = meta;
    this.#calls.push({ what, outcome, values, event: version, at, endEvent: version, endAt: at });
  }

  #begin(event: Event, what: string, ends: string): undefined {
    this.#add(event, what, '');
    const call = this.#calls.at(-1);
    if (call !== undefined) this.#open.set(ends, call);
  }

  #end({ version, meta }: Event, ends: string, outcome: string): undefined {
    const call = this.#open.get(ends);
    if (call === undefined) return undefined;
    this.#open.delete(ends);
    Object.assign(call, { outcome, endEvent: version, endAt: meta.at });
  }
}

const ENDS = {
  WaitReleased: 'released',
  WaitTimedOut: 'timed out',
  WaitUnreachable: 'can never be released',
  WaitAbandoned: 'given up',
  MemberCompleted: 'complete',
  MemberFailed: 'failed',
  MemberTimedOut: 'timedOut',
  MemberCancelled: 'cancelled',
} as const;

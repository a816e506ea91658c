/**
 * A recorded conversation again, through the same rules, with something changed: a board that comes later, a message that is
 * lost, a board that dies. Each script does what it did, after what it did it, and so long after that.
 */

import type { JobCommand } from '../machines/commands.ts';
import { Rejected } from '../machines/deciding.ts';
import type { JobEvent, NewEvent, RecordedEvent } from '../machines/events.ts';
import { missing } from '../machines/job/conversation.ts';
import { decideJob } from '../machines/job/decide.ts';
import { describeMissing } from '../machines/job/doing.ts';
import { evolveJob, initialJob, isOver, type JobState, memberOf } from '../machines/job/job.ts';
import { isTerminal } from '../machines/job/member.ts';
import { deadlinesOf } from '../machines/job/next.ts';
import { jobStream } from '../machines/names.ts';
import { verbOf } from '../machines/wording.ts';
import type { Recording, Step } from './recorded-steps.ts';

export type Change =
  | {
      readonly kind: 'delay';
      readonly member: string;
      readonly ms: number;
      readonly event?: number;
    }
  | { readonly kind: 'drop'; readonly event: number }
  | { readonly kind: 'crash'; readonly member: string; readonly event: number };

/** Commands that one run makes: no conversation that was recorded comes near it. */
const COMMANDS_MAX = 2_000_000;

type Event = RecordedEvent<JobEvent>;

export interface Played {
  readonly job: JobState;
  readonly events: readonly Event[];
  /** Milliseconds since the epoch, as if it had begun when the recorded one did. */
  readonly endedAt: number;
  /** The waits that were open when nothing could happen any more but a limit. */
  readonly hangs: readonly HangingWait[];
  /** Boards of which nothing is recorded that would say what they do from there on. */
  readonly beyond: readonly { readonly member: string; readonly event: number }[];
}

export interface HangingWait {
  readonly member: string;
  readonly what: string;
  readonly missing: readonly string[];
}

/** What a board did so far. */
interface Script {
  readonly steps: readonly Step[];
  next: number;
  /** When each step was done; of a wait, also when and how it ended. */
  readonly done: number[];
  readonly waits: Map<
    number,
    { number: number; endedAt: number | null; how: 'released' | 'failed' | 'abandoned' | null }
  >;
  /** It does nothing any more: its script died, or its message never left it. */
  stopped: boolean;
  isBeyond: boolean;
}

interface Due {
  at: number;
  /** At equal times: what was recorded first, and limits last. */
  order: number;
  run(): void;
}

export function play(recording: Recording, changes: readonly Change[], job = 1): Played {
  return new Player(recording, changes, job).play();
}

class Player {
  readonly #recording: Recording;
  readonly #changes: readonly Change[];
  readonly #stream: string;
  readonly #scripts: Map<string, Script>;
  readonly #events: Event[] = [];
  #job: JobState = initialJob;
  #now: number;
  #commands = 0;
  #isCancelled = false;
  readonly #crashed = new Set<string>();
  /** Whose scripts have died of a verb, and are yet to end. */
  readonly #died: string[] = [];

  constructor(recording: Recording, changes: readonly Change[], job: number) {
    this.#recording = recording;
    this.#changes = changes;
    this.#stream = jobStream(job);
    this.#now = recording.submittedAt;
    this.#scripts = new Map(
      [...recording.scripts].map(([member, steps]) => [
        member,
        { steps, next: 0, done: [], waits: new Map(), stopped: false, isBeyond: false },
      ]),
    );
  }

  play(): Played {
    const { definition, document, allocated } = this.#recording;
    this.#do({ type: 'SubmitJob', definition, document, short: [] });
    this.#now = allocated.at;
    const { lease, members } = allocated;
    this.#do({ type: 'AllocateJob', lease, members });
    let hangs: readonly HangingWait[] = [];
    let isHanging = false;
    while (!isOver(this.#job) && this.#commands < COMMANDS_MAX) {
      const step = this.#nextStep();
      const limit = this.#nextLimit();
      if (step === undefined && this.#beyond().length > 0) break;
      // As it stood when it came to hang: the limits that end it end one board after the other.
      if (step === undefined && !isHanging) hangs = openWaits(this.#job, this.#now);
      isHanging = step === undefined;
      const due = step === undefined || (limit !== undefined && limit.at < step.at) ? limit : step;
      if (due === undefined) break;
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    const { isOver: wasOver } = this.#recording;
    const beyond = this.#beyond().filter(() => wasOver || !isOver(this.#job));
    return { job: this.#job, events: this.#events, endedAt: this.#now, hangs, beyond };
  }

  #beyond(): Played['beyond'] {
    return [...this.#scripts].flatMap(([member, script]) => {
      const is = memberOf(this.#job, member);
      if (!script.isBeyond || is === undefined || isTerminal(is)) return [];
      return [{ member, event: script.steps[script.next - 1]?.event ?? 0 }];
    });
  }

  #nextStep(): Due | undefined {
    let first: Due | undefined;
    const offer = (due: Due | undefined) => {
      if (due === undefined) return;
      if (
        first === undefined ||
        due.at < first.at ||
        (due.at === first.at && due.order < first.order)
      )
        first = due;
    };
    for (const [member, script] of this.#scripts) offer(this.#dueOf(member, script));
    for (const change of this.#changes) if (change.kind === 'crash') offer(this.#crashOf(change));
    offer(this.#cancelOf());
    return first;
  }

  #dueOf(member: string, script: Script): Due | undefined {
    const is = memberOf(this.#job, member);
    if (script.stopped || script.isBeyond || is === undefined || isTerminal(is)) return undefined;
    const step = script.steps[script.next];
    if (step === undefined) {
      // It was recorded to its end, or to where the record ends.
      script.isBeyond = this.#isCut(member, script);
      return undefined;
    }
    if (this.#isOfFailure(script, step)) {
      script.isBeyond = true;
      return undefined;
    }
    const dropped = this.#changes.some((c) => c.kind === 'drop' && c.event === step.event);
    const at = this.#enabledAt(script, step);
    if (at === undefined) return undefined;
    const delay = this.#delayOf(member, script, step);
    return {
      at: at + step.gapMs + delay,
      order: step.event,
      run: () => this.#step(script, step, dropped),
    };
  }

  /** When all that it came after is so; `undefined`: not yet. */
  #enabledAt(script: Script, step: Step): number | undefined {
    let at = script.done[script.next - 1] ?? this.#recording.allocated.at;
    if ('abandons' in step.command) return script.done[step.command.abandons];
    for (const place of step.heard) {
      const wait = script.waits.get(place);
      if (wait === undefined) continue;
      if (wait.endedAt === null) return undefined;
      at = Math.max(at, wait.endedAt);
    }
    return at;
  }

  #delayOf(member: string, script: Script, step: Step): number {
    let ms = 0;
    for (const change of this.#changes)
      if (change.kind === 'delay' && change.member === member) {
        const isIt = change.event === undefined ? script.next === 0 : change.event === step.event;
        if (isIt) ms += change.ms;
      }
    return ms;
  }

  /** A script that died of a wait that is released this time: nobody knows what it would have done. */
  #isOfFailure(script: Script, step: Step): boolean {
    if ('abandons' in step.command || step.command.type !== 'EndAction') return false;
    return step.heard.some((place) => {
      const recorded = script.steps[place]?.wait;
      const now = script.waits.get(place);
      return recorded?.ends === 'failed' && now?.how === 'released';
    });
  }

  /** Whether the record stops before the script would have. */
  #isCut(member: string, script: Script): boolean {
    const waits = [...script.waits];
    if (waits.some(([, { endedAt }]) => endedAt === null)) return false;
    const { cutOff, isOver: wasOver } = this.#recording;
    if (!wasOver || cutOff.has(member)) return true;
    return waits.some(
      ([place, { how }]) => how === 'released' && script.steps[place]?.wait?.ends !== 'released',
    );
  }

  #step(script: Script, step: Step, dropped: boolean): void {
    script.done[script.next] = this.#now;
    const place = script.next++;
    if ('abandons' in step.command) {
      const wait = script.waits.get(step.command.abandons);
      if (wait === undefined || wait.endedAt !== null) return;
      this.#do({ type: 'AbandonWait', member: step.member, wait: wait.number, why: 'verb-ended' });
      return;
    }
    if (dropped) {
      // An arrival that never comes: its board waits for an answer.
      script.stopped = step.wait !== undefined;
      return;
    }
    const before = this.#job.conversation.waitCount;
    const wait = { number: before + 1, endedAt: null, how: null };
    if (step.wait !== undefined) script.waits.set(place, wait);
    this.#do(step.command);
    // Refused: nothing waits.
    if (this.#job.conversation.waitCount === before) script.waits.delete(place);
  }

  #crashOf({ member, event }: Extract<Change, { kind: 'crash' }>): Due | undefined {
    const script = this.#scripts.get(member);
    const is = memberOf(this.#job, member);
    if (script === undefined || is === undefined || isTerminal(is)) return undefined;
    const name = `${member}@${event}`;
    if (this.#crashed.has(name)) return undefined;
    const place = script.steps.findLastIndex((step) => step.event <= event);
    const at = place < 0 ? this.#recording.allocated.at : script.done[place];
    if (at === undefined) return undefined;
    const run = () => {
      this.#crashed.add(name);
      script.stopped = true;
      this.#do({ type: 'FailMember', member, reason: 'it crashes here (what if)', fault: 'board' });
    };
    return { at, order: event, run };
  }

  #cancelOf(): Due | undefined {
    const { cancelled } = this.#recording;
    if (cancelled === undefined || this.#isCancelled) return undefined;
    const run = () => {
      this.#isCancelled = true;
      this.#do({ type: 'CancelJob', reason: cancelled.reason });
    };
    return { at: cancelled.at, order: cancelled.event, run };
  }

  #nextLimit(): Due | undefined {
    let first: Due | undefined;
    for (const { due, command } of deadlinesOf(this.#job))
      if (first === undefined || due < first.at)
        first = { at: due, order: Number.POSITIVE_INFINITY, run: () => void this.#do(command) };
    return first;
  }

  /** Decides, and takes in what comes of it; what is refused changes nothing. */
  #do(command: JobCommand): void {
    this.#commands++;
    let ids = this.#events.length;
    const decided = decideJob(command, this.#job, {
      now: this.#now,
      newId: () => `what-if-${++ids}`,
      request: { id: `request-${this.#commands}`, actor: 'what-if', correlationId: this.#stream },
    });
    if (decided instanceof Rejected) return;
    for (const event of decided) this.#take(event);
    for (const member of this.#died.splice(0)) {
      const action = memberOf(this.#job, member)?.action;
      if (action) this.#do({ type: 'EndAction', member, action: action.index, outcome: 'ok' });
    }
  }

  #take(event: NewEvent<JobEvent>): void {
    this.#job = evolveJob(this.#job, event);
    const version = this.#events.length + 1;
    this.#events.push({ ...event, stream: this.#stream, version, position: version } as Event);
    if (!('wait' in event.data) || !('member' in event.data)) return;
    const how = HOW[event.type];
    const script = this.#scripts.get(event.data.member);
    if (how === undefined || script === undefined) return;
    for (const [place, wait] of script.waits) {
      if (wait.number !== event.data.wait) continue;
      wait.endedAt = event.meta.at;
      wait.how = how;
      if (how === 'failed') this.#failed(script, place);
    }
  }

  /** A verb that failed though it had not in the record: its script ends there, and its member with it. */
  #failed(script: Script, place: number): void {
    const step = script.steps[place];
    if (step === undefined || step.wait?.ends === 'failed') return;
    script.stopped = true;
    this.#died.push(step.member);
  }
}

/** Who waits, and for whom. */
export function openWaits(job: JobState, now: number): HangingWait[] {
  const { conversation, group, members } = job;
  return conversation.waits.flat().map((wait) => {
    const described = describeMissing(job, missing(conversation, group, wait), now);
    return {
      member: members[wait.member]?.device ?? '',
      what: verbOf(wait),
      missing: described.missing.map(({ member, doing }) => `${member}: ${doing}`),
    };
  });
}

const HOW: Partial<Record<JobEvent['type'], 'released' | 'failed' | 'abandoned'>> = {
  WaitReleased: 'released',
  WaitTimedOut: 'failed',
  WaitUnreachable: 'failed',
  WaitAbandoned: 'abandoned',
};

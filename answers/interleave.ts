/**
 * Every order of a recorded conversation that causality allows: each script does what it did, in its order, and no clock
 * says when. Steps that no order can tell apart are taken in one order alone (a persistent set of one); all others are
 * taken in every order, and states that were met before are not left again.
 */

import type { JobCommand } from '../machines/commands.ts';
import { Rejected } from '../machines/deciding.ts';
import type { JobEvent, NewEvent } from '../machines/events.ts';
import { cacheLines, openWait } from '../machines/job/conversation.ts';
import { decideJob } from '../machines/job/decide.ts';
import { evolveJob, initialJob, isOver, type JobState } from '../machines/job/job.ts';
import { isTerminal } from '../machines/job/member.ts';
import type { Recording, Step } from './recorded-steps.ts';

/** How the conversation comes out: of `hangs` somebody waits and nothing can happen any more but a limit. */
export type Outcome = 'complete' | 'failed' | 'hangs' | 'unknown';

export interface Order {
  readonly outcome: Outcome;
  /** The steps that lead there, by their events in the record. */
  readonly steps: readonly Step[];
  readonly job: JobState;
}

/** A wait whose board reads something else in another order. */
export interface Race {
  readonly member: string;
  readonly event: number;
  readonly reads: readonly (readonly string[])[];
}

export interface Explored {
  readonly states: number;
  /** How many of them are ends, by how they come out. */
  readonly ends: Readonly<Record<Outcome, number>>;
  /** False: there are more states than it looks at. */
  readonly all: boolean;
  /** The shortest order of each outcome. */
  readonly shortest: Partial<Record<Outcome, Order>>;
  readonly races: readonly Race[];
}

export interface ExploreOptions {
  statesMax: number;
  /** Takes every step in every order: for comparison. */
  isFull?: boolean;
}

type WaitNow = {
  readonly number: number;
  readonly how: 'open' | 'released' | 'failed' | 'abandoned';
};

interface Node {
  readonly job: JobState;
  /** Of each board: its next step, and its waits by the step that began them. */
  readonly next: readonly number[];
  readonly waits: readonly ReadonlyMap<number, WaitNow>[];
  readonly stopped: readonly boolean[];
  /** Who sent messages whose order can be told apart, and what was read of them. */
  readonly told: string;
  readonly from: { readonly node: Node; readonly step: Step } | undefined;
}

export function explore(recording: Recording, options: ExploreOptions): Explored {
  return new Explorer(recording, options).explore();
}

class Explorer {
  readonly #recording: Recording;
  readonly #options: ExploreOptions;
  readonly #members: readonly string[];
  readonly #scripts: readonly (readonly Step[])[];
  /** Message ids whose order somebody may see. */
  readonly #racy: ReadonlySet<string>;
  readonly #endsAreSeen: boolean;
  readonly #reads = new Map<
    string,
    { member: string; event: number; reads: Map<string, string[]> }
  >();

  constructor(recording: Recording, options: ExploreOptions) {
    this.#recording = recording;
    this.#options = options;
    this.#members = recording.allocated.members.map(({ device }) => device);
    this.#scripts = this.#members.map((member) => recording.scripts.get(member) ?? []);
    const all = this.#scripts.flat();
    this.#racy = racyIn(all);
    const isEssential = recording.definition.roles.some(({ essential }) => essential === true);
    this.#endsAreSeen = isEssential || all.some(({ command }) => 'abandons' in command);
  }

  explore(): Explored {
    const first = this.#begin();
    const queue = [first];
    const seen = new Set([keyOf(first)]);
    const ends = { complete: 0, failed: 0, hangs: 0, unknown: 0 };
    const shortest: Partial<Record<Outcome, Order>> = {};
    let all = true;
    for (let at = 0; at < queue.length; at++) {
      const node = queue[at];
      if (node === undefined) break;
      const enabled = this.#enabled(node);
      if (enabled.length === 0) {
        const outcome = this.#outcomeOf(node);
        ends[outcome]++;
        shortest[outcome] ??= { outcome, steps: pathTo(node), job: node.job };
        continue;
      }
      for (const place of this.#chosen(node, enabled)) {
        const after = this.#take(node, place);
        const key = keyOf(after);
        if (seen.has(key)) continue;
        if (seen.size >= this.#options.statesMax) {
          all = false;
          continue;
        }
        seen.add(key);
        queue.push(after);
      }
    }
    return { states: seen.size, ends, all, shortest, races: this.#races() };
  }

  #begin(): Node {
    const { definition, document, allocated } = this.#recording;
    const { lease, members } = allocated;
    let job = initialJob;
    for (const command of [
      { type: 'SubmitJob', definition, document, short: [] },
      { type: 'AllocateJob', lease, members },
    ] satisfies JobCommand[])
      job = this.#decide(job, command).job;
    return {
      job,
      next: members.map(() => 0),
      waits: members.map(() => new Map()),
      stopped: members.map(() => false),
      told: '',
      from: undefined,
    };
  }

  /** The boards whose next step can be taken now. */
  #enabled(node: Node): number[] {
    if (isOver(node.job)) return [];
    return this.#members.flatMap((_, place) => (this.#isEnabled(node, place) ? [place] : []));
  }

  #isEnabled(node: Node, place: number): boolean {
    const step = this.#scripts[place]?.[node.next[place] ?? 0];
    const member = node.job.members[place];
    if (step === undefined || member === undefined || isTerminal(member)) return false;
    if (node.stopped[place]) return false;
    return step.heard.every((of) => node.waits[place]?.get(of)?.how !== 'open');
  }

  /** One alone where nobody can see when it is taken, else all of them. */
  #chosen(node: Node, enabled: readonly number[]): readonly number[] {
    if (this.#options.isFull) return enabled;
    const safe = enabled.find((place) => this.#isUnseen(place, node.next[place] ?? 0));
    return safe === undefined ? enabled : [safe];
  }

  #isUnseen(place: number, next: number): boolean {
    const step = this.#scripts[place]?.[next];
    if (step === undefined || 'abandons' in step.command) return false;
    const { command } = step;
    if (command.type === 'CallVerb') return !this.#racy.has(command.words[0] ?? '');
    const isEnd =
      command.type === 'EndAction' || command.type === 'FailMember' || command.type === 'StartBoot';
    return !isEnd || !this.#endsAreSeen;
  }

  #take(node: Node, place: number): Node {
    const at = node.next[place] ?? 0;
    const step = this.#scripts[place]?.[at] as Step;
    const next = node.next.with(place, at + 1);
    const waits = node.waits.slice();
    const mine = new Map(waits[place]);
    waits[place] = mine;
    let command: JobCommand;
    if ('abandons' in step.command) {
      const wait = mine.get(step.command.abandons);
      // It had ended by itself: there is nothing to give up.
      if (wait?.how !== 'open') return { ...node, next, from: { node, step } };
      command = { type: 'AbandonWait', member: step.member, wait: wait.number, why: 'verb-ended' };
    } else command = step.command;
    const before = node.job.conversation.waitCount;
    const { job, events } = this.#decide(node.job, command);
    if (step.wait !== undefined && job.conversation.waitCount > before)
      mine.set(at, { number: before + 1, how: 'open' });
    const stopped = node.stopped.slice();
    const told = [node.told];
    if (command.type === 'CallVerb' && this.#racy.has(command.words[0] ?? ''))
      told.push(`${place}`);
    const died = this.#heard(node, events, { waits, stopped, told });
    let ended = job;
    for (const each of died) {
      const action = ended.members[each]?.action;
      const member = this.#members[each] ?? '';
      if (!action) continue;
      ended = this.#decide(ended, {
        type: 'EndAction',
        member,
        action: action.index,
        outcome: 'ok',
      }).job;
    }
    return { job: ended, next, waits, stopped, told: told.join(' '), from: { node, step } };
  }

  /** Takes in how waits ended; gives the boards whose scripts die of it. */
  #heard(
    node: Node,
    events: readonly NewEvent<JobEvent>[],
    into: { waits: ReadonlyMap<number, WaitNow>[]; stopped: boolean[]; told: string[] },
  ): number[] {
    const died: number[] = [];
    let job = node.job;
    for (const event of events) {
      const how = HOW[event.type];
      const reads = event.type === 'WaitReleased' ? this.#readOf(job, event.data.wait) : undefined;
      job = evolveJob(job, event);
      if (how === undefined || !('wait' in event.data)) continue;
      const place = this.#members.indexOf(event.data.member);
      const mine = new Map(into.waits[place]);
      for (const [at, wait] of mine) {
        if (wait.number !== event.data.wait) continue;
        mine.set(at, { number: wait.number, how });
        const step = this.#scripts[place]?.[at];
        const recorded = step?.wait?.ends;
        if (how === 'failed' && recorded !== 'failed') died.push(place);
        // What it would have done is not recorded, or it died.
        if ((how === 'failed') !== (recorded === 'failed') && recorded !== 'open')
          into.stopped[place] = true;
        if (reads !== undefined && step !== undefined) into.told.push(this.#note(step, reads));
      }
      into.waits[place] = mine;
    }
    return died;
  }

  #readOf(job: JobState, number: number): string[] | undefined {
    const wait = openWait(job.conversation, number);
    if (wait === undefined || wait.verb === 'sync' || !this.#racy.has(wait.message))
      return undefined;
    return cacheLines(job.conversation, job.group, job.members, wait);
  }

  #note(step: Step, lines: string[]): string {
    const text = JSON.stringify(lines);
    const key = `${step.member} ${step.event}`;
    const known = this.#reads.get(key) ?? {
      member: step.member,
      event: step.event,
      reads: new Map(),
    };
    known.reads.set(text, lines);
    this.#reads.set(key, known);
    return `${step.event}=${text}`;
  }

  #races(): Race[] {
    return [...this.#reads.values()]
      .filter(({ reads }) => reads.size > 1)
      .map(({ member, event, reads }) => ({ member, event, reads: [...reads.values()] }));
  }

  #outcomeOf({ job, stopped, next }: Node): Outcome {
    if (job.state === 'complete') return 'complete';
    if (isOver(job)) return 'failed';
    if (job.conversation.waits.length > 0) return 'hangs';
    const isCut = job.members.some((member, place) => {
      const isAtEnd = (next[place] ?? 0) >= (this.#scripts[place]?.length ?? 0);
      return !isTerminal(member) && (stopped[place] || isAtEnd);
    });
    return isCut ? 'unknown' : 'hangs';
  }

  #decide(job: JobState, command: JobCommand): { job: JobState; events: NewEvent<JobEvent>[] } {
    let ids = 0;
    const events = decideJob(command, job, {
      // No limit is ever near.
      now: this.#recording.allocated.at,
      newId: () => `explored-${++ids}`,
      request: { id: 'explored', actor: 'what-if', correlationId: 'what-if' },
    });
    if (events instanceof Rejected) return { job, events: [] };
    return { job: events.reduce(evolveJob, job), events };
  }
}

const HOW: Partial<Record<JobEvent['type'], 'released' | 'failed' | 'abandoned'>> = {
  WaitReleased: 'released',
  WaitTimedOut: 'failed',
  WaitUnreachable: 'failed',
  WaitAbandoned: 'abandoned',
};

/**
 * Counts only grow, so that no order of sends changes who is released. What an order can change: whether a wait is given
 * up before it is released, and which values it reads, where several are sent under its id.
 */
function racyIn(steps: readonly Step[]): Set<string> {
  const racy = new Set<string>();
  const valued = new Map<string, string[]>();
  const waited = new Map<string, Set<string>>();
  for (const [at, { command, member, wait }] of steps.entries()) {
    if ('abandons' in command) {
      const begun = steps.findLastIndex(
        (step, of) => of < at && step.member === member && step.wait !== undefined,
      );
      // Whichever of its open waits it was.
      for (const step of steps.slice(0, begun + 1))
        if (step.member === member && step.wait !== undefined) racy.add(messageOf(step));
      continue;
    }
    if (command.type !== 'CallVerb') continue;
    const [message = '', ...pairs] = command.words;
    if (command.verb === 'send' && pairs.length > 0)
      valued.set(message, [...(valued.get(message) ?? []), member]);
    if (wait !== undefined && command.verb !== 'sync')
      waited.set(message, (waited.get(message) ?? new Set()).add(command.verb));
  }
  for (const [message, senders] of valued) {
    const verbs = waited.get(message);
    const twice = new Set(senders).size < senders.length;
    if (verbs !== undefined && (twice || (verbs.has('wait') && senders.length > 1)))
      racy.add(message);
  }
  return racy;
}

const messageOf = ({ command }: Step): string =>
  'words' in command ? (command.words[0] ?? '') : '';

const keyOf = ({ next, waits, stopped, told, job }: Node): string =>
  JSON.stringify([
    next,
    waits.map((mine) => [...mine].map(([at, { how }]) => [at, how])),
    stopped,
    told,
    job.state,
    job.members.map(({ state }) => state),
  ]);

function pathTo(node: Node): Step[] {
  const steps: Step[] = [];
  for (let at: Node | undefined = node; at?.from !== undefined; at = at.from.node)
    steps.push(at.from.step);
  return steps.reverse();
}

/**
 * Barriers that can never be released, with the proof (SEMANTICS 2.1).
 *
 * *Certain*: a `lava-wait-all` or `lava-sync` that still misses a terminal member; a `lava-wait` all of whose
 * candidates are terminal. *Deadlocked*: its caller is in S, the greatest set of blocked members of which every
 * open wait can only be released by members of S or terminal ones. If none of S ever sends again, none of these
 * waits can be released; only a process in the background of a board could still send.
 */
import { type Conversation, counts, type Group, missing, waitsOf } from './conversation.ts';
import type { OpenWait, WaitList } from './wait-list.ts';

export interface Stuck {
  wait: OpenWait;
  form: 'certain' | 'deadlocked';
  /** Places in group order. */
  lacking: number[];
  /** Members that wait for one another, in group order. */
  cycle: number[];
}

/** The open waits that can never be released now. `terminal[m]`: member m has ended. */
export function stuckWaits(
  talk: Conversation,
  group: Group,
  terminal: readonly boolean[],
): Stuck[] {
  if (everyWaitHasHope(talk, group, terminal)) return [];
  const facts = new Facts(talk, group);
  const isDead = (m: number) => terminal[m] === true;
  const blocked = blockedMembers(talk);
  shrink(blocked, facts, isDead);
  const someAreDead = terminal.includes(true);
  if (blocked.size === 0 && !someAreDead) return [];

  const out: Stuck[] = [];
  const dead = facts.counter(isDead);
  const isCertain = (wait: OpenWait) =>
    wait.verb === 'wait' ? dead(wait) === facts.size(wait) : dead(wait) > 0;
  const cycles = new Map<number, number[]>();
  const cycleOf = (member: number) => {
    const cycle = cycles.get(member) ?? cycleFrom(member, blocked, facts);
    cycles.set(member, cycle);
    return cycle;
  };
  for (const wait of talk.waits.flat()) {
    const certain = someAreDead && isCertain(wait);
    if (!certain && !blocked.has(wait.member)) continue;
    out.push({
      wait,
      form: certain ? 'certain' : 'deadlocked',
      lacking: facts.lacking(wait),
      cycle: certain ? [] : cycleOf(wait.member),
    });
  }
  return out;
}

/**
 * Whether every open wait can be released by members that neither wait nor have ended: the usual case, told at the
 * price of one look at the group for each different question.
 */
function everyWaitHasHope(talk: Conversation, group: Group, terminal: readonly boolean[]): boolean {
  const isFree = (m: number) => terminal[m] !== true && waitsOf(talk, m).length === 0;
  const asked = new Set<string>();
  let last: string | undefined;
  for (const chunk of talk.waits)
    for (const wait of chunk) {
      if (wait.barrier === last) continue;
      last = wait.barrier;
      if (asked.has(last)) continue;
      asked.add(last);
      // As if nobody had asked: whoever asks waits itself, and is no hope.
      const lacking = missing(talk, group, { ...wait, member: -1 });
      const hasHope = wait.verb === 'wait' ? lacking.some(isFree) : lacking.every(isFree);
      if (!hasHope) return false;
    }
  return true;
}

/** The members with an open wait, each with its waits. */
function blockedMembers(talk: Conversation): Map<number, WaitList> {
  return new Map([...talk.waitsOfMember.entries()].filter(([, waits]) => waits.length > 0));
}

/** Who each wait lacks. All who ask the same share one look at the group; only the caller itself may differ. */
class Facts {
  readonly #talk: Conversation;
  readonly #group: Group;
  readonly #shared = new Map<string, Set<number>>();

  constructor(talk: Conversation, group: Group) {
    this.#talk = talk;
    this.#group = group;
  }

  #everyone(wait: OpenWait): Set<number> {
    let everyone = this.#shared.get(wait.barrier);
    if (everyone === undefined) {
      everyone = new Set(missing(this.#talk, this.#group, { ...wait, member: -1 }));
      this.#shared.set(wait.barrier, everyone);
    }
    return everyone;
  }

  /** Whether the caller is among those that the question lacks, though this wait does not count it. */
  #skipsSelf(wait: OpenWait): boolean {
    return this.#everyone(wait).has(wait.member) && !counts(this.#group, wait, wait.member);
  }

  size(wait: OpenWait): number {
    return this.#everyone(wait).size - (this.#skipsSelf(wait) ? 1 : 0);
  }

  lacking(wait: OpenWait): number[] {
    const everyone = [...this.#everyone(wait)];
    return this.#skipsSelf(wait) ? everyone.filter((m) => m !== wait.member) : everyone;
  }

  /** How many of the missing satisfy `is`, counted once for each different question. */
  counter(is: (m: number) => boolean): (wait: OpenWait) => number {
    const counted = new Map<string, number>();
    return (wait) => {
      let n = counted.get(wait.barrier);
      if (n === undefined) {
        n = 0;
        for (const m of this.#everyone(wait)) if (is(m)) n++;
        counted.set(wait.barrier, n);
      }
      return n - (is(wait.member) && this.#skipsSelf(wait) ? 1 : 0);
    };
  }
}

/**
 * Takes out of `blocked` whoever has a wait that somebody outside can still release, until nobody has.
 * What is left is S. Within a pass the counts may be those of before a removal: the next pass sees it.
 */
function shrink(
  blocked: Map<number, WaitList>,
  facts: Facts,
  isDead: (m: number) => boolean,
): void {
  for (let changed = true; changed; ) {
    changed = false;
    const inside = facts.counter((m) => blocked.has(m) || isDead(m));
    const canBeReleased = (wait: OpenWait) =>
      wait.verb === 'wait' ? inside(wait) < facts.size(wait) : inside(wait) === 0;
    for (const [member, waits] of blocked) {
      if (!waits.some((chunk) => chunk.some(canBeReleased))) continue;
      blocked.delete(member);
      changed = true;
    }
  }
}

/** Follows "waits for" from a member of S until somebody comes up twice. */
function cycleFrom(start: number, blocked: ReadonlyMap<number, WaitList>, facts: Facts): number[] {
  const path: number[] = [];
  let at: number | undefined = start;
  while (at !== undefined && !path.includes(at)) {
    path.push(at);
    at = firstAwaited(blocked.get(at) ?? [], blocked, facts);
  }
  if (at === undefined) return [];
  return path.slice(path.indexOf(at)).sort((a, b) => a - b);
}

/** The first member of S that one of these waits lacks. */
function firstAwaited(
  waits: WaitList,
  blocked: ReadonlyMap<number, unknown>,
  facts: Facts,
): number | undefined {
  for (const wait of waits.flat())
    for (const m of facts.lacking(wait)) if (blocked.has(m)) return m;
  return undefined;
}

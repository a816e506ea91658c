/**
 * What several members did as one history. Each has done its own in its own order; nobody heard what had not been said;
 * beyond that it is by the clocks, and those may be apart.
 */
import type { Observed } from './observed.ts';
import type { OneGroup } from './one-group.ts';

export interface Step {
  readonly member: string;
  readonly is: Observed;
}

export interface InOrder {
  readonly steps: readonly Step[];
  /** Clocks by which somebody heard what was said later: how far they are apart at least, in milliseconds. */
  readonly apart: ReadonlyMap<string, number>;
}

/** So much may lie between what one log says and what another one does. */
const SKEW_MS = 1_000;

export function inOrder({ logs }: Pick<OneGroup, 'logs'>): InOrder {
  const lanes = [...logs].map(([member, { observed }]) => new Lane(member, observed));
  const said = new Said(lanes.map(({ member }) => member));
  const steps: Step[] = [];
  const apart = new Map<string, number>();
  for (;;) {
    const waiting = lanes.filter((lane) => lane.next !== undefined).sort((a, b) => a.at - b.at);
    // Where nobody can go on, what would let them is in no log.
    const lane = waiting.find((one) => said.allows(one)) ?? waiting[0];
    const is = lane?.next;
    if (lane === undefined || is === undefined) return { steps, apart };
    steps.push({ member: lane.member, is });
    for (const { member, at } of said.heardBy(lane)) {
      const ms = at - is.at;
      const pair = [member, lane.member].sort().join(' and ');
      if (ms > SKEW_MS && member !== lane.member)
        apart.set(pair, Math.max(ms, apart.get(pair) ?? 0));
    }
    said.take(lane, is);
    lane.pass();
  }
}

/** One member's own, with what it waits for. */
class Lane {
  readonly member: string;
  readonly #observed: readonly Observed[];
  #at = 0;
  open: Extract<Observed, { did: 'call' }> | undefined;

  constructor(member: string, observed: readonly Observed[]) {
    this.member = member;
    this.#observed = observed;
  }

  get next(): Observed | undefined {
    return this.#observed[this.#at];
  }
  get at(): number {
    return this.next?.at ?? Number.POSITIVE_INFINITY;
  }
  pass(): void {
    this.#at++;
  }
}

interface Sent {
  member: string;
  at: number;
}

/** Who has said what by now, of those whose logs are here. */
class Said {
  readonly #members: readonly string[];
  /** By message: each send in its order. */
  readonly #sends = new Map<string, Sent[]>();

  constructor(members: readonly string[]) {
    this.#members = members;
  }

  /** Whether what comes next in a lane can have happened by now. */
  allows(lane: Lane): boolean {
    const { next, open } = lane;
    if (next?.did !== 'hear' || next.how !== 'released' || open === undefined) return true;
    const round = open.verb === 'sync' ? this.#count(open.message, lane.member) : 1;
    return this.#awaited(lane).every((member) => this.#count(open.message, member) >= round);
  }

  /** The sends by which a wait that is released now was released. */
  heardBy(lane: Lane): readonly Sent[] {
    const { next, open } = lane;
    if (next?.did !== 'hear' || next.how !== 'released' || open === undefined) return [];
    const round = open.verb === 'sync' ? this.#count(open.message, lane.member) : 1;
    const sends = this.#sends.get(open.message) ?? [];
    return this.#awaited(lane).flatMap(
      (member) => sends.filter((sent) => sent.member === member)[round - 1] ?? [],
    );
  }

  take(lane: Lane, is: Observed): void {
    if (is.did === 'hear') lane.open = undefined;
    if (is.did !== 'call') return;
    if (is.verb !== 'send') lane.open = is;
    if (is.verb !== 'send' && is.verb !== 'sync') return;
    const sends = this.#sends.get(is.message) ?? [];
    this.#sends.set(is.message, sends);
    sends.push({ member: lane.member, at: is.at });
  }

  #awaited({ next, open }: Lane): readonly string[] {
    if (open?.verb === 'sync') return this.#members;
    const heard = next?.did === 'hear' ? (next.heard ?? []) : [];
    return heard.map(({ sender }) => sender).filter((sender) => this.#members.includes(sender));
  }

  #count(message: string, member: string): number {
    return (this.#sends.get(message) ?? []).filter((sent) => sent.member === member).length;
  }
}

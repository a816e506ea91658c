/**
 * Two runs beside one another: boards by their role, calls by their number. The first divergence is the one before which, in
 * happens-before order, there is no other; when and on which boards things happened does not matter.
 */
import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import { type BoardCalls, type Call, callsOf } from './calls.ts';
import { HappensBefore, isBefore, type Placed } from './happens-before.ts';

type Event = RecordedEvent<JobEvent>;

export interface Pair {
  readonly good: BoardCalls;
  readonly bad: BoardCalls;
}

/** Where two boards part: at which of their calls, and what each of them did; `undefined`: nothing more. */
export interface Divergence {
  readonly pair: Pair;
  readonly call: number;
  readonly good: Call | undefined;
  readonly bad: Call | undefined;
  readonly kind: 'other-call' | 'other-outcome' | 'missing-call' | 'extra-call';
  /** The event of the bad run at which it is seen. */
  readonly event: number;
}

export interface Compared {
  readonly pairs: readonly Pair[];
  /** Boards that the other run has no counterpart of. */
  readonly alone: { readonly good: readonly BoardCalls[]; readonly bad: readonly BoardCalls[] };
  /** The first one first. */
  readonly divergences: readonly Divergence[];
}

export function compare(good: readonly Event[], bad: readonly Event[]): Compared {
  const { pairs, alone } = paired(callsOf(good), callsOf(bad));
  const found = pairs.flatMap((pair) => firstOf(pair) ?? []);
  return { pairs, alone, divergences: inOrder(found, bad) };
}

/** Of a role's boards first those that did the same, then the others as they stand in the group. */
function paired(good: readonly BoardCalls[], bad: readonly BoardCalls[]) {
  const pairs: Pair[] = [];
  const alone = { good: [] as BoardCalls[], bad: [] as BoardCalls[] };
  for (const role of new Set([...good, ...bad].map((board) => board.role))) {
    const left = good.filter((board) => board.role === role);
    const right = bad.filter((board) => board.role === role);
    // Each is made once: of a long run it is as long as the run.
    const signatures = new Map([...left, ...right].map((board) => [board, signature(board)]));
    const takeOne = (of: BoardCalls, at: number) => {
      const [taken] = left.splice(at, 1);
      if (taken !== undefined) pairs.push({ good: taken, bad: of });
    };
    const unlike = right.filter((board) => {
      const same = left.findIndex((other) => signatures.get(other) === signatures.get(board));
      if (same >= 0) takeOne(board, same);
      return same < 0;
    });
    for (const board of unlike) {
      const near = left.findIndex((other) => other.index === board.index);
      if (left.length > 0) takeOne(board, Math.max(0, near));
      else alone.bad.push(board);
    }
    alone.good.push(...left);
  }
  return { pairs, alone };
}

const signature = ({ calls }: BoardCalls): string =>
  calls.map(({ what, outcome }) => `${what} ${outcome}`).join('\n');

function firstOf(pair: Pair): Divergence | undefined {
  const { good, bad } = pair;
  const count = Math.max(good.calls.length, bad.calls.length);
  for (let call = 0; call < count; call++) {
    const [left, right] = [good.calls[call], bad.calls[call]];
    if (left?.what === right?.what && left?.outcome === right?.outcome) continue;
    const kind = kindOf(left, right);
    // What did not happen is seen at what happened instead, or last.
    const last = bad.calls.at(-1)?.endEvent ?? 1;
    const event = kind === 'other-outcome' ? (right?.endEvent ?? last) : (right?.event ?? last);
    return { pair, call, good: left, bad: right, kind, event };
  }
  return undefined;
}

function kindOf(good: Call | undefined, bad: Call | undefined): Divergence['kind'] {
  if (good === undefined) return 'extra-call';
  // Its end came where something else should have: that is what is missing.
  if (bad === undefined || (isEnd(bad) && !isEnd(good))) return 'missing-call';
  return good.what === bad.what ? 'other-outcome' : 'other-call';
}

/** Of a script, an action, a suite or a board. */
const isEnd = ({ what }: Call): boolean => /^end\b/.test(what);

/** Those before which there is no other come first; of them those whose board was last as it should be the earliest. */
function inOrder(found: readonly Divergence[], bad: readonly Event[]): Divergence[] {
  if (found.length < 2) return [...found];
  const wanted = new Set(found.map(({ event }) => event));
  const places = new Map<number, Placed>();
  const order = new HappensBefore();
  for (const event of bad)
    if (wanted.has(event.version)) places.set(event.version, order.take(event));
    else order.count(event);
  const comesBefore = (a: Divergence, b: Divergence): boolean => {
    if (a === b) return false;
    const [causes, isCaused] = [isLackedBy(b, a, bad), isLackedBy(a, b, bad)];
    if (causes !== isCaused) return causes;
    const [one, other] = [places.get(a.event), places.get(b.event)];
    return one !== undefined && other !== undefined && isBefore(one, other);
  };
  const left = [...found].sort((a, b) => lastGood(a) - lastGood(b) || a.event - b.event);
  const out: Divergence[] = [];
  while (left.length > 0) {
    const first = left.findIndex((one) => !left.some((other) => comesBefore(other, one)));
    out.push(...left.splice(Math.max(0, first), 1));
  }
  return out;
}

/** When its board did last what it should. */
const lastGood = ({ pair, call }: Divergence): number => pair.bad.calls[call - 1]?.endEvent ?? 0;

/** Whether a wait that was not released lacked the board of another divergence: then that one is the cause. */
function isLackedBy(wait: Divergence, other: Divergence, bad: readonly Event[]): boolean {
  const end = bad[wait.event - 1];
  if (end?.type !== 'WaitTimedOut' && end?.type !== 'WaitUnreachable') return false;
  return end.data.missing.some(({ member }) => member === other.pair.bad.device);
}

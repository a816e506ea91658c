/**
 * Open waits by number, as plain JSON: an array in chunks, so that one of ten thousand waits begins or ends at the
 * price of a chunk. `list.flat()` is the whole.
 */
import type { WaitVerb } from '../events.ts';
import { withItem } from '../lists.ts';

/** A wait that has not ended. Members are numbers: places in group order. */
export interface OpenWait {
  /** Ordinal within the job, from 1. */
  readonly wait: number;
  readonly member: number;
  readonly verb: WaitVerb;
  readonly message: string;
  readonly role: string | null;
  readonly round: number;
  /** `barrierKey` of it. */
  readonly barrier: string;
  readonly since: number;
  /** How often its board came back to it on another server. */
  readonly resumed: number;
  /** When it was found that it can never be released, and how. */
  readonly stuck: { readonly since: number; readonly form: 'certain' | 'deadlocked' } | null;
}

export type WaitList = readonly (readonly OpenWait[])[];

const CHUNK_WAITS_MAX = 128;

/** With a wait whose number is higher than all before it. */
export function appended(list: WaitList, wait: OpenWait): WaitList {
  const last = list.at(-1);
  if (last === undefined || last.length >= CHUNK_WAITS_MAX) return [...list, [wait]];
  return withItem(list, list.length - 1, [...last, wait]);
}

/** Without wait `number`, which is in it. */
export function removed(list: WaitList, number: number): WaitList {
  const at = chunkOf(list, number);
  const chunk = list[at] ?? [];
  if (chunk.length === 1) return list.toSpliced(at, 1);
  return withItem(list, at, chunk.toSpliced(placeIn(chunk, number), 1));
}

/** With another wait in the place of the one with its number, which is in it. */
export function replaced(list: WaitList, by: OpenWait): WaitList {
  const at = chunkOf(list, by.wait);
  const chunk = list[at] ?? [];
  return withItem(list, at, withItem(chunk, placeIn(chunk, by.wait), by));
}

export function found(list: WaitList, number: number): OpenWait | undefined {
  const chunk = list[chunkOf(list, number)] ?? [];
  const wait = chunk[placeIn(chunk, number)];
  return wait?.wait === number ? wait : undefined;
}

/** The chunk that holds `number` if any does: the last one that begins at or below it. */
const chunkOf = (list: WaitList, number: number): number =>
  lastUpTo(list.length, number, (at) => list[at]?.[0]?.wait ?? 0);

const placeIn = (chunk: readonly OpenWait[], number: number): number =>
  lastUpTo(chunk.length, number, (at) => chunk[at]?.wait ?? 0);

/** The last place whose number is at or below `number`; 0 when there is none. */
function lastUpTo(length: number, number: number, numberAt: (at: number) => number): number {
  let [from, to] = [0, length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (numberAt(middle) <= number) from = middle + 1;
    else to = middle;
  }
  return Math.max(0, from - 1);
}

/**
 * Open waits by number, as plain JSON: an array in chunks, so that one of ten thousand waits begins or ends at the
 * price of a chunk. `list.flat()` is the whole.
 */
import type { WaitVerb } from './events.ts';

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
  return list.with(-1, [...last, wait]);
}

/** Without wait `number`. */
export function removed(list: WaitList, number: number): WaitList {
  const at = chunkOf(list, number);
  const chunk = (list[at] ?? []).filter(({ wait }) => wait !== number);
  return chunk.length === 0 ? list.toSpliced(at, 1) : list.with(at, chunk);
}

/** With another wait in the place of the one with its number. */
export function replaced(list: WaitList, by: OpenWait): WaitList {
  const at = chunkOf(list, by.wait);
  return list.with(
    at,
    (list[at] ?? []).map((is) => (is.wait === by.wait ? by : is)),
  );
}

export const found = (list: WaitList, number: number): OpenWait | undefined =>
  list[chunkOf(list, number)]?.find(({ wait }) => wait === number);

/** The chunk that holds `number` if any does: the last one that begins at or below it. */
function chunkOf(list: WaitList, number: number): number {
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((list[middle]?.[0]?.wait ?? 0) <= number) from = middle + 1;
    else to = middle;
  }
  return Math.max(0, from - 1);
}

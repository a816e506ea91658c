/** What of a run is compared with later ones: when each call came after the one before it, and how long it took. */
import { z } from 'zod';
import type { JobDefinition } from '../machines/definition.ts';
import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import { type BoardCalls, type Call, callsOf, type Place } from './calls.ts';

/** How many runs before it one is compared with. */
export const PAST_RUNS = 10;

export const RunFacts = z.strictObject({
  job: z.int().positive(),
  /** Of each call, by `callKey`: milliseconds after what its board did before, and until it ended. */
  gaps: z.record(z.string(), z.number()),
  lasted: z.record(z.string(), z.number()),
});
export type RunFacts = z.infer<typeof RunFacts>;

/** A call by its place in the group, what it was, and which of those it was, from 1: the same in every run. */
export const callKey = (
  { role, index }: Pick<Place, 'role' | 'index'>,
  what: string,
  nth: number,
): string => `${role}[${index}] ${what} ${nth}`;

export function factsOf(job: number, events: readonly RecordedEvent<JobEvent>[]): RunFacts {
  const facts: RunFacts = { job, gaps: {}, lasted: {} };
  const from = allocatedAt(events);
  for (const board of callsOf(events))
    for (const { call, nth, gapMs } of timed(board, from)) {
      const key = callKey(board, call.what, nth);
      facts.gaps[key] = gapMs;
      if (call.outcome !== '') facts.lasted[key] = call.endAt - call.at;
    }
  return facts;
}

export const allocatedAt = (events: readonly RecordedEvent<JobEvent>[]): number =>
  events.find(({ type }) => type === 'JobAllocated')?.meta.at ?? 0;

/** The calls of a board: which of its kind each is, from 1, and how long it came after what its board did before. */
export function* timed(
  { calls }: BoardCalls,
  from: number,
): Generator<{ call: Call; nth: number; gapMs: number }> {
  const seen = new Map<string, number>();
  let before = from;
  for (const call of calls) {
    const nth = (seen.get(call.what) ?? 0) + 1;
    seen.set(call.what, nth);
    yield { call, nth, gapMs: Math.max(0, call.at - before) };
    before = Math.max(before, call.endAt);
  }
}

/** Two jobs of the same key were asked for in the same words: but for their priority, and for who asked. */
export function definitionKey(definition: JobDefinition): string {
  const { priority: _, ...asked } = definition;
  return JSON.stringify(asked);
}

export interface Usual {
  /** Milliseconds. */
  readonly median: number;
  /** Above it a value is beyond what is usual. */
  readonly high: number;
  readonly runs: number;
}

/** How far a value may lie above the median, in standard deviations as the median absolute deviation tells them. */
const SPREAD = 3.5;
const SCALE = 1.4826;
/** What is less than so much more is nothing to speak of. */
const NOTHING_MS = 2_000;

/** Where the values of the runs before lie; `undefined`: it did not come in them. */
export function usualOf(
  past: readonly RunFacts[],
  which: 'gaps' | 'lasted',
  key: string,
): Usual | undefined {
  return usualAmong(past.flatMap((run) => run[which][key] ?? []));
}

/** Where values lie; `undefined`: there are none. */
export function usualAmong(found: readonly number[]): Usual | undefined {
  const values = [...found].sort((a, b) => a - b);
  if (values.length === 0) return undefined;
  const median = middle(values);
  const deviation = middle(values.map((value) => Math.abs(value - median)).sort((a, b) => a - b));
  const most = values.at(-1) ?? median;
  const high =
    Math.max(median + SPREAD * SCALE * deviation, most) + Math.max(NOTHING_MS, median / 4);
  return { median, high, runs: values.length };
}

const middle = (sorted: readonly number[]): number => sorted[sorted.length >> 1] ?? 0;

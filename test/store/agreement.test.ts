/** Property: whatever is appended in whatever order, memory and sqlite give the same answers and the same log. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NewEvent } from '../../machines/events.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { ConcurrencyConflict, type EventStore } from '../../store/port.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite.ts';
import { asNew, collect, many } from './events.ts';
import { forgetsIdempotency, ignoresTheVersion, type Mutation, mutant } from './mutants.ts';
import { placesInTurn } from './placings.ts';

const RUNS = 150;

/** `miss`: how far the expected version is from what all earlier appends would give, had they won. */
interface Fresh {
  stream: number;
  miss: number;
  count: number;
}
/** Appends again what the n-th earlier append did, counted round; the ids of its tail may be new. */
interface Again {
  again: number;
  isTailNew: boolean;
}
/** One round of appends is issued at once; the next one waits for its answers. */
type Round = (Fresh | Again)[];

const fresh = fc.record({
  stream: fc.nat({ max: 2 }),
  miss: fc.constantFrom(0, 0, 0, 0, -1, 1),
  count: fc.integer({ min: 1, max: 4 }),
});
const again = fc.record({ again: fc.nat({ max: 20 }), isTailNew: fc.boolean() });
const rounds = fc.array(
  fc.array(fc.oneof({ arbitrary: fresh, weight: 3 }, again), { minLength: 1, maxLength: 6 }),
  { minLength: 1, maxLength: 8 },
);

interface Append {
  stream: string;
  expected: number;
  events: NewEvent[];
}

/** The same plan, and so the same ids, for both stores. */
function planOf(run: number, given: Round[]): Append[][] {
  const versions = new Map<string, number>();
  const made: Append[] = [];
  return given.map((round) =>
    round.map((one) => {
      const append = 'again' in one ? repeatOf(run, made, one) : freshOf(run, versions, one);
      made.push(append);
      return append;
    }),
  );
}

function freshOf(run: number, versions: Map<string, number>, one: Fresh): Append {
  const stream = `run-${run}-stream-${one.stream}`;
  const version = versions.get(stream) ?? 0;
  if (one.miss === 0) versions.set(stream, version + one.count);
  return { stream, expected: Math.max(0, version + one.miss), events: many(one.count) };
}

function repeatOf(run: number, made: readonly Append[], { again, isTailNew }: Again): Append {
  const before = made[again % Math.max(1, made.length)];
  if (before === undefined) return { stream: `run-${run}`, expected: 0, events: many(1) };
  return isTailNew ? { ...before, events: [...before.events.slice(0, -1), ...many(1)] } : before;
}

/** What a store said and kept, without its positions but with their order. */
async function outcomeOf(store: EventStore, plan: Append[][]) {
  const start = await store.head();
  const answers: unknown[] = [];
  for (const round of plan) {
    const results = await Promise.allSettled(
      round.map(({ stream, expected, events }) => store.append(stream, expected, events)),
    );
    for (const result of results) answers.push(answerOf(result));
  }
  const log = (await collect(store.readAll(start))).map((event) => ({
    ...asNew(event),
    stream: event.stream,
    version: event.version,
  }));
  return { answers, log };
}

function answerOf(result: PromiseSettledResult<{ version: number }>): unknown {
  if (result.status === 'fulfilled') return { version: result.value.version };
  if (!(result.reason instanceof ConcurrencyConflict)) throw result.reason;
  const { stream, expected, actual } = result.reason;
  return { stream, expected, actual };
}

let dir: string;
let sqlite: EventStore;
let run = 0;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'muster-agreement-'));
  // Where the commits are made changes nothing of what is answered.
  const placing = placesInTurn('here', 'there', 'there', 'here', 'here');
  sqlite = await openSqliteStore({ file: join(dir, 'log.db'), placing });
});
afterAll(async () => {
  await sqlite.close();
  rmSync(dir, { recursive: true, force: true });
});

const agreement = (other: () => EventStore) =>
  fc.asyncProperty(rounds, async (given) => {
    run += 1;
    const plan = planOf(run, given);
    expect(await outcomeOf(sqlite, plan)).toEqual(await outcomeOf(other(), plan));
  });

it(
  `gives equal answers and equal logs in memory and in sqlite, in ${RUNS} random runs`,
  () => fc.assert(agreement(openMemoryStore), { numRuns: RUNS }),
  60_000,
);

const broken: [string, Mutation][] = [
  ['forgets idempotency', forgetsIdempotency],
  ['ignores the expected version', ignoresTheVersion],
];
it.each(broken)('catches a store that %s', async (_name, mutation) => {
  const details = await fc.check(
    agreement(() => mutant(mutation)),
    { numRuns: RUNS, endOnFailure: true },
  );
  expect(details.failed).toBe(true);
});

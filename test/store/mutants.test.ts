/** Each check of the contract catches a store that breaks its rule, and passes one that does not. */
import { describe, expect, it } from 'vitest';
import type { EventStore } from '../../store/port.ts';
import * as checks from './checks.ts';
import * as mutants from './mutants.ts';

/** An event that a broken store never tells is given up soon. */
const LATE_MS = 1_000;

type Check = (store: EventStore) => Promise<void>;
const joins: Check = (store) => checks.joinsHistoryAndLive(store, 5, LATE_MS);

const caught: [string, mutants.Mutation, Check][] = [
  ['forgets idempotency', mutants.forgetsIdempotency, checks.takesARepeatedAppendAsTheSame],
  ['stores a retry twice', mutants.storesARetryTwice, checks.takesARepeatedAppendAsTheSame],
  ['ignores the expected version', mutants.ignoresTheVersion, checks.hasOneWinnerAmongRacers],
  ['appends one by one', mutants.appendsOneByOne, checks.appendsAllOrNothing],
  ['skips the known ids of a batch', mutants.skipsKnownIds, checks.refusesIdsThatAreHalfKnown],
  ['shares its objects', mutants.sharesItsObjects, checks.readsBackWhatWasAppended],
  ['reads stream by stream', mutants.readsStreamByStream, checks.readsAllInTheOrderOfAppends],
  ['publishes before it is durable', mutants.publishesBeforeDurable, joins],
  ['has a hole between history and live', mutants.hasAHole, joins],
  ['repeats itself', mutants.repeatsItself, joins],
  ['never stops', mutants.neverStops, checks.tellsWhenHistoryIsDelivered],
  [
    'says that it has caught up at once',
    mutants.saysItIsCaughtUpAtOnce,
    checks.tellsWhenHistoryIsDelivered,
  ],
  [
    'hides the actual version',
    mutants.conflictsWithoutTheActualVersion,
    checks.conflictsCarryBothVersions,
  ],
  [
    'leaves out what is needless of live events too',
    mutants.leavesTooMuchOut,
    checks.leavesOutOnlyWhatIsNeedless,
  ],
  ['removes nothing', mutants.removesNothing, checks.removesAWholeStream],
  [
    'shows removed streams in the log',
    mutants.showsRemovedStreamsInTheLog,
    checks.removesAWholeStream,
  ],
  [
    'takes appends to a removed stream',
    mutants.takesAppendsToARemovedStream,
    checks.removesAWholeStream,
  ],
];

describe('the contract catches a store that', () => {
  it.each(caught)('%s', async (_name, mutation, check) => {
    await expect(check(mutants.mutant(mutation))).rejects.toThrow();
  });
});

describe('the contract passes a store that changes nothing, in', () => {
  it.each(caught.map(([name, , check]) => [name, check] as const))(
    'the check for one that %s',
    (_name, check) => check(mutants.mutant(() => ({}))),
  );
});

/**
 * The rules, in the order in which people should read of them. A rule is a file of `causes/`: to add one, write it and put it
 * here; its page goes into docs/causes.md by itself.
 */
import { arrivedWithAnotherId } from './causes/arrived-with-another-id.ts';
import { bootedLate } from './causes/booted-late.ts';
import { crashedBeforeArriving } from './causes/crashed-before-arriving.ts';
import { crossWait } from './causes/cross-wait.ts';
import { deployFailed } from './causes/deploy-failed.ts';
import { everyoneWaits } from './causes/everyone-waits.ts';
import { jobCancelledFromOutside } from './causes/job-cancelled-from-outside.ts';
import { keySentUnderAnotherNameThanItIsRead } from './causes/key-sent-under-another-name-than-it-is-read.ts';
import { messageThatNobodySends } from './causes/message-that-nobody-sends.ts';
import { messageTooLarge } from './causes/message-too-large.ts';
import { messageWithoutTheValueThatItsReaderNeeded } from './causes/message-without-the-value-that-its-reader-needed.ts';
import { neverAllocated } from './causes/never-allocated.ts';
import { neverBooted } from './causes/never-booted.ts';
import { raceLost } from './causes/race-lost.ts';
import { roundsOutOfStep } from './causes/rounds-out-of-step.ts';
import { scriptDied, scriptDiedUnderSetE } from './causes/script-died.ts';
import { sentInsteadOfWaited } from './causes/sent-instead-of-waited.ts';
import { syncThatOneRoleNeverCalls } from './causes/sync-that-one-role-never-calls.ts';
import { testFailed } from './causes/test-failed.ts';
import { testRaised } from './causes/test-raised.ts';
import { timeoutShorterThanThePeersBoot } from './causes/timeout-shorter-than-the-peers-boot.ts';
import { verbFailureSwallowedByLavaTestCase } from './causes/verb-failure-swallowed-by-lava-test-case.ts';
import { waitedForARoleThatNobodyElsePlays } from './causes/waited-for-a-role-that-nobody-else-plays.ts';
import { workerLost } from './causes/worker-lost.ts';
import type { Cause } from './situation.ts';

export const CAUSES: readonly Cause[] = [
  neverAllocated,
  deployFailed,
  neverBooted,
  bootedLate,
  timeoutShorterThanThePeersBoot,
  crashedBeforeArriving,
  workerLost,
  jobCancelledFromOutside,
  testRaised,
  verbFailureSwallowedByLavaTestCase,
  waitedForARoleThatNobodyElsePlays,
  messageTooLarge,
  keySentUnderAnotherNameThanItIsRead,
  messageWithoutTheValueThatItsReaderNeeded,
  sentInsteadOfWaited,
  raceLost,
  roundsOutOfStep,
  everyoneWaits,
  crossWait,
  arrivedWithAnotherId,
  syncThatOneRoleNeverCalls,
  messageThatNobodySends,
  scriptDied,
  scriptDiedUnderSetE,
  testFailed,
];

/** What is told when no rule fits. */
export const OTHERWISE: readonly Pick<Cause, 'kind' | 'title' | 'page'>[] = [
  {
    kind: 'slow-but-healthy',
    title: 'Slow, but nothing failed',
    page: 'Every member ran to its end, every wait was released and no case failed. One wait took a large part of the time: it is named, with whom it waited for.',
  },
  {
    kind: 'nothing-failed',
    title: 'Nothing failed',
    page: 'Every member ran to its end, every wait was released, and no test case failed. Of a job that still runs it says: so far.',
  },
  {
    kind: 'unknown',
    title: 'Nobody can tell from what was recorded',
    page: `No rule fits, and none is guessed. What is known is told: what failed, who was missing, what each of them was last seen
doing, the last line of its console, and what was not recorded or is not there any more.`,
  },
];

/**
 * How a server begins its work: step by step. With a full disk it cannot, and still everything can be read meanwhile:
 * the step is tried again until there is room, and until the last one is done every write is refused.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../store/port.ts';

const AGAIN_MS = 2_000;

export interface Beginning {
  /** Why nothing is written yet; undefined: all steps are done. */
  readonly waitsFor: string | undefined;
  stop(): Promise<void>;
}

/**
 * Runs the steps in order, once each.
 *
 * @param mayWait whether a log that cannot be written may be waited for
 * @throws what a step throws, but for want of room
 */
export async function begin(
  steps: readonly (() => Promise<unknown>)[],
  is: { mayWait: boolean; say: (what: string) => void },
): Promise<Beginning> {
  const stopping = new AbortController();
  let done = 0;
  let waitsFor: string | undefined;
  let after = Promise.resolve();
  const goOn = async () => {
    for (; done < steps.length; done += 1) await steps[done]?.();
  };
  const tryAgain = async () => {
    while (waitsFor !== undefined) {
      await sleep(AGAIN_MS, undefined, { signal: stopping.signal });
      try {
        await goOn();
        waitsFor = undefined;
        is.say('there is room again: the server is at work');
      } catch (error) {
        waitsFor = roomWanted(error) ?? `the server cannot begin: ${messageOf(error)}`;
      }
    }
  };
  try {
    await goOn();
  } catch (error) {
    waitsFor = is.mayWait ? roomWanted(error) : undefined;
    if (waitsFor === undefined) throw error;
    is.say(`${waitsFor}; until then everything can be read, and nothing is written`);
    after = tryAgain().catch((fault: unknown) => {
      if (!stopping.signal.aborted) throw fault;
    });
  }
  return {
    get waitsFor() {
      return waitsFor;
    },
    async stop() {
      stopping.abort();
      await after;
    },
  };
}

/** In words, when it is for want of room that something could not be written. */
function roomWanted(error: unknown): string | undefined {
  const isFull = error instanceof Error && 'code' in error && error.code === 'ENOSPC';
  if (!isFull && !(error instanceof StoreUnavailable)) return undefined;
  return `the server cannot write: ${messageOf(error)}`;
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ');

/** Tells of waits that are longer than usual while something else is followed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type LongWait, LongWaits } from '../answers/compared-views.ts';
import { duration } from '../machines/wording.ts';
import type { Context } from './command.ts';
import { hangLines, timeOfDay } from './pages/text.ts';

const LOOK_EVERY_MS = 2_000;

/** Runs `follow` to its end. Each long wait is told once; a server that knows none of them is asked no more. */
export async function tellingLongWaits<T>(
  { io, client }: Context,
  job: number | undefined,
  follow: () => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const told = new Set<string>();
  const look = async () => {
    while (!end.signal.aborted) {
      const answer = await client.json('/api/long-waits', LongWaits).catch(() => undefined);
      if (answer === undefined) return;
      for (const wait of answer.waits) {
        const name = `${wait.job}/${wait.event}`;
        if (told.has(name) || (job !== undefined && wait.job !== job) || end.signal.aborted)
          continue;
        told.add(name);
        await io.out(io.colors.yellow(longWaitText(wait, job === undefined, io.columns)));
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal: end.signal }).catch(() => undefined);
    }
  };
  const looking = look();
  try {
    return await follow();
  } finally {
    end.abort();
    await looking;
  }
}

function longWaitText(wait: LongWait, withJob: boolean, columns: number): string {
  const { member, what, seconds, usual, runs, missing, job } = wait;
  const where = withJob ? `job ${job}  ` : '';
  const usually = `usually ${duration(usual * 1000)} (${runs} run${runs === 1 ? '' : 's'})`;
  const says = `${member} has waited in ${what} for ${duration(seconds * 1000)}, ${usually}`;
  const lacks = missing.map((text) => `it lacks ${text}`);
  return hangLines(`${timeOfDay(Date.now())}  ${where}`, [says, ...lacks], columns);
}

/** `--keep-days`: every hour the jobs that ended longer ago go from the log into the archive beside it. */
import type { Logger } from 'pino';
import type { Engine } from '../engine/engine.ts';
import { archiveJobs } from '../store/archive/archive.ts';
import type { EventStore } from '../store/port.ts';

const DAY_MS = 86_400_000;
const EVERY_MS = 3_600_000;

/** Begins at once. Returns the way to stop; it waits for what is under way. */
export function keepDays(
  days: number,
  is: { store: EventStore; engine: Engine; dataDir: string; log: Logger },
): () => Promise<void> {
  const { store, engine, dataDir, log } = is;
  const stopping = new AbortController();
  const archive = async () => {
    try {
      const { jobs, events } = await archiveJobs(store, {
        dataDir,
        endedBefore: engine.now() - days * DAY_MS,
        jobCount: engine.jobCount,
        isInUse: (job) => engine.directory.jobs.has(job),
        signal: stopping.signal,
      });
      if (jobs > 0)
        log.warn(
          { jobs, events },
          `${jobs} jobs that ended over ${days} days ago are in ${dataDir}/archive now`,
        );
    } catch (error) {
      log.error({ err: error }, 'old jobs could not be archived; it is tried again in an hour');
    }
  };
  let running = archive();
  const timer = setInterval(() => {
    running = running.then(archive);
  }, EVERY_MS);
  return async () => {
    clearInterval(timer);
    stopping.abort();
    await running;
  };
}

/** The data folder: where the log and what belongs to it lie, that nobody else may read it, and what tells that a log was there. */
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { makeFolder } from './durable-file.ts';

export const logFile = (dataDir: string): string => join(dataDir, 'muster.db');
export const lockFile = (dataDir: string): string => join(dataDir, 'lock');
export const checkpointsFolder = (dataDir: string): string => join(dataDir, 'checkpoints');
export const consolesFolder = (dataDir: string): string => join(dataDir, 'jobs');

const PRIVATE = 0o700;
const OTHERS = 0o077;
const STICKY = 0o1000;
/**
 * Makes the folder, for its owner alone, or takes the others' rights from one that is there: it holds every job's
 * document, the consoles, and the secret of the boards' tokens.
 *
 * @returns what a person should know: that this was done now, or why it was not
 */
export async function makePrivateFolder(dir: string): Promise<string | undefined> {
  if (!existsSync(dir)) {
    await makeFolder(dirname(resolve(dir)));
    try {
      mkdirSync(dir, { mode: PRIVATE });
    } catch (error) {
      // Another process may make it at the same moment.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  const is = statSync(dir);
  if (!is.isDirectory()) throw new Error(`ENOTDIR: not a directory, '${dir}'`);
  const { mode, uid } = is;
  if ((mode & OTHERS) === 0) return undefined;
  const was = `${dir} could be looked into by others (mode ${(mode & 0o7777).toString(8)})`;
  const stays = (why: string) =>
    `${was}, and stays so, since ${why}: give Muster a folder of its own, in which consoles and jobs are safe`;
  if (dirname(resolve(dir)) === resolve(dir)) return stays('it is the root of the machine');
  if ((mode & STICKY) !== 0) return stays('it is a folder for everybody');
  if (uid !== process.getuid?.()) return stays('it belongs to somebody else');
  try {
    chmodSync(dir, PRIVATE);
  } catch (error) {
    return stays(error instanceof Error ? error.message : String(error));
  }
  return `${was}: it is for its owner alone now (mode 700), as jobs, consoles and the boards' secret lie in it`;
}

/**
 * What in a data folder tells that a log was there which had events: where there is such a thing and the log is empty,
 * the log is lost, and the numbers of its jobs would be given a second time.
 */
export function traceOfLog(dataDir: string): string | undefined {
  const checkpoints = checkpointsFolder(dataDir);
  if (namesIn(checkpoints).some((name) => name.endsWith('.json'))) return checkpoints;
  const index = join(dataDir, 'archive', 'index');
  if (existsSync(index)) return index;
  return lastConsole(dataDir)?.file;
}

/** The console of the highest job that has one. */
export function lastConsole(dataDir: string): { job: number; file: string } | undefined {
  const folder = consolesFolder(dataDir);
  const jobs = namesIn(folder).filter((name) => /^[1-9]\d{0,14}$/.test(name));
  for (const job of jobs.map(Number).sort((a, b) => b - a))
    for (const name of namesIn(join(folder, String(job))))
      if (name.endsWith('.console')) return { job, file: join(folder, String(job), name) };
  return undefined;
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

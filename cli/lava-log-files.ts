/** Reads upstream's logs from files, line by line: they may have hundreds of megabytes. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { CoordinatorLogReader, isCoordinatorLine } from '../answers/imported/coordinator-log.ts';
import { JobLogReader } from '../answers/imported/job-log.ts';
import { LogRefused, type ReadLog } from '../answers/imported/observed.ts';
import { CliFailure, EXIT } from './exit.ts';

/** Of a line: one that is longer is no line of such a log. */
const LINE_CHARACTERS_MAX = 8 * 1024 * 1024;

/** @throws CliFailure `bad-log`: it cannot be read, or is no such log */
export async function readLog(file: string): Promise<ReadLog> {
  try {
    return await read(file);
  } catch (error) {
    if (error instanceof LogRefused) throw badLog(`${file}: ${error.message}`);
    if (error instanceof Error && 'code' in error && typeof error.code === 'string')
      throw badLog(`${file}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`);
    throw error;
  }
}

export const badLog = (message: string): CliFailure =>
  new CliFailure({ code: 'bad-log', exit: EXIT.usage, message });

async function read(file: string): Promise<ReadLog> {
  const input = createReadStream(file);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  // A stream that fails ends the lines without a word.
  const failed = new Promise<never>((_, reject) => input.once('error', reject));
  failed.catch(() => {});
  let reader: CoordinatorLogReader | JobLogReader | undefined;
  try {
    const all = (async () => {
      for await (const line of lines) {
        if (reader === undefined && line.trim() === '') continue;
        if (line.length > LINE_CHARACTERS_MAX) throw new LogRefused('a line of it is too long');
        reader ??= isCoordinatorLine(line)
          ? new CoordinatorLogReader(file)
          : new JobLogReader(file);
        reader.line(line);
      }
    })();
    await Promise.race([all, failed]);
    if (reader === undefined) throw new LogRefused('it is empty');
    return reader.end();
  } finally {
    lines.close();
    input.destroy();
  }
}

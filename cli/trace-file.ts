/** A recorded log as `--trace` names it: a file of events as JSON lines, a data folder, or the database in it. */
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type RecordedEvent, UnreadableEvent } from '../machines/events.ts';
import { parseEvent } from '../machines/versions.ts';
import { linesOf } from '../store/lines.ts';
import { StoreRefused } from '../store/port.ts';
import { openSqliteSnapshot } from '../store/sqlite/sqlite.ts';
import { Received } from './answers.ts';
import { CliFailure, EXIT } from './exit.ts';

const SQLITE_MAGIC = 'SQLite format 3\0';

/** All events of the log, in order, one by one. @throws CliFailure (exit 2) `unreadable-log` */
export async function* readLog(path: string): AsyncIterable<RecordedEvent> {
  const file = await fileOf(path);
  yield* (await isDatabase(file)) ? readDatabase(file) : readLines(file);
}

async function fileOf(path: string): Promise<string> {
  const is = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(error.code === 'ENOENT' ? `${path}: there is no such log` : error.message);
  });
  return is.isDirectory() ? join(path, 'muster.db') : path;
}

async function isDatabase(file: string): Promise<boolean> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'it is not there: is this a data folder?' : error.message;
    throw unreadable(`${file}: ${why}`);
  });
  try {
    const { buffer } = await handle.read(Buffer.alloc(SQLITE_MAGIC.length), 0);
    return buffer.toString('latin1') === SQLITE_MAGIC;
  } finally {
    await handle.close();
  }
}

async function* readDatabase(file: string): AsyncIterable<RecordedEvent> {
  try {
    const store = await openSqliteSnapshot({ file });
    try {
      yield* store.readAll();
    } finally {
      await store.close();
    }
  } catch (error) {
    if (error instanceof StoreRefused || error instanceof UnreadableEvent)
      throw unreadable(error.message);
    throw error;
  }
}

async function* readLines(file: string): AsyncIterable<RecordedEvent> {
  let number = 0;
  for await (const line of linesOf(file)) {
    number += 1;
    if (line.trim() !== '') yield* readLine(line, file, number);
  }
}

/** An exported event has no position: its line stands for it. An export ends with a line that counts. */
const Line = Received.partial({ position: true });
const End = z.strictObject({ end: z.strictObject({ events: z.number() }) });

function readLine(line: string, file: string, number: number): RecordedEvent[] {
  const where = `${file}:${number}`;
  const expected =
    'expected one event a line, as "muster events --json" prints them or "muster export" writes them';
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    throw unreadable(`${where}: not JSON (${(error as Error).message}); ${expected}`);
  }
  if (End.safeParse(json).success) return [];
  const received = Line.safeParse(json);
  if (!received.success) throw unreadable(`${where}: not an event; ${expected}`);
  try {
    const { stream, version, position = number, id } = received.data;
    const { event, meta } = parseEvent({ ...received.data, data: received.data.data });
    return [{ ...event, id: String(id), meta, stream, version, position }];
  } catch (error) {
    if (error instanceof UnreadableEvent) throw unreadable(`${where}: ${error.message}`);
    throw error;
  }
}

const unreadable = (message: string): CliFailure =>
  new CliFailure({ code: 'unreadable-log', exit: EXIT.usage, message });

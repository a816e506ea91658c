/**
 * The log's thread: one connection, one request after another. It opens the file, reads it, checkpoints it, and makes
 * every commit that is not quicker in the deciding thread: a slow disk never blocks the thread that answers the boards.
 */
import { parentPort } from 'node:worker_threads';
import { StoreRefused, StoreUnavailable } from '../port.ts';
import { type Database, notOpened, resultCode, SQLITE_BUSY, unavailable } from '../sqlite-api.ts';
import { openLogFile, openLogSnapshot, openLogWithoutRoom } from './file.ts';
import { SqliteLog } from './tables.ts';
import type { Answers, Message, Readable, Reply, Request } from './thread-messages.ts';

interface Open {
  file: string;
  db: Database;
  log: SqliteLog;
  readable: Readable;
  /** Why it can only be read, and when it was last tried to write. */
  wants?: { room: Error; triedAt: number };
}

/** How often it is looked whether there is room by now. */
const ROOM_ASKED_EVERY_MS = 500;

let open: Open | undefined;

function answerTo(request: Request): Answers[keyof Answers] {
  if (request.do === 'open') return openLog(request);
  if (open === undefined) throw new StoreUnavailable('the log is not open');
  if (request.do === 'append' || request.do === 'remove') open = withRoom(open);
  const { file, db, log } = open;
  try {
    if ('isHandedOver' in request && request.isHandedOver) log.takeOver();
    switch (request.do) {
      case 'append': {
        const from = performance.now();
        const results = log.append(request.group);
        return { results, ms: performance.now() - from };
      }
      case 'read-stream':
        return log.readStream(request.stream, request.after);
      case 'read-rows':
        return log.readRows(request.stream, request.after);
      case 'read-all':
        return log.readAll(request);
      case 'remove':
        log.remove(request.stream);
        return null;
      case 'close':
        open = undefined;
        closeLog(db);
        return null;
    }
  } catch (error) {
    throw unavailable(file, error);
  }
}

function openLog({ file, isReadOnly, readable }: Extract<Request, { do: 'open' }>): number {
  try {
    open = isReadOnly
      ? opened(file, openLogSnapshot(file), readable)
      : openWithOrWithoutRoom(file, readable);
    return open.log.head;
  } catch (error) {
    throw notOpened(file, error);
  }
}

const opened = (file: string, db: Database, readable: Readable): Open => ({
  ...{ file, db, readable },
  log: new SqliteLog(db, readable),
});

function openWithOrWithoutRoom(file: string, readable: Readable): Open {
  try {
    return opened(file, openLogFile(file), readable);
  } catch (error) {
    const room = notOpened(file, error);
    if (!(room instanceof StoreUnavailable) || resultCode(error) === SQLITE_BUSY) throw room;
    try {
      const wants = { room, triedAt: Number.POSITIVE_INFINITY };
      return { ...opened(file, openLogWithoutRoom(file), readable), wants };
    } catch {
      throw room;
    }
  }
}

/**
 * A log that could only be read is opened as usual once there is room. The first that is to be written is always refused:
 * whoever watches over the files hears by that that others may come in their places.
 *
 * @throws StoreUnavailable until then
 */
function withRoom(is: Open): Open {
  if (is.wants === undefined) return is;
  const { room, triedAt } = is.wants;
  const now = performance.now();
  is.wants.triedAt = Math.min(triedAt, now);
  if (now - triedAt < ROOM_ASKED_EVERY_MS) throw room;
  is.db.close();
  open = openWithOrWithoutRoom(is.file, is.readable);
  if (open.wants !== undefined) {
    open.wants.triedAt = now;
    throw open.wants.room;
  }
  return open;
}

/** All that was appended is durable by now: a full disk only leaves it in the write-ahead log. */
function closeLog(db: Database): void {
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch (error) {
    if (resultCode(error) === undefined) throw error;
  } finally {
    db.close();
  }
}

function replyTo({ number, request }: Message): Reply {
  try {
    return { number, answer: answerTo(request) };
  } catch (error) {
    if (error instanceof StoreRefused) return { number, refused: error.message };
    return { number, unavailable: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (message: Message) => parentPort?.postMessage(replyTo(message)));

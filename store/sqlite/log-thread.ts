/**
 * The log's thread: one connection, one request after another. It opens the file, reads it, checkpoints it, and makes
 * every commit that is not quicker in the deciding thread: a slow disk never blocks the thread that answers the boards.
 */
import { parentPort } from 'node:worker_threads';
import { StoreRefused, StoreUnavailable } from '../port.ts';
import { type Database, notOpened, resultCode, unavailable } from '../sqlite-api.ts';
import { openLogFile, openLogSnapshot } from './file.ts';
import { SqliteLog } from './tables.ts';
import type { Answers, Message, Reply, Request } from './thread-messages.ts';

let open: { file: string; db: Database; log: SqliteLog } | undefined;

function answerTo(request: Request): Answers[keyof Answers] {
  if (request.do === 'open') return openLog(request.file, request.isReadOnly);
  if (open === undefined) throw new StoreUnavailable('the log is not open');
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
      case 'read-all':
        return log.readAll(request.after, request.upTo, request.limit);
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

function openLog(file: string, isReadOnly: boolean): number {
  try {
    const db = isReadOnly ? openLogSnapshot(file) : openLogFile(file);
    const log = new SqliteLog(db);
    open = { file, db, log };
    return log.head;
  } catch (error) {
    throw notOpened(file, error);
  }
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

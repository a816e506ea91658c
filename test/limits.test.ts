/**
 * How limits relate. Each stands where it is kept, and many are in other rooms than what they must agree with: here is
 * which one must be below, above or equal to which, and why. They are read from the code, boards' scripts too.
 */
import { existsSync, readFileSync } from 'node:fs';
import { maxHeaderSize } from 'node:http';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseJob } from '../submission/job.ts';

/** The value of a limit in a file: a number, or a sum or product of numbers and other limits. */
function limit(name: string, file: string): number {
  const text = readFileSync(file, 'utf8');
  const set = new RegExp(
    `(?:const |readonly |^) *${name}(?: =|=|:) ?([\\dA-Z][^;#,]*?)(?:;|,|\\s*#|$)`,
    'm',
  );
  const [, made] = set.exec(text) ?? [];
  if (made !== undefined)
    return made
      .split('-')
      .map((sum) => sum.split('+').map((part) => product(part, file)))
      .map((parts) => parts.reduce((a, b) => a + b))
      .reduce((a, b) => a - b);
  const [, from] =
    new RegExp(`import \\{[^}]*\\b${name}\\b[^}]*\\} from '([^']+)'`).exec(text) ?? [];
  if (from === undefined) throw new Error(`${file} has no limit ${name}`);
  return limit(name, join(dirname(file), from));
}

const product = (text: string, file: string): number =>
  text.split(/(?<!\*)\*(?!\*)/).reduce((all, part) => all * power(part, file), 1);

function power(text: string, file: string): number {
  const [base = '', exponent = '1'] = text.split('**').map((each) => each.trim());
  const value = /^[A-Z]/.test(base) ? limit(base, file) : Number(base.replaceAll('_', ''));
  if (Number.isNaN(value)) throw new Error(`${file}: ${text} is no number`);
  return value ** Number(exponent);
}

/** Each below the next. */
function assertGrowing(...limits: [name: string, file: string][]): void {
  const values = limits.map(([name, file]) => limit(name, file));
  for (const [i, value] of values.entries())
    if (i > 0) expect(value, limits[i]?.join(' of ')).toBeGreaterThan(values[i - 1] ?? 0);
}

function assertEqual(...limits: [name: string, file: string][]): void {
  const [first, ...others] = limits.map(([name, file]) => limit(name, file));
  for (const other of others) expect(other, limits.join(' = ')).toBe(first);
}

const MESSAGE = limit('MESSAGE_BYTES_MAX', 'machines/names.ts');
const EVENT = limit('EVENT_BYTES_MAX', 'store/edge.ts');
/** A byte may be `%XX` in the shell dialect, and `\u00XX` in JSON. */
const IN_SHELL = 3;
const IN_JSON = 6;
/** Of a body: printable text, or base64 (`bodyOf`). */
const IN_FRAME = 2;
/** More than an event says beside its data, and a message of the line beside its words. */
const AROUND = 8 * 1024;

describe('what boards say', () => {
  it('a message fits into the body of a request, a body into a frame, and a frame into what a line holds back', () => {
    assertGrowing(
      ['MESSAGE_ID_BYTES_MAX', 'machines/names.ts'],
      ['MESSAGE_BYTES_MAX', 'machines/names.ts'],
      ['BOARD_BODY_BYTES_MAX', 'api/routes/board.ts'],
      ['WORKER_FRAME_BYTES_MAX', 'wire/worker-frames.ts'],
      ['SERVER_FRAME_BYTES_MAX', 'wire/worker-frames.ts'],
      ['UNSENT_BYTES_MAX', 'api/worker-line.ts'],
    );
    const body = limit('BOARD_BODY_BYTES_MAX', 'api/routes/board.ts');
    expect(body).toBeGreaterThan(IN_SHELL * MESSAGE);
    expect(body).toBeGreaterThan(IN_JSON * MESSAGE + AROUND);
    assertEqual(
      ['BOARD_BODY_BYTES_MAX', 'api/routes/board.ts'],
      ['BODY_BYTES_MAX', 'worker/board-door.ts'],
    );
  });

  it('whatever a board hands to its worker, or a worker to its server, fits into one frame', () => {
    const frame = limit('WORKER_FRAME_BYTES_MAX', 'wire/worker-frames.ts');
    for (const [name, file] of [
      ['BODY_BYTES_MAX', 'worker/board-door.ts'],
      ['ATTACHMENT_BYTES_MAX', 'api/attachments.ts'],
      ['DEFINITION_BYTES_MAX', 'submission/test-definition.ts'],
      ['PART_BYTES', 'worker/console-feed.ts'],
    ] as const)
      expect(IN_FRAME * limit(name, file) + AROUND, name).toBeLessThan(frame);
    expect(limit('FRAME_CHARACTERS', 'worker/line.ts')).toBeLessThan(frame);
  });

  it('a frame of messages fits into one append, and a message into the smallest append of any store', () => {
    assertGrowing(
      ['FRAME_CHARACTERS', 'worker/line.ts'],
      ['EVENT_BYTES_MAX', 'store/edge.ts'],
      ['GROUP_BYTES_MAX', 'store/sqlite/sqlite.ts'],
      ['PENDING_BYTES_MAX', 'store/sqlite/sqlite.ts'],
    );
    // A batch is cut at half of what the store takes; the last command may bring one message more.
    const append = limit('appendBytesMax', 'store/eventstoredb/eventstoredb.ts');
    expect(append / 2).toBeGreaterThan(IN_JSON * MESSAGE + AROUND);
  });

  it('who called is cut on the board as at the door, and fits into a head that Node reads', () => {
    const [, words = ''] = /argv\[@\]:0:(\d+)/.exec(text('board/lib/quick.bash')) ?? [];
    expect(Number(words)).toBe(limit('WORDS_MAX', 'api/callers.ts'));
    const [, characters] = /word:0:(\d+)/.exec(text('board/lib/quick.bash')) ?? [];
    expect(Number(characters)).toBe(limit('WORD_CHARACTERS_MAX', 'api/callers.ts'));
    const [, enough] = /#muster_callers\} < (\d+)/.exec(text('board/lib/quick.bash')) ?? [];
    const longest = Number(enough) + Number(words) * (IN_SHELL * Number(characters) + 1) + 20;
    expect(longest + 1_024).toBeLessThan(maxHeaderSize);
  });

  it('a body that the quick way takes has a length that it can read, and is a body', () => {
    const quick = limit('BODY_BYTES_MAX', 'api/plain-request.ts');
    const [, digits] =
      /COUNT = \/\^\[0-9\]\{1,(\d+)\}\$\//.exec(text('api/plain-request.ts')) ?? [];
    expect(quick).toBeLessThan(10 ** Number(digits));
    expect(quick).toBeLessThan(limit('BOARD_BODY_BYTES_MAX', 'api/routes/board.ts'));
    expect(quick + limit('HEAD_BYTES_MAX', 'api/plain-request.ts')).toBeLessThan(
      limit('REST_BYTES_PAUSE', 'api/quick-door.ts'),
    );
  });

  it('every member of the largest group may wait on one line', () => {
    assertGrowing(['GROUP_MEMBERS_MAX', 'machines/names.ts'], ['OPEN_MAX', 'api/worker-line.ts']);
  });

  it('one append releases the largest group, after a batch that was nearly full', () => {
    const store = limit('APPEND_EVENTS_MAX', 'store/port.ts');
    const batch = limit('BATCH_EVENTS_MAX', 'engine/live-stream.ts');
    expect(batch + limit('GROUP_MEMBERS_MAX', 'machines/names.ts') + 2).toBeLessThan(store);
    assertEqual(
      ['APPEND_EVENTS_MAX', 'store/port.ts'],
      ['GROUP_EVENTS_MAX', 'store/sqlite/sqlite.ts'],
    );
    expect(limit('APPEND_EVENTS_MAX', 'store/transfer.ts')).toBeLessThan(store);
  });
});

describe('what people hand in', () => {
  it('the longest document of a job is an event that every embedded log takes, whatever is in it', () => {
    const longest = limit('DOCUMENT_BYTES_MAX', 'submission/tree.ts');
    const around = (text: string) =>
      JSON.stringify({
        job_name: 'long',
        device_type: 'panda',
        timeout: 60,
        actions: [{ command: 'lava_command_run', parameters: { commands: [text] } }],
      });
    for (const [said, length] of [
      ['"', 2],
      ['\u0001', 6],
      ['\u00fc', 2],
      ['a', 1],
    ] as const) {
      const document = around(said.repeat(Math.floor((longest - 400) / length)));
      expect(Buffer.byteLength(document)).toBeLessThanOrEqual(longest);
      const parsed = parseJob(document);
      expect(Object.keys(parsed)).toContain('definition');
      expect(Buffer.byteLength(JSON.stringify({ ...parsed, document }))).toBeLessThan(EVENT);
    }
    expect(longest * IN_SHELL).toBeLessThan(EVENT);
  });

  it('a test definition, and a lab’s address, fits into the document that may hold it', () => {
    assertGrowing(
      ['ADDRESS_CHARACTERS_MAX', 'submission/sources.ts'],
      ['ADDRESSES_CHARACTERS_MAX', 'submission/quoting.ts'],
      ['DEFINITION_BYTES_MAX', 'submission/test-definition.ts'],
      ['DOCUMENT_BYTES_MAX', 'submission/tree.ts'],
    );
  });

  it('a case that can be recorded can be asked for, in an address that Node reads', () => {
    assertEqual(
      ['CASE_CHARS_MAX', 'submission/cases.ts'],
      ['CASE_CHARACTERS_MAX', 'api/routes/results.ts'],
    );
    const percented = 3 * 3 * limit('CASE_CHARACTERS_MAX', 'api/routes/results.ts');
    expect(percented + limit('PATTERN_CHARACTERS_MAX', 'api/routes/results.ts')).toBeLessThan(
      maxHeaderSize,
    );
  });

  it('a name of a board fits into the path of a request and the name of a stream', () => {
    const [, inner] = /\{0,(\d+)\}\[A-Za-z0-9\]\)\?\$\//.exec(text('machines/names.ts')) ?? [];
    const device = Number(inner) + 2;
    expect(device).toBe(63);
    expect(device).toBeLessThanOrEqual(limit('PATH_PART_CHARACTERS_MAX', 'api/http-server.ts'));
    expect(64, 'a digest').toBeLessThanOrEqual(
      limit('PATH_PART_CHARACTERS_MAX', 'api/http-server.ts'),
    );
    expect('device-'.length + device).toBeLessThan(limit('STREAM_NAME_BYTES_MAX', 'store/edge.ts'));
  });

  it('a page that the command line asks for is one that the server gives', () => {
    assertEqual(['LAST_MAX', 'cli/commands/results.ts'], ['LAST_MAX', 'api/routes/results.ts']);
    assertEqual(['JOBS_MAX', 'cli/commands/jobs.ts'], ['JOBS_PAGE_MAX', 'api/routes/jobs.ts']);
    assertEqual(
      ['PAGE_JOBS_MAX', 'cli/commands/queue.ts'],
      ['QUEUE_PAGE_MAX', 'api/routes/queue.ts'],
    );
    assertGrowing(
      ['LAST_MAX', 'api/routes/results.ts'],
      ['JOBS_LOOKED_AT_MAX', 'api/case-history.ts'],
    );
    assertGrowing(
      ['JOBS_PAGE_MAX', 'api/routes/jobs.ts'],
      ['JOBS_SCANNED_MAX', 'api/routes/jobs.ts'],
    );
    assertGrowing(
      ['QUEUE_SLICE_MAX', 'api/routes/queue.ts'],
      ['QUEUE_PAGE_MAX', 'api/routes/queue.ts'],
    );
  });
});

describe('what is kept and read again', () => {
  it('an attachment that a board hands in is one that the server takes, and fits into those of its job', () => {
    assertEqual(
      ['attach_bytes_max', 'board/bin/lava-test-attach'],
      ['ATTACHMENT_BYTES_MAX', 'api/attachments.ts'],
    );
    assertGrowing(
      ['ATTACHMENT_BYTES_MAX', 'api/attachments.ts'],
      ['JOB_ATTACHMENTS_BYTES_MAX', 'api/attachments.ts'],
    );
    assertEqual(['JOB_ATTACHMENTS_MAX', 'api/attachments.ts'], ['SUMS_MAX', 'api/attachments.ts']);
  });

  it('a line of a console that is read for signals is shorter than what is read of it at once, and shown whole', () => {
    assertGrowing(
      ['HEAD_BYTES_MAX', 'dispatcher/console-lines.ts'],
      ['CASE_CHARS_MAX', 'submission/cases.ts'],
      ['CONSOLE_LINE_BYTES_MAX', 'dispatcher/console-lines.ts'],
      ['LINE_BYTES_MAX', 'cli/commands/logs.ts'],
      ['CHUNK_BYTES', 'dispatcher/console.ts'],
      ['LAB_CONSOLE_BYTES_DEFAULT', 'submission/lab.ts'],
    );
    // Whatever a line says, it is a result or a signal that is no longer than a message.
    expect(limit('CONSOLE_LINE_BYTES_MAX', 'dispatcher/console-lines.ts')).toBeLessThan(MESSAGE);
    assertEqual(
      ['CONSOLE_LINE_BYTES_MAX', 'dispatcher/console-lines.ts'],
      ['BROKEN_CHARS_MAX', 'dispatcher/signals.ts'],
    );
  });

  it('a part of the past that is shared holds the largest event, and all streams together can have a piece each', () => {
    assertGrowing(
      ['PIECE_BYTES_MAX', 'api/history/streaming.ts'],
      ['PAGE_CHARACTERS_MAX', 'api/history/pages.ts'],
      ['PAGE_BYTES_MAX', 'api/routes/events.ts'],
      ['EVENT_BYTES_MAX', 'store/edge.ts'],
      ['KEPT_BYTES_MAX', 'api/history/shared.ts'],
      ['UNSENT_BYTES_MAX', 'api/history/unsent.ts'],
    );
    const pieces =
      limit('STREAMS_OPEN_MAX', 'api/history/streaming.ts') *
      limit('PIECE_BYTES_MAX', 'api/history/streaming.ts');
    expect(pieces).toBeLessThan(limit('UNSENT_BYTES_MAX', 'api/history/unsent.ts'));
    assertEqual(
      ['PAGE_EVENTS_MAX', 'api/history/pages.ts'],
      ['PAGE_EVENTS_MAX', 'store/sqlite/pages.ts'],
    );
    assertGrowing(
      ['PAGE_EVENTS_MAX', 'api/history/pages.ts'],
      ['PAGE_EVENTS_MAX', 'api/routes/events.ts'],
    );
  });

  it('what the deciding thread commits is a small part of a group, and the write-ahead log is kept as long as it may be', () => {
    assertGrowing(
      ['HERE_EVENTS_MAX', 'store/sqlite/place.ts'],
      ['GROUP_EVENTS_MAX', 'store/sqlite/sqlite.ts'],
    );
    assertGrowing(
      ['HERE_BYTES_MAX', 'store/sqlite/place.ts'],
      ['GROUP_BYTES_MAX', 'store/sqlite/sqlite.ts'],
    );
    assertEqual(
      ['WAL_KEPT_BYTES', 'server/open-log.ts'],
      ['WAL_KEPT_BYTES_MAX', 'store/sqlite/file.ts'],
    );
  });

  it('EventStoreDB’s answers may hold the largest event there, and an event there the largest append', () => {
    assertGrowing(
      ['appendBytesMax', 'store/eventstoredb/eventstoredb.ts'],
      ['EVENT_WIRE_BYTES_MAX', 'store/eventstoredb/eventstoredb.ts'],
      ['EVENT_BYTES_MAX', 'store/edge.ts'],
      ['MESSAGE_BYTES_MAX', 'store/eventstoredb/connection.ts'],
      ['PENDING_BYTES_MAX', 'store/eventstoredb/eventstoredb.ts'],
    );
  });
});

describe('times', () => {
  const seconds = (name: string, file: string) => limit(name, file) * 1_000;
  const held = limit('HELD_MS_MAX', 'api/open-requests.ts');

  it('a wait is answered before its board takes the connection for dead, or the connection is closed', () => {
    expect(held + limit('DRAIN_MS_MAX', 'api/open-requests.ts')).toBeLessThan(
      seconds('muster_silence_seconds', 'board/lib/muster.sh'),
    );
    assertGrowing(
      ['HELD_MS_MAX', 'api/open-requests.ts'],
      ['OWED_MS_MAX', 'api/refusals.ts'],
      ['KEEP_ALIVE_MS', 'api/http-server.ts'],
    );
    // Behind a worker, the server answers before the worker does.
    const byWorker = limit('HELD_MS_MAX', 'worker/board-door.ts');
    expect(held).toBeLessThan(byWorker);
    expect(byWorker).toBeLessThan(seconds('muster_silence_seconds', 'board/lib/muster.sh'));
  });

  it('a board whose connection broke is back, after a pause and a try in vain, before its wait is given up', () => {
    const grace = limit('RESUME_GRACE_MS', 'engine/waiters.ts');
    assertEqual(
      ['muster_connect_seconds', 'board/lib/call.sh'],
      ['muster_connect_seconds', 'board/lib/quick.bash'],
    );
    const connect = seconds('muster_connect_seconds', 'board/lib/call.sh');
    const pause = seconds('muster_retry_seconds', 'board/lib/call.sh');
    expect(connect + 2 * pause).toBeLessThan(grace);
    expect(limit('BUSY_TIMEOUT_MS', 'store/sqlite/file.ts')).toBeLessThan(grace);
  });

  it('a member that has ended is silent for longer than its last request is held', () => {
    expect(limit('SILENCE_MS', 'engine/engine.ts')).toBeGreaterThan(2 * held);
  });

  it('a followed stream speaks more often than its reader takes it for dead, or the server its reader', () => {
    const heartbeat = limit('HEARTBEAT_MS', 'api/history/event-stream.ts');
    expect(2 * heartbeat).toBeLessThan(limit('silenceMaxMs', 'cli/client.ts'));
    expect(2 * heartbeat).toBeLessThan(limit('STALLED_MS_MAX', 'api/history/streaming.ts'));
  });

  it('a worker’s word is renewed several times before it runs out, though the log is away for as long as it may be', () => {
    const left = limit('RENEW_BEFORE_MS', 'engine/worker-watch.ts');
    assertGrowing(
      ['ATTEMPT_MS', 'store/eventstoredb/connection.ts'],
      ['PATIENCE_MS', 'store/eventstoredb/patience.ts'],
      ['RENEW_BEFORE_MS', 'engine/worker-watch.ts'],
      ['WORKER_LEASE_MS', 'engine/worker-watch.ts'],
    );
    expect(left).toBeGreaterThan(3 * limit('PATIENCE_MS', 'store/eventstoredb/patience.ts'));
  });

  it('the longest timer of a job is one that its clock can set in steps, and its ends are exact integers', () => {
    const longest = limit('TIMEOUT_SECONDS_MAX', 'machines/names.ts') * 1_000;
    expect(Number.isSafeInteger(Date.UTC(2200, 0) + longest)).toBe(true);
    expect(limit('TIMER_MS_MAX', 'engine/clock.ts')).toBeLessThan(2 ** 31);
  });
});

function text(file: string): string {
  if (!existsSync(file)) throw new Error(`there is no ${file}`);
  return readFileSync(file, 'utf8');
}

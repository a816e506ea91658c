/** Crashes of the sqlite log: writers that are killed, and copies whose write-ahead log was cut or damaged. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordedEvent } from '../../machines/events.ts';
import { openLogFile } from '../../store/sqlite/file.ts';
import { eventsOf } from '../../store/sqlite/page.ts';
import { openSqliteStore, readable } from '../../store/sqlite/sqlite.ts';
import { SqliteLog } from '../../store/sqlite/tables.ts';
import { childArgs } from './disks.ts';
import { many, until } from './events.ts';
import { everyPlacing } from './placings.ts';

/** Numbers from 0 to below 1, the same ones for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** All of a log, read as after a crash; whatever is not whole in it is an error. */
export function logOf(file: string): RecordedEvent[] {
  const db = openLogFile(file);
  try {
    const log = new SqliteLog(db, readable);
    const all: RecordedEvent[] = [];
    for (let isLast = false, after = 0; !isLast; ) {
      const page = log.readAll({
        after,
        upTo: log.head,
        limit: Number.MAX_SAFE_INTEGER,
        needless: [],
      });
      const { events, fault } = eventsOf(page);
      if (fault !== undefined) throw fault;
      all.push(...events);
      after = page.last;
      isLast = page.isLast;
    }
    checkStreams(all);
    return all;
  } finally {
    db.close();
  }
}

/** Every stream has its events from the first on, and every append of two is whole. */
function checkStreams(events: readonly RecordedEvent[]): void {
  const versions = new Map<string, number>();
  for (const { stream, version } of events) {
    if (version !== (versions.get(stream) ?? 0) + 1)
      throw new Error(`${stream} has no event before ${version}`);
    versions.set(stream, version);
  }
  for (const [stream, version] of versions)
    if (version % 2 !== 0) throw new Error(`${stream} has half an append at ${version}`);
}

/** After it one line is enough: a loaded machine may not let a writer say more. */
const ROUND_MS_MAX = 20_000;

interface Said {
  id: string;
  stream: string;
  version: number;
}

/**
 * Kills a writer once it has acknowledged or heard that many events, and checks that all of them are in the log.
 *
 * @param where it commits: a name of `everyPlacing`
 * @returns how many were checked
 */
export async function killRound(
  file: string,
  round: number,
  lines: number,
  where: string,
): Promise<number> {
  const said = await killAfterLines(childArgs('append', file, String(round), where), lines);
  const log = new Map(logOf(file).map((event) => [event.id, event]));
  for (const { id, stream, version } of said) {
    const is = log.get(id);
    if (is?.stream !== stream || is.version !== version)
      throw new Error(`${stream} event ${version} (${id}) was acknowledged and is not in the log`);
  }
  return said.length;
}

/** What a child said, one JSON line each, until it was killed after that many lines. */
async function killAfterLines(args: string[], lines: number): Promise<Said[]> {
  const dir = mkdtempSync(join(tmpdir(), 'muster-said-'));
  const file = join(dir, 'said');
  const output = openSync(file, 'w');
  const child = spawn(process.execPath, args, { stdio: ['ignore', output, 'inherit'] });
  closeSync(output);
  const ended = once(child, 'exit');
  // Only whole lines count: the kill may cut the last one off.
  const said = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  try {
    const late = performance.now() + ROUND_MS_MAX;
    const enough = () => (performance.now() < late ? lines : 0);
    const isTime = () => child.exitCode !== null || said().length > enough();
    await until('the writer has said enough', isTime, 3 * ROUND_MS_MAX);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
  const all = said().map((line) => JSON.parse(line) as Said);
  rmSync(dir, { recursive: true, force: true });
  if (child.signalCode !== 'SIGKILL') throw new Error('the writer ended by itself');
  return all;
}

const WAL_HEADER_BYTES = 32;
const WAL_MAGIC_BYTES = 4;
const FRAME_HEADER_BYTES = 24;
const LANES = 4;
const APPENDS = 12;

/**
 * Writes a log, and takes copies of it as a crash of the machine may leave them: the write-ahead log cut at a random
 * byte, or a random bit of it turned. Each copy must open, and hold a prefix of the log that has all that was
 * acknowledged before that byte was written.
 */
export async function tornWal(
  dir: string,
  random: () => number,
  copies: number,
  where: string,
): Promise<{ copies: number; acknowledged: number }> {
  const file = join(dir, 'log.db');
  const store = await openSqliteStore({ file, placing: everyPlacing[where]?.() });
  const wal = `${file}-wal`;
  /** Each acknowledged event, with the size of the write-ahead log by then. */
  const acknowledged: { id: string; bytes: number }[] = [];
  const lane = async (stream: string) => {
    for (let at = 0; at < APPENDS; at += 1) {
      const events = many(2);
      await store.append(stream, at * 2, events);
      for (const { id } of events) acknowledged.push({ id, bytes: statSync(wal).size });
    }
  };
  try {
    await Promise.all(Array.from({ length: LANES }, (_, at) => lane(`lane-${at}`)));
    const bytes = readFileSync(wal);
    const main = readFileSync(file);
    const whole = logOf(copyOf(dir, main, bytes)).map(({ id }) => id);
    for (let copy = 0; copy < copies; copy += 1) {
      const place = Math.floor(random() * bytes.length);
      const isCut = random() < 0.5;
      // One that does not begin as a write-ahead log is refused: test/cli/damaged-log.long.test.ts.
      const at = isCut ? place : Math.max(WAL_MAGIC_BYTES, place);
      const torn = isCut ? bytes.subarray(0, at) : turned(bytes, at, random);
      const kept = logOf(copyOf(dir, main, torn)).map(({ id }) => id);
      const damage = `${isCut ? 'cut' : 'turned'} at byte ${at} of ${bytes.length}`;
      if (kept.some((id, place) => id !== whole[place])) throw new Error(`${damage}: no prefix`);
      const safe = isCut ? at : frameBegin(bytes, at);
      const has = new Set(kept);
      const lost = acknowledged.find((event) => event.bytes <= safe && !has.has(event.id));
      if (lost !== undefined) throw new Error(`${damage}: ${lost.id} was acknowledged and is lost`);
    }
    return { copies, acknowledged: acknowledged.length };
  } finally {
    await store.close();
  }
}

/** The file and its write-ahead log as they would be after the crash, in a folder of their own. */
function copyOf(dir: string, main: Uint8Array, wal: Uint8Array): string {
  const copy = mkdtempSync(join(dir, 'copy-'));
  const file = join(copy, 'log.db');
  writeFileSync(file, main);
  writeFileSync(`${file}-wal`, wal);
  return file;
}

function turned(bytes: Uint8Array, at: number, random: () => number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  return copy;
}

/** Where the frame begins that has this byte: a damaged frame and all after it do not count for SQLite. */
function frameBegin(wal: Buffer, at: number): number {
  if (at < WAL_HEADER_BYTES) return 0;
  const frameBytes = FRAME_HEADER_BYTES + wal.readUInt32BE(8);
  return at - ((at - WAL_HEADER_BYTES) % frameBytes);
}

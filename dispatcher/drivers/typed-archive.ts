/**
 * An archive typed at a board that has nothing but its console: in blocks that the board checks itself, each sent again
 * until it is whole. A block that came twice is the same block.
 */
import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { StepFailure } from '../failure.ts';
import { shellQuoted } from '../programs.ts';
import type { Dialogue } from './dialogue.ts';

/** A line of a console holds 4,095 characters. */
const BLOCK_BYTES = 1_800;
const OCTAL_BLOCK_BYTES = 600;
const BLOCK_MS = 10_000;
const BLOCK_TRIES_MAX = 8;

/** A board's shell, as far as blocks are sent to it. */
export interface TypedShell {
  talk: Dialogue;
  type(line: string): Promise<void>;
  /** Runs a line; its status. */
  run(line: string): Promise<number>;
}

/**
 * Brings an archive into the folder `.in` of `home`.
 *
 * @returns the command of the board that prints it
 * @throws StepFailure `install-failed`
 */
export async function typeArchive(
  shell: TypedShell,
  home: string,
  archive: Buffer,
): Promise<string> {
  const has = async (program: string) =>
    (await shell.run(`command -v ${program} >/dev/null 2>&1`)) === 0;
  if (!(await has('tar'))) throw new StepFailure('install-failed', 'the board has no tar');
  const check = await firstOf(CHECKS, ({ program }) => has(program));
  if (check === undefined)
    throw new StepFailure('install-failed', 'the board has no program that sums up bytes');
  const folder = shellQuoted(`${home}/.in`);
  await shell.run(`rm -rf ${folder};mkdir -p ${folder}`);
  const isPacked = await has('gzip');
  const bytes = isPacked ? gzipSync(archive) : archive;
  const inBase64 = await has('base64');
  const size = inBase64 ? BLOCK_BYTES : OCTAL_BLOCK_BYTES;
  for (let at = 0, index = 0; at < bytes.length; at += size, index += 1) {
    const block = bytes.subarray(at, at + size);
    const text = inBase64 ? block.toString('base64') : octal(block);
    const place = `${folder}/${String(index).padStart(8, '0')}`;
    const how = { check, decode: inBase64 ? '|base64 -d' : '', format: inBase64 ? '%s' : '%b' };
    await sendBlock(shell, text, how, place);
  }
  return `cat ${folder}/*${isPacked ? '|gzip -dc' : ''}`;
}

async function sendBlock(
  { talk, type }: TypedShell,
  text: string,
  { check, decode, format }: { check: Check; decode: string; format: string },
  place: string,
): Promise<void> {
  const sum = check.of(Buffer.from(text));
  for (let tried = 0; tried < BLOCK_TRIES_MAX; tried += 1) {
    const word = randomBytes(4).toString('hex');
    await type(
      `b='${text}';[ "$(printf %s "$b"|${check.program})" = "${sum}" ]&&printf ${format} "$b"${decode}>${place};` +
        `echo '<MUSTER_BOARD_BLOCK '"${word} $?>"`,
    );
    const said = await talk.expect([new RegExp(`<MUSTER_BOARD_BLOCK ${word} (\\d+)>`)], BLOCK_MS);
    if (said?.match[1] === '0') return;
    // What was cut short may still wait for its second quote.
    if (said === undefined) await type("'");
  }
  throw new StepFailure(
    'install-failed',
    `the board does not read its console right: a block failed ${BLOCK_TRIES_MAX} times`,
  );
}

/** A program of the board, and what it prints of its input. */
interface Check {
  program: string;
  of(bytes: Buffer): string;
}

const digest = (algorithm: string) => (bytes: Buffer) =>
  `${createHash(algorithm).update(bytes).digest('hex')}  -`;

/** Not every small board has the same; POSIX has the first. */
const CHECKS: readonly Check[] = [
  { program: 'cksum', of: posixSum },
  { program: 'md5sum', of: digest('md5') },
  { program: 'sha256sum', of: digest('sha256') },
];

async function firstOf<T>(
  all: readonly T[],
  holds: (one: T) => Promise<boolean>,
): Promise<T | undefined> {
  for (const one of all) if (await holds(one)) return one;
  return undefined;
}

/** What `printf %b` of any shell makes bytes of. */
const octal = (block: Buffer): string =>
  [...block].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('');

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit += 1)
    value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value >>> 0;
});

/** What `cksum` prints of its input (POSIX): the sum, and how many bytes there are. */
export function posixSum(bytes: Buffer): string {
  let sum = 0;
  const take = (byte: number) => {
    sum = ((sum << 8) ^ (TABLE[((sum >>> 24) ^ byte) & 255] ?? 0)) >>> 0;
  };
  for (const byte of bytes) take(byte);
  for (let length = bytes.length; length > 0; length = Math.floor(length / 256)) take(length & 255);
  return `${~sum >>> 0} ${bytes.length}`;
}

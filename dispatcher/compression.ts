/** How files are packed, told by their first bytes, and streams that unpack them. */
import { spawn } from 'node:child_process';
import { Duplex, PassThrough, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { lastLine } from './programs.ts';

export type Compression = 'gzip' | 'xz' | 'zstd';

const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
];

/** `undefined`: it is not packed, as far as we know. */
export const compressionOf = (head: Buffer): Compression | undefined =>
  MAGIC.find(([, magic]) => head.subarray(0, magic.length).equals(Buffer.from(magic)))?.[0];

/** What is written comes out unpacked. `mark`: in the environment of a program, so that it is found after a crash. */
export const decompressor = (kind: Compression, mark: Record<string, string>): Duplex =>
  kind === 'gzip' ? createGunzip() : throughProgram(kind, mark);

/** The first bytes of a stream (fewer when it is shorter), and a stream that still has them. */
export async function beginning(
  source: Readable,
  bytes: number,
): Promise<{ head: Buffer; whole: Readable }> {
  const iterator: AsyncIterator<Uint8Array> = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < bytes) {
    const next = await iterator.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield head;
      for (let next = await iterator.next(); !next.done; next = await iterator.next())
        yield next.value;
    } finally {
      source.destroy();
    }
  }
  return { head, whole: Readable.from(all(), { objectMode: false }) };
}

/** `xz -dc` or `zstd -dc` as a stream. */
function throughProgram(program: 'xz' | 'zstd', mark: Record<string, string>): Duplex {
  const child = spawn(program, ['-dc'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...mark },
  });
  const plain = new PassThrough();
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('latin1')).slice(-4_096);
  });
  // Why it takes no more is said by its end.
  child.stdin.on('error', () => undefined);
  child.stdout.pipe(plain, { end: false });
  child.once('error', (error) =>
    plain.destroy(new Error(`${program} cannot be run: ${error.message}`)),
  );
  child.once('close', (status) => {
    if (status === 0) plain.end();
    else plain.destroy(new Error(`${program}: ${lastLine(stderr) || `status ${status}`}`));
  });
  plain.once('close', () => child.kill('SIGKILL'));
  return Duplex.from({ writable: child.stdin, readable: plain });
}

import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ObjectDamaged, Objects } from '../../store/objects.ts';
import { StoreUnavailable } from '../../store/port.ts';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'muster-objects-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'objects');
}

async function* inChunks(bytes: Buffer, size = 1000) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(objects: Objects, digest: string): Promise<Buffer | undefined> {
  const content = await objects.get(digest);
  if (content === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const filesIn = (dir: string) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

describe('what is kept', () => {
  it.each([0, 1, 999, 1000, 64 * 1024, 64 * 1024 + 1, 300_000])(
    'comes back byte for byte under its digest: %i bytes',
    async (size) => {
      const objects = await Objects.open(newFolder());
      const bytes = Buffer.alloc(size, 'some bytes\0\xff', 'latin1');
      const kept = await objects.put(inChunks(bytes), 1_000_000);
      expect(kept).toEqual({ digest: sha256(bytes), bytes: size });
      expect(await read(objects, sha256(bytes))).toEqual(bytes);
    },
  );

  it('is one file, however often and however many at once hand it in', async () => {
    const dir = newFolder();
    const objects = await Objects.open(dir);
    const bytes = Buffer.alloc(5_000, 'x');
    await Promise.all(Array.from({ length: 20 }, () => objects.put(inChunks(bytes), 10_000)));
    await objects.put(inChunks(bytes), 10_000);
    expect(filesIn(dir)).toEqual([sha256(bytes)]);
    expect(await read(objects, sha256(bytes))).toEqual(bytes);
  });

  it('is for its owner alone', async () => {
    const dir = newFolder();
    const kept = await (await Objects.open(dir)).put(inChunks(Buffer.from('x')), 10);
    if (kept === 'too-large') throw new Error('it has one byte');
    const file = join(dir, kept.digest.slice(0, 2), kept.digest);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is nothing where there is more of it than may be, to the byte', async () => {
    const dir = newFolder();
    const objects = await Objects.open(dir);
    expect(await objects.put(inChunks(Buffer.alloc(5_001)), 5_000)).toBe('too-large');
    expect(filesIn(dir)).toEqual([]);
    expect(await objects.put(inChunks(Buffer.alloc(5_000)), 5_000)).toMatchObject({ bytes: 5_000 });
  });

  it('is nothing where whoever hands it in breaks off, and that is said as it was', async () => {
    const dir = newFolder();
    const objects = await Objects.open(dir);
    async function* breaking() {
      yield Buffer.from('half');
      throw new Error('the board was switched off');
    }
    await expect(objects.put(breaking(), 1_000)).rejects.toThrow('the board was switched off');
    expect(filesIn(dir)).toEqual([]);
  });

  it('is whole or not there when the process is killed in the middle', async () => {
    const dir = newFolder();
    const child = fork(new URL('./object-child.ts', import.meta.url), [dir], {
      execArgv: ['--import', 'tsx'],
    });
    await once(child, 'message');
    expect(filesIn(dir)).toHaveLength(1);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await Objects.open(dir);
    expect(filesIn(dir)).toEqual([]);
  });

  it('that is damaged is noticed before the last of it is read, and mended when it is handed in again', async () => {
    const dir = newFolder();
    const objects = await Objects.open(dir);
    const bytes = Buffer.alloc(200_000, 'good');
    const digest = sha256(bytes);
    const file = join(dir, digest.slice(0, 2), digest);
    for (const damage of [
      (is: Buffer) => is.fill('b', 100, 101),
      (is: Buffer) => is.subarray(0, 150_000),
      (is: Buffer) => Buffer.concat([is, Buffer.from('more')]),
      () => Buffer.alloc(0),
    ]) {
      await objects.put(inChunks(bytes), 1_000_000);
      expect(await read(objects, digest)).toEqual(bytes);
      writeFileSync(file, damage(readFileSync(file)));
      let came = 0;
      const reading = async () => {
        for await (const chunk of (await objects.get(digest)) ?? []) came += chunk.length;
      };
      await expect(reading()).rejects.toThrow(ObjectDamaged);
      expect(came).toBeLessThan(bytes.length);
    }
  });

  it('is found by a digest and by nothing else', async () => {
    const dir = newFolder();
    const objects = await Objects.open(dir);
    writeFileSync(join(dir, '..', 'secret'), 'secret');
    for (const name of [
      '../secret',
      '',
      'aa',
      'A'.repeat(64),
      `${'a'.repeat(63)}/`,
      'a'.repeat(64),
    ])
      expect(await objects.get(name)).toBeUndefined();
  });

  it('a folder that cannot be written to is told as such', async ({ skip }) => {
    if (process.getuid?.() === 0) skip('root may write everywhere');
    const dir = newFolder();
    const objects = await Objects.open(dir);
    chmodSync(dir, 0o500);
    await expect(objects.put(inChunks(Buffer.from('x')), 10)).rejects.toThrow(StoreUnavailable);
    chmodSync(dir, 0o700);
  });

  it('a folder that is taken away is told as such', async () => {
    const dir = newFolder();
    const objects = await Objects.open(dir);
    rmSync(dir, { recursive: true });
    writeFileSync(dir, 'a file in its place');
    await expect(objects.put(inChunks(Buffer.from('x')), 10)).rejects.toThrow(StoreUnavailable);
  });
});

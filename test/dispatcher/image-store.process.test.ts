/** Images as files on the worker: kept by their digest, within a size, and nothing is left of what did not come whole. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { ImageStore } from '../../dispatcher/drivers/image-store.ts';
import { isDiskFull } from '../../dispatcher/failure.ts';
import { mountSmallDisk } from '../store/disks.ts';
import { skipBecause } from '../store/events.ts';
import { SOURCE_LIMITS } from './limits.ts';

let folder: string;
const notes: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-images-'));
  notes.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const store = (bytesMax?: number, dataDir = folder) =>
  new ImageStore(
    {
      ...{ allowFiles: [folder], dataDir, fetchMark: {} },
      limits: { consoleBytes: 1, bootSeconds: 1, ...SOURCE_LIMITS },
    },
    bytesMax,
  );
const order = (url: string, to: string) => ({
  ...{ url, to: join(folder, 'board', to), signal: new AbortController().signal },
  note: async (line: string) => void notes.push(line),
});
const sumOf = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');
const kept = (dataDir = folder) => readdirSync(join(dataDir, 'images')).sort();
const given = (to: string) => readFileSync(join(folder, 'board', to), 'utf8');

/** A server of images that counts what it is asked. */
async function imagesOf(files: Record<string, Buffer>) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(files[request.url ?? '']);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('an image', () => {
  test('whose digest is named is fetched once, unpacked, and every board has a file of its own', async () => {
    const packed = gzipSync('the image\n');
    const { asked, url } = await imagesOf({ '/image.gz': packed });
    const named = `${url}/image.gz#sha256=${sumOf(packed)}`;
    await store().bring(order(named, 'a'));
    await store().bring(order(named, 'b'));
    expect([given('a'), given('b')]).toEqual(['the image\n', 'the image\n']);
    expect(asked).toEqual(['/image.gz']);
    expect(notes).toEqual([expect.stringMatching(/is here already$/)]);
    expect(kept()).toEqual([`sha256-${sumOf(packed)}`]);
  });

  test('without a digest is fetched each time: it may be another one by then', async () => {
    const files = { '/image': Buffer.from('one') };
    const { asked, url } = await imagesOf(files);
    await store().bring(order(`${url}/image`, 'a'));
    files['/image'] = Buffer.from('two');
    await store().bring(order(`${url}/image`, 'a'));
    expect(given('a')).toBe('two');
    expect(asked).toHaveLength(2);
  });

  test('with another digest is refused, and nothing of it is kept or given', async () => {
    const { url } = await imagesOf({ '/image': Buffer.from('x') });
    const wrong = `${url}/image#sha256=${'0'.repeat(64)}`;
    await expect(store().bring(order(wrong, 'a'))).rejects.toMatchObject({ code: 'image-broken' });
    expect(kept()).toEqual([]);
    expect(existsSync(join(folder, 'board/a'))).toBe(false);
  });

  test('that was used longest ago is given up beyond the size, and a board that has it keeps it', async () => {
    const files = Object.fromEntries(
      ['1', '2', '3'].map((name) => [`/${name}`, Buffer.alloc(100_000, name)]),
    );
    const { url } = await imagesOf(files);
    const small = store(250_000);
    for (const name of ['1', '2']) await small.bring(order(`${url}/${name}`, name));
    const first = `sha256-${sumOf(files['/1'] ?? '')}`;
    await small.bring(order(`${url}/1#sha256=${first.slice(7)}`, 'again'));
    await small.bring(order(`${url}/3`, '3'));
    expect(kept()).toContain(first);
    expect(kept()).toHaveLength(2);
    expect(given('2')).toBe('2'.repeat(100_000));
  });

  test('that two boards ask for at once is whole on both', async () => {
    const bytes = Buffer.alloc(3_000_000, 'x');
    const { url } = await imagesOf({ '/image': bytes });
    const named = `${url}/image#sha256=${sumOf(bytes)}`;
    const one = store();
    await Promise.all(['a', 'b', 'c'].map((to) => one.bring(order(named, to))));
    for (const to of ['a', 'b', 'c']) expect(sumOf(given(to))).toBe(sumOf(bytes));
    expect(kept()).toEqual([`sha256-${sumOf(bytes)}`]);
  });

  test('that fills the disk is refused for that, nothing of it is left, and the next one fits', async (context) => {
    const place = join(folder, 'small');
    mkdirSync(place);
    const disk = mountSmallDisk(place, 512);
    if ('lacks' in disk) return skipBecause(context, disk.lacks);
    try {
      // A tenth of it is sent: it is what it becomes that does not fit.
      const { url } = await imagesOf({
        '/large.gz': gzipSync(Buffer.alloc(5_000_000)),
        '/small': Buffer.from('fits'),
      });
      const on = (name: string) => ({
        ...order(`${url}/${name}`, name),
        to: join(place, 'board', name),
      });
      const failure = await store(undefined, place)
        .bring(on('large.gz'))
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({
        code: 'image-too-large',
        message: expect.stringMatching(/large\.gz: the worker's disk is full$/),
      });
      expect(isDiskFull(failure)).toBe(true);
      expect(kept(place)).toEqual([]);
      await store(undefined, place).bring(on('small'));
      expect(readFileSync(join(place, 'board/small'), 'utf8')).toBe('fits');
    } finally {
      disk.unmount();
    }
  });

  test('of which an earlier life brought a part is swept away, and whole ones stay', async () => {
    mkdirSync(join(folder, 'images'));
    for (const name of ['part-0123456789ab', `sha256-${'0'.repeat(64)}`])
      writeFileSync(join(folder, 'images', name), 'x');
    await store().sweep();
    expect(kept()).toEqual([`sha256-${'0'.repeat(64)}`]);
  });
});

/** Checkpoints: replaced as a whole, and worth nothing when they cannot be read. */
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Checkpoints, fileCheckpoints, memoryCheckpoints } from '../../store/checkpoints.ts';
import { mountSmallDisk } from './disks.ts';
import { skipBecause, type Undo, undoAll } from './events.ts';

const undo: Undo = [];
afterEach(() => undoAll(undo));

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'muster-checkpoints-'));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const adapters: [string, () => Checkpoints][] = [
  ['memory', memoryCheckpoints],
  ['file', () => fileCheckpoints(join(newFolder(), 'made-when-missing'))],
];

describe.each(adapters)('checkpoints in %s', (_name, open) => {
  it('give back the last value of each name, and undefined for none', async () => {
    const checkpoints = open();
    expect(await checkpoints.load('queue')).toBeUndefined();
    await checkpoints.save('queue', { position: 1, waiting: ['ü'] });
    await checkpoints.save('jobs', null);
    await checkpoints.save('queue', { position: 2 });
    expect(await checkpoints.load('queue')).toEqual({ position: 2 });
    expect(await checkpoints.load('jobs')).toBeNull();
  });
  it('share nothing with the caller', async () => {
    const checkpoints = open();
    const value = { seen: [1] };
    await checkpoints.save('jobs', value);
    value.seen.push(2);
    expect(await checkpoints.load('jobs')).toEqual({ seen: [1] });
  });
  it('keep the value that was saved last when saves overlap', async () => {
    const checkpoints = open();
    await Promise.all(Array.from({ length: 20 }, (_, n) => checkpoints.save('jobs', n)));
    expect(await checkpoints.load('jobs')).toBe(19);
  });
  it('refuse a name that is no plain file name', async () => {
    const checkpoints = open();
    for (const name of ['', '..', '../x', 'a/b', '.hidden', 'x'.repeat(101)]) {
      await expect(checkpoints.save(name, 1)).rejects.toThrow(RangeError);
      await expect(checkpoints.load(name)).rejects.toThrow(RangeError);
    }
  });
});

it('counts a file that is torn at any byte as none', async () => {
  const dir = newFolder();
  const checkpoints = fileCheckpoints(dir);
  for (const value of [12_345, { position: 12_345 }, 'text', [1, 2]]) {
    await checkpoints.save('jobs', value);
    const file = join(dir, 'jobs.json');
    for (let size = readFileSync(file).length - 1; size >= 0; size -= 1) {
      truncateSync(file, size);
      expect(await checkpoints.load('jobs')).toBeUndefined();
    }
  }
  for (const text of ['null', '[]', '5', '{}', '\0\0\0\0']) {
    writeFileSync(join(dir, 'jobs.json'), text);
    expect(await checkpoints.load('jobs')).toBeUndefined();
  }
});

it('leaves nothing beside the files, and takes over what a crash left', async () => {
  const dir = newFolder();
  writeFileSync(join(dir, 'jobs.json.new'), '{"val');
  const checkpoints = fileCheckpoints(dir);
  await checkpoints.save('jobs', 1);
  expect(readdirSync(dir)).toEqual(['jobs.json']);
  expect(await fileCheckpoints(dir).load('jobs')).toBe(1);
});

it('on a full disk keeps the value before, says so, and goes on when there is room', async (context) => {
  const found = mountSmallDisk(newFolder(), 256);
  if ('lacks' in found) return skipBecause(context, found.lacks);
  undo.push(found.unmount);
  const checkpoints = fileCheckpoints(found.dir);
  await checkpoints.save('jobs', 'before');
  const large = 'x'.repeat(300 * 1024);
  await expect(checkpoints.save('jobs', large)).rejects.toMatchObject({
    code: 'store-unavailable',
    message: expect.stringContaining('make room'),
  });
  expect(await checkpoints.load('jobs')).toBe('before');
  expect(readdirSync(found.dir)).toEqual(['jobs.json']);
  await checkpoints.save('jobs', 'after');
  expect(await checkpoints.load('jobs')).toBe('after');
});

it('refuses to save where it may not write, with the reason', async (context) => {
  if (process.getuid?.() === 0) return skipBecause(context, 'root may write everywhere');
  const dir = newFolder();
  chmodSync(dir, 0o555);
  await expect(fileCheckpoints(dir).save('jobs', 1)).rejects.toMatchObject({
    code: 'store-unavailable',
  });
});

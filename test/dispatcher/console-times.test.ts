// When the bytes of a console came: the index beside its file.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConsoleTimes } from '../../dispatcher/console-times.ts';
import { timesFile } from '../../wire/console-index.ts';

let folder: string;
let file: string;
let now = 1_000;
const index = () =>
  readFileSync(timesFile(file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ').map(Number));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-times-'));
  file = join(folder, '7', 'panda01.console');
  now = 1_000;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the index of a console', () => {
  it('says by when each byte had come', async () => {
    const times = new ConsoleTimes(() => now);
    await times.watch(file);
    appendFileSync(file, 'one\n');
    await vi.waitFor(() => expect(index()).toEqual([[4, 1_000]]));
    now = 2_500;
    appendFileSync(file, 'two\nthree\n');
    await vi.waitFor(() =>
      expect(index()).toEqual([
        [4, 1_000],
        [14, 2_500],
      ]),
    );
    now = 2_600;
    appendFileSync(file, '!');
    await times.stop();
    expect(index().at(-1)).toEqual([15, 2_600]);
  });

  it('goes on after a restart: what came while nobody looked, came by then', async () => {
    const before = new ConsoleTimes(() => now);
    await before.watch(file);
    appendFileSync(file, 'one\n');
    await before.stop();
    appendFileSync(file, 'two\n');
    now = 9_000;
    const after = new ConsoleTimes(() => now);
    await after.watch(file);
    await after.stop();
    expect(index()).toEqual([
      [4, 1_000],
      [8, 9_000],
    ]);
  });

  it('survives a line that a crash has torn, and a clock that is set back', async () => {
    const times = new ConsoleTimes(() => now);
    await times.watch(file);
    appendFileSync(file, 'one\n');
    await times.stop();
    writeFileSync(timesFile(file), '4 1000\n8 10');
    appendFileSync(file, 'two\n');
    const after = new ConsoleTimes(() => now);
    now = 5_000;
    await after.watch(file);
    now = 4_000;
    appendFileSync(file, 'three\n');
    await after.stop();
    expect(readFileSync(timesFile(file), 'utf8')).toBe('4 1000\n8 10\n8 5000\n14 5000\n');
  });

  it('is not written where that cannot be, and nothing else minds', async () => {
    const times = new ConsoleTimes(() => now);
    writeFileSync(join(folder, 'no-folder'), '');
    await times.watch(join(folder, 'no-folder', 'a.console'));
    await times.stop();
  });
});

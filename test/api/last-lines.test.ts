// What boards printed last, beside a job's members and beside those whom a barrier misses.
import { describe, expect, it } from 'vitest';
import type { ConsoleReader } from '../../answers/evidence.ts';
import { withLastLines, withMissingLines } from '../../api/last-lines.ts';
import type { BarrierView, JobView } from '../../projections/views.ts';

const T = Date.parse('2026-08-01T12:00:00.000Z');
const iso = (ms: number) => new Date(T + ms).toISOString();

/** Prints `<name> <n>` at n seconds, for ten seconds. */
const consoleOf = (name: string): ConsoleReader => {
  const lines = Array.from({ length: 10 }, (_, n) => `${name} ${n}\n`);
  const bytes = Buffer.from(lines.join(''));
  const width = lines[0]!.length;
  return {
    bytes: bytes.length,
    read: async (from, to) => bytes.subarray(from, to),
    timeAt: async (offset) => T + Math.floor(offset / width) * 1_000,
    offsetAt: async (time) => Math.min(10, Math.floor((time - T) / 1_000) + 1) * width,
  };
};
const silent: ConsoleReader = {
  bytes: 0,
  read: async () => Buffer.alloc(0),
  timeAt: async () => undefined,
  offsetAt: async () => undefined,
};

describe('the last lines of a job', () => {
  const member = { role: 'r', doing: 'waits' };
  const job = {
    members: [
      { ...member, device: 'done', state: 'complete', endedAt: iso(3_000) },
      { ...member, device: 'live', state: 'waiting' },
      { ...member, device: 'dead', state: 'failed', endedAt: iso(3_000) },
      { ...member, device: 'mute', state: 'failed', endedAt: iso(3_000) },
    ],
  } as unknown as JobView;

  it('are of each member that is not complete: now, or as it ended', async () => {
    const open = (device: string) => (device === 'mute' ? silent : consoleOf(device));
    const { members } = await withLastLines(job, open);
    expect(members.map(({ lastLine }) => lastLine)).toEqual([
      undefined,
      { text: 'live 9', at: iso(9_000) },
      { text: 'dead 3', at: iso(3_000) },
      undefined,
    ]);
  });
});

describe('the last lines of a barrier', () => {
  const barrier = (waits: object[], released = false) =>
    ({ missing: ['b', 'c'], released, waits }) as unknown as BarrierView;
  const linesOf = async (is: BarrierView) =>
    (await withMissingLines([is], (device) => (device === 'c' ? silent : consoleOf(device))))[0]
      ?.lastLines;

  it('are of those who are missing: now while somebody waits, else as its last wait ended', async () => {
    const over = { outcome: 'timedOut', endedAt: iso(5_000) };
    expect(await linesOf(barrier([over]))).toEqual([{ member: 'b', text: 'b 5', at: iso(5_000) }]);
    expect(await linesOf(barrier([over, { outcome: 'open' }]))).toEqual([
      { member: 'b', text: 'b 9', at: iso(9_000) },
    ]);
  });

  it('are nobody’s once it was released', async () => {
    expect(await linesOf(barrier([{ outcome: 'released' }], true))).toBeUndefined();
  });
});

// The last line that a board had printed by a place of its console.
import { describe, expect, it } from 'vitest';
import type { ConsoleReader } from '../../answers/evidence.ts';
import { lastLine } from '../../answers/last-line.ts';

const consoleOf = (text: string): ConsoleReader => {
  const bytes = Buffer.from(text);
  return {
    bytes: bytes.length,
    read: async (from, to) => bytes.subarray(from, to),
    timeAt: async (offset) => 1_000 + offset,
    offsetAt: async () => undefined,
  };
};
const textOf = async (text: string, to?: number) => (await lastLine(consoleOf(text), to))?.text;

describe('the last line of a console', () => {
  it('is what the board printed, with its place and when it had come', async () => {
    const text = 'one\n+ lava-sync ready\n';
    expect(await lastLine(consoleOf(text))).toEqual({
      text: '+ lava-sync ready',
      offset: 4,
      at: 1_000 + text.length - 2,
    });
  });

  it('is not one of ours, no mark, and not an empty one', async () => {
    const ours =
      'muster: booting host:\n<LAVA_SIGNAL_STARTRUN 0_a f00d>\n\n  \n<MUSTER_BOARD_READY a>\n';
    expect(await textOf(`# it works\n${ours}`)).toBe('# it works');
    expect(await textOf(ours)).toBeUndefined();
    expect(await textOf('')).toBeUndefined();
  });

  it('is an open line too, without colours, and what a progress bar wrote last', async () => {
    expect(await textOf('a\n\u001b[1mlogin:\u001b[0m')).toBe('login:');
    expect(await textOf('a\n10 %\r50 %\r99 %\r\n')).toBe('99 %');
  });

  it('is as it was by a place', async () => {
    expect(await textOf('one\ntwo\nthree\n', 8)).toBe('two');
    expect(await textOf('one\ntwo\nthree\n', 0)).toBeUndefined();
  });

  it('is cut where it is long, and looked for near the end only', async () => {
    expect((await textOf('x'.repeat(50_000)))?.length).toBe(200);
    expect(await textOf(`far\n${'muster: x\n'.repeat(5_000)}`)).toBeUndefined();
  });
});

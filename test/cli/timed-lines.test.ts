// Consoles with the times of their lines, merged by time.
import { describe, expect, it } from 'vitest';
import {
  merged,
  renderTimedLine,
  type TimedLine,
  timedLines,
} from '../../cli/pages/timed-lines.ts';

async function* bytesOf(...chunks: string[]) {
  for (const chunk of chunks) yield Buffer.from(chunk);
}
async function listOf(lines: AsyncIterable<TimedLine>): Promise<TimedLine[]> {
  const list: TimedLine[] = [];
  for await (const line of lines) list.push(line);
  return list;
}

describe('the lines of a console', () => {
  it('have the times at which their ends came, however its bytes come', async () => {
    const index = '4 1000\n12 2000\n';
    const lines = [
      { who: 'a', text: 'one', at: 1_000 },
      { who: 'a', text: 'two', at: 2_000 },
      { who: 'a', text: 'thr', at: 2_000 },
      { who: 'a', text: 'ee', at: undefined },
    ];
    for (const chunks of [['on', 'e\ntwo\nthr', '\nee'], ['one\ntwo\nthr\nee']])
      expect(await listOf(timedLines('a', bytesOf(...chunks), index))).toEqual(lines);
  });

  it('without an index have no time, or that at which they came here', async () => {
    expect(await listOf(timedLines('a', bytesOf('x\r\ny'), ''))).toEqual([
      { who: 'a', text: 'x', at: undefined },
      { who: 'a', text: 'y', at: undefined },
    ]);
    const told = await listOf(timedLines('a', bytesOf('x\ny\n'), '2 1000\n', () => 7_000));
    expect(told.map(({ at }) => at)).toEqual([1_000, 7_000]);
  });

  it('that are long come in parts', async () => {
    const told = await listOf(timedLines('a', bytesOf('x'.repeat(100_000)), ''));
    expect(told.map(({ text }) => text.length)).toEqual([65_536, 34_464]);
  });
});

describe('several consoles as one', () => {
  const lines = async function* (who: string, ...times: (number | undefined)[]) {
    for (const at of times) yield { who, text: String(at), at };
  };

  it('are by time, at the same time in their order, and what has no time stays where it stood', async () => {
    const told = await listOf(
      merged([lines('log', 1, 5), lines('a', 2, undefined, 5), lines('b', 1, 4)]),
    );
    expect(told.map(({ who, text }) => `${who} ${text}`)).toEqual([
      'log 1',
      'b 1',
      'a 2',
      'a undefined',
      'b 4',
      'log 5',
      'a 5',
    ]);
  });

  it('say who speaks, and let no board move the cursor', () => {
    const at = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
    expect(renderTimedLine({ who: 'p1', text: 'a\u001b[2Jb', at }, 4)).toBe(
      '03:04:05.006  p1    a\\u{1b}[2Jb\n',
    );
    expect(renderTimedLine({ who: '', text: 'is complete' }, 4)).toBe(
      '              ----  is complete\n',
    );
  });
});

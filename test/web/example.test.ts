/** The page's example is a job that the lab can run. */
import { describe, expect, it } from 'vitest';
import { parseJob } from '../../submission/job.ts';
import { exampleFor } from '../../web/submit/example.ts';

const boards = (...types: string[]) => types.map((type) => ({ type, state: 'idle' as const }));

/** How many boards of each type it wants. */
function wantedBy(text: string): Record<string, number> {
  const parsed = parseJob(text);
  if (!('definition' in parsed)) throw new Error(JSON.stringify(parsed));
  const wanted: Record<string, number> = {};
  for (const { deviceType = '', count } of parsed.definition.roles)
    wanted[deviceType] = (wanted[deviceType] ?? 0) + count;
  return wanted;
}

describe('the example of a job', () => {
  it('is for two boards of two types where a lab has two', () => {
    expect(wantedBy(exampleFor(boards('b', 'a', 'b', 'c')))).toEqual({ b: 1, a: 1 });
  });

  it('is for two boards of the one type that there is, and for one board where there is one', () => {
    expect(wantedBy(exampleFor(boards('a-"b"', 'a-"b"')))).toEqual({ 'a-"b"': 2 });
    expect(wantedBy(exampleFor(boards('a')))).toEqual({ a: 1 });
  });

  it('counts no board that is retired, and is a job where there are none', () => {
    const retired = { type: 'x', state: 'retired' as const };
    expect(wantedBy(exampleFor([retired, ...boards('a')]))).toEqual({ a: 1 });
    expect(wantedBy(exampleFor([retired]))).toEqual({ panda: 2 });
  });
});

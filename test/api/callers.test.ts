// What a board says of who called a verb, as the server reads it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCallers } from '../../api/callers.ts';
import { Callers } from '../../machines/events.ts';

describe('who called a verb', () => {
  it('is read, the nearest program first', () => {
    expect(readCallers('72~bash&-ex&/lava-1/0/0_a/run.sh;~sh&-c&lava-send+%27x+y%27')).toEqual([
      { argv: ['bash', '-ex', '/lava-1/0/0_a/run.sh'], read: 72 },
      { argv: ['sh', '-c', "lava-send 'x y'"] },
    ]);
    expect(readCallers('~a%26%3B%2B%25&%C3%A9')).toEqual([{ argv: ['a&;+%', 'é'] }]);
  });

  it('is cut where it is long, and keeps no secret of an address', () => {
    const [caller, ...more] =
      readCallers(`~${'x'.repeat(300)}${'&y'.repeat(30)}${';~z'.repeat(20)}`) ?? [];
    expect(caller?.argv.map(({ length }) => length)).toEqual([200, ...Array(15).fill(1)]);
    expect(more).toHaveLength(7);
    expect(readCallers('~git&clone&https://me:hunter2@host/x')?.[0]?.argv.join(' ')).not.toContain(
      'hunter2',
    );
  });

  it('is left out where it cannot be read', () => {
    for (const nothing of [undefined, '', 'bash', 'x~y', '12~', ['~a'], ';;'])
      expect(readCallers(nothing)).toBeUndefined();
    expect(readCallers('junk;3~sh')).toEqual([{ argv: ['sh'], read: 3 }]);
  });

  it('is what an event may say, whatever came', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const callers = readCallers(text);
        if (callers !== undefined) expect(Callers.parse(callers)).toEqual(callers);
      }),
    );
  });
});

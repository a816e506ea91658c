import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchesGlob } from '../../api/glob.ts';

it.each([
  ['wifi*', 'wifi-throughput', true],
  ['wifi*', 'wifi', true],
  ['wifi*', 'a wifi', false],
  ['*wifi*', 'a wifi b', true],
  ['w?fi', 'wifi', true],
  ['w?fi', 'wfi', false],
  ['*', '', true],
  ['', '', true],
  ['', 'a', false],
  ['a.c', 'abc', false],
  ['[a]', '[a]', true],
  ['*a*b', 'xaxbxab', true],
  ['*a*b', 'xaxbxa', false],
  ['WIFI', 'wifi', false],
])('the pattern %j and the name %j: %s', (pattern, text, is) => {
  expect(matchesGlob(pattern, text)).toBe(is);
});

it('a pattern says what the regular expression of the same meaning says', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
  const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
  fc.assert(
    fc.property(word, name, (pattern, text) => {
      const same = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
      expect(matchesGlob(pattern, text)).toBe(same.test(text));
    }),
    { numRuns: 1_000 },
  );
});

it('a pattern of many stars is answered at once', () => {
  expect(matchesGlob(`${'a*'.repeat(100)}b`, 'a'.repeat(100_000))).toBe(false);
});

// Property: whatever words a script has (any text but NUL), the server gets exactly these.
import fc from 'fast-check';
import { describe } from 'vitest';
import type { FakeServer } from './fake-server.ts';
import { type Board, boardTest, pairs, shellsOnly, usable } from './shells.ts';

const runsEach = 25;

/** Text that leans on what shells and encoders trip over, and on bytes 0x81..0x88 inside UTF-8. */
const word = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replaceAll('\0', '')),
  fc
    .array(
      fc.constantFrom(
        ...['%', '%25', '%0A', '\n', '\\', '\\n', '"', "'", '`', '$HOME', '*', '?', '[', ' ', '\t'],
        ...[
          '=',
          ':',
          '>',
          '-',
          '--',
          '&',
          ';',
          '#',
          '~',
          '\r',
          'a',
          'Ł',
          '\u0081',
          '\u0088',
          '漢',
          '🎉',
        ],
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
);

/** Several words travel in one call, so that a run costs one shell. */
function arrivesExactly(board: Board, server: FakeServer) {
  return fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 8 }), async (words) => {
    server.requests.length = 0;
    const ended = await board.run('lava-send', ...words);
    const got = server.of('send').map((request) => request.words);
    return ended.status === 0 && JSON.stringify(got) === JSON.stringify([words]);
  });
}

describe.each(usable(pairs))('the words of a script under $name', (pair) => {
  boardTest(pair)('arrive exactly', { timeout: 60_000 }, async ({ board, server }) => {
    await fc.assert(arrivesExactly(board, server), { numRuns: runsEach });
  });
});

/** Of both encoders: that of sh and that of bash. */
const mutants: { name: string; change: (text: string) => string }[] = [
  {
    name: 'forgets the percent sign',
    change: (text) =>
      text.replace("-e 's/%/%25/g' ", '').replace('{muster_word//%/%25}', '{muster_word}'),
  },
  {
    name: 'forgets the newline',
    change: (text) =>
      text.replace(' | *"$muster_lf"*)', ')').replace("{muster_word//$'\\n'/%0A}", '{muster_word}'),
  },
  {
    name: 'splits words at spaces',
    change: (text) =>
      text
        .replace('in "$@"; do\n    muster_encode', 'in $*; do\n    muster_encode')
        .replace('for muster_word; do', 'for muster_word in $*; do'),
  },
];

describe.each(usable(shellsOnly))('under $name the property catches an encoder that', (pair) => {
  for (const mutant of mutants) {
    boardTest(pair)(mutant.name, { timeout: 60_000 }, async ({ board, server, expect }) => {
      board.copyPrograms(mutant.change);
      const outcome = await fc.check(arrivesExactly(board, server), {
        numRuns: 200,
        endOnFailure: true,
      });
      expect(outcome.failed).toBe(true);
    });
  }
});

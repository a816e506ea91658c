/** The marks of runner, shells and tests on a console are told in words on the page, and no letter of a console is lost. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loopAnswer, loopLine, markLine } from '../../dispatcher/drivers/board-shell.ts';
import { readyLine } from '../../dispatcher/drivers/console-pump.ts';
import { parseSignal } from '../../dispatcher/signals.ts';
import { timedLines } from '../../web/job/console-lines.ts';
import { markedLine, pieces, withoutHalf } from '../../web/job/console-marks.ts';

const NONCE = '117077ecdf1d4d35';
const shown = (text: string): string =>
  pieces(text)
    .map(({ raw, words }) => (words === undefined ? raw : words === '' ? '' : `· ${words}`))
    .join('');

const id = fc.stringMatching(/^[A-Za-z0-9_.:/-]{1,20}$/);
const text = fc.stringMatching(/^[A-Za-z0-9 _.,=/-]{0,30}[a-z]$/);
const status = fc.integer({ min: 0, max: 255 });
const result = fc.constantFrom('pass', 'fail', 'skip', 'unknown');
/** A mark of each kind that the server reads, with the words that people gave it. */
const mark = fc.oneof(
  fc
    .tuple(id, fc.constantFrom('STARTRUN', 'ENDRUN'))
    .map(([s, is]) => `SIGNAL_${is} ${s} ${NONCE}`),
  fc.tuple(id, fc.constantFrom('STARTTC', 'ENDTC')).map(([s, is]) => `SIGNAL_${is} ${s}`),
  fc.tuple(id, result).map(([s, is]) => `SIGNAL_TESTCASE TEST_CASE_ID=${s} RESULT=${is}`),
  fc
    .tuple(id, result, fc.double({ noNaN: true, min: 0, max: 1e6 }))
    .map(
      ([s, is, n]) =>
        `SIGNAL_TESTCASE RESULT=${is} TEST_CASE_ID=${s} UNITS=MB per s MEASUREMENT=${n.toFixed(3)}`,
    ),
  fc.tuple(id, result).map(([s, is]) => `SIGNAL_TESTREFERENCE ${s} ${is} http://a/${s}`),
  fc.tuple(text).map(([s]) => `SIGNAL_TESTSET START ${s.trim()}`),
  fc.constant('SIGNAL_TESTSET STOP'),
  fc.tuple(text).map(([s]) => `SIGNAL_TESTRAISE ${s}`),
  fc.tuple(text).map(([s]) => `SIGNAL_TESTEVENT ${s}`),
  fc.constant('TEST_RUNNER EXIT'),
);
const own = fc.oneof(
  fc.constant(`RUNNER_EXIT ${NONCE}`),
  status.map((n) => `RUNNER_ENDED ${NONCE} ${n}`),
  fc
    .tuple(status, fc.constantFrom('install', 'run'))
    .map(([n, s]) => `SCRIPT_ENDED ${NONCE} ${n} ${s}.sh`),
  status.map((n) => `SHELL_ENDED ${n}`),
  fc.constant(`SHELL_FREE ${NONCE}`),
  fc.constant(`BOARD_READY ${NONCE}`),
);
const dialogue = fc.oneof(
  fc.tuple(fc.constantFrom('DONE', 'BLOCK'), status).map(([is, n]) => `BOARD_${is} ${NONCE} ${n}`),
  fc.constantFrom(
    `BOARD_SHELL ${NONCE} 42`,
    `BOARD_SHELL ${NONCE} 42 old`,
    `BOARD_LOOP ${NONCE} 42`,
  ),
);
const every = fc.oneof(
  mark.map((is) => `<LAVA_${is}>`),
  own.map((is) => `<MUSTER_${is}>`),
  dialogue.map((is) => `<MUSTER_${is}>`),
);

describe('a mark on a console', () => {
  it('that the server reads is told in words, without the nonce that only Muster needs', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          mark.map((is) => `<LAVA_${is}>`),
          own.map((is) => `<MUSTER_${is}>`),
        ),
        (is) => {
          if (!is.includes('TEST_RUNNER')) {
            expect(parseSignal(is)).toBeDefined();
            expect(parseSignal(is)?.is).not.toBe('garbled');
          }
          expect(shown(is)).not.toMatch(/<|117077ec/);
        },
      ),
    );
  });

  it('of a dialogue with a board is shown where something went wrong, and takes no line where nothing did', () => {
    fc.assert(
      fc.property(dialogue, (is) => {
        const isWell = /^BOARD_(?:SHELL|LOOP) | 0$/.test(is);
        expect(shown(`a\n<MUSTER_${is}>\nb`)).toMatch(
          isWell ? /^a\nb$/ : /^a\n· .* ended with status \d+\nb$/,
        );
      }),
    );
  });

  it('stands beside all else that was printed, of which no letter is lost', () => {
    const other = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.constantFrom('\n', '\n\n', '<LAVA_SIGNAL_', '<MUSTER_RUNNER_EXIT', '>', "'", '+ echo '),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(every, other, fc.constant('\n')), { maxLength: 14 }), (all) => {
        const text = all.join('');
        expect(
          pieces(text)
            .map(({ raw }) => raw)
            .join(''),
        ).toBe(text);
      }),
    );
  });

  it('is told within a line, behind a time stamp of the kernel, and several on one', () => {
    expect(shown('[ 1.5] <LAVA_SIGNAL_STARTTC a>x<LAVA_SIGNAL_ENDTC a> y')).toBe(
      '[ 1.5] · case a beginsx· case a ends y',
    );
  });

  it('has the empty line before it where its printing made one, and an empty line of a script stays', () => {
    const end = `<LAVA_SIGNAL_ENDRUN 0_a ${NONCE}>`;
    expect(
      shown(`x\n\n${end}\n\n<LAVA_TEST_RUNNER EXIT>\n\n<MUSTER_RUNNER_EXIT ${NONCE}>\nz\n`),
    ).toBe('x\n· suite 0_a ends\n· the test runner is through\nz\n');
    expect(shown('x\n\n<LAVA_SIGNAL_STARTTC a>\n')).toBe('x\n\n· case a begins\n');
  });

  it('that cannot be read, is echoed, or stands in the source of a script stays as it is', () => {
    for (const line of [
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a>',
      '<LAVA_SIGNAL_NOBODY knows>',
      '<MUSTER_RUNNER_ENDED>',
      "+ echo '<LAVA_SIGNAL_STARTTC a>'",
      '+ printf <LAVA_SIGNAL_STARTTC a>',
      "echo '<LAVA_SIGNAL_STARTTC a>'",
      '<LAVA_SIGNAL_STARTTC a',
    ])
      expect(shown(line)).toBe(line);
  });

  it("of LAVA's own scripts is the verb, and how it ended", () => {
    expect(shown('<LAVA_MULTI_NODE> <LAVA_WAIT_ALL ready server>')).toBe(
      '· lava-wait-all ready server',
    );
    expect(shown('<LAVA_WAIT_COMPLETE a:ip=1>')).toBe('· lava-wait is over: a:ip=1');
    expect(shown('<LAVA_SYNC_COMPLETE nack>')).toBe('· lava-sync is refused');
  });

  it('is told where a terminal says again what Muster typed', () => {
    const facts = { home: '/tmp/muster/lava-1', mark: 'f4/s1', job: 1, nonce: '23b2503d' };
    expect(loopAnswer('23b2503d').test('<MUSTER_BOARD_LOOP 23b2503d 42>')).toBe(true);
    const runner = `'/m/bin/lava-test-runner' '/m/0' ${NONCE}; echo '<MUSTER_RUNNER_ENDED ${NONCE} '$?'>'`;
    for (const typed of [loopLine(facts), readyLine(NONCE), `true;${markLine('6a02')}`, runner])
      expect(shown(`board# ${typed}\n`)).toMatch(/^board# (?:true)?· muster [a-z ]+\n$/);
  });

  it('does not take long, whatever a board prints', () => {
    const began = performance.now();
    for (const part of ['<LAVA_SIGNAL_A ', "'/lava-test-runner' '", '<MUSTER_BOARD_DONE a 0>'])
      pieces(part.repeat(131_072 / part.length));
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('is held back on a console that goes on until it is whole', () => {
    expect(withoutHalf('one\n<LAVA_SIGNAL_STARTTC a')).toBe('one\n');
    expect(withoutHalf('one\n<LAVA_SIGNAL_STARTTC a>')).toBe('one\n<LAVA_SIGNAL_STARTTC a>');
  });
});

describe('the lines of a console with marks', () => {
  const bytes = new TextEncoder().encode(
    `x\n\n<LAVA_SIGNAL_ENDRUN 0_a ${NONCE}>\n<MUSTER_BOARD_DONE a 0>\n\nz\n`,
  );

  it('have no empty one before a mark and none that says nothing', () => {
    const lines = timedLines(0, bytes, 0, [], 5).map(({ text }) => text);
    expect(lines).toEqual(['x', `<LAVA_SIGNAL_ENDRUN 0_a ${NONCE}>`, '', 'z']);
    expect(markedLine('z')).toBeUndefined();
  });

  it('are all there as they were printed, when that is wanted', () => {
    const lines = timedLines(0, bytes, 0, [], 5, true).map(({ text }) => text);
    expect(lines.join('\n')).toBe(new TextDecoder().decode(bytes).trimEnd());
  });
});

/** The parser of the console: known lines, whatever bytes, however they are cut. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONSOLE_LINE_BYTES_MAX, LineCutter, parseSignal } from '../../dispatcher/signals.ts';

describe('a line of the console', () => {
  test.each([
    [
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a-b RESULT=pass>',
      { is: 'case', case: 'a-b', result: 'pass' },
    ],
    [
      '<LAVA_SIGNAL_TESTCASE RESULT=fail TEST_CASE_ID=x=y UNITS=MB/s MEASUREMENT=1e3>\r',
      { is: 'case', case: 'x=y', result: 'fail', measurement: '1e3', units: 'MB/s' },
    ],
    ['<LAVA_SIGNAL_TESTSET START net>', { is: 'set-start', set: 'net' }],
    ['<LAVA_SIGNAL_TESTSET STOP>', { is: 'set-stop' }],
    [
      '<LAVA_SIGNAL_TESTREFERENCE log skip http://h/p>',
      { is: 'reference', case: 'log', result: 'skip', url: 'http://h/p' },
    ],
    ['<LAVA_SIGNAL_TESTRAISE no > link>', { is: 'raise', message: 'no > link' }],
    ['<LAVA_SIGNAL_STARTTC one>', { is: 'note', text: 'STARTTC one' }],
    ['<LAVA_SIGNAL_ENDRUN 0_x 12>', { is: 'note', text: 'ENDRUN 0_x 12' }],
    ['<LAVA_TEST_RUNNER EXIT>', { is: 'runner-exit' }],
    ['<MUSTER_RUNNER_ENDED 3 137>', { is: 'runner-ended', action: 3, status: 137 }],
    ['<MUSTER_SHELL_ENDED 2>', { is: 'shell-ended', status: 2 }],
    ['<MUSTER_BOARD_READY 0af3>', { is: 'board-ready', boot: '0af3' }],
  ])('%s is read', (line, signal) => {
    expect(parseSignal(line)).toEqual(signal);
  });

  test.each([
    '+ echo <LAVA_TEST_RUNNER EXIT>',
    ' <LAVA_TEST_RUNNER EXIT>',
    '<LAVA_TEST_RUNNER EXIT> ',
    '<LAVA_TEST_RUNNER EXIT',
    'x<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=pass>',
    '<MUSTER_RUNNER_ENDED 3>',
    '<MUSTER_SHELL_ENDED x>',
    '<html>',
    '',
  ])('%j is no signal', (line) => {
    expect(parseSignal(line)).toBeUndefined();
  });

  test.each([
    '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=maybe>',
    '<LAVA_SIGNAL_TESTCASE RESULT=pass>',
    '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID= RESULT=pass>',
    '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=constructor>',
    '<LAVA_SIGNAL_TESTREFERENCE a pass>',
    '<LAVA_SIGNAL_TESTSET START>',
    '<LAVA_SIGNAL_DANCE>',
    '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=pass',
  ])('%j looks like a signal and cannot be used', (line) => {
    expect(parseSignal(line)).toMatchObject({ is: 'garbled' });
  });

  test('never throws, and is bounded, whatever it is', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '<LAVA_SIGNAL_',
        '<MUSTER_',
        'TESTCASE ',
        'RESULT=pass',
        'TEST_CASE_ID=',
        '>',
        ' ',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const signal = parseSignal(pieces.join(''));
        expect(JSON.stringify(signal ?? '').length).toBeLessThan(50_000);
      }),
      { numRuns: 1_000 },
    );
  });
});

type Cut = { text: string; at: number; end: number };

/** Dumber than the cutter: splits the whole text at once. */
function model(bytes: Buffer, from: number): Cut[] {
  const lines: Cut[] = [];
  let start = 0;
  for (let lf = bytes.indexOf(10); lf !== -1; lf = bytes.indexOf(10, start)) {
    const line = bytes.subarray(start, lf);
    if (line[0] === 60)
      lines.push({
        text: line.subarray(0, CONSOLE_LINE_BYTES_MAX).toString('utf8'),
        at: from + start,
        end: from + lf + 1,
      });
    start = lf + 1;
  }
  return lines;
}

type Cutter = (chunks: Buffer[], from: number) => Cut[];
const real: Cutter = (chunks, from) => {
  const cutter = new LineCutter(from);
  return chunks.flatMap((chunk) => [...cutter.push(chunk)]);
};

const bytes = fc
  .array(fc.constantFrom('\n', '<', 'a', 'é', '<LAVA_TEST_RUNNER EXIT>\n', '\0', '\r\n', '<<\n'), {
    maxLength: 40,
  })
  .map((pieces) => Buffer.from(pieces.join('')));
const cuts = fc.array(fc.nat(200), { maxLength: 10 });

function chunked(whole: Buffer, at: readonly number[]): Buffer[] {
  const places = [
    0,
    ...at.map((n) => Math.min(n, whole.length)).sort((a, b) => a - b),
    whole.length,
  ];
  return places.slice(1).map((to, index) => whole.subarray(places[index], to));
}

const sameAsModel = (cutter: Cutter) =>
  fc.property(bytes, cuts, fc.nat(1_000), (whole, at, from) => {
    expect(cutter(chunked(whole, at), from)).toEqual(model(whole, from));
  });

describe('the cutter of lines', () => {
  test('gives the same lines however the bytes are split', () => {
    fc.assert(sameAsModel(real), { numRuns: 1_000 });
  });

  test.each<[string, Cutter]>([
    [
      'forgets the line that a chunk ends in',
      (chunks, from) => {
        let at = from;
        return chunks.flatMap((chunk) => {
          const lines = model(chunk, at);
          at += chunk.length;
          return lines;
        });
      },
    ],
    [
      'takes a "<" in the middle of a line for a signal',
      (chunks, from) =>
        model(
          Buffer.from(Buffer.concat(chunks).toString('latin1').replaceAll('a<', '\n<'), 'latin1'),
          from,
        ),
    ],
    [
      'counts characters and not bytes',
      (chunks, from) =>
        model(Buffer.from(Buffer.concat(chunks).toString('utf8').replaceAll('é', 'e')), from),
    ],
  ])('would be caught when it %s', (_, mutant) => {
    expect(fc.check(sameAsModel(mutant), { numRuns: 1_000 }).failed).toBe(true);
  });

  test('keeps a bounded part of a line without end', () => {
    const cutter = new LineCutter(0);
    const chunk = Buffer.alloc(65_536, '<');
    for (let round = 0; round < 100; round += 1) expect([...cutter.push(chunk)]).toEqual([]);
    const [line] = [...cutter.push(Buffer.from('\n'))];
    expect(line?.text.length).toBe(CONSOLE_LINE_BYTES_MAX);
    expect(line?.end).toBe(6_553_601);
  });
});

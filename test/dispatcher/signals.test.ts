/** The reader of the console: signals wherever they stand, whatever bytes, however they are cut. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CONSOLE_LINE_BYTES_MAX,
  type ConsoleLine,
  LineCutter,
} from '../../dispatcher/console-lines.ts';
import { isTrace, parseSignal, type Signal, SignalReader } from '../../dispatcher/signals.ts';

/** All signals of a console that is read at once. */
function signalsOf(console: string, chunkBytes = 1_000_000): Signal[] {
  const reader = new SignalReader();
  const cutter = new LineCutter(0, () => reader.wantsNext);
  const bytes = Buffer.from(console);
  const found: Signal[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes)
    for (const line of cutter.push(bytes.subarray(at, at + chunkBytes)))
      found.push(...reader.read(line));
  return found;
}
const cases = (console: string, chunkBytes?: number): string[] =>
  signalsOf(console, chunkBytes).map((s) =>
    s.is === 'case' ? `${s.case} ${s.result}` : s.is === 'garbled' ? `garbled ${s.text}` : s.is,
  );
const tc = (name: string, result = 'pass') =>
  `<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=${name} RESULT=${result}>`;

describe('a line of the console', () => {
  test.each([
    [tc('a-b'), { is: 'case', case: 'a-b', result: 'pass' }],
    [
      '<LAVA_SIGNAL_TESTCASE RESULT=fail TEST_CASE_ID=x=y UNITS=MB/s MEASUREMENT=1e3>\r',
      { is: 'case', case: 'x=y', result: 'fail', measurement: '1e3', units: 'MB/s' },
    ],
    [
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=pass MEASUREMENT=2 UNITS=MB per s>',
      { is: 'case', case: 'a', result: 'pass', measurement: '2', units: 'MB per s' },
    ],
    [
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=pass MEASUREMENT=9.8MB/s>',
      { is: 'case', case: 'a', result: 'pass', note: 'the measurement "9.8MB/s" is no number' },
    ],
    [tc('a', 'PASS'), { is: 'case', case: 'a', result: 'pass' }],
    [tc('a->b', 'fail'), { is: 'case', case: 'a->b', result: 'fail' }],
    ['<LAVA_SIGNAL_TESTSET START net>', { is: 'set-start', set: 'net' }],
    ['<LAVA_SIGNAL_TESTSET STOP>', { is: 'set-stop' }],
    ['<LAVA_SIGNAL_TESTSET STOP net>', { is: 'set-stop' }],
    [
      '<LAVA_SIGNAL_TESTREFERENCE log skip http://h/p>',
      { is: 'reference', case: 'log', result: 'skip', url: 'http://h/p' },
    ],
    ['<LAVA_SIGNAL_TESTRAISE no link> at all', { is: 'raise', message: 'no link' }],
    ['<LAVA_SIGNAL_STARTTC one>', { is: 'note', text: 'STARTTC one' }],
    ['<LAVA_SIGNAL_STARTRUN 0_x 12ab>', { is: 'run-start', suite: '0_x', nonce: '12ab' }],
    ['<LAVA_SIGNAL_ENDRUN 0_x 12ab>', { is: 'run-end', suite: '0_x', nonce: '12ab' }],
    ['<MUSTER_RUNNER_EXIT 0a1b>', { is: 'runner-exit', nonce: '0a1b' }],
    ['<MUSTER_RUNNER_ENDED 0a1b 137>', { is: 'runner-ended', nonce: '0a1b', status: 137 }],
    [
      '<MUSTER_SCRIPT_ENDED 0a1b 137 run.sh>',
      { is: 'script-ended', nonce: '0a1b', status: 137, script: 'run.sh' },
    ],
    ['<MUSTER_SHELL_ENDED 2>', { is: 'shell-ended', status: 2 }],
    ['<MUSTER_SHELL_FREE 0a1b>', { is: 'shell-free', nonce: '0a1b' }],
    ['<MUSTER_BOARD_READY 0af3>', { is: 'board-ready', boot: '0af3' }],
  ])('%s is read', (line, signal) => {
    expect(parseSignal(line)).toEqual(signal);
  });

  test.each([
    '<LAVA_TEST_RUNNER EXIT>',
    '<MUSTER_RUNNER_ENDED 3>',
    '<MUSTER_SHELL_ENDED x>',
    '<MUSTER_SHELL_ENDED',
    '<html>',
    '',
  ])('%j is no signal', (line) => {
    expect(parseSignal(line)).toBeUndefined();
  });

  test.each([
    tc('a', 'maybe'),
    '<LAVA_SIGNAL_TESTCASE RESULT=pass>',
    tc(''),
    tc('a', 'constructor'),
    tc('a b'),
    '<LAVA_SIGNAL_TESTREFERENCE a pass>',
    '<LAVA_SIGNAL_TESTSET START>',
    '<LAVA_SIGNAL_DANCE>',
  ])('%j looks like a signal and cannot be used', (line) => {
    expect(parseSignal(line)).toEqual({ is: 'garbled', text: line });
  });

  test('never throws, and is bounded, whatever it is', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '<LAVA_SIGNAL_',
        '<MUSTER_RUNNER_',
        'TESTCASE ',
        'RESULT=pass',
        'TEST_CASE_ID=',
        '>',
        ' ',
        '\n',
        '[   12.345678] usb\n',
        '\x1b[0m',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        for (const signal of signalsOf(pieces.join('')))
          expect(JSON.stringify(signal).length).toBeLessThan(10_000);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a signal counts', () => {
  test.each([
    ['alone', `${tc('a')}\n`],
    ['behind text', `progress 100% ${tc('a')}\n`],
    ['before text', `${tc('a')} and so on\n`],
    ['behind a colour', `\x1b[0;32m${tc('a')}\x1b[0m\n`],
    ['with a colour inside', '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a \x1b[1mRESULT=pass\x1b[0m>\n'],
    ['behind a title of the terminal', `\x1b]0;root@x\x07${tc('a')}\n`],
    ['behind a return', `12%\r${tc('a')}\n`],
    ['before CR LF', `${tc('a')}\r\n`],
    ['behind a time stamp of the kernel', `[    1.234567] ${tc('a')}\n`],
    ['behind a level and a time stamp', `<6>[    1.234567][  T12] ${tc('a')}\n`],
    ['behind a prompt', `root@panda01:~# ${tc('a')}\n`],
    ['behind a sum', `1 + 1 = 2 ${tc('a')}\n`],
    ['behind a "<"', `a << b <${tc('a')}\n`],
    ['at the end of a very long line', `${'x'.repeat(100_000)}${tc('a')}\n`],
    ['behind a very long progress bar', `${'10%\r'.repeat(50_000)}${tc('a')}\n`],
    [
      'with a line of the kernel through it',
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RE[    1.234567] usb 1-1: a > b\nSULT=pass>\n',
    ],
    [
      'with several lines of the kernel through it',
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a[    1.234567] one\r\n[    1.234568] two\r\n RESULT=pass>\r\n',
    ],
    [
      'with the kernel twice through it',
      '<LAVA_SIGNAL_TESTCASE TEST_[    1.234567] one\nCASE_ID=a RES[    1.234568] two\nULT=pass>\n',
    ],
    [
      'with the kernel through its first word',
      '<LAVA_SIG[    1.234567] one\nNAL_TESTCASE TEST_CASE_ID=a RESULT=pass>\n',
    ],
    [
      'with the kernel right before its end',
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=pass[    1.234567] one\n>\n',
    ],
    ['broken over lines', '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RE\nSULT=pass>\n'],
  ])('%s, however its bytes are cut', (_, console) => {
    for (const bytes of [1_000_000, 8_192, 7, 1].filter((n) => console.length / n < 40_000))
      expect(cases(console, bytes), `${bytes} bytes`).toEqual(['a pass']);
  });

  test('each of several on a line, and each of those that a line of the kernel stands between', () => {
    expect(cases(`${tc('a')}${tc('b', 'fail')} ${tc('c', 'skip')}\n`)).toEqual([
      'a pass',
      'b fail',
      'c skip',
    ]);
    expect(
      cases(
        `x ${tc('a')}<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=b RES[    1.234567] ${tc('k')}\nULT=pass>\n`,
      ),
    ).toEqual(expect.arrayContaining(['a pass']));
  });

  test('once: one that is broken and one behind it are told apart', () => {
    expect(cases(`<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RE${tc('b')}\n`)).toEqual([
      'garbled <LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RE',
      'b pass',
    ]);
  });

  test('as garbled when its rest does not come', () => {
    expect(
      cases(`<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RE\n${'words\n'.repeat(20)}${tc('b')}\n`),
    ).toEqual([
      expect.stringMatching(/^garbled <LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a REwords/),
      'b pass',
    ]);
  });
});

describe('a signal does not count', () => {
  test.each([
    ['echoed by dash', `+ echo ${tc('a')}\n`],
    ['echoed by bash', `+ echo '${tc('a')}'\n`],
    ['echoed by a nested shell', `+++ echo '${tc('a')}'\n`],
    ['echoed word by word', "+ echo '<LAVA_SIGNAL_TESTCASE' TEST_CASE_ID=a 'RESULT=pass>'\n"],
    ['assigned', `+ line='${tc('a')}'\n`],
    ['echoed behind a time stamp', `[    1.234567] + echo '${tc('a')}'\n`],
    ['echoed with the place of the script', `+ ./s.sh:12: echo ${tc('a')}\n`],
    ['echoed with the place in brackets', `+(s.sh:12): echo ${tc('a')}\n`],
    ['echoed behind a return', `12%\r+ echo '${tc('a')}'\n`],
    ['echoed behind a colour', `\x1b[0m+ echo '${tc('a')}'\n`],
    ['echoed by dash behind an open line', `progress 12% + echo ${tc('a')}\n`],
    ['echoed by bash behind an open line', `progress 12% ++ mine '${tc('a')}'\n`],
    ['far behind the beginning of an echo', `+ echo ${'x '.repeat(20_000)}${tc('a')}\n`],
    ['in the source of a script', 'echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=$1 RESULT=$2>"\n'],
    ['of our own typed on a console that echoes', "# x; echo '<MUSTER_RUNNER_ENDED 0a '$?'>'\n"],
    ['of our own echoed in quotes', "# echo '<MUSTER_BOARD_READY 0a1b>'\n"],
  ])('when it is %s', (_, console) => {
    expect(cases(console)).toEqual([]);
  });

  test('with its measurement when that is several words: the note has them', () => {
    const said = '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=pass MEASUREMENT=9 10 UNITS=MB/s>';
    expect(parseSignal(said)).toEqual({
      is: 'case',
      case: 'a',
      result: 'pass',
      note: 'the measurement "9 10 MB/s" is no number',
    });
  });

  test('but what the echoed command prints does', () => {
    expect(cases(`+ printf x\nx+ echo '${tc('a')}'\n${tc('a')}\n`)).toEqual(['a pass']);
  });

  test('a line is an echo when it begins with the sign of one', () => {
    for (const line of [
      '+ ls',
      '++ ls',
      '[  1.234567] + ls',
      '+(a:1) ls',
      '+./a.sh:1: ls',
      '+:2: ls',
    ])
      expect(isTrace(line)).toBe(true);
    for (const line of ['a + b', '+', '', '-+ x', 'ls + x', '[a] +PASS 3', '+x PASS', '+PASS: x'])
      expect(isTrace(line)).toBe(false);
  });
});

type Cut = ConsoleLine;

/** Dumber than the cutter: splits the whole text at once. */
function model(bytes: Buffer, from: number): Cut[] {
  const lines: Cut[] = [];
  let start = 0;
  for (let end = 0; end < bytes.length; end += 1) {
    if (bytes[end] !== 10 && bytes[end] !== 13) continue;
    const line = bytes.subarray(start, end);
    if (line.includes('<LAVA_SIGNAL_'))
      lines.push({ text: line.toString('utf8'), at: from + start, end: from + end + 1 });
    start = end + 1;
  }
  return lines;
}

type Cutter = (chunks: Buffer[], from: number) => Cut[];
const real: Cutter = (chunks, from) => {
  const cutter = new LineCutter(from);
  return chunks.flatMap((chunk) => [...cutter.push(chunk)]);
};

const bytes = fc
  .array(
    fc.constantFrom('\n', 'a', 'é', '<LAVA_SIGNAL_X>', '<LAVA_SIGNAL_Y>\n', '\0', '\r\n', '\r'),
    {
      maxLength: 40,
    },
  )
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
      'counts characters and not bytes',
      (chunks, from) =>
        model(Buffer.from(Buffer.concat(chunks).toString('utf8').replaceAll('é', 'e')), from),
    ],
  ])('would be caught when it %s', (_, mutant) => {
    expect(fc.check(sameAsModel(mutant), { numRuns: 1_000 }).failed).toBe(true);
  });

  test('gives every line where all are wanted, and those of a long one in pieces', () => {
    const cutter = new LineCutter(0, () => true);
    const long = 'y'.repeat(CONSOLE_LINE_BYTES_MAX + 10);
    const lines = [...cutter.push(Buffer.from(`a\n\nb\r\n${long}\nc`))];
    expect(lines.map(({ text, isOpen, head }) => [text.length, isOpen, head?.length])).toEqual([
      [1, undefined, undefined],
      [1, undefined, undefined],
      [CONSOLE_LINE_BYTES_MAX, true, undefined],
      [10, undefined, 128],
    ]);
  });

  test('keeps a bounded part of a line without end', () => {
    const cutter = new LineCutter(0);
    const chunk = Buffer.alloc(65_536, 'y');
    for (let round = 0; round < 100; round += 1) expect([...cutter.push(chunk)]).toEqual([]);
    const [line] = [...cutter.push(Buffer.from(`${tc('a')}\n`))];
    expect(line).toMatchObject({ text: tc('a'), end: 6_553_600 + tc('a').length + 1 });
  });
});

/** Which texts are measurements (SEMANTICS 2.4). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalOf, measured } from '../../machines/measurement.ts';

describe('a measurement is a decimal number', () => {
  it.each([
    ['93.5', 93.5],
    ['1.5e3', 1500],
    ['1E-3', 0.001],
    ['-7', -7],
    ['+7', 7],
    ['.5', 0.5],
    ['5.', 5],
    ['007', 7],
    ['0', 0],
    [' 12 ', 12],
    ['123456789012345678901234567890', 1.2345678901234568e29],
    ['0.1000000000000000055511151231257827', 0.1],
  ])('%j is one', (text, value) => {
    expect(decimalOf(text)).toEqual({ text: text.trim(), value });
  });

  it.each([
    '',
    ' ',
    '--units',
    '9.8MB/s',
    '9.8 10.2 10.0',
    '1,5',
    '1.000,5',
    '0x10',
    '0b1',
    '1_000',
    'NaN',
    'inf',
    'Infinity',
    '-',
    '.',
    'e5',
    '1e',
    '1e5.5',
    '1.2.3',
    '1e999',
    '١٢',
    '1\n2',
    '５',
  ])('%j is none', (text) => {
    expect(decimalOf(text)).toBeUndefined();
  });

  it('whatever the text, its value is a number that JSON can hold, and the text is one that Number reads', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789+-.eE xn_,') });
    fc.assert(
      fc.property(fc.oneof(digits, fc.string(), fc.double().map(String)), (text) => {
        const is = decimalOf(text);
        if (is === undefined) return;
        expect(Number.isFinite(is.value)).toBe(true);
        expect(Number(is.text)).toBe(is.value);
        expect(is.text).toMatch(/^[-+.eE0-9]+$/);
      }),
    );
  });

  it('every finite double is one, as JavaScript writes it', () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(finite, (double) => {
        expect(decimalOf(String(double))?.value).toBe(double === 0 ? 0 : double);
      }),
    );
  });
});

describe('what is no measurement', () => {
  it('is said in the note after what stood there, and takes its units along', () => {
    expect(measured({ measurement: '1,5', units: 's', note: 'status 1' })).toEqual({
      note: 'status 1; the measurement "1,5 s" is no number',
    });
  });

  it('is said though it is empty', () => {
    expect(measured({ measurement: '' })).toEqual({ note: 'the measurement "" is no number' });
  });

  it('is cut in the note when it is long, between characters', () => {
    const { note = '' } = measured({ measurement: '😀'.repeat(40_000) });
    expect(note.length).toBeLessThan(1_100);
    expect(note).not.toMatch(/\p{Cs}/u);
  });

  it('leaves a number, units without a number and a note alone', () => {
    const is = { measurement: '2', units: 'ms', note: 'n' };
    expect(measured(is)).toEqual({ ...is, measurement: { text: '2', value: 2 } });
    expect(measured({ units: 'ms' })).toEqual({ units: 'ms' });
    expect(measured({})).toEqual({});
  });
});

/** Frames on a console are told on the page in the words of the command line, whatever stands on it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutFrames as shown, tellFrame as told } from '../../cli/pages/console-frames.ts';
import {
  boardLine,
  encoded,
  inParts,
  type WorkerFrame,
  workerLine,
} from '../../dispatcher/transport/frames.ts';
import { tellFrame, withoutFrames } from '../../web/job/frames.ts';

const SESSION = '0123abcd';
const ID = '01234567-89ab';
const KEY = `${ID}-4000-8000-000000000000`;

const word = fc.string({ unit: 'binary', maxLength: 60 }).map((text) => text.replaceAll('\0', ''));
const words = fc.array(word, { maxLength: 6 });

/** The lines of one call, as a board says them. */
const call = fc
  .record({
    verb: fc.constantFrom('send', 'sync', 'wait-all', 'attachment?name=a%2561', 'NO VERB', ''),
    from: fc.constantFrom('', '12~sh&run.sh', '\u00e9'),
    words,
    isFile: fc.boolean(),
    chars: fc.integer({ min: 4, max: 400 }),
  })
  .map(({ verb, from, words: said, isFile, chars }) => {
    const body = Buffer.from(
      said.map((each) => each.replaceAll('%', '%25').replaceAll('\n', '%0A')).join('\n'),
    );
    const head = encoded(Buffer.from(`${verb}\n${KEY}\n${from}\n`));
    const data = (isFile ? '*' : '') + head + (isFile ? body.toString('base64url') : encoded(body));
    const parts = inParts(data, chars);
    return parts.map((part, n) =>
      boardLine(SESSION, { id: ID, is: 'part', part: n + 1, parts: parts.length, data: part }),
    );
  });

const others = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.constantFrom(
    '+ lava-send ready',
    '',
    '\r',
    '<MUSTER_LINE ',
    '#MUSTER_LINE:x',
    ': <MUSTER_LINE',
  ),
);
const typed = fc.constantFrom<WorkerFrame>(
  { id: ID, is: 'want', from: 3 },
  { id: ID, is: 'part', part: 1, parts: 1, data: 'ok,' },
);

describe('a frame on the page', () => {
  it('is told as the command line tells it', () => {
    fc.assert(
      fc.property(call, (lines) => {
        for (const line of lines.map((each) => each.trim()))
          expect(tellFrame(line)).toBe(told(line));
      }),
    );
  });

  it('leaves a console that the command line shows alike, line by line', () => {
    const line = fc.oneof(
      call.map((lines) => lines.join('')),
      others,
      typed.map((frame) => workerLine(SESSION, frame)),
      fc.constant(boardLine(SESSION, { id: ID, is: 'ask', from: 2 })),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        const text = Buffer.from(lines.join('\n')).toString();
        expect(withoutFrames(text)).toBe(shown(Buffer.from(text)).toString());
      }),
    );
  });

  it('says what was sent, and nothing of questions, later parts and what was typed for the board', () => {
    const sent = `<MUSTER_LINE ${ID} 1/1 send,${KEY},,ready,ip=10.0.0.1, 12.34>`;
    expect(tellFrame(sent)).toBe('muster: over its console: send ready ip=10.0.0.1');
    expect(tellFrame(`<MUSTER_LINE ${ID} ?2 12.34>`)).toBe('');
    expect(tellFrame(`<MUSTER_LINE ${ID} 2/3 xyz 1.2>`)).toBe('');
    expect(tellFrame(`#MUSTER_LINE:${ID}:want/2::1.2\r`)).toBe('');
    expect(tellFrame(`it said ${sent}`)).toBeUndefined();
  });

  it('is held back on a console that goes on until it is whole', () => {
    const part = `one\n\n<MUSTER_LINE ${ID} 1/1 se`;
    expect(withoutFrames(part, true)).toBe('one');
    expect(withoutFrames(part)).toBe(part);
    expect(withoutFrames('one\ntwo MUSTER_LINE', true)).toBe('one\ntwo MUSTER_LINE');
  });
});

/** The frames of a worker's line: those that a version wrote are read for ever, and whatever else comes is refused. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bodyOf,
  bytesOf,
  commonFrames,
  FromWorker,
  NotAFrame,
  Question,
  readFrame,
} from '../../wire/worker-frames.ts';

const recorded = readFileSync(new URL('worker-frames-1.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');

describe('the frames of version 1', () => {
  it.each(recorded)('are read as they were written: %s', (frame) => {
    expect(readFrame(frame, FromWorker)).toEqual(JSON.parse(frame));
  });

  it('have every question among them', () => {
    const seen = recorded.flatMap((frame) => readFrame(frame, FromWorker));
    const asked = new Set(seen.flatMap((message) => ('ask' in message ? [message.ask] : [])));
    expect([...asked].sort()).toEqual(Question.options.map(({ shape }) => shape.ask.value).sort());
  });

  it('are no frames when they are cut, after whichever byte', () => {
    for (const frame of recorded)
      for (let length = 0; length < frame.length; length++)
        expect(() => readFrame(frame.slice(0, length), FromWorker)).toThrow(NotAFrame);
  });
});

it('whatever a frame holds, it is read or refused as no frame', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      try {
        readFrame(text, FromWorker);
      } catch (error) {
        expect(error).toBeInstanceOf(NotAFrame);
      }
    }),
  );
});

it('a body is its bytes, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_000 }), (bytes) => {
      expect(new Uint8Array(bytesOf(bodyOf(bytes)))).toEqual(new Uint8Array(bytes));
    }),
  );
});

it('a body has at most twice as many bytes in a frame, whatever they are, and room for its shape', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 1_000 }),
    fc.uint8Array({ maxLength: 1_000, max: 0x7f }),
    fc.uint8Array({ maxLength: 1_000, max: 0x1f }),
  );
  fc.assert(
    fc.property(bytes, (body) => {
      expect(JSON.stringify(bodyOf(body)).length).toBeLessThanOrEqual(2 * body.length + 20);
    }),
  );
});

it('two sides speak the highest number that both know, or none', () => {
  expect(commonFrames({ first: 1, last: 3 }, { first: 2, last: 5 })).toBe(3);
  expect(commonFrames({ first: 4, last: 5 }, { first: 1, last: 3 })).toBeUndefined();
});

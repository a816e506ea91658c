/** The page reads a stream of events as the standard's own reader does, however it is cut. */
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStreamReader } from '../../web/api/event-stream.ts';

const event = fc.oneof(
  fc
    .record({ place: fc.nat(), data: fc.jsonValue() })
    .map(
      ({ place, data }) => `id: ${place}\nevent: JobSubmitted\ndata: ${JSON.stringify(data)}\n\n`,
    ),
  fc.constant(': alive\n\n'),
);
/** Events as rows, and what a reader of them has. */
const rows = fc
  .array(
    fc.record({
      version: fc.nat(),
      type: fc.constantFrom('MessageSent', 'JobSubmitted'),
      meta: fc.record({
        at: fc.nat(),
        actor: fc.string(),
        key: fc.option(fc.string(), { nil: undefined }),
      }),
      position: fc.nat(),
      data: fc.jsonValue(),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .chain((events) => fc.boolean().map((isNamed) => ({ events, isNamed })))
  .map(({ events, isNamed }) => {
    const names = isNamed ? events.flatMap(({ type, meta }) => [type, meta.actor]) : [];
    const named = (text: string) => (isNamed ? names.indexOf(text) : text);
    const text = events.map(({ version, type, meta: { at, actor, ...rest }, position, data }) => {
      const row = [version, named(type), at, position, named(actor), data];
      return JSON.stringify(rest.key === undefined ? row : [...row, rest]);
    });
    const data = `{"names":${JSON.stringify({ ...names })},"rows":[${text.join(',')}]}`;
    return { events, text: `id: ${events.at(-1)?.version}\nevent: rows\ndata: ${data}\n\n` };
  });

const END = 'event: end\ndata: {"job":1,"state":"complete"}\n\n';

/** A text in pieces. */
function inPieces(text: string, cuts: readonly number[]): string[] {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (text.length + 1)), text.length])];
  places.sort((a, b) => a - b);
  return places.slice(1).map((end, n) => text.slice(places[n], end));
}

describe('a stream of events', () => {
  it('is read as the standard has it, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 12 }),
        fc.boolean(),
        fc.array(fc.nat(), { maxLength: 8 }),
        (events, isEnded, cuts) => {
          const text = events.join('') + (isEnded ? END : '');
          const wanted: unknown[] = [];
          const parser = createParser({
            onEvent: (is) => void (is.event !== 'end' && wanted.push(JSON.parse(is.data))),
          });
          parser.feed(text);
          const reader = new EventStreamReader();
          const read = inPieces(text, cuts).flatMap((piece) => reader.take(piece));
          expect(read).toEqual(wanted);
          expect(reader.isEnded).toBe(isEnded);
        },
      ),
    );
  });

  it('is read in rows, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(rows), fc.array(fc.nat(), { maxLength: 8 }), (pages, cuts) => {
        const text = `${pages.map((page) => page.text).join('')}: live\n\n`;
        const reader = new EventStreamReader();
        const read = inPieces(text, cuts).flatMap((piece) => reader.take(piece));
        const wanted: unknown = JSON.parse(JSON.stringify(pages.flatMap(({ events }) => events)));
        expect(read).toEqual(wanted);
        expect(reader.isLive).toBe(true);
      }),
    );
  });
});

/** Places of commits that a test says, instead of those that are measured. */
import type { Place, Placing } from '../../store/sqlite/place.ts';

/** The places in turn, again and again. */
export function placesInTurn(...places: Place[]): Placing {
  let at = 0;
  return {
    next: () => places[at++ % places.length] ?? 'there',
    wasHere() {},
    wasThere() {},
    failedHere() {},
  };
}

/** Every way in which commits may be placed: in one thread, in the other, and handed over all the time. */
export const everyPlacing: Record<string, () => Placing> = {
  'in the deciding thread': () => placesInTurn('here'),
  "in the log's thread": () => placesInTurn('there'),
  'in both threads by turns': () => placesInTurn('here', 'there', 'there', 'here', 'here'),
};

/**
 * A job in the format that ShiViz reads (https://bestchai.bitbucket.io/shiviz): a line with the expression by which it reads
 * the rest, an empty line, then two lines an event: what happened, and the host with its vector clock.
 */
import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import { narrator } from '../projections/timeline.ts';
import { iso } from '../projections/views.ts';
import { HappensBefore } from './happens-before.ts';

const EXPRESSION =
  '(?<event>.*) \\[(?<number>\\d+) (?<date>\\S*)\\]\\n(?<host>\\S*) (?<clock>{.*})';

export function* shivizLines(events: Iterable<RecordedEvent<JobEvent>>): Iterable<string> {
  yield `${EXPRESSION}\n\n`;
  const order = new HappensBefore();
  const say = narrator();
  for (const event of events) {
    const { host, clock } = order.take(event);
    const [says = event.type] = say(event).lines;
    const text = says.replace(/\s+/g, ' ').trim();
    const counts = JSON.stringify(Object.fromEntries(clock));
    yield `${text} [${event.version} ${iso(event.meta.at)}]\n${host} ${counts}\n`;
  }
}

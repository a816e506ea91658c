/** Where each board was in its scripts: of every call the line that made it, as far as what was kept tells. */
import type { Evidence } from './evidence.ts';
import type { Call } from './explain/facts.ts';
import { groupOf } from './explain/read-group.ts';
import { situationOf } from './explain/situation.ts';
import type { ScriptLinesView } from './views.ts';

/** Events that are read for one answer, and calls whose lines are looked for: it takes the server's own time, and boards wait for that. */
const EVENTS_MAX = 20_000;
const CALLS_MAX = 5_000;

/** In the order of the log; only of calls whose line is found. */
export function scriptLines({
  job,
  events,
  sources,
}: Pick<Evidence, 'job' | 'events' | 'sources'>): ScriptLinesView {
  if (!sources.some(({ list }) => list !== undefined)) return { id: job, lines: [], more: 0 };
  const first = events.slice(0, EVENTS_MAX);
  const group = groupOf(first);
  const situation = situationOf(group, { events: first, sources }, new Map());
  const calls = group.members
    .flatMap(({ calls: own }) => own)
    .sort((a, b) => a.version - b.version);
  return {
    id: job,
    lines: calls.slice(0, CALLS_MAX).flatMap((call) => lineOf(call, situation.placeOf(call)) ?? []),
    more: Math.max(0, calls.length - CALLS_MAX, events.length - EVENTS_MAX),
  };
}

function lineOf(
  { version, member }: Call,
  place: { suite: string; file: string; line: number; text: string } | undefined,
): ScriptLinesView['lines'][number] | undefined {
  if (place === undefined) return undefined;
  const { suite, file, line, text } = place;
  return { event: version, device: member.device, suite, file, line, text };
}

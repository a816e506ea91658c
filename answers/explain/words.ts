/** Phrases of rules, and the near misses of ids and keys. */
import { distance } from '../../submission/quoting.ts';
import type { Place } from '../places.ts';
import type { Culprit, Step } from './explanation.ts';
import { type Call, type Member, overAt, wordsOf } from './facts.ts';
import type { Finding, Gap, Situation } from './situation.ts';

export const who = ({ device, role }: { device: string; role: string }): string =>
  `${device} (${role})`;

/** `client.sh line 4`, or nothing. */
export const whereOf = (place: Pick<Place, 'file' | 'line'> | undefined): string =>
  place === undefined || place.file === '' ? '' : `${place.file} line ${place.line}`;

export const inFile = (culprit: Culprit): string =>
  culprit.file === undefined
    ? ''
    : ` (${culprit.file}${culprit.line === undefined ? '' : ` line ${culprit.line}`})`;

/** `a and b`, `a, b and c`, `a, b, c and 5 more`. */
export function listed(names: readonly string[], max = 4): string {
  if (names.length <= 1) return names[0] ?? 'nobody';
  if (names.length > max)
    return `${names.slice(0, max - 1).join(', ')} and ${names.length - max + 1} more`;
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

const ENDS = {
  timedOut: 'ran out of time in',
  unreachable: 'was let go from',
  abandoned: 'gave up',
  released: 'was released from',
  refused: 'was refused',
  sent: 'called',
} as const;

/** How a call went, as a step of the chain. */
export function callStep(situation: Situation, call: Call, text?: string): Step {
  const place = whereOf(situation.placeOf(call));
  const said = text ?? `${who(call.member)} calls ${wordsOf(call)}`;
  return { text: place === '' ? said : `${said}, ${place}`, event: call.version };
}

/** How a wait ended for its board. */
export function endStep(situation: Situation, wait: Call): Step {
  const over = overAt(situation.group, wait);
  const how = wait.end === undefined ? 'still waits in' : ENDS[wait.end.how];
  return { text: `${who(wait.member)} ${how} ${wordsOf(wait)}`, event: over.version };
}

/** The waits that a member left without an answer: the first few. */
export const waitSteps = (situation: Situation, gaps: readonly Gap[]): Step[] =>
  gaps.slice(0, GAPS_TOLD_MAX).map(({ wait }) => endStep(situation, wait));
const GAPS_TOLD_MAX = 3;

export const namesOf = (members: readonly Member[]): string[] =>
  members.map(({ device }) => device);

/** The events of steps and the lines of consoles, as evidence. */
export function evidenceOf(steps: readonly Step[]): Finding['evidence'] {
  return steps.flatMap(({ event, device, offset }) => [
    ...(event === undefined ? [] : [{ event }]),
    ...(device === undefined || offset === undefined ? [] : [{ device, offset }]),
  ]);
}

/** A finding whose evidence is its steps. */
export const found = (is: Omit<Finding, 'evidence'>): Finding => ({
  ...is,
  evidence: evidenceOf(is.steps),
});

// near misses

/** How near two names are, from 0 (the same but for case) to 3; `undefined`: they are not. */
export function nearness(a: string, b: string): number | undefined {
  if (a === b) return undefined;
  const [x, y] = [plain(a), plain(b)];
  if (x === y) return 0;
  const [short, long] = x.length < y.length ? [x, y] : [y, x];
  if (short.length >= AFFIX_CHARACTERS_MIN && (long.startsWith(short) || long.endsWith(short)))
    return 1;
  const away = distance(x, y);
  if (away <= Math.max(1, Math.floor(long.length / 4))) return 2;
  const parts = (name: string) =>
    new Set(
      name
        .toLowerCase()
        .split(/[^a-z0-9]+/i)
        .filter(Boolean),
    );
  const [mine, theirs] = [parts(a), parts(b)];
  const shared = [...mine].filter((part) => theirs.has(part) && part.length > 2);
  if (shared.length > 0 && shared.length * 2 >= Math.max(mine.size, theirs.size)) return 3;
  return undefined;
}
const AFFIX_CHARACTERS_MIN = 3;

const plain = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** The nearest of some names. */
export function nearest(name: string, of: Iterable<string>): string | undefined {
  let best: { name: string; away: number } | undefined;
  for (const other of of) {
    const away = nearness(name, other);
    if (away !== undefined && (best === undefined || away < best.away))
      best = { name: other, away };
  }
  return best?.name;
}

/** The name without what counts: `step-3` and `step-4` are of one family. */
export const family = (name: string): string => name.replace(/\d+/g, '#');

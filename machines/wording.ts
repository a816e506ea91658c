/** Phrases that events, answers and views share. Pure. */
import type { MissingMember, WaitVerb } from './events.ts';

/** `1 h 2 min`, `3 min 5 s`, `12 s`. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min${s % 60 ? ` ${s % 60} s` : ''}`;
  const min = Math.floor((s % 3600) / 60);
  return `${Math.floor(s / 3600)} h${min ? ` ${min} min` : ''}`;
}

/** A wait as its board typed it: `lava-wait-all ready server`. */
export const verbOf = (wait: {
  verb: string;
  message: string;
  role?: string | null | undefined;
}): string => `lava-${wait.verb} ${wait.message}${wait.role ? ` ${wait.role}` : ''}`;

/** How many names a sentence says; it counts the others. */
const NAMED_MAX = 4;

/** `a, b, c, d and 12 more`. `count`: how many there are, where not all of them are listed. */
export function nameList(names: readonly string[], count = names.length, max = NAMED_MAX): string {
  const named = names.slice(0, max);
  const rest = count - named.length;
  if (named.length === 0) return `${count} members`;
  return rest > 0 ? `${named.join(', ')} and ${rest} more` : named.join(', ');
}

/** Who a wait lacked, as events record it. */
export interface Lacking {
  missingCount: number;
  missing: readonly MissingMember[];
  /** The members that wait for one another. */
  cycle?: readonly string[];
}

/** Who is missing, in one clause: `b, c are missing`; of a `lava-wait`, that any one of several could release: none has sent. */
export function lackText(verb: WaitVerb | undefined, is: Lacking): string {
  const { missingCount: count, missing, cycle = [] } = is;
  const names = nameList(
    missing.map(({ member }) => member),
    count,
  );
  const loop = cycle.length > 0 ? `; ${nameList(cycle)} wait for one another` : '';
  if (count === 0) return `nobody is missing${loop}`;
  if (verb === 'wait' && count > 1) return `none of ${names} has sent it${loop}`;
  return `${names} ${count === 1 ? 'is' : 'are'} missing${loop}`;
}

/** One line a missing member, with what it was last seen doing: `b (server): boots for 12 s`. */
export function seenLines(is: Lacking): string[] {
  const lines = is.missing.map((m) => `${m.member} (${m.role}): ${m.doing}`);
  const rest = is.missingCount - is.missing.length;
  return rest > 0 ? [...lines, `and ${rest} more`] : lines;
}

/** How a wait ended unreleased, after what its board typed: `lava-sync ready can never be released`. */
export const HOW_WAITS_FAIL = {
  WaitTimedOut: 'timed out',
  WaitUnreachable: 'can never be released',
} as const;

/** A wait that was not released: a sentence, then a line a missing member. */
export const unheardText = (wait: string, how: string, is: Lacking, verb?: WaitVerb): string =>
  [`${wait} ${how}: ${lackText(verb, is)}`, ...seenLines(is)].join('\n');

/** A wait that a limit cut off. */
export interface CutOff {
  wait: { verb: WaitVerb; message: string; role?: string | null | undefined };
  lacked: Lacking;
}

/** A limit and the waits that it cut off: a sentence, then a line a missing member. */
export function limitText(limit: string, cutOff: readonly CutOff[]): string {
  const [first] = cutOff;
  if (first === undefined) return limit;
  const where = nameList(cutOff.map(({ wait }) => verbOf(wait)));
  const lacked = cutOff.length === 1 ? first.lacked : together(cutOff);
  const verb = cutOff.length === 1 ? first.wait.verb : undefined;
  return [`${limit} in ${where}: ${lackText(verb, lacked)}`, ...seenLines(lacked)].join('\n');
}

/** Who several waits lacked, each member once. */
function together(cutOff: readonly CutOff[]): Lacking {
  const members = new Map(
    cutOff.flatMap(({ lacked }) => lacked.missing.map((m) => [m.member, m] as const)),
  );
  const undescribed = cutOff.map(({ lacked }) => lacked.missingCount - lacked.missing.length);
  return {
    missingCount: members.size + Math.max(0, ...undescribed),
    missing: [...members.values()],
  };
}

/** Why a group can never have its boards: a sentence, then a line a role that is short of them. */
export const shortText = (short: readonly { role: string; lacking: string }[]): string =>
  [
    'the boards that there are can never run it',
    ...short.map(({ role, lacking }) => `role ${role}: ${lacking}`),
  ].join('\n');

/** A reason within another text: were it whole, the reasons of a group would double with every member that ends. */
const HEADLINE_CHARACTERS_MAX = 100;

/**
 * As much of a reason as may stand within another one: whole clauses of its first line, at most `clausesMax`; an empty
 * text when not even the first one is short enough.
 */
export function headline(reason: string, clausesMax = Number.POSITIVE_INFINITY): string {
  const [line = ''] = reason.split('\n', 1);
  let text = '';
  for (const [at, clause] of line.split(/(?<=[:;]) /).entries()) {
    const longer = at === 0 ? clause : `${text} ${clause}`;
    if (at >= clausesMax || longer.length > HEADLINE_CHARACTERS_MAX) break;
    text = longer;
  }
  return text.replace(/[:;]$/, '');
}

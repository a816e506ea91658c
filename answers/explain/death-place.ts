/** The line at which a script ended: by what shells print of errors, else by what it had come to (`death-choice.ts`). */
import { couldBe } from '../../submission/lint/patterns.ts';
import { tracesOf } from '../../submission/traces.ts';
import type { RanSource } from '../evidence.ts';
import { type Place, type Script, scriptNamed } from '../places.ts';
import { matched, wordsOf } from '../shell-sites.ts';
import { type ConsoleLine, lastSaid } from './consoles.ts';
import type { Course, Point } from './course.ts';
import { choose } from './death-choice.ts';
import type { Death } from './deaths.ts';
import type { Result } from './facts.ts';
import type { Situation } from './situation.ts';

export interface DeathPlace {
  readonly place: Place;
  /** It ended itself (`exit 3`), and no failed command under `set -e` did. */
  readonly isExit: boolean;
  /** What its shell or the program said of it. */
  readonly said: ConsoleLine | undefined;
}

interface Look {
  readonly situation: Situation;
  readonly source: RanSource;
  readonly scripts: readonly Script[];
  /** What was printed behind its last call. */
  readonly said: readonly ConsoleLine[];
  readonly death: Death;
}

/** As far as it can be told; nothing where several lines may have been it. */
export function placeOfDeath(situation: Situation, death: Death): DeathPlace | undefined {
  const { member, suite, script } = death;
  const source = situation.places.suitesOf(member.device).find((one) => one.suite === suite);
  const scripts = source === undefined ? [] : situation.places.scripts(source);
  const made = scripts.find((one) => one.isMade && one.path === script);
  if (source === undefined || made === undefined) return undefined;
  const all = situation.said.get(member.device) ?? [];
  const since =
    death.after?.suite === suite ? (death.after.end?.console ?? death.after.console) : undefined;
  const said = all.filter(({ offset }) => offset >= (since ?? 0));
  const look: Look = { situation, source, scripts, said, death };
  const course = situation.graphs.courseOf(member, suite, script);
  const chosen = chosenLine(look, course);
  // Of what a signal ended a shell names the command alone, and not what in it did it.
  if (death.signal !== undefined && chosen?.isSure === true) return chosen;
  const told = death.inCase === undefined ? toldLine(look, made) : undefined;
  return reportedLine(look, course) ?? chosen ?? told;
}

function chosenLine(
  look: Look,
  course: Course | undefined,
): (DeathPlace & { isSure: boolean }) | undefined {
  if (course === undefined) return undefined;
  const { death, said } = look;
  const traces = tracesOf(said.map(({ text }) => text)).filter((one) => one !== undefined);
  const fatal =
    death.signal === undefined
      ? undefined
      : traces.slice(-TRACED_LOOKED_AT).findLast((text) => FATAL.test(text));
  const [from, to] = reached(look.situation, death, course);
  const { point, within } = choose(course, {
    ...death,
    command: death.inCase === undefined ? (fatal ?? death.command ?? traces.at(-1)) : undefined,
    inCase: death.inCase?.at,
    traced: traces.at(-1),
    said,
    from,
    to,
  });
  const at = point ?? within;
  if (at === undefined) return undefined;
  return {
    place: placeOf(look, at),
    isExit: point?.kind === 'exit' || death.signal !== undefined,
    said: undefined,
    isSure: point !== undefined,
  };
}
const TRACED_LOOKED_AT = 8;
const FATAL =
  /\b(?:kill|killall|pkill|reboot|poweroff|halt|shutdown|insmod|modprobe|rmmod)\s|sysrq-trigger/;

const placeOf = ({ source }: Look, { file, line, lineText }: Point): Place => ({
  suite: source.suite,
  file,
  line,
  text: lineText,
});

/** Behind which call it ended, and before which: the next that it would have made whatever happens. */
export function reached(
  situation: Situation,
  { member, suite, version, inCase }: Pick<Death, 'member' | 'suite' | 'version' | 'inCase'>,
  { calls }: Course,
): [number, number] {
  const made = member.calls.filter((call) => call.suite === suite && call.version < version);
  const last = made.at(-1);
  const place = last === undefined ? undefined : situation.placeOf(last);
  const isIt = (call: { file: string; line: number; verb: string }) =>
    call.verb === last?.verb && call.file === place?.file && call.line === place.line;
  const times = made.filter((call) => {
    const at = situation.placeOf(call);
    return call.verb === last?.verb && at?.file === place?.file && at?.line === place?.line;
  }).length;
  const same = calls.filter(isIt);
  const byCall = same[times - 1] ?? same.at(-1);
  const result = member.results.findLast(
    (one) => one.version < version && one.suite === suite && isOwnCase(one),
  );
  const byResult =
    result === undefined
      ? undefined
      : calls.findLast(({ verb, id }) => verb === 'test-case' && couldBe(id, result.case));
  const isLater = result !== undefined && result.version > (last?.version ?? 0);
  const from = Math.max(byCall?.at ?? 0, isLater ? (byResult?.at ?? 0) : 0);
  const next = calls.find(
    ({ at, verb, isCertain, hiddenBy }) =>
      at > from && isCertain && hiddenBy === inCase?.at && SPEAKS.has(verb),
  );
  return [from, next?.at ?? Number.POSITIVE_INFINITY];
}
const SPEAKS = new Set(['send', 'wait', 'wait-all', 'sync']);

const isOwnCase = ({ case: name }: Result): boolean =>
  name !== 'exit' && name !== 'install' && !name.startsWith('multinode-');

// what shells and programs say

/** `./x.sh: line 5: foo: command not found`, `./x.sh: 5: foo: not found`, `at x.pl line 5.`: some name the line. */
function reportedLine(look: Look, course: Course | undefined): DeathPlace | undefined {
  for (const one of look.said.slice(-REPORTS_LOOKED_AT).toReversed()) {
    const [, path = '', number = ''] =
      /^(\S+?):(?: line)? (\d+):\s+\S/.exec(one.text) ??
      /\bat (\S+\.p[lm]) line (\d+)\.?$/.exec(one.text) ??
      [];
    const script = scriptNamed(look.scripts, path, look.death.suite);
    const line = Number(number);
    if (script === undefined || line < 1 || line > script.text.split('\n').length) continue;
    const { file, line: told } = look.situation.places.place(look.source, script, line);
    const ran = course?.points.filter((point) => point.file === file && point.line === told) ?? [];
    // A command that may fail was not it; of what could not be read nothing is known.
    if (
      ran.length > 0 &&
      look.death.status < COMMAND_NOT_FOUND - 1 &&
      !ALWAYS_FATAL.test(one.text) &&
      !MUST_BE_SET.test(script.text.split('\n')[line - 1] ?? '') &&
      ran.every(({ endsItsOwn, isInner }) => !endsItsOwn && !isInner)
    )
      continue;
    return outcome(look, script, line, one);
  }
  return tracedBack(look);
}
const COMMAND_NOT_FOUND = 127;
const ALWAYS_FATAL =
  /unbound variable|parameter (?:null or )?not set|syntax error|unexpected|bad substitution|read-?only/i;
/** `${SERIAL:?is not given}` ends a script in its own words. */
export const MUST_BE_SET = /\$\{\w+:?\?/;
const REPORTS_LOOKED_AT = 12;

/** `  File "./x.py", line 4, in main`: the innermost that is of the suite. */
function tracedBack(look: Look): DeathPlace | undefined {
  for (const one of look.said.slice(-REPORTS_LOOKED_AT).toReversed()) {
    const [, path = '', number = ''] = /^\s+File "([^"]+)", line (\d+)/.exec(one.text) ?? [];
    const script = path === '' ? undefined : scriptNamed(look.scripts, path, look.death.suite);
    if (script !== undefined) return outcome(look, script, Number(number), lastSaid(look.said));
  }
  return undefined;
}

function outcome(
  { source, death, situation: { places } }: Look,
  script: Script,
  line: number,
  said: ConsoleLine | undefined,
): DeathPlace {
  const text = script.text.split('\n')[line - 1] ?? '';
  const isExit = /(?:^|[;&|{(\s])exit\b/.test(text) || death.signal !== undefined;
  return { place: places.place(source, script, line), isExit, said };
}

// the step that was told, where nothing more is known

/** The line of the suite's own script that is the command which its shell told. */
function toldLine(look: Look, script: Script): DeathPlace | undefined {
  const { death, said } = look;
  const traces = tracesOf(said.map(({ text }) => text));
  const told = death.command ?? traces.findLast((one) => one !== undefined);
  if (told === undefined) return undefined;
  const words = wordsOf(told).map((word) => word.join(''));
  let best: { line: number; score: number } | undefined;
  for (const [index, text] of script.text.split('\n').entries()) {
    const score = likeness(text, words);
    if (score > (best?.score ?? 0)) best = { line: index + 1, score };
  }
  return best === undefined ? undefined : outcome(look, script, best.line, undefined);
}

/** How much of a command a line says: every word of a simple command on it that can have become one of these. */
function likeness(text: string, words: readonly string[]): number {
  let best = 0;
  for (const part of text.split(/&&|\|\||[;|]|\bthen\b|\bdo\b|\belse\b/)) {
    const patterns = wordsOf(part.replace(/^[\s!({-]*(?:if|while|until|elif)?\s*/, ''));
    const [first] = patterns;
    const certain = first === undefined ? undefined : matched(first, words[0] ?? '');
    if (certain === undefined) continue;
    let score = 1 + certain;
    for (const [at, word] of words.slice(1).entries()) {
      const pattern = patterns[at + 1];
      if (pattern !== undefined) score += matched(pattern, word) ?? 0;
    }
    best = Math.max(best, score);
  }
  return best;
}

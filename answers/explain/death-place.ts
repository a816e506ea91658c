/** The line at which a script ended: by what its shell said it ran last, by what shells print of errors, by its exit. */
import type { RanSource } from '../evidence.ts';
import { lineAt, type Place, type Places, type Script, scriptNamed, scriptOf } from '../places.ts';
import { matched, wordsOf } from '../shell-sites.ts';
import type { ConsoleLine } from './consoles.ts';
import type { Death } from './deaths.ts';
import type { Situation } from './situation.ts';

export interface DeathPlace {
  readonly place: Place;
  /** It ended itself (`exit 3`), and no failed command under `set -e` did. */
  readonly isExit: boolean;
  /** What its shell or the program said of it. */
  readonly said: ConsoleLine | undefined;
}

/** As far as it can be told; nothing where several lines may have been it. */
export function placeOfDeath(situation: Situation, death: Death): DeathPlace | undefined {
  const source = situation.places
    .suitesOf(death.member.device)
    .find(({ suite }) => suite === death.suite);
  const scripts = source === undefined ? [] : situation.places.scripts(source);
  const made = scripts.find((one) => one.isMade && one.path === death.script);
  if (source === undefined || made === undefined) return undefined;
  const said = situation.said.get(death.member.device) ?? [];
  const look: Look = { places: situation.places, source, scripts, said, death };
  const reported = reportedLine(look);
  if (reported !== undefined) return reported;
  const command = death.command ?? lastTraced(said, death.signal !== undefined);
  if (command === undefined) return undefined;
  const after = afterLastCall(look, made);
  const at = lineOf(look, made, command, after) ?? lineOf(look, made, command, 1);
  if (at === undefined) return undefined;
  const helper = helperOf(scripts, at.script, at.line, command);
  if (helper === undefined) return outcome(look, at.script, at.line, undefined);
  return insideHelper(look, helper) ?? outcome(look, at.script, at.line, undefined);
}

interface Look {
  places: Places;
  source: RanSource;
  scripts: readonly Script[];
  said: readonly ConsoleLine[];
  death: Death;
}

function outcome(
  { source, death, places }: Look,
  script: Script,
  line: number,
  said: ConsoleLine | undefined,
): DeathPlace {
  const text = script.text.split('\n')[line - 1] ?? '';
  const isExit = /(?:^|[;&|{(\s])exit\b/.test(text) || death.signal !== undefined;
  return { place: places.place(source, script, line), isExit, said };
}

/** `./x.sh: line 5: foo: command not found`, `./x.sh: 5: foo: not found`: shells name the line. */
function reportedLine(look: Look): DeathPlace | undefined {
  for (const one of look.said.slice(-REPORTS_LOOKED_AT).toReversed()) {
    const found = /^(\S+?):(?: line)? (\d+): \S/.exec(one.text);
    if (found === null) continue;
    const [, path = '', number = ''] = found;
    const script = scriptNamed(look.scripts, path, look.death.suite);
    const line = Number(number);
    if (script === undefined || line < 1 || line > script.text.split('\n').length) continue;
    return outcome(look, script, line, one);
  }
  return undefined;
}
const REPORTS_LOOKED_AT = 12;

/** The last command that a shell told of; of one that was killed rather the one that kills. */
function lastTraced(said: readonly ConsoleLine[], isKilled = false): string | undefined {
  const traced = said.filter(({ text }) => /^\++ /.test(text)).slice(-TRACED_LOOKED_AT);
  const fatal = isKilled ? traced.findLast(({ text }) => FATAL.test(text)) : undefined;
  return (fatal ?? traced.at(-1))?.text;
}
const TRACED_LOOKED_AT = 8;

/** The line of a script, or of one that it reads in, that is such a command; `from`: not before this line. */
function lineOf(
  look: Look,
  script: Script,
  traced: string,
  from: number,
): { script: Script; line: number } | undefined {
  const words = wordsOf(traced.replace(/^\++ /, '')).map((word) => word.join(''));
  const there = [script, ...look.scripts.filter((one) => !one.isMade && isReadInBy(script, one))];
  let best: { script: Script; line: number; score: number } | undefined;
  for (const one of there)
    for (const [index, text] of one.text.split('\n').entries()) {
      if (one === script && index + 1 < from) continue;
      const score = likeness(text, words);
      if (score > (best?.score ?? 0)) best = { script: one, line: index + 1, score };
    }
  return best;
}

const isReadInBy = (script: Script, other: Script): boolean =>
  new RegExp(
    `(?:^|[\\s;&|(])(?:\\.|source)\\s+\\S*${escaped(other.path.split('/').at(-1) ?? '')}`,
    'm',
  ).test(script.text);
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** `server) ` of a `case`. */
const LABEL = /^\s*\(?\s*["']?[\w.*|"' -]+\)\s/;

/** How much of a command a line says: every word of a simple command on it that can have become one of these. */
function likeness(text: string, words: readonly string[]): number {
  let best = 0;
  for (const part of text.split(/&&|\|\||[;|]|\bthen\b|\bdo\b|\belse\b/)) {
    const patterns = wordsOf(
      part.replace(LABEL, '').replace(/^[\s!({-]*(?:if|while|until|elif)?\s*/, ''),
    );
    const [first] = patterns;
    const [command = ''] = words;
    if (first === undefined || matched(first, command) === undefined) continue;
    let score = 1 + (matched(first, command) ?? 0);
    for (const [at, word] of words.slice(1).entries()) {
      const pattern = patterns[at + 1];
      if (pattern !== undefined) score += matched(pattern, word) ?? 0;
    }
    best = Math.max(best, score);
  }
  return best;
}

/** The line of a made script up to which it is known to have come. */
function afterLastCall({ death }: Look, script: Script): number {
  const outer = death.after?.suite === death.suite ? death.after.from?.at(-1) : undefined;
  return outer?.read === undefined ? 1 : lineAt(script, outer.read);
}

/** The script of the checkout that a line runs. */
function helperOf(
  scripts: readonly Script[],
  script: Script,
  line: number,
  command: string,
): Script | undefined {
  const [first = '', second = ''] = wordsOf(command.replace(/^\++ /, '')).map((w) => w.join(''));
  const path = scriptOf({ argv: [first, second] }).path;
  const helper = scriptNamed(scripts, path);
  return helper === script || helper?.isMade === true || line < 1 ? undefined : helper;
}

/** Which line of a helper ended it: an exit with this status, or the last command where nothing else ends it. */
function insideHelper(look: Look, helper: Script): DeathPlace | undefined {
  const { death } = look;
  const lines = helper.text.split('\n');
  const from = lastCallIn(look, helper);
  const exits = lines.flatMap((text, index) => {
    const status = /(?:^|[;&|{(\s])exit(?:\s+(\d+))?\s*(?:;|}|$|#)/.exec(text);
    return status !== null && index + 1 >= from && status[1] === String(death.status)
      ? [index + 1]
      : [];
  });
  const [exit] = exits;
  if (exit !== undefined && exits.length === 1) return outcome(look, helper, exit, undefined);
  const traced = /^#!.*\s-\w*x|^\s*set\s+-\w*x/m.test(helper.text)
    ? lastTraced(look.said)
    : undefined;
  const ran = traced === undefined ? undefined : lineOf(look, helper, traced, 1);
  if (ran !== undefined) return outcome(look, ran.script, ran.line, undefined);
  const fatal = lines.findIndex((text, index) => index + 1 > from && FATAL.test(text));
  if (death.signal !== undefined && fatal !== -1)
    return outcome(look, helper, fatal + 1, undefined);
  const isStrict = /^#!.*\s-\w*e|^\s*set\s+-\w*e/m.test(helper.text);
  const commands = lines.flatMap((text, index) => (isCommand(text) ? [index + 1] : []));
  const fallible = commands.filter((line) => line > from && !isSafe(lines[line - 1] ?? ''));
  const [only] = fallible;
  const line = isStrict
    ? (byMessage(look, lines, fallible) ?? (fallible.length === 1 ? only : undefined))
    : commands.at(-1);
  if (line !== undefined) return outcome(look, helper, line, undefined);
  const [first] = fallible;
  return first === undefined ? undefined : outcome(look, helper, first, undefined);
}

/** What ends a board, or a shell. */
const FATAL =
  /(?:^|[\s;&|(])(?:kill|killall|pkill|reboot|poweroff|halt|shutdown|insmod|modprobe|rmmod)\s|sysrq-trigger/;

/** `grep: x: No such file or directory`: the program that said the last word is on one of the lines. */
function byMessage(
  { said }: Look,
  lines: readonly string[],
  among: readonly number[],
): number | undefined {
  const name = /^([\w./-]+): /.exec(
    said.findLast(({ text }) => !/^\+|^muster: |</.test(text))?.text ?? '',
  )?.[1];
  if (name === undefined) return undefined;
  const program = name.split('/').at(-1) ?? name;
  const found = among.filter((line) =>
    new RegExp(`(?:^|[\\s;&|(/])${escaped(program)}\\b`).test(lines[line - 1] ?? ''),
  );
  return found.length === 1 ? found[0] : undefined;
}

function lastCallIn({ death, scripts }: Look, helper: Script): number {
  const { after } = death;
  const caller = after?.from?.find((one) => scriptNamed(scripts, scriptOf(one).path) === helper);
  if (caller?.read !== undefined) return lineAt(helper, caller.read);
  if (after === undefined || caller === undefined) return 0;
  const site = helper.sites.find(
    ({ verb, words }) =>
      verb === after.verb &&
      words[0] !== undefined &&
      matched(words[0], after.message) !== undefined,
  );
  return site?.line ?? 0;
}

const isCommand = (text: string): boolean =>
  !/^\s*(?:#|$|fi\b|done\b|esac\b|else\b|then\b|do\b|;;|}|\{|[\w*|"'-]+\)\s*$|\w+\s*\(\)|case\b|for\b|while\b|if\b|elif\b)/.test(
    text,
  );

const isSafe = (text: string): boolean =>
  /^\s*(?:echo|printf|set|export|:|true|sleep|cd\s+\.|local|shift|trap|lava-\S+|\w+=(?![^#]*\$\())/.test(
    text,
  ) || /\|\|\s*(?:true|:)\s*$/.test(text);

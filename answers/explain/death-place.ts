/** The line at which a script ended: by what its shell said it ran last, by what shells print of errors, by its exit. */
import type { RanSource } from '../evidence.ts';
import { branchOf, lineAt, type Place, type Script, scriptNamed, scriptOf } from '../places.ts';
import { matched, wordsOf } from '../shell-sites.ts';
import type { ConsoleLine } from './consoles.ts';
import type { Death } from './deaths.ts';
import { rolesOf, type Situation } from './situation.ts';

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
  const look: Look = { situation, source, scripts, said, death };
  const reported = reportedLine(look);
  if (reported !== undefined) return reported;
  const command = death.command ?? lastTraced(said, death.signal !== undefined);
  if (command === undefined) return undefined;
  const after = afterLastCall(look, made);
  const at = lineOf(look, made, command, after) ?? lineOf(look, made, command, 1);
  if (at === undefined) return undefined;
  return descend(look, at.script, at.line, command, 0);
}

/** The line itself, or the one that ended the script that it runs. */
function descend(
  look: Look,
  script: Script,
  line: number,
  command: string,
  depth: number,
): DeathPlace {
  const helper = depth < HELPERS_DEPTH_MAX ? helperOf(look.scripts, script, command) : undefined;
  const inside = helper === undefined ? undefined : insideHelper(look, helper, depth + 1);
  return inside ?? outcome(look, script, line, undefined);
}
const HELPERS_DEPTH_MAX = 5;

interface Look {
  situation: Situation;
  source: RanSource;
  scripts: readonly Script[];
  said: readonly ConsoleLine[];
  death: Death;
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
  return tracedBack(look);
}

/** `  File "./x.py", line 4, in main`: the innermost that is of the suite. */
function tracedBack(look: Look): DeathPlace | undefined {
  for (const one of look.said.slice(-REPORTS_LOOKED_AT).toReversed()) {
    const [, path = '', number = ''] = /^\s+File "([^"]+)", line (\d+)/.exec(one.text) ?? [];
    const script = path === '' ? undefined : scriptNamed(look.scripts, path, look.death.suite);
    if (script !== undefined) return outcome(look, script, Number(number), look.said.at(-1));
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
function helperOf(scripts: readonly Script[], script: Script, command: string): Script | undefined {
  const [first = '', second = ''] = wordsOf(command.replace(/^\++ /, '')).map((w) => w.join(''));
  const path = scriptOf({ argv: [first, second] }).path;
  const helper = scriptNamed(scripts, path);
  return helper === script || helper?.isMade === true || !isShell(helper) ? undefined : helper;
}

/** Nothing is known of the lines of a script in another language. */
const isShell = (script: Script | undefined): boolean =>
  script !== undefined &&
  !/^#!.*\b(?:python|perl|ruby|node|lua|awk|expect|tclsh)/.test(script.text);

/** Which line of a helper ended it: an exit with this status, or the last command where nothing else ends it. */
function insideHelper(look: Look, helper: Script, depth: number): DeathPlace | undefined {
  const { death } = look;
  const lines = helper.text.split('\n');
  const from = lastCallIn(look, helper);
  const reached = lines.flatMap((_, index) =>
    isOfRole(look, helper, index + 1) ? [index + 1] : [],
  );
  const textOf = (line: number) => lines[line - 1] ?? '';
  const at = (line: number) => descend(look, helper, line, textOf(line).trim(), depth);
  const exits = reached.filter(
    (line) => line >= from && EXIT.exec(textOf(line))?.[1] === String(death.status),
  );
  const [exit] = exits;
  if (exit !== undefined && exits.length === 1) return outcome(look, helper, exit, undefined);
  const isTraced = /^#!.*\s-\w*x|^\s*set\s+-\w*x/m.test(helper.text);
  const traced = isTraced ? lastTraced(look.said) : undefined;
  const ran = traced === undefined ? undefined : lineOf(look, helper, traced, 1);
  if (ran !== undefined) return outcome(look, ran.script, ran.line, undefined);
  const fatal = reached.find((line) => line > from && FATAL.test(textOf(line)));
  if (death.signal !== undefined && fatal !== undefined)
    return outcome(look, helper, fatal, undefined);
  const commands = reached.filter((line) => isCommand(textOf(line)));
  const fallible = commands.filter((line) => line > from && !isSafe(textOf(line)));
  const isStrict = /^#!.*\s-\w*e|^\s*set\s+-\w*e/m.test(helper.text);
  const last = commands.at(-1);
  // Where nothing else ends a script, its status is that of its last command.
  const line = isStrict ? (byMessage(look, lines, fallible) ?? fallible[0]) : (last ?? fallible[0]);
  return line === undefined ? undefined : at(line);
}

const EXIT = /(?:^|[;&|{(\s])exit(?:\s+(\d+))?\s*(?:;|}|$|#)/;

const isOfRole = ({ situation, death }: Look, script: Script, line: number): boolean =>
  branchOf(script, line, death.member.role, rolesOf(situation.group)) !== -1;

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

/** The line of the last call that is known to have been made from there: its shell may have read further, but not less. */
function lastCallIn({ situation, death, scripts }: Look, helper: Script): number {
  const { after } = death;
  if (after === undefined) return 0;
  const place = situation.placeOf(after);
  if (place?.file === helper.path && place.suite === helper.suite) return place.line;
  const caller = after.from?.find((one) => scriptNamed(scripts, scriptOf(one).path) === helper);
  return caller?.read === undefined ? 0 : lineAt(helper, caller.read);
}

const isCommand = (text: string): boolean =>
  !/^\s*(?:#|$|fi\b|done\b|esac\b|else\b|then\b|do\b|;;|}|\{|[\w*|"'-]+\)\s*$|\w+\s*\(\)|case\b|for\b|while\b|if\b|elif\b)/.test(
    text,
  );

const isSafe = (text: string): boolean =>
  /^\s*(?:echo|printf|set|export|:|true|sleep|cd\s+\.|local|shift|trap|lava-\S+|\w+=(?![^#]*\$\())/.test(
    text,
  ) || /\|\|\s*(?:true|:)\s*$/.test(text);

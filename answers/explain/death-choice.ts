/**
 * Which of the commands that a script came to ended it: those behind its last call, as far as what it printed, how it ended
 * and what its shell told leave a choice. Nothing where they leave several.
 */
import { type Pattern, partsOf } from '../../submission/lint/patterns.ts';
import { matched, wordsOf } from '../shell-sites.ts';
import type { ConsoleLine } from './consoles.ts';
import { type Course, endsAll, indexOf, type Point } from './course.ts';

/** What is known of an end. */
export interface End {
  readonly status: number;
  readonly signal: string | undefined;
  /** What the shell of the suite said it runs. */
  readonly command: string | undefined;
  /** The last command that any shell told of. */
  readonly traced: string | undefined;
  /** What came of the console behind the last call. */
  readonly said: readonly ConsoleLine[];
  /** By `at`: the `lava-test-case` in which it was. */
  readonly inCase: number | undefined;
  /** By `at`: the last call that was made, and the next that was not. */
  readonly from: number;
  readonly to: number;
}

/** `point`: the one that it was; `within`: where only the way to it is certain, the last command of that. */
export interface Choice {
  readonly point?: Point;
  readonly within?: Point;
}

export function choose(course: Course, end: End): Choice {
  const reached = course.points.filter(({ at }) => at > end.from && at < end.to);
  const inCase = reached.filter((point) => point.hiddenBy === end.inCase);
  const told = inCase.filter((point) => isOfStep(course, point, end.command));
  // What looked like a command that was told may be a line of another program: `+++ b/file` of a diff.
  const ofStep = told.length > 0 ? told : inCase;
  const said = unexplained(ofStep, end.said);
  const [from, to] = progress(ofStep, end.said);
  // What spoke last was run by others, which had not ended by then.
  const stillRuns = new Set(ofStep.find(({ at }) => at === from)?.callers);
  const between = lastTold(
    course,
    ofStep.filter(({ at }) => (at > from && at < to) || stillRuns.has(at)),
    end,
  );
  const ends = between.filter(
    (point) => endsAll(course, point, end.inCase) && !isSafe(course, point),
  );
  if (end.signal !== undefined) {
    // A board that is shot may still come to its next call.
    const shots = between.filter(isFatal);
    return one(course, leaves(shots.length > 0 ? shots : course.points.filter(isFatal)), ends);
  }
  const spoke = byMessage(
    between.filter((point) => mayEnd(point)),
    said,
  );
  if (spoke.length > 0) return one(course, leaves(spoke), spoke);
  const left = ends.filter(
    (point) => couldEndSo(course, point, end.status) && (said.length > 0 || isQuiet(point)),
  );
  const exits = left.filter(({ kind, words }) => kind === 'exit' && statusOf(words) === end.status);
  if (end.status > 1 && places(exits) === 1) return one(course, exits, exits);
  const outer = leaves(left);
  if (outer.length > 0 && outer.every((point) => programOf(point) === 'wait')) {
    const jobs = between.filter((point) => isJob(point) && couldEndSo(course, point, end.status));
    if (places(leaves(jobs)) === 1) return one(course, leaves(jobs), jobs);
  }
  return one(course, outer, left.length > 0 ? left : ends);
}

/** It ends a process in the background, and `wait` ends as that did. */
const isJob = (point: Point): boolean =>
  point.isInner && point.endsItsOwn && !SAFE.test(programOf(point));

/** The one place of all; else the innermost command that all stand in. */
function one(course: Course, points: readonly Point[], all: readonly Point[]): Choice {
  const [first] = points;
  if (first !== undefined && places(points) === 1) return { point: first };
  const byPlace = indexOf(course.points);
  const [some, ...others] = points.length > 0 ? points : all;
  const common = some?.callers.findLast((at) =>
    others.every(({ callers }) => callers.includes(at)),
  );
  const within = common === undefined ? undefined : byPlace.get(common);
  return within === undefined ? {} : { within };
}

const places = (points: readonly Point[]): number =>
  new Set(points.map(({ file, line }) => `${file}:${line}`)).size;

/** Without those in which another of them stands. */
const leaves = (points: readonly Point[]): Point[] =>
  points.filter(
    (point) =>
      !points.some(
        (inner) =>
          inner.at > point.at &&
          (inner.callers.includes(point.at) ||
            inner.via.some(
              ({ file, line }) =>
                file === point.file && line === point.line && point.words.length > 0,
            )),
      ),
  );

// what the suite's own shell told

/** Whether it is the command that was told, or runs in it. */
function isOfStep(course: Course, point: Point, command: string | undefined): boolean {
  if (command === undefined) return true;
  const [outermost] = point.callers;
  const root = outermost === undefined ? point : (indexOf(course.points).get(outermost) ?? point);
  const told = wordsOf(command).map((word) => word.join(''));
  if (root.kind === 'assignment') return root.text.startsWith(told[0] ?? '\0');
  if (root.kind === 'test') return /^(?:\[|test$|\(\()/.test(told[0] ?? '');
  return told.length >= root.words.length
    ? root.words.every((word, at) => fits(word, told[at] ?? ''))
    : root.words.some((word) => word.kind !== 'exact') && fits(root.words[0], told[0] ?? '');
}

/** A script that has `set -x` of its own tells more than the suite's does. */
function lastTold(
  course: Course,
  points: readonly Point[],
  { command, traced }: End,
): readonly Point[] {
  if (traced === undefined || command === undefined) return points;
  if (traced === command) return points;
  const alone = { ...course, points };
  const told = points.filter(
    (point) => point.callers.length > 0 && isOfStep(alone, { ...point, callers: [] }, traced),
  );
  const last = told.at(-1);
  return last === undefined
    ? points
    : points.filter(({ at, callers }) => at === last.at || callers.includes(last.at));
}

const toPattern = (pattern: Pattern): string[] => {
  const parts = partsOf(pattern);
  const out = [''];
  for (const part of parts)
    if (typeof part === 'string') out[out.length - 1] += part;
    else out.push('');
  return out;
};

const fits = (pattern: Pattern | undefined, word: string): boolean =>
  pattern !== undefined && matched(toPattern(pattern), word) !== undefined;

// what it printed

const OURS = /<(?:LAVA_|MUSTER_)|^muster: |^\[muster\]|^\++ /;

/** Lines that no `echo` of its scripts says. */
function unexplained(points: readonly Point[], said: readonly ConsoleLine[]): ConsoleLine[] {
  const says = points.flatMap((point) => point.says ?? []);
  return said.filter(
    ({ text }) => !OURS.test(text) && !says.some((pattern) => fits(pattern, text.trim())),
  );
}

/** Behind the last thing that was said, and before the first that was not. */
function progress(points: readonly Point[], said: readonly ConsoleLine[]): [number, number] {
  const lines = said.map(({ text }) => text.trim());
  const telling = points.filter(
    ({ says }) => says !== undefined && sure(says) >= SAID_CHARACTERS_MIN,
  );
  const isSaid = ({ says }: Point) => says !== undefined && lines.some((line) => fits(says, line));
  const unique = telling.filter(
    (point) =>
      telling.filter(
        ({ text, line, file }) =>
          text === point.text && (line !== point.line || file !== point.file),
      ).length === 0,
  );
  const from = Math.max(0, ...unique.filter(isSaid).map(({ at }) => at));
  const missed = telling.filter((point) => point.at > from && point.isCertain && !isSaid(point));
  return [from, Math.min(Number.POSITIVE_INFINITY, ...missed.map(({ at }) => at))];
}
const SAID_CHARACTERS_MIN = 3;

const sure = (pattern: Pattern): number =>
  partsOf(pattern).reduce(
    (sum, part) => sum + (typeof part === 'string' ? part.trim().length : 0),
    0,
  );

/** `grep: x: No such file or directory`, `sh: 1: foo: not found`: those that run the program that spoke last. */
function byMessage(points: readonly Point[], said: readonly ConsoleLine[]): Point[] {
  for (const { text } of said.slice(-LINES_LOOKED_AT).toReversed()) {
    const [, name, rest = ''] = /^(?:\S*\/)?([\w.+-]+): (.*)$/.exec(text) ?? [];
    if (name === undefined) continue;
    const missing = /^(?:line )?\d+: (\S+): /.exec(rest)?.[1];
    const program = missing === undefined || !/^(?:ba|da|a)?sh$/.test(name) ? name : missing;
    const ran = points.filter(({ words }) => words.some((word) => isProgram(word, program)));
    if (ran.length === 0) continue;
    const most = Math.max(...ran.map((point) => named(point, text)));
    return ran.filter((point) => named(point, text) === most);
  }
  return [];
}
const LINES_LOOKED_AT = 4;

const isProgram = (word: Pattern, program: string): boolean =>
  word.kind === 'exact' && word.text.split('/').at(-1) === program;

/** How many of its words a message repeats. */
const named = ({ words }: Point, message: string): number =>
  words
    .slice(1)
    .filter((word) => word.kind === 'exact' && word.text.length > 2 && message.includes(word.text))
    .length;

// what can have ended so

/** Its failure may have ended the script, if by way of another command. */
const mayEnd = (point: Point): boolean => point.endsItsOwn || point.isInner;

function couldEndSo(course: Course, point: Point, status: number): boolean {
  const { kind, words, text, callers } = point;
  // `xargs` ends in a way of its own, however its commands do.
  const byPlace = indexOf(course.points);
  const isOfXargs = callers.some((at) => programOf(byPlace.get(at)) === 'xargs');
  if (isOfXargs || programOf(point) === 'xargs') return status === XARGS_FAILED;
  if (kind === 'exit' || kind === 'return') {
    const said = statusOf(words);
    return said === undefined || said === status;
  }
  if (kind === 'test') return status === 1 || status === 2;
  const program = programOf(point);
  if (
    /^(?:\[|test|false|grep|egrep|fgrep|cmp|diff|let|expr|read|command|type|which|pgrep|pidof|mountpoint)$/.test(
      program,
    )
  )
    return status <= 2;
  if (status === 124) return /\btimeout\b/.test(text) || hasUnknown(words);
  return true;
}

const hasUnknown = ([first]: readonly Pattern[]): boolean => first?.kind !== 'exact';

const XARGS_FAILED = 123;

/** Of `exit N`; `undefined`: nobody knows. */
function statusOf([, code]: readonly Pattern[]): number | undefined {
  return code?.kind === 'exact' && /^\d+$/.test(code.text) ? Number(code.text) : undefined;
}

const programOf = (point: Point | undefined): string => {
  const first = point?.words[0];
  return first?.kind === 'exact' ? (first.text.split('/').at(-1) ?? '') : '';
};

/** Whether it may end badly and say nothing. */
const isQuiet = (point: Point): boolean =>
  point.kind !== 'command' ||
  !LOUD.test(programOf(point)) ||
  /\d?>\s*\/dev\/null|&>|\s-\w*[qs]\b|--quiet|--silent/.test(point.lineText);

const LOUD =
  /^(?:cat|cp|mv|rm|mkdir|rmdir|ls|ln|chmod|chown|cd|tar|gzip|gunzip|unzip|dd|mount|umount|insmod|modprobe|rmmod|ip|ifconfig|iw|curl|ssh|scp|rsync|git|make|gcc|sed|awk|sort|head|tail|cut|tr|wc|touch|install|find|stat|date|kill|apt|apt-get|pip3?|python3?|perl|\.|source)$/;

/** What hardly ever ends badly. */
function isSafe(course: Course, point: Point): boolean {
  if (point.kind === 'command') return SAFE.test(programOf(point)) && !point.opensFile;
  if (point.kind !== 'assignment') return false;
  const inner = course.points.filter(
    ({ isInner, file, line, at }) =>
      isInner && file === point.file && line === point.line && at < point.at,
  );
  const last = inner.at(-1);
  return (
    last !== undefined &&
    HARDLY.test(programOf(last)) &&
    !inner.slice(0, -1).some(({ endsItsOwn }) => endsItsOwn)
  );
}

const SAFE =
  /^(?:echo|printf|set|export|sleep|:|true|local|declare|readonly|shift|trap|unset|umask|ulimit|alias|dirname|basename|mktemp|date|mapfile|readarray|lava-(?:send|wait|wait-all|sync|test-case|test-set|test-event|test-reference|self|role))$/;
const HARDLY =
  /^(?:dirname|basename|mktemp|date|pwd|hostname|uname|echo|printf|cut|awk|sed|head|tail|sort|tr|wc|uniq|tee|seq|lava-self|lava-role)$/;

/** What ends a board, or a shell. */
const isFatal = ({ lineText, words }: Point): boolean =>
  words.length > 0 &&
  /(?:^|[\s;&|(])(?:kill|killall|pkill|reboot|poweroff|halt|shutdown|insmod|modprobe|rmmod)\s|sysrq-trigger/.test(
    lineText,
  );

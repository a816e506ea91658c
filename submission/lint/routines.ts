/** What a script makes another part of itself: functions, and command lines in words. */
import { exact, type Pattern, unknown, unset } from './patterns.ts';
import { subshell } from './processes.ts';
import { either } from './results.ts';
import { ok, type Routine } from './scope.ts';
import type { Span, Statement } from './shell-tree.ts';
import { plainText } from './shell-words.ts';
import { madeSource, quotedSource, type Source } from './source.ts';
import { Table } from './table.ts';
import type { Field, Result, Walk } from './walk.ts';

const CALLS_DEEP_MAX = 12;

export function callRoutine(
  walk: Walk,
  statement: Statement,
  name: string,
  args: readonly Field[],
): Result {
  const routine = walk.scope.functions.get(name);
  if (routine === undefined || walk.via.length >= CALLS_DEEP_MAX) {
    walk.open('limit', statement);
    return { status: ok, out: undefined };
  }
  const saved = walk.scope.args;
  const source = walk.source;
  walk.via.push({ ...source.place(statement.start), name });
  walk.scope.args = argsOf(args);
  walk.locals.push(new Map());
  let out: Pattern | undefined;
  walk.around.push('function');
  walk.source = routine.source;
  const status = walk.block('routine', () => {
    const result = walk.one(routine.body);
    out = result.out;
    return result.status;
  });
  walk.source = source;
  walk.around.pop();
  for (const [variable, value] of walk.locals.pop() ?? [])
    if (value === undefined) walk.scope.vars.delete(variable);
    else walk.scope.vars.set(variable, value);
  walk.scope.args = saved;
  walk.via.pop();
  return { status, out };
}

export const argsOf = (args: readonly Field[]): readonly Pattern[] | null =>
  args.some(({ isOpen, value }) => isOpen && value.kind !== 'exact' && args.length > 1)
    ? null
    : args.map(({ value }) => value);

/** `set -e` of a script is its own: that its caller looks at how it ends does not take it away. */
export function asCaller<T>(walk: Walk, run: () => T): T {
  const saved = walk.isCondition;
  walk.isCondition = false;
  const result = run();
  walk.isCondition = saved;
  return result;
}

export function nested(walk: Walk, at: Span, name: string, run: () => Result): Result {
  if (walk.via.length >= CALLS_DEEP_MAX) {
    walk.open('limit', at);
    return { status: ok, out: undefined };
  }
  walk.via.push({ ...walk.source.place(at.start), name });
  const result = run();
  walk.via.pop();
  return result;
}

export function withSource(walk: Walk, source: Source, isBash: boolean, run: () => Result): Result {
  const saved = { source: walk.source, isBash: walk.isBash, reading: walk.reading };
  walk.source = source;
  walk.isBash = isBash;
  for (const span of source.script.broken) walk.open('syntax', span);
  const result = run();
  Object.assign(walk, saved);
  return result;
}

interface Setting {
  readonly errexit: boolean;
  readonly args: readonly Pattern[];
  readonly name: Pattern;
}

/** A command line in one word: in a shell of its own. */
export function commandText(
  walk: Walk,
  statement: Span,
  field: Field,
  setting: Setting = { errexit: false, args: [], name: exact('sh') },
): Result {
  if (field.value.kind !== 'exact') {
    const text = templateOf(walk, field.value);
    if (text === undefined) {
      walk.open('command', statement);
      return { status: either(walk, statement), out: undefined };
    }
    const { start } = field.word;
    const made = madeSource(text, walk.source, start === 0 ? statement.start : start);
    return madeScript(walk, made, setting);
  }
  const text = field.value.text;
  const isQuoted = plainText(field.word) === text && /^['"]/.test(field.word.source);
  const at = field.word.start + (isQuoted ? 1 : 0);
  const source =
    isQuoted || field.word.source === text
      ? quotedSource(text, walk.source, at)
      : madeSource(text, walk.source, field.word.start);
  return madeScript(walk, source, setting);
}

/** A command line with holes in it: they are words of which nobody knows more. `undefined`: nothing is known of it. */
export function templateOf(walk: Walk, value: Pattern): string | undefined {
  if (value.kind === 'exact') return value.text;
  if (value.kind !== 'parts') return undefined;
  let count = 0;
  return value.parts
    .map((part) => {
      if (typeof part === 'string') return part;
      count += 1;
      const name = `muster_hole_${walk.id()}_${count}`;
      walk.scope.vars.set(name, unknown(part.hole, part.id));
      walk.scope.exported.set(name, true);
      return `\${${name}}`;
    })
    .join('');
}

/** Names that are in the environment of every board. */
const OF_ENVIRONMENT =
  /^(?:PATH|HOME|USER|LANG|LC_\w+|TERM|TMPDIR|SHELL|PWD|LAVA_\w+|TARGET_ROLE|MUSTER_\w+)$/;

/** Another shell is told of what was exported alone. */
export function forgetUnexported(walk: Walk): void {
  const { scope } = walk;
  const { vars, exported } = scope;
  for (const name of [...vars.keys()])
    if (!exported.has(name) && !OF_ENVIRONMENT.test(name)) vars.set(name, unset);
  scope.arrays = new Table();
  scope.maps = new Table();
  const kept = new Table<Routine>();
  for (const [name, routine] of scope.functions)
    if (exported.has(`${name}()`)) kept.set(name, routine);
    else scope.hidden.set(name, true);
  scope.functions = kept;
}

export function madeScript(walk: Walk, source: Source, { errexit, args, name }: Setting): Result {
  const run = (): Result => {
    forgetUnexported(walk);
    walk.scope.errexit = errexit;
    walk.scope.args = args;
    walk.scope.scriptName = name;
    return withSource(walk, source, walk.isBash, () => walk.all(source.script.body));
  };
  return asCaller(walk, () => subshell(walk, run, 'script'));
}

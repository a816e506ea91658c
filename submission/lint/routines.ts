/** What a script makes another part of itself: functions, and command lines in words. */
import { exact, type Pattern, unknown } from './patterns.ts';
import { subshell } from './processes.ts';
import { either } from './results.ts';
import { ok } from './scope.ts';
import type { Span, Statement } from './shell-tree.ts';
import { plainText } from './shell-words.ts';
import { madeSource, quotedSource, type Source } from './source.ts';
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
    const source = templated(walk, field, statement);
    if (source === undefined) {
      walk.open('command', statement);
      return { status: either(walk, statement), out: undefined };
    }
    return madeScript(walk, source, setting);
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

/** A command line with holes in it: they are words of which nobody knows more. */
function templated(walk: Walk, { value, word }: Field, at: Span): Source | undefined {
  if (value.kind !== 'parts') return undefined;
  let count = 0;
  const text = value.parts
    .map((part) => {
      if (typeof part === 'string') return part;
      count += 1;
      const name = `muster_hole_${walk.id()}_${count}`;
      walk.scope.vars.set(name, unknown(part.hole, part.id));
      return `\${${name}}`;
    })
    .join('');
  return madeSource(text, walk.source, word.start === 0 ? at.start : word.start);
}

export function madeScript(walk: Walk, source: Source, { errexit, args, name }: Setting): Result {
  const run = (): Result => {
    walk.scope.errexit = errexit;
    walk.scope.args = args;
    walk.scope.scriptName = name;
    return withSource(walk, source, walk.isBash, () => walk.all(source.script.body));
  };
  return asCaller(walk, () => subshell(walk, run, 'script'));
}

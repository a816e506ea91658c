/** Which command a word names: a function, a builtin, a verb, what runs another, a script or a program. */
import { builtins } from './builtins.ts';
import { type Pattern, withoutStart } from './patterns.ts';
import { program } from './programs.ts';
import { quiet } from './results.ts';
import { callRoutine } from './routines.ts';
import { failed, ok } from './scope.ts';
import { SHELLS, script, shell, unknownCommand } from './script-files.ts';
import type { Statement } from './shell-tree.ts';
import { verbCommand } from './verb-commands.ts';
import type { Field, Result, Walk } from './walk.ts';
import { CHECKOUT } from './walk-files.ts';
import { wrappers } from './wrappers.ts';

export function runCommand(walk: Walk, statement: Statement, fields: readonly Field[]): Result {
  const [first, ...args] = fields;
  if (first === undefined) return quiet(ok);
  if (first.value.kind !== 'exact') return unknownCommand(walk, statement, first);
  const name = first.value.text;
  const routine = walk.scope.functions.get(name);
  if (routine !== undefined) return callRoutine(walk, statement, name, args);
  const builtin = Object.hasOwn(builtins, name) ? builtins[name] : undefined;
  if (builtin !== undefined) return builtin(walk, statement, args);
  const verb = verbCommand(walk, statement, name, args);
  if (verb !== undefined) return verb;
  const wrapped = Object.hasOwn(wrappers, name) ? wrappers[name]?.(args) : undefined;
  if (wrapped !== undefined)
    return withGiven(walk, args.slice(0, args.length - wrapped.length), () =>
      runCommand(walk, statement, wrapped),
    );
  if (SHELLS.test(name)) return shell(walk, statement, args);
  if (isScript(walk, name, first.value)) return script(walk, statement, first.value, args);
  // A function of the caller's shell, of which this one was not told.
  if (walk.scope.hidden.has(name)) return quiet(failed);
  return program(walk, statement, name, args);
}

/** `env A=b command`: for the command alone. */
function withGiven(walk: Walk, given: readonly Field[], run: () => Result): Result {
  const { vars, exported } = walk.scope;
  const before = new Map<string, { value: Pattern | undefined; isExported: boolean }>();
  for (const { value, word } of given) {
    const [start, name] = /^([A-Za-z_]\w*)=/.exec(word.source) ?? [];
    if (start === undefined || name === undefined) continue;
    before.set(name, { value: vars.get(name), isExported: exported.has(name) });
    vars.set(name, withoutStart(value, start.length));
    exported.set(name, true);
  }
  const result = run();
  for (const [name, { value, isExported }] of before) {
    if (value === undefined) walk.scope.vars.delete(name);
    else walk.scope.vars.set(name, value);
    if (!isExported) walk.scope.exported.delete(name);
  }
  return result;
}

/** By a path, or by its name where `PATH` leads into the checkout. */
function isScript(walk: Walk, name: string, path: Pattern): boolean {
  if (walk.writtenAt(path) !== undefined) return true;
  if (name.startsWith(CHECKOUT)) return true;
  if (name.includes('/')) return !name.startsWith('/');
  return walk.scope.hasOwnPath && walk.hasFile(path);
}

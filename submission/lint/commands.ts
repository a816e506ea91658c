/** Which command a word names: a function, a builtin, a verb, what runs another, a script or a program. */
import { builtins } from './builtins.ts';
import { program } from './programs.ts';
import { quiet } from './results.ts';
import { callRoutine } from './routines.ts';
import { ok } from './scope.ts';
import { SHELLS, script, shell, unknownCommand } from './script-files.ts';
import type { Statement } from './shell-tree.ts';
import { verbCommand } from './verb-commands.ts';
import type { Field, Result, Walk } from './walk.ts';
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
  if (wrapped !== undefined) return runCommand(walk, statement, wrapped);
  if (SHELLS.test(name)) return shell(walk, statement, args);
  if (name.includes('/') && !name.startsWith('/'))
    return script(walk, statement, first.value, args);
  return program(walk, statement, name, args);
}

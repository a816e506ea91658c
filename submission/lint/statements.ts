/** The statements of a shell, walked: which run, in which order, and which may run or not. */
import { assign, declare } from './assignments.ts';
import { arithmetic } from './expansions.ts';
import { fieldsOf } from './fields.ts';
import { forLoop, whileLoop } from './loops.ts';
import { exact, type Pattern } from './patterns.ts';
import { background, pipeline, redirected, subshell } from './processes.ts';
import { quiet } from './results.ts';
import { failed, flipped, ok, type Status } from './scope.ts';
import { testStatus } from './shell-test.ts';
import type { Statement } from './shell-tree.ts';
import type { Result, Walk } from './walk.ts';
import { asCondition, branch, branches, items, list, ofSum, together } from './ways.ts';

type Kind<K extends Statement['kind']> = Extract<Statement, { kind: K }>;

export function runAll(walk: Walk, statements: readonly Statement[]): Result {
  let status = ok;
  const outs: (Pattern | undefined)[] = [];
  for (const statement of statements) {
    if (walk.isDead || !walk.step(statement)) break;
    const result = runOne(walk, statement);
    status = result.status;
    if (walk.isCapturing) outs.push(result.out);
  }
  return { status, out: together(outs) };
}

export function runOne(walk: Walk, statement: Statement): Result {
  walk.reading = statement;
  if (statement.isBackground) return background(walk, statement);
  const result = redirected(walk, statement.redirects, () => dispatch(walk, statement));
  if (walk.isDead) return result;
  walk.scope.status = result.status;
  if (ENDS.has(statement.kind)) endOfErrors(walk, statement, result.status);
  return result;
}

/** Those that `set -e` looks at: of the others it looks at what is inside. */
const ENDS = new Set(['simple', 'declare', 'pipeline', 'subshell', 'test', 'arithmetic']);

function endOfErrors(walk: Walk, statement: Statement, status: Status): void {
  const frame = walk.endOfErrors;
  if (frame === undefined) return;
  if (status.is === 'failed') {
    walk.death(statement, statement.kind === 'test' ? 'false-test' : 'other');
    walk.leave(frame, failed);
  } else if (status.is === 'either' && status.isCall) {
    if (walk.leaving.has(status.key)) return;
    // It was decided before, by a call: here that ends the script.
    branch(
      walk,
      status,
      statement,
      () => quiet(ok),
      () => {
        walk.leave(frame, failed);
        return quiet(failed);
      },
    );
  } else if (status.is === 'either') {
    if (isQuestion(statement)) {
      const at = { ...walk.source.place(statement.start), text: walk.textOf(statement) };
      walk.emit({
        op: 'check',
        key: `check ${walk.id()}`,
        what: 'check',
        leaves: walk.dies(frame),
        at,
      });
    }
    // What can be asked again has the same answer.
    if (status.key.startsWith('test '))
      walk.scope.assumed.set(status.key, status.isFlipped ? 1 : 0);
  }
}

const QUESTIONS =
  /^(?:\[|test|cmp|diff|which|type|hash|pgrep|pidof|mountpoint|findmnt|lsmod|command -[vV]|[ef]?grep)(?=\s|$)/;

/** A line that does nothing but ask: whoever writes it under `set -e` means that the script may end there. */
function isQuestion(statement: Statement): boolean {
  if (statement.kind === 'test' || statement.kind === 'arithmetic') return true;
  if (statement.kind === 'pipeline') {
    const last = statement.stages.at(-1);
    return last !== undefined && isQuestion(last);
  }
  return (
    statement.kind === 'simple' &&
    QUESTIONS.test(statement.words.map(({ source }) => source).join(' '))
  );
}

function dispatch(walk: Walk, statement: Statement): Result {
  switch (statement.kind) {
    case 'simple':
      return simple(walk, statement);
    case 'declare':
      return declare(walk, statement);
    case 'list':
      return list(walk, statement);
    case 'pipeline':
      return pipeline(walk, statement);
    case 'not': {
      const { status, out } = asCondition(walk, () => runOne(walk, statement.body));
      return { status: flipped(status), out };
    }
    case 'group':
      return runAll(walk, statement.body);
    case 'subshell':
      return subshell(walk, () => runAll(walk, statement.body), 'subshell');
    case 'if':
      return branches(walk, statement, 0);
    case 'case':
      return items(walk, statement);
    case 'for':
      return forLoop(walk, statement);
    case 'count':
      arithmetic(walk, statement.initial === '' ? '0' : statement.initial);
      return whileLoop(walk, statement, {
        condition: () => ofSum(walk, statement.condition === '' ? '1' : statement.condition),
        after: () => arithmetic(walk, statement.update === '' ? '0' : statement.update),
      });
    case 'while':
      return whileLoop(walk, statement, {
        condition: () => {
          const { status } = asCondition(walk, () => runAll(walk, statement.condition));
          return statement.isUntil ? flipped(status) : status;
        },
        after: () => undefined,
      });
    case 'function':
      walk.scope.functions.set(statement.name, { body: statement.body, source: walk.source });
      return quiet(ok);
    case 'test':
      return { status: testStatus(walk, statement.words, true), out: exact('') };
    case 'arithmetic':
      return { status: ofSum(walk, statement.source), out: exact('') };
    case 'broken':
      walk.open('syntax', statement);
      return { status: ok, out: undefined };
  }
}

function simple(walk: Walk, statement: Kind<'simple'>): Result {
  walk.substitution = ok;
  const fields = fieldsOf(walk, statement.words);
  if (fields.length === 0) {
    for (const one of statement.assignments) assign(walk, one);
    return { status: walk.substitution, out: exact('') };
  }
  // `A=b command`: for the command alone, and for what it runs.
  const before = new Map(
    statement.assignments.map(({ name }) => [name, walk.scope.vars.get(name)]),
  );
  const { exported } = walk.scope;
  const untold = statement.assignments.filter(({ name }) => !exported.has(name));
  for (const one of statement.assignments) assign(walk, one);
  for (const { name } of untold) exported.set(name, true);
  const result = walk.runner.command(walk, statement, fields);
  for (const [name, value] of before)
    if (value === undefined) walk.scope.vars.delete(name);
    else walk.scope.vars.set(name, value);
  for (const { name } of untold) walk.scope.exported.delete(name);
  return result;
}

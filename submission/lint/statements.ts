/** The statements of a shell, walked: which run, in which order, and which may run or not. */
import type { Condition } from './call-graph.ts';
import { arithmetic, fieldsOf, globParts, textValue } from './expansions.ts';
import { fitsGlob } from './globs.ts';
import { exact, joined, type Pattern, patternKey, unknown } from './patterns.ts';
import { failed, flipped, met, ok, type Status } from './scope.ts';
import { testStatus } from './shell-test.ts';
import type { Assignment, Redirect, Span, Statement } from './shell-tree.ts';
import { type Result, ROUNDS_MAX, type Walk } from './walk.ts';

type Kind<K extends Statement['kind']> = Extract<Statement, { kind: K }>;

const nothing: Result = { status: ok, out: exact('') };

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

function together(outs: readonly (Pattern | undefined)[]): Pattern | undefined {
  const known = outs.filter((out) => out !== undefined);
  return known.length === outs.length ? joined(known) : undefined;
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
  } else if (status.is === 'either' && status.key.startsWith('test '))
    // What can be asked again has the same answer.
    walk.scope.assumed.set(status.key, status.isFlipped ? 1 : 0);
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
      return nothing;
    case 'test':
      return { status: testStatus(walk, statement.words, true), out: exact('') };
    case 'arithmetic':
      return { status: ofSum(walk, statement.source), out: exact('') };
    case 'broken':
      walk.open('syntax', statement);
      return { status: ok, out: undefined };
  }
}

function ofSum(walk: Walk, source: string): Status {
  const value = arithmetic(walk, source);
  if (value.kind === 'exact') return value.text === '0' ? failed : ok;
  return open(`sum ${walk.id()}`, `((${source.trim()}))`);
}

const open = (key: string, text: string): Status => ({
  is: 'either',
  key,
  isFlipped: false,
  text,
  isCall: false,
});

// simple commands

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
  for (const one of statement.assignments) assign(walk, one);
  const result = walk.runner.command(walk, statement, fields);
  for (const [name, value] of before)
    if (value === undefined) walk.scope.vars.delete(name);
    else walk.scope.vars.set(name, value);
  return result;
}

function declare(walk: Walk, { command, assignments, words }: Kind<'declare'>): Result {
  const names = fieldsOf(walk, words).map(({ value }) => value);
  if (command === 'local' || command === 'declare' || command === 'typeset')
    for (const { name } of assignments) walk.keepLocal(name);
  for (const one of assignments) assign(walk, one);
  for (const name of names) {
    if (name.kind !== 'exact' || name.text.startsWith('-')) continue;
    const [variable = '', ...value] = name.text.split('=');
    if (command === 'local') walk.keepLocal(variable);
    if (value.length > 0) walk.scope.vars.set(variable, exact(value.join('=')));
    else if (command === 'local') walk.scope.vars.set(variable, exact(''));
  }
  return nothing;
}

function assign(walk: Walk, { name, index, isAppended, value, array }: Assignment): void {
  const { vars, arrays } = walk.scope;
  if (array !== undefined) {
    const fields = fieldsOf(walk, array);
    const isOpen = fields.some((field) => field.isOpen);
    const before = isAppended ? (arrays.get(name) ?? []) : [];
    if (isOpen) arrays.delete(name);
    else arrays.set(name, [...before, ...fields.map((field) => field.value)]);
    if (isOpen) vars.set(name, unknown(`$${name}`, `array ${walk.id()}`));
    else vars.delete(name);
    return;
  }
  const set = textValue(walk, value);
  if (index !== undefined) {
    const list = arrays.get(name) ?? [];
    const at = arithmetic(walk, index);
    if (at.kind === 'exact' && Number(at.text) <= list.length)
      arrays.set(name, [
        ...list.slice(0, Number(at.text)),
        set,
        ...list.slice(Number(at.text) + 1),
      ]);
    else arrays.delete(name);
    return;
  }
  const before = vars.get(name);
  vars.set(name, isAppended && before !== undefined ? joined([before, set]) : set);
}

// ways

export function asCondition<T>(walk: Walk, run: () => T): T {
  const saved = walk.isCondition;
  walk.isCondition = true;
  walk.around.push('condition');
  const result = run();
  walk.around.pop();
  walk.isCondition = saved;
  return result;
}

/** Goes on by how a command ended: the one way, the other, or either. */
export function branch(
  walk: Walk,
  status: Status,
  at: Span,
  yes: () => Result,
  no: () => Result,
): Result {
  if (walk.isDead) return { status, out: undefined };
  if (status.is === 'ok') return yes();
  if (status.is === 'failed') return no();
  const results: Result[] = [];
  const alive = (way: () => Result) => () => {
    const result = way();
    if (!walk.isDead) results.push(result);
  };
  const ways = status.isFlipped ? [no, yes] : [yes, no];
  walk.choice(status.key, status.isCall, conditionAt(walk, at, status), ways.map(alive));
  return oneOf(walk, results);
}

function oneOf(walk: Walk, results: readonly Result[]): Result {
  const [first, ...others] = results;
  if (first === undefined) return { status: ok, out: undefined };
  const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const out = others.every((other) => isSame(other.out, first.out)) ? first.out : undefined;
  const status = others.every((other) => isSame(other.status, first.status))
    ? first.status
    : open(`ways ${walk.id()}`, '');
  return { status, out };
}

const conditionAt = (walk: Walk, at: Span, status: Status): Condition => ({
  ...walk.source.place(at.start),
  text: status.is === 'either' && status.text !== '' ? status.text : walk.textOf(at),
  holds: status.is !== 'either' || !status.isFlipped,
  known: false,
});

const HARMLESS = /^(?::|true|echo|printf|lava-test-case|sleep)\b/;

function list(walk: Walk, statement: Kind<'list'>): Result {
  const { left, operator, right } = statement;
  const isOrTrue = operator === '||' && HARMLESS.test(walk.textOf(right));
  if (isOrTrue) walk.around.push('or-true');
  const { status, out } = asCondition(walk, () => runOne(walk, left));
  if (isOrTrue) walk.around.pop();
  const go = (): Result => {
    const result = runOne(walk, right);
    return { status: result.status, out: together([out, result.out]) };
  };
  const stay = (is: Status) => (): Result => ({ status: is, out });
  return operator === '&&'
    ? branch(walk, status, left, go, stay(failed))
    : branch(walk, status, left, stay(ok), go);
}

function branches(walk: Walk, statement: Kind<'if'>, index: number): Result {
  const one = statement.branches[index];
  if (one === undefined)
    return statement.otherwise === null ? nothing : runAll(walk, statement.otherwise);
  const { status } = asCondition(walk, () => runAll(walk, one.condition));
  const at = one.condition.at(0) ?? statement;
  return branch(
    walk,
    status,
    { start: at.start, end: one.condition.at(-1)?.end ?? at.end },
    () => runAll(walk, one.body),
    () => branches(walk, statement, index + 1),
  );
}

function items(walk: Walk, statement: Kind<'case'>): Result {
  const word = textValue(walk, statement.word);
  const from = (index: number): Result => {
    const item = statement.items[index];
    if (item === undefined) return nothing;
    const fits = item.patterns.map((pattern) => fitsGlob(word, globParts(walk, pattern)));
    const body = (): Result => {
      const result = runAll(walk, item.body);
      if (walk.isDead || item.falls === '') return result;
      const next = statement.items[index + 1];
      return item.falls === ';&' && next !== undefined ? runAll(walk, next.body) : from(index + 1);
    };
    if (fits.includes(true)) return body();
    if (fits.every((is) => is === false)) return from(index + 1);
    const text = item.patterns.map((pattern) => pattern.source).join('|');
    const key = `case ${patternKey(word)} ${text}`;
    const status = open(key, `${statement.word.source} is ${text}`);
    return branch(walk, status, statement.word, body, () => from(index + 1));
  };
  return from(0);
}

// loops

function forLoop(walk: Walk, statement: Kind<'for'>): Result {
  const { name, words, body } = statement;
  const fields =
    words === null
      ? (walk.scope.args?.map((value) => ({ value, isOpen: false })) ?? [
          { value: unknown('$@'), isOpen: true },
        ])
      : fieldsOf(walk, words);
  const isOpen = fields.some((field) => field.isOpen);
  walk.inside('loop', () => {
    walk.block('loop', () => {
      if (isOpen) {
        repeated(walk, statement, 0, () => {
          walk.scope.vars.set(name, unknown(`$${name}`, `turn ${walk.id()}`));
          return runAll(walk, body).status;
        });
        return ok;
      }
      for (const { value } of fields) {
        if (walk.isDead || !walk.step(statement)) break;
        walk.scope.vars.set(name, value);
        walk.block('round', () => runAll(walk, body).status);
      }
      return ok;
    });
  });
  return { status: ok, out: undefined };
}

interface Loop {
  condition(): Status;
  after(): unknown;
}

function whileLoop(walk: Walk, statement: Kind<'while'> | Kind<'count'>, loop: Loop): Result {
  const run = () => {
    const { status } = runAll(walk, statement.body);
    if (!walk.isDead) loop.after();
    return status;
  };
  walk.inside('loop', () => {
    walk.block('loop', () => {
      for (let round = 0; !walk.isDead && walk.step(statement); round++) {
        const before = keyOf(walk);
        const status = loop.condition();
        if (walk.isDead || status.is === 'failed') break;
        if (status.is === 'either') {
          eitherRound(walk, statement, status, loop, run);
          break;
        }
        const leftBefore = walk.frame('loop')?.exits.length ?? 0;
        walk.block('round', run);
        if (walk.isDead) break;
        const isSame = keyOf(walk) === before;
        const mayLeave = (walk.frame('loop')?.exits.length ?? 0) > leftBefore;
        if (!isSame && !mayLeave && round < ROUNDS_MAX) continue;
        if (round >= ROUNDS_MAX) walk.open('loop', statement);
        endless(walk, statement, loop, run);
        break;
      }
      return ok;
    });
  });
  return { status: ok, out: undefined };
}

/** The next turns of a loop that ends by what its body finds, or never. */
function endless(walk: Walk, statement: Statement, loop: Loop, run: () => Status): void {
  repeated(
    walk,
    statement,
    0,
    () => {
      loop.condition();
      return run();
    },
    true,
  );
  walk.isDead = true;
}

/** A loop whose condition is told by a call (`until timeout 5 lava-wait x`), or by what nobody knows. */
function eitherRound(
  walk: Walk,
  statement: Statement,
  status: Status,
  loop: Loop,
  run: () => Status,
): void {
  if (status.is !== 'either') return;
  const goOn = () => {
    walk.block('round', run);
    if (walk.isDead) return { status: ok, out: undefined };
    walk.open('loop', statement);
    repeated(walk, statement, 0, () => {
      loop.condition();
      return run();
    });
    return { status: ok, out: undefined };
  };
  if (status.isCall) {
    branch(walk, status, statement, goOn, () => ({ status: ok, out: undefined }));
    return;
  }
  repeated(walk, statement, 0, () => {
    const end = run();
    if (!walk.isDead) loop.condition();
    return end;
  });
}

/** A body that runs as often as nobody can tell: what changes in it is not known in it, nor behind it. */
function repeated(
  walk: Walk,
  at: Span,
  atLeast: number,
  run: () => Status,
  isEndless = false,
): void {
  const before = walk.scope.copy();
  const wasRepeat = walk.isRepeat;
  walk.isRepeat = true;
  const isDead = walk.isDead;
  const round = () => {
    walk.block('round', run);
  };
  walk.trial(() => walk.collected(round));
  const id = `turns ${walk.id()}`;
  const start = met([before, walk.scope], id);
  walk.scope = start;
  walk.isDead = isDead;
  const body = walk.collected(round);
  const after = walk.isDead ? [start] : [start, walk.scope];
  walk.isDead = isDead;
  walk.scope = met(after, id);
  walk.isRepeat = wasRepeat;
  if (body.length === 0) return;
  const place = walk.source.place(at.start);
  walk.emit({ op: 'repeat', key: id, body, atLeast, isEndless, at: place });
}

const keyOf = ({ scope, input }: Walk): string =>
  JSON.stringify([
    [...scope.vars],
    [...scope.arrays],
    scope.args,
    scope.cwd,
    scope.written.size,
    input,
  ]);

// processes

/** Runs in a process of its own: what it changes is gone behind it. */
export function subshell(
  walk: Walk,
  run: () => Result,
  what: 'subshell' | 'substitution' | 'pipeline' | 'script' | 'background',
): Result {
  const before = walk.scope;
  walk.scope = before.copy();
  let out: Pattern | undefined;
  walk.around.push(what);
  const status = walk.block('process', () => {
    const result = run();
    out = result.out;
    return result.status;
  });
  walk.around.pop();
  const { lastWait } = walk.scope;
  walk.scope = before;
  walk.scope.lastWait = lastWait;
  // Dead still: it never ends, or the member has ended in it.
  return { status, out };
}

function pipeline(walk: Walk, { stages }: Kind<'pipeline'>): Result {
  const saved = walk.input;
  let result: Result = nothing;
  for (const [index, stage] of stages.entries()) {
    const isLast = index === stages.length - 1;
    const capturing = walk.isCapturing;
    if (!isLast) walk.isCapturing = true;
    if (index > 0) walk.input = result.out ?? unknown('|', `pipe ${walk.id()}`);
    const run = () => subshell(walk, () => runOne(walk, stage), 'pipeline');
    // How a stage ends matters only for the last.
    result = isLast ? run() : asStage(walk, run);
    walk.isCapturing = capturing;
    if (walk.isDead) break;
  }
  walk.input = saved;
  return result;
}

function asStage<T>(walk: Walk, run: () => T): T {
  const saved = walk.isCondition;
  walk.isCondition = true;
  const result = run();
  walk.isCondition = saved;
  return result;
}

function background(walk: Walk, statement: Statement): Result {
  const job = walk.jobSign();
  const body = walk.collected(() => {
    subshell(walk, () => runOne(walk, { ...statement, isBackground: false }), 'background');
    walk.isDead = false;
  });
  walk.emit({ op: 'spawn', body, job });
  walk.scope.lastJob = job;
  return nothing;
}

/** What a `$(...)` prints; `undefined`: not known. */
export function captured(walk: Walk, body: readonly Statement[], at: Span): Pattern | undefined {
  const { isCapturing, isCondition, reading } = walk;
  walk.isCapturing = true;
  walk.isCondition = true;
  const { status, out } = subshell(
    walk,
    () => fileRead(walk, body) ?? runAll(walk, body),
    'substitution',
  );
  walk.isCapturing = isCapturing;
  walk.isCondition = isCondition;
  walk.reading = reading ?? at;
  walk.substitution = status.is === 'failed' ? failed : ok;
  return out;
}

/** `$(< file)`. */
function fileRead(walk: Walk, body: readonly Statement[]): Result | undefined {
  const [only] = body;
  if (body.length !== 1 || only?.kind !== 'simple' || only.words.length > 0) return undefined;
  const input = only.redirects.find(({ operator }) => operator === '<');
  return input === undefined ? undefined : { status: ok, out: inputOf(walk, input) };
}

// redirections

function redirected(walk: Walk, redirects: readonly Redirect[], run: () => Result): Result {
  if (redirects.length === 0) return run();
  const saved = walk.input;
  let isAway = false;
  for (const redirect of redirects) {
    const { operator, descriptor = '', target } = redirect;
    if (operator.startsWith('<')) {
      if (descriptor === '' || descriptor === '0') walk.input = inputOf(walk, redirect);
      continue;
    }
    const value = textValue(walk, target);
    if (value.kind === 'exact' && /^[0-9-]$/.test(value.text))
      isAway ||= value.text === '2' && descriptor !== '2';
    else {
      if (descriptor !== '2') isAway = true;
      if (value.kind === 'exact') walk.scope.written.add(value.text);
    }
  }
  const result = run();
  walk.input = saved;
  return isAway ? { status: result.status, out: exact('') } : result;
}

function inputOf(walk: Walk, { operator, target }: Redirect): Pattern | undefined {
  const value = textValue(walk, target);
  if (operator === '<<' || operator === '<<-') return value;
  if (operator === '<<<') return joined([value, exact('\n')]);
  return walk.fileText(value);
}

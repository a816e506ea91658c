/** Processes: subshells, pipes, background, `$(...)`, and where their input comes from. */
import { textValue } from './expansions.ts';
import { exact, joined, type Pattern, unknown } from './patterns.ts';
import { quiet } from './results.ts';
import { failed, ok } from './scope.ts';
import type { Redirect, Span, Statement } from './shell-tree.ts';
import type { Result, Walk } from './walk.ts';

type Kind<K extends Statement['kind']> = Extract<Statement, { kind: K }>;

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

export function pipeline(walk: Walk, { stages }: Kind<'pipeline'>): Result {
  const saved = walk.input;
  let result: Result = quiet(ok);
  for (const [index, stage] of stages.entries()) {
    const isLast = index === stages.length - 1;
    const capturing = walk.isCapturing;
    if (!isLast) walk.isCapturing = true;
    if (index > 0) walk.input = result.out ?? unknown('|', `pipe ${walk.id()}`);
    const run = () => subshell(walk, () => walk.one(stage), 'pipeline');
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

export function background(walk: Walk, statement: Statement): Result {
  const job = walk.jobSign();
  const body = walk.collected(() => {
    subshell(walk, () => walk.one({ ...statement, isBackground: false }), 'background');
    walk.isDead = false;
  });
  walk.emit({ op: 'spawn', body, job });
  walk.scope.lastJob = job;
  return quiet(ok);
}

/** What a `$(...)` prints; `undefined`: not known. */
export function captured(walk: Walk, body: readonly Statement[], at: Span): Pattern | undefined {
  const { isCapturing, isCondition, reading } = walk;
  walk.isCapturing = true;
  walk.isCondition = true;
  const { status, out } = subshell(
    walk,
    () => fileRead(walk, body) ?? walk.all(body),
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

export function redirected(walk: Walk, redirects: readonly Redirect[], run: () => Result): Result {
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

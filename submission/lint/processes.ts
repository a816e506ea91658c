/** Processes: subshells, pipes, background, `$(...)`, and where their input comes from. */

import type { Tree } from './call-graph.ts';
import { ofStatus, simple } from './decisions.ts';
import { textValue } from './expansions.ts';
import { exact, joined, type Pattern, unknown } from './patterns.ts';
import { quiet } from './results.ts';
import { failed, ok, type Status } from './scope.ts';
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
  const { lastWait, written } = walk.scope;
  walk.scope = before;
  walk.scope.lastWait = lastWait;
  walk.scope.written = written;
  // Dead still: it never ends, or the member has ended in it.
  return { status, out };
}

export function pipeline(walk: Walk, { stages }: Kind<'pipeline'>): Result {
  const saved = walk.input;
  let result: Result = quiet(ok);
  const statuses: Status[] = [];
  for (const [index, stage] of stages.entries()) {
    const isLast = index === stages.length - 1;
    const capturing = walk.isCapturing;
    if (!isLast) walk.isCapturing = true;
    if (index > 0) walk.input = result.out ?? unknown('|', `pipe ${walk.id()}`);
    const run = () => subshell(walk, () => walk.one(stage), 'pipeline');
    // How a stage ends matters only for the last.
    result = isLast ? run() : asStage(walk, run);
    walk.isCapturing = capturing;
    statuses.push(result.status);
    if (walk.isDead) break;
  }
  walk.input = saved;
  if (!walk.scope.pipefail) return result;
  // It fails where one of them does.
  let tree: Tree = true;
  for (const status of statuses.reverse()) tree = both(ofStatus(status), tree);
  const known = statuses.filter((status) => status.is === 'either' && !status.isCall);
  const [open] = known;
  if (open !== undefined && known.length === statuses.filter(({ is }) => is === 'either').length)
    return { ...result, status: statuses.some(({ is }) => is === 'failed') ? failed : open };
  return { ...result, status: walk.decision(tree, '|') };
}

function both(first: Tree, rest: Tree): Tree {
  if (typeof first === 'boolean') return first ? rest : false;
  return simple(
    first.key,
    first.ways.map((way) => both(way, rest)),
  );
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
  walk.substitution = status.is === 'either' && !status.isCall ? ok : status;
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
  const saved = { input: walk.input, isCapturing: walk.isCapturing };
  let isAway = false;
  let here: Span | undefined;
  const files: { path: Pattern; isAppended: boolean; isOutput: boolean }[] = [];
  for (const redirect of redirects) {
    const { operator, descriptor = '', target } = redirect;
    if (operator.startsWith('<')) {
      if (descriptor !== '' && descriptor !== '0') continue;
      walk.input = inputOf(walk, redirect);
      here = /^<<-?$/.test(operator) && target !== null ? target : undefined;
      continue;
    }
    const path = textValue(walk, target);
    if (path.kind === 'exact' && /^[0-9-]$/.test(path.text))
      isAway ||= path.text === '2' && descriptor !== '2';
    else {
      const isOutput = descriptor !== '2';
      isAway ||= isOutput;
      files.push({ path, isAppended: operator.includes('>>'), isOutput });
    }
  }
  const { input, reading } = walk;
  if (files.some(({ isOutput }) => isOutput)) walk.isCapturing = true;
  const result = run();
  Object.assign(walk, saved);
  for (const { path, isAppended, isOutput } of files) {
    if (path.kind !== 'exact' || path.text === '/dev/null') continue;
    const before = isAppended ? walk.fileText(path) : exact('');
    const out = isOutput ? result.out : undefined;
    const text = before === undefined || out === undefined ? undefined : joined([before, out]);
    const isLines = here !== undefined && !isAppended && out === input;
    const at = isLines ? (here?.start ?? 0) : reading.start;
    walk.write(path, { text, of: walk.source, at, isLines });
  }
  return isAway ? { status: result.status, out: exact('') } : result;
}

function inputOf(walk: Walk, { operator, target }: Redirect): Pattern | undefined {
  const [made] = target?.parts ?? [];
  // `< <(command)`: what it prints.
  if (operator === '<' && target !== null && made?.kind === 'other' && made.source.startsWith('<('))
    return walk.captured(made.body, target) ?? unknown(made.source, `process ${walk.id()}`);
  const value = textValue(walk, target);
  if (operator === '<<' || operator === '<<-') return value;
  if (operator === '<<<') return joined([value, exact('\n')]);
  return walk.fileText(value);
}

/** Where the ways of a script part: `if`, `case`, `&&` and `||`. */
import type { Condition } from './call-graph.ts';
import { arithmetic, globParts, textValue } from './expansions.ts';
import { fitsGlob } from './globs.ts';
import { joined, type Pattern, patternKey } from './patterns.ts';
import { textIn } from './recorder.ts';
import { quiet } from './results.ts';
import { failed, ok, type Status } from './scope.ts';
import type { Span, Statement } from './shell-tree.ts';
import type { Result, Walk } from './walk.ts';

type Kind<K extends Statement['kind']> = Extract<Statement, { kind: K }>;

export const open = (key: string, text: string): Status => ({
  is: 'either',
  key,
  isFlipped: false,
  text,
  isCall: false,
});

export function together(outs: readonly (Pattern | undefined)[]): Pattern | undefined {
  const known = outs.filter((out) => out !== undefined);
  return known.length === outs.length ? joined(known) : undefined;
}

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

const conditionAt =
  ({ source }: Walk, at: Span, status: Status) =>
  (): Condition => ({
    ...source.place(at.start),
    text: status.is === 'either' && status.text !== '' ? status.text : textIn(source, at),
    holds: status.is !== 'either' || !status.isFlipped,
    known: false,
  });

const HARMLESS = /^(?:(?:true|echo|printf|lava-test-case|sleep|logger|warn|log)\b|:)/;

/** Nothing comes of how it ended: a word is said of it, if anything. */
const isHarmless = (walk: Walk, body: readonly Statement[]): boolean =>
  body.every((one) => one.kind === 'simple' && HARMLESS.test(walk.textOf(one)));

export function list(walk: Walk, statement: Kind<'list'>): Result {
  const { left, operator, right } = statement;
  const isOrTrue = operator === '||' && HARMLESS.test(walk.textOf(right));
  if (isOrTrue) walk.around.push('or-true');
  const { status, out } = asCondition(walk, () => walk.one(left));
  if (isOrTrue) walk.around.pop();
  const go = (): Result => {
    const result = walk.one(right);
    return { status: result.status, out: together([out, result.out]) };
  };
  const stay = (is: Status) => (): Result => ({ status: is, out });
  return operator === '&&'
    ? branch(walk, status, left, go, stay(failed))
    : branch(walk, status, left, stay(ok), go);
}

export function branches(walk: Walk, statement: Kind<'if'>, index: number): Result {
  const one = statement.branches[index];
  if (one === undefined)
    return statement.otherwise === null ? quiet(ok) : walk.all(statement.otherwise);
  const isHidden =
    statement.branches.length === 1 &&
    isHarmless(walk, one.body) &&
    isHarmless(walk, statement.otherwise ?? []);
  if (isHidden) walk.around.push('or-true');
  const { status } = asCondition(walk, () => walk.all(one.condition));
  if (isHidden) walk.around.pop();
  const at = one.condition.at(0) ?? statement;
  return branch(
    walk,
    status,
    { start: at.start, end: one.condition.at(-1)?.end ?? at.end },
    () => walk.all(one.body),
    () => branches(walk, statement, index + 1),
  );
}

export function items(walk: Walk, statement: Kind<'case'>): Result {
  const word = textValue(walk, statement.word);
  const from = (index: number): Result => {
    const item = statement.items[index];
    if (item === undefined) return quiet(ok);
    const globs = item.patterns.map((pattern) => globParts(walk, pattern));
    const text = item.patterns.map((pattern) => pattern.source).join('|');
    const fits = (of: Pattern): Status => {
      const all = globs.map((glob) => fitsGlob(of, glob));
      if (all.includes(true)) return ok;
      if (all.every((is) => is === false)) return failed;
      return open(`case ${patternKey(of)} ${text}`, `${statement.word.source} is ${text}`);
    };
    const body = (): Result => {
      const result = walk.all(item.body);
      if (walk.isDead || item.falls === '') return result;
      const next = statement.items[index + 1];
      return item.falls === ';&' && next !== undefined ? walk.all(next.body) : from(index + 1);
    };
    const status = walk.decided([word], `${statement.word.source} is ${text}`, ([of = word]) =>
      fits(of),
    );
    return branch(walk, status, statement.word, body, () => from(index + 1));
  };
  return from(0);
}

/** `((...))`: it fails where it is 0. */
export function ofSum(walk: Walk, source: string): Status {
  const value = arithmetic(walk, source);
  if (value.kind === 'exact') return value.text === '0' ? failed : ok;
  return open(`sum ${walk.id()}`, `((${source.trim()}))`);
}

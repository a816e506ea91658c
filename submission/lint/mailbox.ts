/**
 * What a member's cache file holds after its last wait: lines that are there for certain, and lines that may be. Pairs are taken
 * from the sends as they stand in the programs; of values not all has to be known.
 */
import type { CallGraph, Op, Seek } from './call-graph.ts';
import { holdsSign, signOf } from './names.ts';
import { couldBe, type Pattern, partsOf } from './patterns.ts';

export interface Pair {
  /** Not exact: a word of which nobody knows whether it is one, or is there at all. */
  readonly key: Pattern;
  readonly value: Pattern;
}

interface Sent {
  readonly id: Pattern;
  readonly pairs: readonly Pair[];
}

interface Line extends Pair {
  /** `name:` in what a wait for all leaves, else empty. */
  readonly prefix: string;
}

export interface Cache {
  readonly certain: readonly Line[];
  readonly possible: readonly Line[];
}

export const emptyCache: Cache = { certain: [], possible: [] };

/** A word of a send, cut at its first `=`. */
export function pairOf(word: Pattern): Pair {
  const [first, ...rest] = partsOf(word);
  const at = typeof first === 'string' ? first.indexOf('=') : -1;
  if (typeof first !== 'string' || at < 0)
    return { key: { kind: 'unknown', hole: '' }, value: word };
  const text = first.slice(at + 1);
  const value: Pattern =
    rest.length === 0
      ? { kind: 'exact', text }
      : { kind: 'parts', parts: text === '' ? rest : [text, ...rest] };
  return { key: { kind: 'exact', text: first.slice(0, at) }, value };
}

/** The sends of a program, on whichever way. */
interface Sends {
  readonly byId: ReadonlyMap<string, readonly Sent[]>;
  /** Those whose id is not known. */
  readonly open: readonly Sent[];
}

const known = new WeakMap<CallGraph, Sends>();

function sendsOf(graph: CallGraph, message: string): readonly Sent[] {
  const { byId, open } = sendsIn(graph);
  const exact = byId.get(message) ?? [];
  const may = open.filter(({ id }) => couldBe(id, message));
  return may.length === 0 ? exact : [...exact, ...may];
}

function sendsIn(graph: CallGraph): Sends {
  const before = known.get(graph);
  if (before !== undefined) return before;
  const out: Sent[] = [];
  const look = (ops: readonly Op[]): void => {
    for (const op of ops) {
      if (op.op === 'call' && (op.call.verb === 'send' || op.call.verb === 'sync')) {
        const [id, ...words] = op.call.words;
        if (id !== undefined) out.push({ id, pairs: words.map(pairOf) });
      } else if (op.op === 'choice') for (const { body } of op.ways) look(body);
      else if (op.op === 'while') look([...op.condition, ...op.body]);
      else if ('body' in op) look(op.body);
    }
  };
  look(graph.program);
  const byId = new Map<string, Sent[]>();
  for (const one of out)
    if (one.id.kind === 'exact') {
      const same = byId.get(one.id.text);
      if (same === undefined) byId.set(one.id.text, [one]);
      else same.push(one);
    }
  const sends = { byId, open: out.filter(({ id }) => id.kind !== 'exact') };
  known.set(graph, sends);
  return sends;
}

export interface Heard {
  readonly verb: string;
  readonly message: string;
  /** The members that the wait counts, each with what it has sent so far, the oldest first. */
  readonly senders: readonly {
    readonly member: number;
    readonly name: string | undefined;
    readonly sent: readonly (readonly Pair[])[];
    readonly graph: CallGraph;
  }[];
}

export function cacheAfter({ verb, message, senders }: Heard): Cache {
  const isAll = verb === 'wait-all';
  const line = (member: number, name: string | undefined) => (pair: Pair) => ({
    ...pair,
    prefix: isAll ? `${name ?? signOf(member)}:` : '',
  });
  const certain: Line[] = [];
  const possible: Line[] = [];
  const maySend = senders.filter(
    ({ graph, sent }) => sent.length > 0 || sendsOf(graph, message).length > 0,
  );
  for (const { member, name, sent, graph } of maySend) {
    const of = line(member, name);
    for (const { pairs } of sendsOf(graph, message)) possible.push(...pairs.map(of));
    possible.push(...sent.flat().map(of));
    const [first = []] = sent;
    if (isAll) certain.push(...sent.flat().map(of));
    else if (maySend.length === 1) certain.push(...first.map(of));
  }
  if (!isAll && maySend.length > 1)
    certain.push(...common(maySend.map(({ sent }) => sent[0] ?? [])));
  return { certain, possible };
}

/** The pairs that come whoever sends. */
function common([first = [], ...others]: readonly (readonly Pair[])[]): Line[] {
  return first
    .filter(({ key }) => others.every((pairs) => pairs.some((other) => sameKey(other.key, key))))
    .map(({ key, value }) => ({ key, value, prefix: '' }));
}

const sameKey = (a: Pattern, b: Pattern): boolean =>
  a.kind === 'exact' && b.kind === 'exact' && a.text === b.text;

/** Whether a line fits; `null`: one may. */
export function finds(cache: Cache, seek: Seek): boolean | null {
  const expression = seek.expression === undefined ? undefined : new RegExp(seek.expression);
  if (cache.certain.some((line) => fits(line, seek, expression) === true)) return true;
  return cache.possible.some((line) => fits(line, seek, expression) !== false) ? null : false;
}

/** What stands for a value that nobody knows. */
const SOME = '\uE0F6';

function fits(
  { prefix, key, value }: Line,
  { isOpen, needsValue }: Seek,
  expression: RegExp | undefined,
): boolean | null {
  if (key.kind !== 'exact') return null;
  const isEmpty = value.kind === 'exact' && value.text === '';
  const head = `${prefix}${key.text}=`;
  if (isOpen) return null;
  if (expression !== undefined && !expression.test(head)) {
    const full = head + (value.kind === 'exact' ? value.text : SOME);
    if (!expression.test(full)) {
      // It may be in the name of a board, or in a value.
      const mayBeName = holdsSign(prefix) && expression.source.includes(':');
      const mayBeValue = value.kind !== 'exact' && !expression.source.includes('=');
      return mayBeName || mayBeValue ? null : false;
    }
    if (value.kind !== 'exact') return null;
  }
  return !(needsValue && isEmpty);
}

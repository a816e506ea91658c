/**
 * What is decided when it runs: words and conditions that are one thing on one way and another on another. They are kept apart, so
 * that `rc=0; lava-wait x || rc=1; [ $rc = 0 ]` is as good as `if lava-wait x`.
 */
import type { Cases, Tree } from './call-graph.ts';
import { joined, type Pattern, partsOf } from './patterns.ts';
import { failed, ok, type Status } from './scope.ts';

/** Ways that are looked at for one question. */
const LEAVES_MAX = 200;

type CasesOf = ReadonlyMap<string, Cases>;

/** A pattern as it is when way `way` of `key` is taken. */
function chosen(cases: CasesOf, pattern: Pattern, key: string, way: number): Pattern {
  if (pattern.kind === 'exact' || casesIn(cases, pattern) === undefined) return pattern;
  return joined(
    partsOf(pattern).map((part): Pattern => {
      if (typeof part === 'string') return { kind: 'exact', text: part };
      const of = part.id === undefined ? undefined : cases.get(part.id);
      const hole: Pattern = { kind: 'unknown', ...part };
      return of?.key === key ? chosen(cases, of.ways[way] ?? hole, key, way) : hole;
    }),
  );
}

function casesIn(cases: CasesOf, pattern: Pattern): Cases | undefined {
  if (pattern.kind === 'exact' || cases.size === 0) return undefined;
  for (const part of partsOf(pattern)) {
    const of = typeof part === 'string' || part.id === undefined ? undefined : cases.get(part.id);
    if (of !== undefined) return of;
  }
  return undefined;
}

/** What `tell` says of the patterns on each way. */
export function treeOf(
  cases: CasesOf,
  patterns: readonly Pattern[],
  tell: (patterns: readonly Pattern[]) => Status,
): Tree | undefined {
  let leaves = 0;
  const grown = (of: readonly Pattern[]): Tree | undefined => {
    let found: Cases | undefined;
    for (const pattern of of) found ??= casesIn(cases, pattern);
    if (found === undefined) {
      leaves += 1;
      return leaves > LEAVES_MAX ? undefined : ofStatus(tell(of));
    }
    const { key, ways } = found;
    const trees: Tree[] = [];
    for (let way = 0; way < ways.length; way++) {
      const tree = grown(of.map((pattern) => chosen(cases, pattern, key, way)));
      if (tree === undefined) return undefined;
      trees.push(tree);
    }
    return simple(key, trees);
  };
  return patterns.some((pattern) => casesIn(cases, pattern) !== undefined)
    ? grown(patterns)
    : undefined;
}

/** What `make` makes of the patterns on each way; `add` keeps cases, and gives the hole for them. */
export function lifted(
  cases: CasesOf,
  patterns: readonly Pattern[],
  make: (patterns: readonly Pattern[]) => Pattern,
  add: (of: Cases) => Pattern,
): Pattern | undefined {
  let leaves = 0;
  const grown = (of: readonly Pattern[]): Pattern | undefined => {
    let found: Cases | undefined;
    for (const pattern of of) found ??= casesIn(cases, pattern);
    if (found === undefined) {
      leaves += 1;
      return leaves > LEAVES_MAX ? undefined : make(of);
    }
    const { key } = found;
    const ways: Pattern[] = [];
    for (let way = 0; way < found.ways.length; way++) {
      const one = grown(of.map((pattern) => chosen(cases, pattern, key, way)));
      if (one === undefined) return undefined;
      ways.push(one);
    }
    const [first] = ways;
    const isSame = ways.every((one) => JSON.stringify(one) === JSON.stringify(first));
    return isSame ? first : add({ key, ways });
  };
  return patterns.some((pattern) => casesIn(cases, pattern) !== undefined)
    ? grown(patterns)
    : undefined;
}

export function ofStatus(status: Status): Tree {
  if (status.is !== 'either') return status.is === 'ok';
  return { key: status.key, ways: status.isFlipped ? [false, true] : [true, false] };
}

export function simple(key: string, ways: readonly Tree[]): Tree {
  const [first] = ways;
  if (first === undefined) return true;
  return ways.every((way) => isSame(way, first)) ? first : { key, ways };
}

const isSame = (a: Tree, b: Tree): boolean =>
  a === b ||
  (typeof a === 'object' &&
    typeof b === 'object' &&
    a.key === b.key &&
    a.ways.length === b.ways.length &&
    a.ways.every((way, index) => isSame(way, b.ways[index] ?? false)));

/** The status of a tree that one key decides alone; `undefined`: it has to be derived. */
export function statusOf(tree: Tree, text: string): Status | undefined {
  if (typeof tree === 'boolean') return tree ? ok : failed;
  const [yes, no] = tree.ways;
  if (tree.ways.length !== 2 || typeof yes !== 'boolean' || typeof no !== 'boolean')
    return undefined;
  return { is: 'either', key: tree.key, isFlipped: no, text, isCall: true };
}

/** A word as it is on the ways that were taken. */
export function resolved(cases: CasesOf, pattern: Pattern, wayOf: (of: Cases) => number): Pattern {
  let now = pattern;
  for (let depth = 0; depth < LEAVES_MAX; depth++) {
    const found = casesIn(cases, now);
    if (found === undefined) return now;
    now = chosen(cases, now, found.key, wayOf(found));
  }
  return now;
}

/**
 * A document as a tree that remembers where everything stands, and the problems that point into it.
 * Offsets count UTF-16 units from 0, without a byte order mark; lines and columns count from 1.
 */

import { quote } from './quoting.ts';

/** Of the UTF-8 bytes of one document. */
export const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024;
/** Lists and objects inside one another. Far above any real document, far below what a stack holds. */
export const DOCUMENT_DEPTH_MAX = 64;
/** Values in one document, each use of a YAML alias counted anew. */
export const DOCUMENT_VALUES_MAX = 200_000;
/** Nobody reads more; the last one says how many were left out. */
export const PROBLEMS_MAX = 100;

const PATH_CHARACTERS_MAX = 200;

export type Path = readonly (string | number)[];

/** One thing that is wrong, or worth a warning, with its place in the document. */
export interface Problem {
  /** Such as `device_group[0].count`; empty for the document itself. */
  path: string;
  line: number;
  /** In UTF-16 units, as editors count. */
  column: number;
  message: string;
  expected?: string;
}

/** A problem before its place is turned into a line and its words are chosen. */
export interface Finding {
  offset: number;
  path: Path;
  message: string | (() => string);
  expected?: string;
}

export interface Entry {
  keyOffset: number;
  value: Tree;
}
export type ObjectTree = {
  kind: 'object';
  start: number;
  end: number;
  entries: Map<string, Entry>;
};
type ListTree = { kind: 'list'; start: number; end: number; items: Tree[] };
type ScalarTree = {
  kind: 'scalar';
  start: number;
  end: number;
  value: string | number | boolean | null;
};
export type Tree = ObjectTree | ListTree | ScalarTree;

/** What a reader made of a text. Without a tree the text could not be read at all. */
export interface Reading {
  tree?: Tree;
  findings: Finding[];
}

/** Ends the reading of a malformed document; it never leaves this folder's readers. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
  readonly code = 'malformed-document';
  readonly finding: Finding;
  constructor(finding: Finding) {
    super('malformed document');
    this.finding = finding;
  }
}

/** The text without its byte order mark: what all offsets count in. */
export function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** Line and column of an offset; an offset at or after the end is the place right after the last character. */
export function placeIn(text: string): (offset: number) => { line: number; column: number } {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    const inside = Math.max(0, Math.min(offset, text.length));
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= inside) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: inside - (starts[low] ?? 0) + 1 };
  };
}

/** The line of an offset. */
export function lineIn(text: string): (offset: number) => number {
  const place = placeIn(text);
  return (offset) => place(offset).line;
}

/** Findings as problems in document order, at most PROBLEMS_MAX of them. */
export function settle(text: string, findings: readonly Finding[]): Problem[] {
  const place = placeIn(text);
  const inOrder = [...findings].sort((a, b) => a.offset - b.offset);
  const problems = inOrder.slice(0, PROBLEMS_MAX).map((finding): Problem => {
    const { path, message, expected } = finding;
    return {
      path: pathText(path),
      ...place(finding.offset),
      message: typeof message === 'string' ? message : message(),
      ...(expected === undefined ? {} : { expected }),
    };
  });
  const left = inOrder[PROBLEMS_MAX];
  if (left !== undefined) {
    const count = inOrder.length - PROBLEMS_MAX;
    problems.push({
      path: '',
      ...place(left.offset),
      message: `and ${count} more ${count === 1 ? 'problem' : 'problems'} from here on`,
    });
  }
  return problems;
}

/** The value that a tree stands for, as `JSON.parse` would give it. The readers let no `__proto__` through. */
export function plain(tree: Tree): unknown {
  if (tree.kind === 'scalar') return tree.value;
  if (tree.kind === 'list') return tree.items.map(plain);
  const value: Record<string, unknown> = {};
  for (const [key, entry] of tree.entries) value[key] = plain(entry.value);
  return value;
}

/** The entry of an object under that key. */
export function entryOf(tree: Tree | undefined, key: string): Entry | undefined {
  return tree?.kind === 'object' ? tree.entries.get(key) : undefined;
}

/** The items of a list under that key; none when it is anything else. */
export function itemsOf(tree: Tree | undefined, key: string): Tree[] {
  const value = entryOf(tree, key)?.value;
  return value?.kind === 'list' ? value.items : [];
}

/** The scalar under that key, where it is a text. */
export function textOf(tree: Tree | undefined, key: string): string | undefined {
  const value = entryOf(tree, key)?.value;
  return value?.kind === 'scalar' && typeof value.value === 'string' ? value.value : undefined;
}

/** The scalar under that key, where it is a number. */
export function numberOf(tree: Tree | undefined, key: string): number | undefined {
  const value = entryOf(tree, key)?.value;
  return value?.kind === 'scalar' && typeof value.value === 'number' ? value.value : undefined;
}

/**
 * What stands at a path: the tree, the offset of its key where it has one, and the object or list around it.
 * A path that leads nowhere gives no tree, and `around` is the innermost thing on the way that is there.
 */
export function locate(
  root: Tree,
  path: Path,
): { tree?: Tree; keyOffset?: number; around: Tree; missing: boolean } {
  let around = root;
  let tree: Tree | undefined = root;
  let keyOffset: number | undefined;
  for (const step of path) {
    around = tree;
    keyOffset = undefined;
    const entry: Entry | undefined = entryOf(tree, String(step));
    tree = tree.kind === 'list' ? tree.items[Number(step)] : entry?.value;
    keyOffset = entry?.keyOffset;
    if (tree === undefined) return { around, missing: true };
  }
  return { tree, around, missing: false, ...(keyOffset === undefined ? {} : { keyOffset }) };
}

/** `device_group[0].count`; a key that is not a plain word stands in brackets and quotes. A long one is cut. */
function pathText(path: Path): string {
  let text = '';
  for (const step of path) {
    if (text.length > PATH_CHARACTERS_MAX) return `${text}…`;
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${quote(step)}]`;
  }
  return text;
}

/** What no reader lets through. */
export const PROTO_MESSAGE = 'the field name "__proto__" is not allowed';
export const SURROGATE_MESSAGE = 'half of a surrogate pair is not a character';
export const isWellFormed = (text: string): boolean => !/\p{Cs}/u.test(text);

/**
 * How the fields of a test definition are read: a value that is not what it should be is a problem with its place, and what is
 * absent or empty is none.
 */
import { contentStart } from './scalar-places.ts';
import { entryOf, type Finding, type ObjectTree, type Path, type Tree } from './tree.ts';

const DEFINITION_STEPS_MAX = 10_000;
/** The message of a note on a field that nothing is made of. */
export const NOT_USED = 'is not used';
const ABSENT: ObjectTree = { kind: 'object', start: 0, end: 0, entries: new Map() };

export abstract class DefinitionFields {
  protected readonly source: string;
  readonly #findings: Finding[];
  readonly #notes: Finding[];

  constructor(source: string, findings: Finding[], notes: Finding[]) {
    this.source = source;
    this.#findings = findings;
    this.#notes = notes;
  }

  protected fields(tree: Tree, what: string, path: Path): ObjectTree {
    if (tree.kind === 'object') return tree;
    this.find(tree.start, path, `${what} must be a mapping, not ${kindOf(tree)}`);
    return ABSENT;
  }

  /** Absent or empty: no fields. */
  protected part(top: ObjectTree, key: string): ObjectTree {
    const value = entryOf(top, key)?.value;
    return value === undefined || isNothing(value) ? ABSENT : this.fields(value, `"${key}"`, [key]);
  }

  protected unused(of: ObjectTree, path: Path, known: readonly string[], also?: RegExp): void {
    for (const [key, { keyOffset }] of of.entries)
      if (!known.includes(key) && also?.test(key) !== true)
        this.note(keyOffset, [...path, key], NOT_USED);
  }

  /** The texts of a list; entries with nothing in them are left out, as upstream does with steps. */
  protected texts(of: ObjectTree, key: string, path: Path): string[] {
    return this.placed(of, key, path).map(({ text }) => text);
  }

  protected placed(of: ObjectTree, key: string, path: Path): { text: string; start: number }[] {
    return this.entries(of, key, path).flatMap(({ item, at }) => {
      const text = isNothing(item) ? undefined : this.text(item, `an entry of "${key}"`, at);
      return text === undefined ? [] : [{ text, start: contentStart(this.source, item.start) }];
    });
  }

  protected entries(of: ObjectTree, key: string, path: Path): { item: Tree; at: Path }[] {
    const value = entryOf(of, key)?.value;
    if (value === undefined || isNothing(value)) return [];
    const at = [...path, key];
    if (value.kind !== 'list') {
      this.find(value.start, at, `"${key}" must be a list, not ${kindOf(value)}`);
      return [];
    }
    if (value.items.length > DEFINITION_STEPS_MAX)
      this.find(value.start, at, `"${key}" has more than ${DEFINITION_STEPS_MAX} entries`);
    return value.items.map((item, index) => ({ item, at: [...at, index] }));
  }

  /** A scalar as it was written: a step `true` is the program, not a boolean. */
  protected text(tree: Tree, what: string, path: Path): string | undefined {
    if (tree.kind === 'scalar' && typeof tree.value === 'string') return tree.value;
    const hint = tree.kind === 'object' ? ' (quote a text with ": " in it)' : '';
    this.find(tree.start, path, `${what} must be a text, not ${kindOf(tree)}${hint}`);
    return undefined;
  }

  protected find(offset: number, path: Path, message: string): void {
    this.#findings.push({ offset, path, message });
  }

  protected note(offset: number, path: Path, message: string): void {
    this.#notes.push({ offset, path, message });
  }
}

export const isNothing = (tree: Tree): boolean => tree.kind === 'scalar' && tree.value === null;

function kindOf(tree: Tree): string {
  if (isNothing(tree)) return 'nothing';
  if (tree.kind === 'object') return 'a mapping';
  return tree.kind === 'list' ? 'a list' : 'a single value';
}

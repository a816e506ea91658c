/**
 * One YAML document to a tree with places, over the `yaml` package: YAML 1.2 (core schema) for files of our own, and
 * YAML 1.1 as PyYAML takes it for test definitions, whose authors never saw another reader.
 *
 * The package composes by recursion, and a deep document does not only overflow its stack: V8 can abort the whole
 * process there. So the depth is checked while tokens are read, which is a loop, before anything is composed.
 */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  Parser,
  type Scalar,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { duplicateMessage } from './json-text.ts';
import { printable } from './quoting.ts';
import {
  DOCUMENT_DEPTH_MAX,
  DOCUMENT_VALUES_MAX,
  type Entry,
  type Finding,
  isWellFormed,
  Malformed,
  PROBLEMS_MAX,
  PROTO_MESSAGE,
  type Reading,
  SURROGATE_MESSAGE,
  type Tree,
  withoutMark,
} from './tree.ts';
import { marginLexemes } from './yaml-lexer.ts';

/** Pieces of text between blanks and signs, several to a value: reading them is what takes the time. */
const LEXEMES_MAX = 2 * DOCUMENT_VALUES_MAX;
/** Beside its collections, the parser's stack holds the document and a scalar. */
const STACK_EXTRA = 2;

/** @param text without a byte order mark */
export function readYaml(text: string): Reading {
  const { tree, findings, notes } = read(text, core);
  return { ...(tree === undefined ? {} : { tree }), findings: [...findings, ...notes] };
}

/**
 * A test definition, as PyYAML takes it: indentation means nothing inside quotes and brackets, `<<` merges, of a key
 * that is there twice the last counts (said in `notes`). Every scalar is the text that its author wrote, or null: what
 * a shell gets of `010` or `1.10` is what stands in the file.
 *
 * @returns the text in which offsets count: line ends are one character each
 */
export function readUpstreamYaml(given: string): Reading & { text: string; notes: Finding[] } {
  // Of equal length but for CR LF; PyYAML knows these ends of lines, the package only LF and CR LF.
  const text = withoutMark(given).replace(/\r\n?|\x85/g, '\n');
  const nul = text.indexOf('\0');
  if (nul !== -1)
    return { text, notes: [], findings: [{ offset: nul, path: [], message: 'it holds a NUL' }] };
  return { text, ...read(text, upstream) };
}

type Value = string | number | boolean | null;

/** Where the two readers differ. */
interface Dialect {
  options: ConstructorParameters<typeof Composer>[0];
  lexemes(text: string): Generator<string, void>;
  /** What the package holds against a text and this reader does not. */
  isFine(error: YAMLError): boolean;
  scalar(node: Scalar, text: string): Value;
  key(node: Scalar): string;
  merges: boolean;
  /** What is said of a key that is there twice, and which of the two counts. */
  counts: 'first' | 'last';
}

const core: Dialect = {
  options: { stringKeys: true },
  lexemes: (text) => new Lexer().lex(text),
  isFine: () => false,
  scalar(node) {
    const { value } = node;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return value;
    if (value === null) return null;
    return fail(node.range?.[0] ?? 0, 'expected a text, a number, true, false or null');
  },
  key: (node) => String(node.value ?? ''),
  merges: false,
  counts: 'first',
};

const upstream: Dialect = {
  options: { version: '1.1', strict: false },
  lexemes: marginLexemes,
  isFine: ({ code, message }) =>
    (code === 'BAD_INDENT' && message.startsWith('Flow ')) ||
    (code === 'MISSING_CHAR' && message.startsWith('Comments must be separated')),
  scalar(node, text) {
    if (node.value === null) return null;
    const written = writtenOf(node);
    // PyYAML adds no end of line to a block whose last line has none.
    const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
    const endsOpen = isBlock && (node.range?.[1] ?? 0) >= text.length && !text.endsWith('\n');
    return endsOpen && written.endsWith('\n') ? written.slice(0, -1) : written;
  },
  key: (node) => writtenOf(node),
  merges: true,
  counts: 'last',
};

const writtenOf = (node: Scalar): string =>
  typeof node.value === 'string' ? node.value : (node.source ?? '');

function read(text: string, dialect: Dialect): Reading & { notes: Finding[] } {
  const findings: Finding[] = [];
  const notes: Finding[] = [];
  try {
    const document = compose(text, dialect);
    const wrong = [...document.errors, ...document.warnings].filter((e) => !dialect.isFine(e));
    if (wrong.length > 0) return { notes, findings: wrong.map((error) => ofYaml(text, error)) };
    if (document.contents === null)
      return { notes, findings: [{ offset: 0, path: [], message: 'the document is empty' }] };
    const tree = new YamlWalk(text, dialect, findings, notes).tree(document.contents, 1);
    return { tree, findings, notes };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { notes, findings: [...findings, error.finding] };
  }
}

function compose(text: string, dialect: Dialect): Document.Parsed {
  const composer = new Composer({
    prettyErrors: false,
    logLevel: 'silent',
    uniqueKeys: false,
    ...dialect.options,
  });
  const documents = composer.compose(tokens(text, dialect), true, text.length);
  const first = documents.next().value;
  if (!first) throw new Malformed({ offset: 0, path: [], message: 'the document is empty' });
  const second = documents.next().value;
  if (second) fail(second.range[0], 'a second document; expected only one', 'one document');
  return first;
}

function* tokens(text: string, dialect: Dialect): Generator<CST.Token, void> {
  const parser = new Parser();
  let lexemes = 0;
  let errors = 0;
  for (const lexeme of dialect.lexemes(text)) {
    lexemes += 1;
    if (lexemes > LEXEMES_MAX)
      fail(parser.offset, `more than ${LEXEMES_MAX} words and signs in one document`);
    for (const token of parser.next(lexeme)) {
      errors += token.type === 'error' ? 1 : 0;
      yield token;
    }
    // Nobody reads more of them, and each costs the package a stack trace.
    if (errors > PROBLEMS_MAX) return;
    if (parser.stack.length > DOCUMENT_DEPTH_MAX + STACK_EXTRA) tooDeep(parser.offset);
  }
  yield* parser.end();
}

interface Anchored {
  tree: Tree;
  values: number;
  depth: number;
}

/** Nodes of the package to our tree. An alias gives the anchored tree itself, counted again. */
class YamlWalk {
  readonly #text: string;
  readonly #dialect: Dialect;
  readonly #findings: Finding[];
  readonly #notes: Finding[];
  readonly #path: (string | number)[] = [];
  /** Only anchors whose node has ended: a node cannot hold itself. */
  readonly #anchors = new Map<string, Anchored>();
  #values = 0;
  #deepest = 0;

  constructor(text: string, dialect: Dialect, findings: Finding[], notes: Finding[]) {
    this.#text = text;
    this.#dialect = dialect;
    this.#findings = findings;
    this.#notes = notes;
  }

  tree(node: unknown, depth: number): Tree {
    if (isAlias(node)) return this.#alias(node.source, node.range?.[0] ?? 0, depth);
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) return fail(0, 'not a YAML value');
    const [start, end] = node.range ?? [0, 0];
    const before = this.#values;
    const deepestBefore = this.#deepest;
    this.#deepest = 0;
    this.#count(start, 1, depth);
    let tree: Tree;
    if (isScalar(node)) tree = { kind: 'scalar', start, end, value: this.#scalar(node, start) };
    else if (isSeq(node)) {
      const items = node.items.map((item, index) =>
        this.#at(index, () => this.tree(item, depth + 1)),
      );
      tree = { kind: 'list', start, end, items };
    } else tree = { kind: 'object', start, end, entries: this.#entries(node, depth) };
    const values = this.#values - before;
    if (node.anchor) this.#anchors.set(node.anchor, { tree, values, depth: this.#deepest - depth });
    this.#deepest = Math.max(this.#deepest, deepestBefore);
    return tree;
  }

  #entries(node: YAMLMap, depth: number): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    const merged = new Map<string, Entry>();
    for (const pair of node.items) {
      const keyNode = pair.key;
      if (!isScalar(keyNode)) fail(node.range?.[0] ?? 0, 'a field name must be a plain word');
      const key = this.#dialect.key(keyNode);
      const keyOffset = keyNode.range?.[0] ?? 0;
      this.#at(key, () => {
        if (!isWellFormed(key)) fail(keyOffset, SURROGATE_MESSAGE);
        const value: Tree =
          pair.value === null
            ? { kind: 'scalar', start: keyOffset, end: keyOffset, value: null }
            : this.tree(pair.value, depth + 1);
        const isMerge = this.#dialect.merges && keyNode.source === '<<' && keyNode.type === 'PLAIN';
        if (isMerge) merge(value, keyOffset, merged);
        else this.#enter(entries, key, { keyOffset, value });
      });
    }
    // What is merged stands behind what the mapping says itself.
    return merged.size === 0 ? entries : new Map([...merged, ...entries]);
  }

  #enter(entries: Map<string, Entry>, key: string, entry: Entry): void {
    const { keyOffset } = entry;
    const first = entries.get(key);
    if (key === '__proto__')
      this.#findings.push({ offset: keyOffset, path: [...this.#path], message: PROTO_MESSAGE });
    else if (first === undefined) entries.set(key, entry);
    else {
      const of = { text: this.#text, key, first: first.keyOffset };
      const message = () => duplicateMessage(of.text, of.key, of.first);
      this.#notes.push({ offset: keyOffset, path: [...this.#path], message });
      if (this.#dialect.counts === 'last') entries.set(key, entry);
    }
  }

  #alias(name: string, offset: number, depth: number): Tree {
    const anchored = this.#anchors.get(name);
    if (anchored === undefined)
      return fail(offset, `no anchor "&${printable(name)}" ends before this alias`);
    this.#count(offset, anchored.values, depth + anchored.depth);
    return anchored.tree;
  }

  #count(offset: number, values: number, depth: number): void {
    this.#values += values;
    this.#deepest = Math.max(this.#deepest, depth);
    if (this.#values > DOCUMENT_VALUES_MAX)
      fail(offset, `more than ${DOCUMENT_VALUES_MAX} values in one document`);
    // A scalar in the innermost collection stands one level below it.
    if (depth > DOCUMENT_DEPTH_MAX + 1) tooDeep(offset);
  }

  #scalar(node: Scalar, offset: number): Value {
    const value = this.#dialect.scalar(node, this.#text);
    return typeof value === 'string' && !isWellFormed(value)
      ? fail(offset, SURROGATE_MESSAGE)
      : value;
  }

  #at<T>(step: string | number, read: () => T): T {
    this.#path.push(step);
    const result = read();
    this.#path.pop();
    return result;
  }
}

/** `<<: *base` or `<<: [*a, *b]`: of two that say the same, the first in the list counts. */
function merge(value: Tree, offset: number, into: Map<string, Entry>): void {
  const sources = value.kind === 'list' ? value.items : [value];
  for (const source of sources.toReversed()) {
    if (source.kind !== 'object') fail(offset, '"<<" wants a mapping, or a list of mappings');
    for (const [key, entry] of source.entries) into.set(key, entry);
  }
}

function ofYaml(text: string, error: YAMLError): Finding {
  // An error at the very end points behind the last character, not at a line that is not there.
  const offset = Math.min(error.pos[0], text.trimEnd().length);
  return { offset, path: [], message: printable(error.message) };
}

function tooDeep(offset: number): never {
  fail(offset, `nested deeper than ${DOCUMENT_DEPTH_MAX} levels`);
}

function fail(offset: number, message: string, expected?: string): never {
  throw new Malformed({
    offset,
    path: [],
    message,
    ...(expected === undefined ? {} : { expected }),
  });
}

/**
 * One YAML 1.2 document (core schema) to a tree with places, over the `yaml` package.
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
} from './tree.ts';

/** Pieces of text between blanks and signs, several to a value: reading them is what takes the time. */
const LEXEMES_MAX = 2 * DOCUMENT_VALUES_MAX;
/** Beside its collections, the parser's stack holds the document and a scalar. */
const STACK_EXTRA = 2;

/** @param text without a byte order mark */
export function readYaml(text: string): Reading {
  const findings: Finding[] = [];
  try {
    const document = compose(text);
    const wrong = [...document.errors, ...document.warnings];
    if (wrong.length > 0) return { findings: wrong.map((error) => ofYaml(text, error)) };
    if (document.contents === null)
      return { findings: [{ offset: 0, path: [], message: 'the document is empty' }] };
    const tree = new YamlWalk(text, findings).tree(document.contents, 1);
    return { tree, findings };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { findings: [...findings, error.finding] };
  }
}

function compose(text: string): Document.Parsed {
  const composer = new Composer({
    prettyErrors: false,
    logLevel: 'silent',
    stringKeys: true,
    uniqueKeys: false,
  });
  const documents = composer.compose(tokens(text), true, text.length);
  const first = documents.next().value;
  if (!first) throw new Malformed({ offset: 0, path: [], message: 'the document is empty' });
  const second = documents.next().value;
  if (second) fail(second.range[0], 'a second document; expected only one', 'one document');
  return first;
}

function* tokens(text: string): Generator<CST.Token, void> {
  const parser = new Parser();
  let lexemes = 0;
  let errors = 0;
  for (const lexeme of new Lexer().lex(text)) {
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
  readonly #findings: Finding[];
  readonly #path: (string | number)[] = [];
  /** Only anchors whose node has ended: a node cannot hold itself. */
  readonly #anchors = new Map<string, Anchored>();
  #values = 0;
  #deepest = 0;

  constructor(text: string, findings: Finding[]) {
    this.#text = text;
    this.#findings = findings;
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
    if (isScalar(node))
      tree = { kind: 'scalar', start, end, value: this.#scalar(node.value, start) };
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
    for (const pair of node.items) {
      const keyNode = pair.key;
      if (!isScalar(keyNode)) fail(node.range?.[0] ?? 0, 'a field name must be a plain word');
      const key = String(keyNode.value ?? '');
      const keyOffset = keyNode.range?.[0] ?? 0;
      this.#at(key, () => {
        if (!isWellFormed(key)) fail(keyOffset, SURROGATE_MESSAGE);
        const value: Tree =
          pair.value === null
            ? { kind: 'scalar', start: keyOffset, end: keyOffset, value: null }
            : this.tree(pair.value, depth + 1);
        const first = entries.get(key);
        const find = (message: Finding['message']) =>
          this.#findings.push({ offset: keyOffset, path: [...this.#path], message });
        if (key === '__proto__') find(PROTO_MESSAGE);
        else if (first === undefined) entries.set(key, { keyOffset, value });
        else find(() => duplicateMessage(this.#text, key, first.keyOffset));
      });
    }
    return entries;
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

  #scalar(value: unknown, offset: number): string | number | boolean | null {
    if (typeof value === 'string' && !isWellFormed(value)) fail(offset, SURROGATE_MESSAGE);
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return value;
    return value === null ? null : fail(offset, 'expected a text, a number, true, false or null');
  }

  #at<T>(step: string | number, read: () => T): T {
    this.#path.push(step);
    const result = read();
    this.#path.pop();
    return result;
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

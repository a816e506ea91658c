/** A text to a value that knows where it stands, and a zod schema's issues to problems with those places. */
import type { z } from 'zod';
import { readJson } from './json-text.ts';
import { didYouMean, list, quote } from './quoting.ts';
import {
  DOCUMENT_BYTES_MAX,
  type Finding,
  locate,
  type Path,
  plain,
  type Reading,
  type Tree,
  withoutMark,
} from './tree.ts';
import { readYaml } from './yaml-text.ts';

export type Format = 'json' | 'yaml';

/**
 * Reads one document. Never throws, whatever the text.
 *
 * @returns the text that offsets count in (without a byte order mark), the tree unless the text is malformed or
 *   too large, and what is wrong with the text itself: a malformed place, or keys that are there twice.
 */
export function readDocument(text: string, format: Format): Reading & { text: string } {
  const unmarked = withoutMark(text);
  if (isTooLarge(unmarked)) {
    const message = `the document is larger than ${DOCUMENT_BYTES_MAX / 1024 / 1024} MiB (${DOCUMENT_BYTES_MAX} bytes)`;
    return { text: unmarked, findings: [{ offset: 0, path: [], message }] };
  }
  return { text: unmarked, ...(format === 'json' ? readJson(unmarked) : readYaml(unmarked)) };
}

function isTooLarge(text: string): boolean {
  if (text.length > DOCUMENT_BYTES_MAX) return true;
  // A UTF-16 unit is at most three bytes of UTF-8.
  if (text.length * 3 <= DOCUMENT_BYTES_MAX) return false;
  return new TextEncoder().encode(text).length > DOCUMENT_BYTES_MAX;
}

/**
 * Holds a document against a schema. A schema's own message says what was expected ("a whole number of at least
 * 1"); the words around it and the place come from here. One finding a place: the first issue that zod has there.
 */
export function check<S extends z.ZodType>(
  schema: S,
  tree: Tree,
): { value?: z.output<S>; findings: Finding[] } {
  const fieldsAt = new Map<string, string[]>();
  const result = schema.safeParse(plain(tree), {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys')
        fieldsAt.set(JSON.stringify(issue.path ?? []), fieldsOf(issue.inst));
      return expectedText(issue);
    },
  });
  if (result.success) return { value: result.data, findings: [] };
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const issue of result.error.issues) {
    const path = issue.path.filter((step) => typeof step !== 'symbol');
    const at = JSON.stringify(path);
    if (issue.code === 'unrecognized_keys') {
      const fields = fieldsAt.get(at) ?? [];
      for (const key of issue.keys) findings.push(unknownField(tree, [...path, key], key, fields));
    } else if (!seen.has(at)) {
      seen.add(at);
      findings.push(ofIssue(tree, path, issue));
    }
  }
  return { findings };
}

function fieldsOf(inst: unknown): string[] {
  const def = (inst as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def;
  return Object.keys(def?.shape ?? {});
}

function unknownField(tree: Tree, path: Path, key: string, fields: readonly string[]): Finding {
  const at = locate(tree, path);
  const expected = `one of ${list(fields)}`;
  const message = () =>
    `unknown field ${quote(key)}; ${didYouMean(key, fields) || `expected ${expected}`}`;
  return { offset: at.keyOffset ?? at.around.start, path, message, expected };
}

function ofIssue(tree: Tree, path: Path, issue: z.core.$ZodIssue): Finding {
  const at = locate(tree, path);
  if (issue.code === 'invalid_key') {
    const expected = issue.issues[0]?.message ?? 'another name';
    const message = `expected ${expected}, got ${quote(String(path.at(-1) ?? ''))}`;
    return { offset: at.keyOffset ?? at.around.start, path, message, expected };
  }
  const expected = issue.message;
  if (at.tree === undefined)
    return { offset: at.around.start, path, message: `missing; expected ${expected}`, expected };
  return { offset: at.tree.start, path, message: wrongValue(at.tree, expected, issue), expected };
}

function wrongValue(tree: Tree, expected: string, issue: z.core.$ZodIssue): () => string {
  const text = tree.kind === 'scalar' && typeof tree.value === 'string' ? tree.value : undefined;
  const words = wordsOf(issue);
  return () => {
    const near = text === undefined ? '' : didYouMean(text, words);
    const hint = near === '' ? '' : `; ${near}`;
    // A word picks the shape of its object: an unknown one is worth a sentence of its own.
    if (issue.code === 'invalid_union' && issue.discriminator !== undefined && text !== undefined)
      return `unknown ${issue.discriminator} ${quote(text)}${hint || ';'} expected ${expected}`;
    return `expected ${expected}, got ${found(tree)}${hint}`;
  };
}

function wordsOf(issue: {
  code?: string | undefined;
  values?: unknown;
  options?: unknown;
}): string[] {
  const words = issue.code === 'invalid_value' ? issue.values : issue.options;
  return Array.isArray(words) ? words.map(String) : [];
}

const KINDS = new Map<string, string>([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['null', 'null'],
  ['array', 'a list'],
  ['object', 'an object'],
  ['record', 'an object'],
]);

/** What a schema without words of its own expects. */
function expectedText(issue: z.core.$ZodRawIssue): string {
  const unit =
    issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : '';
  const words = wordsOf(issue);
  switch (issue.code) {
    case 'invalid_type':
      return KINDS.get(issue.expected) ?? String(issue.expected);
    case 'too_small':
      return `at least ${issue.minimum}${unit}`;
    case 'too_big':
      return `at most ${issue.maximum}${unit}`;
    default:
      if (words.length === 0) return 'another value';
      return words.length === 1 ? String(words[0]) : `one of ${list(words)}`;
  }
}

/** What was found instead, in words that fit behind "got". */
function found(tree: Tree): string {
  if (tree.kind === 'object') return 'an object';
  if (tree.kind === 'list') return 'a list';
  return typeof tree.value === 'string' ? quote(tree.value) : String(tree.value);
}

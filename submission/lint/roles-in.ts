/** The roles that a definition's scripts name: in what is compared with `lava-role`, in waits, in names of scripts. */
import type { ReadFile } from './call-graph.ts';
import { readScript } from './shell-reader.ts';
import type { Statement, Word } from './shell-tree.ts';
import { plainText } from './shell-words.ts';
import { definitionSource } from './source.ts';

const ROLE_NAME = /^[^\s\p{Cc}*?[\]$`'"|;&()<>=/]+$/u;
/** The one role of a job that names none. */
const ONLY = 'default';

export function rolesIn(of: {
  readonly file: string;
  readonly text: string;
  readonly readFile: ReadFile;
  readonly files: readonly string[];
}): string[] {
  const definition = definitionSource(of.file, of.text);
  if (definition === undefined) return [ONLY];
  const search = new Search(of.files);
  search.all([...definition.install.script.body, ...definition.run.script.body]);
  // Scripts beside it are read for what they compare, whoever calls them.
  for (const file of of.files) {
    const text = of.readFile(file);
    if (
      typeof text === 'string' &&
      /\.(?:sh|bash|inc)$|^[^.]*$/.test(file) &&
      /lava-|TARGET_ROLE/.test(text)
    )
      search.all(readScript(text).body);
  }
  const found = [...search.found];
  return found.length === 0 ? [ONLY] : found;
}

class Search {
  readonly found = new Set<string>();
  readonly #files: readonly string[];
  /** Variables that hold the role. */
  readonly #holders = new Set(['TARGET_ROLE']);

  constructor(files: readonly string[]) {
    this.#files = files;
  }

  all(statements: readonly Statement[]): void {
    for (const statement of statements) this.#one(statement);
  }

  #add(word: Word | undefined): void {
    const text = word === undefined ? undefined : plainText(word);
    if (text !== undefined && ROLE_NAME.test(text)) this.found.add(text);
  }

  #holds(word: Word): boolean {
    return word.parts.some(
      (part) =>
        (part.kind === 'variable' && this.#holders.has(part.name)) ||
        (part.kind === 'command' &&
          /\blava-role\b/.test(part.source) &&
          !/lava-role\s+list/.test(part.source)),
    );
  }

  #one(statement: Statement): void {
    switch (statement.kind) {
      case 'simple':
      case 'declare':
        for (const { name, value } of statement.assignments)
          if (value !== null && this.#holds(value)) this.#holders.add(name);
        this.#words(statement.words);
        break;
      case 'test':
        this.#compared(statement.words);
        break;
      case 'list':
        this.all([statement.left, statement.right]);
        break;
      case 'pipeline':
        this.all(statement.stages);
        break;
      case 'not':
      case 'function':
        this.#one(statement.body);
        break;
      case 'if':
        for (const { condition, body } of statement.branches) this.all([...condition, ...body]);
        this.all(statement.otherwise ?? []);
        break;
      case 'case':
        for (const { patterns, body } of statement.items) {
          if (this.#holds(statement.word)) for (const pattern of patterns) this.#add(pattern);
          this.all(body);
        }
        break;
      case 'while':
        this.all([...statement.condition, ...statement.body]);
        break;
      case 'arithmetic':
        break;
      default:
        this.all(statement.body);
    }
  }

  #words(words: readonly Word[]): void {
    const [first] = words;
    const name = first === undefined ? undefined : plainText(first);
    if (name === '[' || name === 'test') this.#compared(words);
    if (name === 'lava-wait-all') this.#add(words[2]);
    if (name === 'lava-network' && words[1]?.source === 'collect') this.#add(words[3]);
    for (const word of words) if (this.#holds(word)) this.#script(word);
  }

  #compared(words: readonly Word[]): void {
    for (const [index, { source }] of words.entries()) {
      if (!['=', '==', '!='].includes(source)) continue;
      const [left, right] = [words[index - 1], words[index + 1]];
      if (left !== undefined && this.#holds(left)) this.#add(right);
      if (right !== undefined && this.#holds(right)) this.#add(left);
    }
  }

  /** `./run-$(lava-role).sh`: the scripts there are. */
  #script(word: Word): void {
    const at = word.parts.findIndex((part) => part.kind === 'command' || part.kind === 'variable');
    const text = (parts: Word['parts']) =>
      parts.map((part) => (part.kind === 'text' ? part.text : '\0')).join('');
    const before = text(word.parts.slice(0, at)).replace(/^\.\//, '');
    const after = text(word.parts.slice(at + 1));
    if (`${before}${after}`.includes('\0') || before === '' || before.startsWith('/')) return;
    for (const file of this.#files)
      if (
        file.startsWith(before) &&
        file.endsWith(after) &&
        file.length > before.length + after.length
      ) {
        const role = file.slice(before.length, file.length - after.length);
        if (ROLE_NAME.test(role)) this.found.add(role);
      }
  }
}

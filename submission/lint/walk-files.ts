/** The files that scripts name: those of the checkout, those that they wrote themselves, and the cache file. */
import type { GraphContext, ReadFile } from './call-graph.ts';
import { exact, type Pattern, unknown } from './patterns.ts';
import { Recorder } from './recorder.ts';
import type { Written } from './scope.ts';
import type { Source } from './source.ts';

export const CACHE_FILE = '/tmp/lava_multi_node_cache.txt';
/** Where the checkout lies: nobody knows, and it is the same in all of a script. */
export const CHECKOUT = '/\uE0F4';
const CACHE_HOLE = 'the cache file';

export abstract class FilesWalk extends Recorder {
  readFile: ReadFile;
  prefix = '';
  /** What standard input holds, where that is known. */
  input: Pattern | undefined;
  #ids = 0;

  constructor(context: GraphContext, readFile: ReadFile, source: Source) {
    super(context, source);
    this.readFile = readFile;
  }

  id(): number {
    this.#ids += 1;
    return this.#ids;
  }

  /** Where a path leads in the checkout; `undefined`: out of it, or nobody knows. */
  inCheckout(path: Pattern): string | undefined {
    if (path.kind !== 'exact') return undefined;
    const isRooted = path.text === CHECKOUT || path.text.startsWith(`${CHECKOUT}/`);
    if (!isRooted && (path.text.startsWith('/') || this.scope.cwd === null)) return undefined;
    const whole = isRooted ? path.text.slice(CHECKOUT.length) : `${this.scope.cwd}/${path.text}`;
    const out: string[] = [];
    for (const part of whole.split('/')) {
      if (part === '..') {
        if (out.length === 0) return undefined;
        out.pop();
      } else if (part !== '' && part !== '.') out.push(part);
    }
    return out.join('/');
  }

  /** What the last wait left: it is known when it runs. */
  cacheText(): Pattern {
    return unknown(CACHE_HOLE, `cache ${this.id()}`);
  }

  get isCacheInput(): boolean {
    return this.input?.kind === 'unknown' && this.input.hole === CACHE_HOLE;
  }

  hasFile(path: Pattern): boolean {
    const written = this.writtenAt(path);
    if (written !== undefined) return !written.isMaybe;
    const inside = this.inCheckout(path);
    return inside !== undefined && this.readFile(inside) !== undefined;
  }

  /** The path of a file as it is kept: from the root, or from the checkout. */
  pathOf(path: Pattern): string | undefined {
    if (path.kind !== 'exact') return undefined;
    return this.inCheckout(path) ?? path.text.replace(/\/(?:\.?\/)+/g, '/');
  }

  /** What a script wrote there. */
  writtenAt(path: Pattern): Written | undefined {
    const at = this.scope.written.size === 0 ? undefined : this.pathOf(path);
    return at === undefined ? undefined : this.scope.written.get(at);
  }

  write(path: Pattern, written: Written): void {
    const at = this.pathOf(path);
    if (at !== undefined) this.scope.written.set(at, written);
  }

  /** `mkdir`: it is there from now on. */
  makeFolder(path: Pattern): void {
    const at = this.pathOf(path);
    if (at === undefined) return;
    const folder = { text: undefined, of: this.source, at: 0, isLines: false };
    this.scope.written.set(`${at}/`, folder);
  }

  hasFolder(path: Pattern): boolean {
    const at = this.pathOf(path);
    const made = at === undefined ? undefined : this.scope.written.get(`${at}/`);
    return made !== undefined && !made.isMaybe;
  }

  /** What a file holds, where it lies in the checkout or a script wrote it. */
  fileText(path: Pattern): Pattern | undefined {
    if (path.kind !== 'exact') return undefined;
    if (path.text === CACHE_FILE) return this.cacheText();
    const written = this.writtenAt(path);
    if (written !== undefined) return written.text;
    const inside = this.inCheckout(path);
    const text = inside === undefined ? undefined : this.readFile(inside);
    return typeof text === 'string' ? exact(text) : undefined;
  }
}

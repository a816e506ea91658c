/** What is noted while scripts are read: each call with what it stands in, what is read of messages, and what is not known. */
import type {
  Around,
  CacheRead,
  CallSite,
  CallVerb,
  Condition,
  Death,
  GraphContext,
  Place,
  Unresolved,
} from './call-graph.ts';
import { shown, signOf } from './names.ts';
import { isSamePattern, type Pattern } from './patterns.ts';
import { Scope } from './scope.ts';
import type { Span } from './shell-tree.ts';
import type { Source } from './source.ts';

const TEXT_CHARS_MAX = 120;
/** More than any line has. */
const COLUMNS_MAX = 2 ** 24;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A place of a script as it is written, on one line, shortened. */
export function textIn({ text }: Source, at: Span): string {
  const place = text.slice(at.start, at.end).trim();
  const line = (place.includes('\n') ? `${place.slice(0, place.indexOf('\n'))} ...` : place).trim();
  return line.length > TEXT_CHARS_MAX ? `${line.slice(0, TEXT_CHARS_MAX - 3)}...` : line;
}

export class Recorder {
  readonly context: GraphContext;
  /** Of every member, in `lava-group` order: its role and its name, or the sign for it. */
  readonly group: readonly { readonly role: string; readonly name: string }[];
  readonly self: number;
  scope = new Scope();
  source: Source;
  around: Around[] = [];
  /** Made when somebody asks: of most of them nobody does. */
  when: (() => Condition)[] = [];
  via: (Place & { name: string })[] = [];
  limitSeconds: number | undefined;
  readonly sites: Writable<CallSite>[] = [];
  readonly #sitesAt = new Map<string, Map<number, Writable<CallSite>[]>>();
  readonly reads: CacheRead[] = [];
  readonly unresolved = new Map<string, Unresolved>();
  readonly deaths = new Map<string, Death>();
  readonly files = new Set<string>();
  /** Inside of a loop that turns as often as nobody can tell. */
  isRepeat = false;

  /** The statement that is read now. */
  reading: Span = { start: 0, end: 0 };

  constructor(context: GraphContext, source: Source) {
    this.context = context;
    this.source = source;
    this.group = context.roles
      .flatMap(({ role, count, device }) => Array.from({ length: count }, () => ({ role, device })))
      .map(({ role, device }, index) => ({ role, name: device ?? signOf(index) }));
    const first = this.group.findIndex(({ role }) => role === context.role);
    this.self = first + (context.member ?? 0);
  }

  textOf(at: Span): string {
    return textIn(this.source, at);
  }

  /** Something that is not known. */
  open(what: Unresolved['what'], at: Span, text = this.textOf(at)): void {
    const place = this.source.place(at.start);
    const key = `${what} ${place.file}:${place.line}:${place.column}`;
    if (!this.unresolved.has(key)) this.unresolved.set(key, { ...place, what, text });
  }

  site(verb: CallVerb, at: Span, said: Pick<CallSite, 'id' | 'role' | 'pairs' | 'extra'>): number {
    const place = this.source.place(at.start);
    const id = shown(said.id, this.self);
    const here = this.#sitesOf(place);
    const isRole = ({ role }: CallSite) =>
      role === undefined || said.role === undefined
        ? role === said.role
        : isSamePattern(role, said.role);
    const known = here.find(
      (site) => site.verb === verb && isSamePattern(site.id, id) && isRole(site),
    );
    const isRepeated = this.around.includes('loop');
    if (known !== undefined) {
      known.times = typeof known.times === 'number' ? known.times + 1 : known.times;
      return known.order;
    }
    const order = this.sites.length;
    // Written out: there are as many as a script has calls, and what is put together of parts takes ten times as long.
    const site: Writable<CallSite> = {
      file: place.file,
      line: place.line,
      column: place.column,
      order,
      text: this.textOf(at),
      lineText: this.source.lineText(place.line),
      verb,
      id,
      pairs: said.pairs.map(([k, v]) => [shown(k, this.self), shown(v, this.self)] as const),
      extra: said.extra,
      when: this.when.map((made) => made()),
      times: isRepeated && this.isRepeat ? 'unknown' : 1,
      within: [...this.around],
      via: [...this.via],
    };
    if (said.role !== undefined) site.role = said.role;
    if (this.limitSeconds !== undefined) site.limitSeconds = this.limitSeconds;
    here.push(site);
    this.sites.push(site);
    return order;
  }

  #sitesOf({ file, line, column }: Place): Writable<CallSite>[] {
    const ofFile = this.#sitesAt.get(file) ?? new Map<number, Writable<CallSite>[]>();
    this.#sitesAt.set(file, ofFile);
    const at = line * COLUMNS_MAX + column;
    const here = ofFile.get(at) ?? [];
    ofFile.set(at, here);
    return here;
  }

  /** A key that is taken from the cache file or from `lava-network query`. */
  readKey(
    key: Pattern,
    text: string,
    at: Span = this.reading,
    from: CacheRead['from'] = 'cache',
  ): void {
    const place = this.source.place(at.start);
    const { lastWait } = this.scope;
    this.reads.push({ ...place, key: shown(key, this.self), after: lastWait, text, from });
  }

  /** Where a script ends for certain: not on a way that may be taken or not. */
  death(at: Span, why: Death['why']): void {
    if (this.when.length > 0) return;
    const place = this.source.place(at.start);
    const key = `${place.file}:${place.line}:${place.column}`;
    if (!this.deaths.has(key)) this.deaths.set(key, { ...place, text: this.textOf(at), why });
  }
}

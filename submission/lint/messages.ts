/** What the members of a run have sent one another, and what each of them finds in its cache file. */
import type { Op } from './call-graph.ts';
import { type Cache, cacheAfter, emptyCache, finds, type Pair } from './mailbox.ts';
import type { MemberProgram } from './outcome.ts';
import type { Answered } from './program-run.ts';

export class Messages {
  readonly #members: readonly MemberProgram[];
  readonly #countsSelf: boolean;
  readonly #caches: Cache[];
  /** What each member's last wait left, until somebody reads it. */
  readonly #waiting: ((() => Cache) | undefined)[];
  /** Of each member, by message: the pairs of each send. */
  readonly #sent: Map<string, (readonly Pair[])[]>[];
  readonly found: { member: number; read: number }[] = [];
  readonly unread: { member: number; read: number; isFatal: boolean }[] = [];

  constructor(members: readonly MemberProgram[], countsSelf: boolean) {
    this.#members = members;
    this.#countsSelf = countsSelf;
    this.#caches = members.map(() => emptyCache);
    this.#waiting = members.map(() => undefined);
    this.#sent = members.map(() => new Map());
  }

  keep(member: number, message: string, pairs: readonly Pair[]): void {
    const of = this.#sent[member];
    const all = of?.get(message);
    if (all === undefined) of?.set(message, [pairs]);
    else all.push(pairs);
  }

  /** A wait fills the cache file when it is released: whatever it counts may be in it from now on. */
  hears(member: number, verb: string, message: string, role: string | undefined): void {
    this.#waiting[member] = () => {
      const senders = this.#members.flatMap((of, other) =>
        (role === undefined || of.role === role) && (other !== member || this.#countsSelf)
          ? [
              {
                member: other,
                name: of.name,
                sent: this.#sent[other]?.get(message) ?? [],
                graph: of.graph,
              },
            ]
          : [],
      );
      return cacheAfter({ verb, message, senders });
    };
  }

  /** A wait that failed leaves the cache file empty. */
  empty(member: number): void {
    this.#caches[member] = emptyCache;
    this.#waiting[member] = undefined;
  }

  read(member: number, { seek, read }: Extract<Op, { op: 'read' }>): Answered {
    const made = this.#waiting[member];
    if (made !== undefined) this.#caches[member] = made();
    this.#waiting[member] = undefined;
    const found = finds(this.#caches[member] ?? emptyCache, seek);
    if (found === false) this.unread.push({ member, read, isFatal: false });
    else this.found.push({ member, read });
    return found;
  }
}

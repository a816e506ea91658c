/**
 * A dumb model of a group's conversation, written from the table of SEMANTICS 2, 2.1 and 2.3 and from nothing
 * else: a flat log, a list of waits, and every question answered by looking at all of it again.
 */
import type { WaitVerb } from '../../machines/events.ts';
import type { WaitOutcome } from './lab.ts';

export interface ModelGroup {
  /** The role of each member; members are m0, m1, ... */
  roles: readonly string[];
  countsSelf: boolean;
}

export interface ModelWait {
  number: number;
  member: number;
  verb: WaitVerb;
  id: string;
  role: string | null;
  round: number;
  end: WaitOutcome | null;
  lines: string[];
  /** Since when it has been in a deadlock without a break. */
  stuckSince: number | null;
}

const GRACE_MS = 30_000;

export class Model {
  now = 0;
  readonly group: ModelGroup;
  readonly waits: ModelWait[] = [];
  readonly ended = new Map<number, 'complete' | 'failed'>();
  readonly #log: { member: number; id: string; pairs: readonly string[] }[] = [];
  /** `member id` -> the round of a sync from which the member was not released. */
  readonly #unfinished = new Map<string, number>();
  readonly #failing = new Set<number>();

  constructor(group: ModelGroup) {
    this.group = group;
  }

  get over(): boolean {
    return this.ended.size === this.group.roles.length;
  }

  isAlive = (member: number): boolean => !this.ended.has(member);

  open = (): ModelWait[] => this.waits.filter((w) => w.end === null);

  sent = (member: number, id: string): number =>
    this.#log.filter((said) => said.member === member && said.id === id).length;

  send(member: number, id: string, pairs: readonly string[]): void {
    this.#log.push({ member, id, pairs });
    this.#settle();
  }

  wait(member: number, verb: WaitVerb, id: string, role: string | null): void {
    let round = 1;
    if (verb === 'sync') {
      const again = this.#unfinished.get(`${member} ${id}`);
      if (again === undefined) this.#log.push({ member, id, pairs: [] });
      round = again ?? this.sent(member, id);
      this.#unfinished.set(`${member} ${id}`, round);
    }
    const number = this.waits.length + 1;
    const open = { end: null, lines: [], stuckSince: null };
    this.waits.push({ number, member, verb, id, role, round, ...open });
    this.#settle();
  }

  abandon(wait: ModelWait): void {
    wait.end = 'abandoned';
    this.#settle();
  }

  reboot(member: number): void {
    this.#abandonAll(member);
    this.#settle();
  }

  /** Its last action ends well. */
  finish(member: number): void {
    this.#end(member, this.#failing.has(member) ? 'failed' : 'complete');
  }

  burn(member: number): void {
    this.#end(member, 'failed');
  }

  /** Somebody looks whether a grace is over. */
  look(): void {
    for (const wait of this.open())
      if (wait.stuckSince !== null && this.now - wait.stuckSince >= GRACE_MS) this.#fail(wait);
    this.#settle();
  }

  stuck = (): number[] => this.open().flatMap((w) => (w.stuckSince === null ? [] : [w.number]));

  #end(member: number, how: 'complete' | 'failed'): void {
    this.#abandonAll(member);
    this.ended.set(member, how);
    this.#settle();
  }

  #abandonAll(member: number): void {
    for (const wait of this.open()) if (wait.member === member) wait.end = 'abandoned';
  }

  #fail(wait: ModelWait): void {
    wait.end = 'unreachable';
    this.#failing.add(wait.member);
  }

  #settle(): void {
    for (const wait of this.open()) if (this.#isMet(wait)) this.#release(wait);
    for (const wait of this.open()) if (this.#isHopeless(wait)) this.#fail(wait);
    const deadlocked = this.#deadlocked();
    for (const wait of this.open()) {
      if (!deadlocked.has(wait.member)) wait.stuckSince = null;
      else wait.stuckSince ??= this.now;
    }
  }

  #release(wait: ModelWait): void {
    wait.end = 'released';
    wait.lines = this.lines(wait);
    const key = `${wait.member} ${wait.id}`;
    if (wait.verb === 'sync' && this.#unfinished.get(key) === wait.round)
      this.#unfinished.delete(key);
  }

  #counted(wait: ModelWait): number[] {
    const members = this.group.roles.map((_, m) => m);
    const inRole = members.filter((m) => wait.role === null || this.group.roles[m] === wait.role);
    const withSelf = wait.verb !== 'sync' && this.group.countsSelf;
    return inRole.filter((m) => withSelf || m !== wait.member);
  }

  #missing = (wait: ModelWait): number[] =>
    this.#counted(wait).filter((m) => this.sent(m, wait.id) < wait.round);

  #isMet(wait: ModelWait): boolean {
    const [counted, missing] = [this.#counted(wait), this.#missing(wait)];
    if (wait.verb === 'wait' && counted.length > 0) return missing.length < counted.length;
    return missing.length === 0;
  }

  /** SEMANTICS 2.1, certain. */
  #isHopeless(wait: ModelWait): boolean {
    const missing = this.#missing(wait);
    return wait.verb === 'wait'
      ? missing.every((m) => !this.isAlive(m))
      : missing.some((m) => !this.isAlive(m));
  }

  /** SEMANTICS 2.1, deadlocked: every set of blocked members is tried; S is all of those that hold together. */
  #deadlocked(): Set<number> {
    const blocked = [...new Set(this.open().map((w) => w.member))];
    const s = new Set<number>();
    for (let bits = 1; bits < 2 ** blocked.length; bits++) {
      const set = new Set(blocked.filter((_, i) => bits & (1 << i)));
      const isLost = (m: number) => set.has(m) || !this.isAlive(m);
      const needsOnlyThem = (wait: ModelWait) =>
        wait.verb === 'wait' ? this.#missing(wait).every(isLost) : this.#missing(wait).some(isLost);
      const theirs = this.open().filter((w) => set.has(w.member));
      if (theirs.every(needsOnlyThem)) for (const m of set) s.add(m);
    }
    return s;
  }

  lines(wait: ModelWait): string[] {
    if (wait.verb === 'sync') return [];
    const counted = this.#counted(wait);
    const cache = new Map<string, string>();
    for (const { member, id, pairs } of this.#log)
      if (id === wait.id && counted.includes(member))
        for (const pair of pairs) {
          const [key = '', value = ''] = pair.split('=');
          cache.set(wait.verb === 'wait-all' ? `m${member}:${key}` : key, value);
        }
    return [...cache].map(([key, value]) => `${key}=${value}`);
  }
}

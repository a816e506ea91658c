/** Why a group stands still at the end of a run: the waits that are the cause, not those that merely wait for them. */
import type { CacheRead, CallGraph, CallSite, Place } from './call-graph.ts';
import type { StuckWait } from './certainty.ts';
import type { Finding, RuleId } from './findings.ts';
import { holdsSign, shown } from './names.ts';
import type { MemberProgram, Outcome } from './outcome.ts';
import { couldBe, exact, patternText } from './patterns.ts';

const SENDS = ['send', 'sync', 'broadcast'];

export function stuckFindings(members: readonly MemberProgram[], outcome: Outcome): Finding[] {
  return new Causes(members, outcome).findings();
}

/** The sends of a graph, by their ids; of `open` not all of the id is known. */
interface Sends {
  readonly byId: ReadonlyMap<string, readonly CallSite[]>;
  readonly open: readonly CallSite[];
}
const sends = new WeakMap<CallGraph, Sends>();

function sendsIn(graph: CallGraph): Sends {
  const known = sends.get(graph);
  if (known !== undefined) return known;
  const byId = new Map<string, CallSite[]>();
  const open: CallSite[] = [];
  for (const site of graph.sites) {
    if (!SENDS.includes(site.verb)) continue;
    if (site.id.kind !== 'exact') {
      open.push(site);
      continue;
    }
    const same = byId.get(site.id.text);
    if (same === undefined) byId.set(site.id.text, [site]);
    else same.push(site);
  }
  sends.set(graph, { byId, open });
  return { byId, open };
}

class Causes {
  readonly #members: readonly MemberProgram[];
  readonly #waits: readonly StuckWait[];
  readonly #stuck: ReadonlySet<number>;
  readonly #unread: Outcome['unread'];
  readonly #lacked = new Map<StuckWait, number[]>();
  readonly #near = new Map<string, string | undefined>();

  constructor(members: readonly MemberProgram[], outcome: Outcome) {
    this.#members = members;
    this.#unread = outcome.unread;
    this.#waits = outcome.stuck.filter(({ isCertain }) => isCertain);
    this.#stuck = new Set(this.#waits.map(({ wait }) => wait.member));
  }

  findings(): Finding[] {
    const roots = this.#waits.filter((wait) => this.#neverSent(wait).length > 0);
    const done = new Set(roots);
    // Whoever waits for a member that is stuck at a cause waits for the cause.
    for (let changed = true; changed; ) {
      changed = false;
      for (const wait of this.#waits)
        if (!done.has(wait) && this.#blockers(wait).some((other) => done.has(other))) {
          done.add(wait);
          changed = true;
        }
    }
    const circles = this.#waits.filter((wait) => !done.has(wait));
    const said = roots.map((wait) => this.#root(wait));
    const circle = this.#circle(circles);
    return circle === undefined ? said : [...said, circle];
  }

  #graph(member: number): CallGraph | undefined {
    return this.#members[member]?.graph;
  }

  #role(member: number): string {
    return this.#members[member]?.role ?? '';
  }

  #site({ wait, order }: StuckWait): CallSite | undefined {
    return this.#graph(wait.member)?.sites[order];
  }

  #sendsOf(member: number, message: string): CallSite[] {
    const graph = this.#graph(member);
    if (graph === undefined) return [];
    const { byId, open } = sendsIn(graph);
    const may = open.filter(({ id }) => couldBe(id, message));
    return [...(byId.get(message) ?? []), ...may].sort((a, b) => a.order - b.order);
  }

  /** Of those that it lacks: who will not send it, however far they come. */
  #neverSent(wait: StuckWait): number[] {
    const known = this.#lacked.get(wait);
    if (known !== undefined) return known;
    const { message, verb } = wait.wait;
    const never = wait.lacking.filter(
      (m) => !this.#stuck.has(m) || this.#sendsOf(m, message).length === 0,
    );
    // One sender is enough for a wait: nobody may be left.
    const out = verb === 'wait' && never.length < wait.lacking.length ? [] : never;
    this.#lacked.set(wait, out);
    return out;
  }

  #blockers(wait: StuckWait): StuckWait[] {
    return this.#waits.filter((other) => wait.lacking.includes(other.wait.member));
  }

  #root(stuck: StuckWait): Finding {
    const { verb } = stuck.wait;
    const never = this.#neverSent(stuck);
    const death = this.#death(never, stuck.wait.message);
    if (death !== undefined) return this.#died(stuck, death);
    const unread = this.#unreadOf(never, stuck.wait.message);
    if (unread !== undefined) return this.#notSent(stuck, unread);
    const missing = [...new Set(never.map((m) => this.#role(m)))];
    const related = never.flatMap((m) => this.#sendsOf(m, stuck.wait.message));
    const isCalled = related.length > 0;
    const rule: RuleId =
      verb === 'sync'
        ? isCalled
          ? 'rounds-differ'
          : 'sync-not-called-by-all'
        : 'wait-without-send';
    const { id, hint } = this.#words(stuck, missing);
    const message =
      rule === 'rounds-differ'
        ? `${this.#role(stuck.wait.member)} waits in round ${stuck.wait.round} of ${id}; ${list(missing)} ${ends(missing, 'calls')} it less often`
        : rule === 'sync-not-called-by-all'
          ? `${this.#role(stuck.wait.member)} waits at the barrier ${id}, which ${list(missing)} never ${ends(missing, 'calls')}`
          : never.length === 0
            ? `nobody sends ${id}`
            : `${this.#role(stuck.wait.member)} waits for ${id}, which ${list(missing)} never ${ends(missing, 'sends')}`;
    return this.#said(stuck, rule, message, hint, related);
  }

  #words(stuck: StuckWait, missing: readonly string[]): { id: string; hint: string | undefined } {
    const { message, member } = stuck.wait;
    const id = patternText(shown(exact(message), member));
    const near = this.#nearest(id, message);
    if (near !== undefined) return { id, hint: `${near} is sent: is it meant?` };
    const own = this.#sendsOf(member, message);
    const isAlone = own.length > 0 && missing.length > 0 && stuck.wait.verb !== 'sync';
    return { id, hint: isAlone ? 'its own send does not count' : undefined };
  }

  /** An id that is sent, and written like this one. */
  #nearest(id: string, message: string): string | undefined {
    if (this.#near.has(id)) return this.#near.get(id);
    const known = new Set<string>();
    for (const graph of new Set(this.#members.map((member) => member.graph))) {
      const { byId, open } = sendsIn(graph);
      for (const other of byId.keys()) if (other !== message) known.add(other);
      for (const { id: other } of open) if (!couldBe(other, message)) known.add(patternText(other));
    }
    const near = [...known].filter((other) => isNear(other, id)).sort()[0];
    this.#near.set(id, near);
    return near;
  }

  /** The end of a script before it came to what it would have sent. */
  #death(
    members: readonly number[],
    message: string,
  ): { member: number; place: Place & { text: string } } | undefined {
    for (const member of members) {
      const place = this.#graph(member)?.deaths.find(({ why }) => why !== 'exit');
      const sites = this.#members[member]?.undying?.sites ?? [];
      const would = sites.filter(({ verb, id }) => SENDS.includes(verb) && couldBe(id, message));
      if (place !== undefined && would.length > this.#sendsOf(member, message).length)
        return { member, place };
    }
    return undefined;
  }

  #died(
    stuck: StuckWait,
    { member, place }: { member: number; place: Place & { text: string } },
  ): Finding {
    const site = this.#site(stuck);
    const related =
      site === undefined
        ? []
        : [{ ...calledAt(site), message: `${this.#role(stuck.wait.member)} waits here` }];
    return {
      ...placeOf(place),
      rule: 'dies-under-set-e',
      severity: 'error',
      message: `for ${this.#role(member)} this always fails and ends the script: ${place.text}`,
      role: this.#role(member),
      related,
    };
  }

  /** What a member looked for in vain before it came to what it would have sent. */
  #unreadOf(
    members: readonly number[],
    message: string,
  ): { member: number; read: CacheRead } | undefined {
    for (const { member, read, isFatal } of this.#unread) {
      if (!isFatal) continue;
      const found = this.#graph(member)?.reads[read];
      if (
        found !== undefined &&
        members.includes(member) &&
        this.#sendsOf(member, message).length > 0
      )
        return { member, read: found };
    }
    return undefined;
  }

  #notSent(stuck: StuckWait, { member, read }: { member: number; read: CacheRead }): Finding {
    const site = this.#site(stuck);
    const key = patternText(read.key);
    return {
      ...placeOf(read),
      rule: 'key-never-sent',
      severity: 'error',
      message: `no line for ${key} is in the cache file here, and ${this.#role(member)} ends its script: ${read.text}`,
      ...readHint(read, this.#graph(member)),
      role: this.#role(member),
      related:
        site === undefined
          ? []
          : [{ ...calledAt(site), message: `${this.#role(stuck.wait.member)} waits here` }],
    };
  }

  #circle(waits: readonly StuckWait[]): Finding | undefined {
    const [first] = waits;
    if (first === undefined) return undefined;
    const path: StuckWait[] = [];
    let at: StuckWait | undefined = first;
    while (at !== undefined && !path.includes(at)) {
      path.push(at);
      const here: StuckWait = at;
      at = waits.find((other) => here.lacking.includes(other.wait.member));
    }
    const circle = at === undefined ? path : path.slice(path.indexOf(at));
    const told = circle.map((wait) => {
      const id = patternText(shown(exact(wait.wait.message), wait.wait.member));
      return `${this.#role(wait.wait.member)} waits for ${id}`;
    });
    const [start, ...others] = circle;
    if (start === undefined) return undefined;
    const message = `no one of them can go on: ${[...new Set(told)].join(', ')}`;
    const related = others.flatMap((wait) => this.#site(wait) ?? []);
    return this.#said(start, 'cross-wait', message, undefined, related);
  }

  #said(
    stuck: StuckWait,
    rule: RuleId,
    message: string,
    hint: string | undefined,
    related: readonly CallSite[],
  ): Finding {
    const site = this.#site(stuck);
    const isSoft = stuck.isBackground;
    return {
      ...(site === undefined ? { file: '', line: 1, column: 1 } : calledAt(site)),
      rule,
      severity: isSoft ? 'warning' : 'error',
      message,
      ...(hint !== undefined && { hint }),
      role: this.#role(stuck.wait.member),
      related: related.map((other) => ({ ...calledAt(other), message: other.text })),
    };
  }
}

/** What a wait leaves in the file, where the pattern cannot fit it. */
export function readHint(read: CacheRead, graph: CallGraph | undefined): { hint?: string } {
  const wait = read.after === null ? undefined : graph?.sites[read.after];
  if (wait === undefined) return { hint: 'no wait has filled the file before it' };
  return wait.verb === 'wait-all'
    ? { hint: 'lava-wait-all leaves lines of the form name:key=value' }
    : {};
}

/** Where a call is written: a wrapper that runs its words (`"$@"`) does not say which, whoever calls it does. */
export function calledAt(site: CallSite): Place {
  const caller = site.via.at(-1);
  const isWrapper = /\$[@*]|\$\{[@*]/.test(site.text) && !site.text.includes('lava-');
  return placeOf(isWrapper && caller !== undefined ? caller : site);
}

export const placeOf = ({ file, line, column }: Place): Place => ({ file, line, column });

const list = (roles: readonly string[]): string =>
  roles.length < 2
    ? (roles[0] ?? 'nobody')
    : `${roles.slice(0, -1).join(', ')} and ${roles.at(-1) ?? ''}`;
const ends = (roles: readonly string[], verb: string): string =>
  roles.length > 1 ? verb.replace(/s$/, '') : verb;

/** Written like another, but for case, a few letters, a beginning or an end. */
export function isNear(a: string, b: string): boolean {
  if (a === '' || b === '' || holdsSign(a)) return false;
  const plain = (text: string) => text.toLowerCase().replace(/[-_.]/g, '');
  const [x, y] = [plain(a), plain(b)];
  if (x === y) return true;
  if (
    x.length > 3 &&
    y.length > 3 &&
    (x.startsWith(y) || y.startsWith(x) || x.endsWith(y) || y.endsWith(x))
  )
    return true;
  const shorter = Math.min(x.length, y.length);
  return shorter > 2 && distance(x, y) <= (shorter > 4 ? 2 : 1);
}

/** How many letters are put in, left out, changed or swapped. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

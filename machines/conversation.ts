/**
 * What the members of a group have said to each other, and who waits for what (SEMANTICS 2).
 *
 * Sends are counted: `counts[i]` is how often member i has sent an id (a sync is a send too). Counts only grow,
 * so a satisfied wait can never become unsatisfied and no order of commuting arrivals matters.
 */
import { own } from './names.ts';
import { appended, found, type OpenWait, removed, replaced, type WaitList } from './wait-list.ts';

/** The latest value of one sender's key. `first` and `last`: when it came first and last, in log order. */
export interface Pair {
  readonly member: number;
  readonly key: string;
  readonly value: string;
  readonly first: number;
  readonly last: number;
}

export interface Message {
  /** By member, in group order. */
  readonly counts: readonly number[];
  /** In the order in which they first came. */
  readonly pairs: readonly Pair[];
}

/**
 * The open waits stand in it three times: a group may have ten thousand of them, and no command may have to look
 * at all.
 */
export interface Conversation {
  readonly messages: Readonly<Record<string, Message>>;
  readonly waits: WaitList;
  /** By the place of their member. */
  readonly waitsOfMember: readonly WaitList[];
  /** By a hash of their message. */
  readonly waitsByHash: readonly WaitList[];
  /** How many of them can never be released. */
  readonly stuckCount: number;
  /** How many waits were ever started. */
  readonly waitCount: number;
  /** How many pairs were ever sent: the clock of `first` and `last`. */
  readonly pairCount: number;
}

const HASHES = 256;

export const silence: Conversation = {
  messages: {},
  waits: [],
  waitsOfMember: [],
  waitsByHash: new Array<WaitList>(HASHES).fill([]),
  stuckCount: 0,
  waitCount: 0,
  pairCount: 0,
};

/** The part of a group that the rules need: roles in group order, and whether a wait counts its own caller. */
export interface Group {
  readonly roles: readonly string[];
  readonly countsSelf: boolean;
}

export type Question = Pick<OpenWait, 'member' | 'verb' | 'message' | 'role' | 'round'>;

/** Whether member `m` is one that this wait counts. A sync never waits for its own caller. */
export function counts(group: Group, wait: Question, m: number): boolean {
  if (m === wait.member && (wait.verb === 'sync' || !group.countsSelf)) return false;
  return wait.role === null || group.roles[m] === wait.role;
}

/** How often member `m` has sent `message`. */
export const sent = (talk: Conversation, message: string, m: number): number =>
  own(talk.messages, message)?.counts[m] ?? 0;

/** The counted members that this wait has not heard of often enough, in group order. */
export function missing(talk: Conversation, group: Group, wait: Question): number[] {
  const heard = own(talk.messages, wait.message)?.counts;
  const out: number[] = [];
  for (let m = 0; m < group.roles.length; m++)
    if (counts(group, wait, m) && (heard?.[m] ?? 0) < wait.round) out.push(m);
  return out;
}

/**
 * Whether a wait with these missing members is released (seed: lava-wait, lava-wait-all, lava-sync).
 * `lava-wait` needs any one counted member; the others need all. With nobody to wait for, both are.
 */
export function isReleased(group: Group, wait: Question, lacking: readonly number[]): boolean {
  if (lacking.length === 0) return true;
  if (wait.verb !== 'wait') return false;
  let counted = 0;
  for (let m = 0; m < group.roles.length; m++) if (counts(group, wait, m)) counted++;
  return lacking.length < counted;
}

/** Waits with the same group key lack the same members, but for their callers themselves. */
export const barrierKey = (wait: Question): string =>
  JSON.stringify([wait.verb, wait.message, wait.role, wait.round]);

function hashOf(message: string): number {
  let hash = 0;
  for (let i = 0; i < message.length; i++) hash = (Math.imul(hash, 31) + message.charCodeAt(i)) | 0;
  return (hash >>> 0) % HASHES;
}

/** An open wait by its number. */
export const openWait = (talk: Conversation, number: number): OpenWait | undefined =>
  found(talk.waits, number);

/** The open waits of a member, by its place. */
export const waitsOf = (talk: Conversation, member: number): WaitList =>
  talk.waitsOfMember[member] ?? [];

export const waitsOn = (talk: Conversation, message: string): OpenWait[] =>
  (talk.waitsByHash[hashOf(message)] ?? []).flatMap((chunk) =>
    chunk.filter((wait) => wait.message === message),
  );

/** Whether an open wait on this message is so; stops at the first. */
export const someWaitOn = (
  talk: Conversation,
  message: string,
  is: (wait: OpenWait) => boolean,
): boolean =>
  (talk.waitsByHash[hashOf(message)] ?? []).some((chunk) =>
    chunk.some((wait) => wait.message === message && is(wait)),
  );

/** A wait begins. */
export const began = (talk: Conversation, wait: OpenWait): Conversation => ({
  ...edited(talk, wait, (list) => appended(list, wait)),
  waitCount: wait.wait,
});

/** An open wait has ended. */
export function ended(talk: Conversation, wait: OpenWait): Conversation {
  const next = edited(talk, wait, (list) => removed(list, wait.wait));
  return wait.stuck === null ? next : { ...next, stuckCount: talk.stuckCount - 1 };
}

/** An open wait can never be released, or can again. */
export function marked(talk: Conversation, wait: OpenWait, stuck: OpenWait['stuck']): Conversation {
  const next = edited(talk, wait, (list) => replaced(list, { ...wait, stuck }));
  const change = (stuck === null ? 0 : 1) - (wait.stuck === null ? 0 : 1);
  return { ...next, stuckCount: talk.stuckCount + change };
}

/** The board of an open wait came back to it on another server. */
export const resumed = (talk: Conversation, wait: OpenWait): Conversation =>
  edited(talk, wait, (list) => replaced(list, { ...wait, resumed: wait.resumed + 1 }));

/** Changes all lists that a wait stands in. */
function edited(
  talk: Conversation,
  { member, message }: OpenWait,
  edit: (list: WaitList) => WaitList,
): Conversation {
  const waitsOfMember = [...talk.waitsOfMember];
  while (waitsOfMember.length <= member) waitsOfMember.push([]);
  waitsOfMember[member] = edit(waitsOfMember[member] ?? []);
  const hash = hashOf(message);
  const waitsByHash = talk.waitsByHash.with(hash, edit(talk.waitsByHash[hash] ?? []));
  return { ...talk, waits: edit(talk.waits), waitsOfMember, waitsByHash };
}

/**
 * The open waits on `message` that are released now, in the order in which they were started.
 * Costs one look at the group for each different question, not for each waiter.
 */
export function releasable(talk: Conversation, group: Group, message: string): OpenWait[] {
  const everyone = new Map<string, { lacking: Set<number>; heardSome: number }>();
  return waitsOn(talk, message).filter((wait) => {
    let shared = everyone.get(wait.barrier);
    if (shared === undefined) {
      const all = { ...wait, member: -1 };
      const lacking = new Set(missing(talk, group, all));
      let counted = 0;
      for (let m = 0; m < group.roles.length; m++) if (counts(group, all, m)) counted++;
      shared = { lacking, heardSome: counted - lacking.size };
      everyone.set(wait.barrier, shared);
    }
    const selfCounts = counts(group, wait, wait.member);
    const selfLacks = shared.lacking.has(wait.member);
    const lacks = shared.lacking.size - (selfLacks && !selfCounts ? 1 : 0);
    if (lacks === 0) return true;
    if (wait.verb !== 'wait') return false;
    const selfHeard = !selfLacks && inRole(group, wait, wait.member) && !selfCounts ? 1 : 0;
    return shared.heardSome - selfHeard > 0;
  });
}

const inRole = (group: Group, wait: Question, m: number): boolean =>
  wait.role === null || group.roles[m] === wait.role;

/** Member `m` sends `message` with `pairs`. */
export function heard(
  talk: Conversation,
  groupSize: number,
  m: number,
  message: string,
  pairs: readonly (readonly [string, string])[],
): Conversation {
  const before = own(talk.messages, message);
  const tally = before ? [...before.counts] : new Array<number>(groupSize).fill(0);
  tally[m] = (tally[m] ?? 0) + 1;
  const known = before?.pairs ?? [];
  const said = {
    counts: tally,
    pairs: pairs.length === 0 ? known : withPairs(known, m, pairs, talk.pairCount),
  };
  return {
    ...talk,
    pairCount: talk.pairCount + pairs.length,
    messages: { ...talk.messages, [message]: said },
  };
}

/** The latest value of each key of member `m` in the place where the key first came. */
function withPairs(
  known: readonly Pair[],
  m: number,
  pairs: readonly (readonly [string, string])[],
  clockBefore: number,
): Pair[] {
  const out = [...known];
  const places = new Map(known.flatMap((p, at) => (p.member === m ? [[p.key, at] as const] : [])));
  for (const [index, [key, value]] of pairs.entries()) {
    const clock = clockBefore + index + 1;
    const at = places.get(key) ?? out.length;
    out[at] = { member: m, key, value, first: out[at]?.first ?? clock, last: clock };
    places.set(key, at);
  }
  return out;
}

/**
 * The cache lines that a released wait gives its board (SEMANTICS 2): `k=v` merged over all counted senders for
 * `lava-wait` (later wins), `name:k=v` for `lava-wait-all`, none for `lava-sync`; in the order in which the
 * keys first came.
 */
export function cacheLines(
  talk: Conversation,
  group: Group,
  devices: readonly string[],
  wait: Question,
): string[] {
  if (wait.verb === 'sync') return [];
  const pairs = (own(talk.messages, wait.message)?.pairs ?? []).filter((p) =>
    counts(group, wait, p.member),
  );
  if (wait.verb === 'wait-all') return pairs.map((p) => `${devices[p.member]}:${p.key}=${p.value}`);
  const latest = new Map<string, Pair>();
  for (const p of pairs) if ((latest.get(p.key)?.last ?? 0) < p.last) latest.set(p.key, p);
  return [...latest.entries()].map(([key, p]) => `${key}=${p.value}`);
}

/**
 * What the members of a group have said to each other, and who waits for what (SEMANTICS 2).
 *
 * Sends are counted: `counts[i]` is how often member i has sent an id (a sync is a send too). Counts only grow,
 * so a satisfied wait can never become unsatisfied and no order of commuting arrivals matters.
 */
import { withItem } from '../lists.ts';
import { noTopics, type Pair, type Topics, topicOf, unheardOf, withTopic } from './topics.ts';
import { appended, found, type OpenWait, removed, replaced, type WaitList } from './wait-list.ts';

/**
 * The open waits stand in it three times: a group may have ten thousand of them, and no command may have to look
 * at all.
 */
export interface Conversation {
  /** By their message ids, each with the open waits on it. */
  readonly topics: Topics;
  readonly waits: WaitList;
  /** By the place of their member. */
  readonly waitsOfMember: readonly WaitList[];
  /** How many of them can never be released. */
  readonly stuckCount: number;
  /** How many waits were ever started. */
  readonly waitCount: number;
  /** How many pairs were ever sent: the clock of `first` and `last`. */
  readonly pairCount: number;
}

export const silence: Conversation = {
  topics: noTopics,
  waits: [],
  waitsOfMember: [],
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
  return inRole(group, wait, m);
}

/** How often member `m` has sent `message`. */
export const sent = (talk: Conversation, message: string, m: number): number =>
  topicOf(talk.topics, message)?.counts[m] ?? 0;

/** The counted members that this wait has not heard of often enough, in group order. */
export function missing(talk: Conversation, group: Group, wait: Question): number[] {
  const heard = topicOf(talk.topics, wait.message)?.counts;
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

/** An open wait by its number. */
export const openWait = (talk: Conversation, number: number): OpenWait | undefined =>
  found(talk.waits, number);

/** The open waits of a member, by its place. */
export const waitsOf = (talk: Conversation, member: number): WaitList =>
  talk.waitsOfMember[member] ?? [];

/** A wait begins. */
export function began(talk: Conversation, begun: OpenWait): Conversation {
  // Whoever asks the same has the same text of it: to compare two of them takes no time then.
  const before = topicOf(talk.topics, begun.message)?.waits.at(-1)?.at(-1);
  const wait = before?.barrier === begun.barrier ? { ...begun, barrier: before.barrier } : begun;
  return edited(talk, wait, (list) => appended(list, wait), { waitCount: wait.wait });
}

/** An open wait has ended. */
export const ended = (talk: Conversation, wait: OpenWait): Conversation =>
  edited(talk, wait, (list) => removed(list, wait.wait), {
    stuckCount: talk.stuckCount - (wait.stuck === null ? 0 : 1),
  });

/** An open wait can never be released, or can again. */
export function marked(talk: Conversation, wait: OpenWait, stuck: OpenWait['stuck']): Conversation {
  const change = (stuck === null ? 0 : 1) - (wait.stuck === null ? 0 : 1);
  return edited(talk, wait, (list) => replaced(list, { ...wait, stuck }), {
    stuckCount: talk.stuckCount + change,
  });
}

/** The board of an open wait came back to it on another server. */
export const resumed = (talk: Conversation, wait: OpenWait): Conversation =>
  edited(talk, wait, (list) => replaced(list, { ...wait, resumed: wait.resumed + 1 }));

/** Changes all lists that a wait stands in. */
function edited(
  talk: Conversation,
  { member, message }: OpenWait,
  edit: (list: WaitList) => WaitList,
  { waitCount = talk.waitCount, stuckCount = talk.stuckCount } = {},
): Conversation {
  const waitsOfMember = talk.waitsOfMember.slice();
  while (waitsOfMember.length <= member) waitsOfMember.push([]);
  waitsOfMember[member] = edit(waitsOfMember[member] ?? []);
  const { counts, pairs, waits } = topicOf(talk.topics, message) ?? unheardOf(message);
  return {
    topics: withTopic(talk.topics, { message, counts, pairs, waits: edit(waits) }),
    waits: edit(talk.waits),
    waitsOfMember,
    stuckCount,
    waitCount,
    pairCount: talk.pairCount,
  };
}

/**
 * The open waits on `message` that are released now, in the order in which they were started.
 * Costs one look at the group for each different question, not for each waiter.
 */
export function releasable(talk: Conversation, group: Group, message: string): OpenWait[] {
  const out: OpenWait[] = [];
  const asked = new Map<string, Everyone>();
  let everyone: Everyone | undefined;
  for (const chunk of topicOf(talk.topics, message)?.waits ?? [])
    for (const wait of chunk) {
      if (everyone?.barrier !== wait.barrier) {
        everyone = asked.get(wait.barrier) ?? everyoneOf(talk, group, wait);
        asked.set(wait.barrier, everyone);
      }
      if (isReleasedFor(talk, group, everyone, wait)) out.push(wait);
    }
  return out;
}

/** A question's count as if nobody had asked it: whoever asks may not count, and then only itself differs. */
interface Everyone {
  barrier: string;
  lacking: number;
  heard: number;
}

function everyoneOf(talk: Conversation, group: Group, wait: OpenWait): Everyone {
  const everyone = { barrier: wait.barrier, lacking: 0, heard: 0 };
  const sends = topicOf(talk.topics, wait.message)?.counts;
  for (let m = 0; m < group.roles.length; m++) {
    if (!inRole(group, wait, m)) continue;
    if ((sends?.[m] ?? 0) >= wait.round) everyone.heard++;
    else everyone.lacking++;
  }
  return everyone;
}

function isReleasedFor(
  talk: Conversation,
  group: Group,
  { lacking, heard }: Everyone,
  wait: OpenWait,
): boolean {
  if (lacking === 0) return true;
  if (lacking > 1 && wait.verb !== 'wait') return false;
  const { member } = wait;
  const skipsSelf = inRole(group, wait, member) && !counts(group, wait, member);
  const skipsLacking = skipsSelf && sent(talk, wait.message, member) < wait.round;
  if (lacking === 1 && skipsLacking) return true;
  return wait.verb === 'wait' && heard > (skipsSelf && !skipsLacking ? 1 : 0);
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
  const topic = topicOf(talk.topics, message) ?? unheardOf(message);
  const isFirst = topic.counts.length === 0;
  const before = isFirst ? filled(groupSize, 0) : topic.counts;
  const known = isFirst ? filled<readonly Pair[]>(groupSize, []) : topic.pairs;
  const heardOf = {
    message,
    counts: withItem(before, m, (before[m] ?? 0) + 1),
    pairs: withItem(known, m, withPairs(known[m] ?? [], pairs, talk.pairCount)),
    waits: topic.waits,
  };
  // Key by key: it comes with every message, and a spread takes many times as long.
  return {
    topics: withTopic(talk.topics, heardOf),
    waits: talk.waits,
    waitsOfMember: talk.waitsOfMember,
    stuckCount: talk.stuckCount,
    waitCount: talk.waitCount,
    pairCount: talk.pairCount + pairs.length,
  };
}

const filled = <T>(length: number, item: T): T[] => new Array<T>(length).fill(item);

/** The latest value of each key of a member, in the place where the key first came. */
function withPairs(
  known: readonly Pair[],
  pairs: readonly (readonly [string, string])[],
  clockBefore: number,
): Pair[] {
  const out = known.slice();
  let places: Map<string, number> | undefined;
  pairs.forEach(([key, value], index) => {
    let at = index;
    // Mostly the same keys come again in the same order.
    if (out[at]?.key !== key) {
      places ??= new Map(out.map((pair, place) => [pair.key, place]));
      at = places.get(key) ?? out.length;
      places.set(key, at);
    }
    const clock = clockBefore + index + 1;
    out[at] = { key, value, first: out[at]?.first ?? clock, last: clock };
  });
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
  members: readonly { readonly device: string }[],
  wait: Question,
): string[] {
  if (wait.verb === 'sync') return [];
  const pairs = (topicOf(talk.topics, wait.message)?.pairs ?? [])
    .flatMap((said, m) => (counts(group, wait, m) ? said.map((pair) => ({ ...pair, m })) : []))
    .sort((a, b) => a.first - b.first);
  if (wait.verb === 'wait-all')
    return pairs.map((p) => `${members[p.m]?.device}:${p.key}=${p.value}`);
  const latest = new Map<string, Pair>();
  for (const p of pairs) if ((latest.get(p.key)?.last ?? 0) < p.last) latest.set(p.key, p);
  return [...latest.entries()].map(([key, p]) => `${key}=${p.value}`);
}

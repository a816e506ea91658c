/**
 * What a group has said of each message id, as plain JSON: rows of rows by a hash of the id, so that one id of ten
 * thousand changes at the price of two short rows.
 */
import { withItem } from '../lists.ts';
import type { WaitList } from './wait-list.ts';

/** The latest value of one sender's key. `first` and `last`: when it came first and last, in log order. */
export interface Pair {
  readonly key: string;
  readonly value: string;
  readonly first: number;
  readonly last: number;
}

export interface Topic {
  readonly message: string;
  /** How often each member has sent it, in group order; empty: nobody has. */
  readonly counts: readonly number[];
  /** Of each member, in the order in which they first came. */
  readonly pairs: readonly (readonly Pair[])[];
  /** The open waits on it. */
  readonly waits: WaitList;
}

export type Topics = readonly (readonly (readonly Topic[])[])[];

const ROWS = 16;

export const noTopics: Topics = new Array<Topics[number]>(ROWS).fill(
  new Array<readonly Topic[]>(ROWS).fill([]),
);

/** What was said of a message id, or waits for it; `undefined`: it was never heard of. */
export function topicOf(topics: Topics, message: string): Topic | undefined {
  const hash = hashOf(message);
  const few = topics[hash >> 4]?.[hash & 15] ?? [];
  for (const topic of few) if (topic.message === message) return topic;
  return undefined;
}

/** The topic of a message id that was never heard of. */
export const unheardOf = (message: string): Topic => ({
  message,
  counts: [],
  pairs: [],
  waits: [],
});

/** With this topic in the place of the one of its message id. */
export function withTopic(topics: Topics, topic: Topic): Topics {
  const hash = hashOf(topic.message);
  const row = topics[hash >> 4] ?? [];
  const few = row[hash & 15] ?? [];
  const known = few.findIndex(({ message }) => message === topic.message);
  const changed = known < 0 ? [...few, topic] : withItem(few, known, topic);
  return withItem(topics, hash >> 4, withItem(row, hash & 15, changed));
}

function hashOf(message: string): number {
  let hash = 0;
  for (let i = 0; i < message.length; i++) hash = (Math.imul(hash, 31) + message.charCodeAt(i)) | 0;
  return (hash >>> 0) % (ROWS * ROWS);
}

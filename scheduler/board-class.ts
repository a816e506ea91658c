/**
 * Boards put together into classes that no demand and no limit can tell apart. A lab of 10,000 boards has few
 * classes, so a matching costs classes, not boards.
 */
import { compareText } from './order.ts';
import type { BoardClass, Demand, Held } from './records.ts';
import { countBefore } from './sorted-list.ts';
import type { WordNode } from './word-tree.ts';

/** The traits that make a class; boards with equal ones are in one class. */
export type Traits = Pick<BoardClass, 'deviceType' | 'tags' | 'name' | 'checkOf' | 'worker'>;

export function makeClass(node: WordNode<BoardClass>, traits: Traits): BoardClass {
  return { node, ...traits, idle: [], held: [], given: [], want: 0, demands: new Set() };
}

/** A demand is found, and finds its boards, under its name or else its type and first tag. */
export function placeOf({ device, deviceType, tags }: Demand): string {
  return JSON.stringify(
    device === undefined ? ['type', deviceType, ...tags.slice(0, 1)] : [device],
  );
}

/** The places of all demands that a class may fit; whether it does, `fits` says. */
export function placesOf({ name, deviceType, tags }: BoardClass): string[] {
  const places = [...tags].map((tag) => ['type', deviceType, tag]);
  if (name !== undefined) places.unshift([name]);
  return [...places, ['type', deviceType]].map((place) => JSON.stringify(place));
}

/** For a class and a demand that meet at a place. */
export function fits({ tags, checkOf }: BoardClass, demand: Demand): boolean {
  return (
    (checkOf === undefined || checkOf === demand.checkOf) &&
    demand.tags.every((tag) => tags.has(tag))
  );
}

/** Idle boards that the plan in the making has not given away. */
export function leftIn({ idle, given }: BoardClass): number {
  return idle.length - given.length;
}

/** Boards that are not idle, or given away, but back by this time. */
export function backBy({ held, given }: BoardClass, time: number): number {
  const early = given.reduce((sum, until) => sum + Number(until <= time), 0);
  return early + countBefore(held, ({ until }) => until <= time);
}

export function compareHeld(a: Held, b: Held): number {
  return a.until - b.until || compareText(a.board.name, b.board.name);
}

/**
 * The arrows from sends to the releases that they caused. A few are each a line of their own; what one send released on
 * many lanes is a bundle: a line across the lanes, with a head on each. Of what is chosen, pointed at or to blame each
 * arrow can be told.
 */
import type { JobFold } from './fold.ts';
import { firstThat } from './search.ts';
import { type Arrow, OPEN } from './spans.ts';

/** A send that released more lanes than these is a bundle. */
export const ALONE_MAX = 8;
/** With more arrows in sight none can be told from another: those of the lanes that matter alone are painted. */
const TOLD_MAX = 1_200;
/** Bundles that lie nearer to one another have no heads, and nearer than this second one they are one. */
const HEADS_APART = 14;
const BUNDLES_APART = 3;

/** What of a painting says where arrows are. */
export interface ArrowSight {
  fold: JobFold;
  x(index: number): number;
  width: number;
  firstLane: number;
  lastLane: number;
  chosenLane: number;
}

/** What one send released. */
export interface Fan {
  x: number;
  lane: number;
  /** Where the first of them was released. */
  trunk: number;
  to: { x: number; lane: number }[];
}

/** What is painted of the arrows in sight, from left to right. */
export interface Arrows {
  bundles: { fan: Fan; hasHeads: boolean }[];
  lines: Fan[];
}

export function arrowsInSight(is: ArrowSight): Arrows {
  const fans = fansInSight(is);
  const told = new Set([is.chosenLane, culpritLane(is.fold)]);
  const few = fans.filter(({ to }) => to.length <= ALONE_MAX);
  const many = fans.filter(({ to }) => to.length > ALONE_MAX);
  const isCrowded = few.reduce((sum, { to }) => sum + to.length, 0) > TOLD_MAX;
  const lines = few.map((fan) => {
    const isAll = !isCrowded || told.has(fan.lane);
    return isAll ? fan : { ...fan, to: fan.to.filter(({ lane }) => told.has(lane)) };
  });
  for (const fan of many) lines.push({ ...fan, to: fan.to.filter(({ lane }) => told.has(lane)) });
  const bundles: Arrows['bundles'] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const fan of many.sort((a, b) => a.trunk - b.trunk)) {
    const apart = fan.trunk - last;
    if (apart < BUNDLES_APART) continue;
    last = fan.trunk;
    bundles.push({ fan, hasHeads: apart >= HEADS_APART });
  }
  return { bundles, lines: lines.filter(({ to }) => to.length > 0) };
}

/** Of a send what it released; of a wait, its release or its beginning, the one that released it. */
export function arrowsOf(fold: JobFold, event: number): Arrow[] {
  const { arrows } = fold;
  const is = fold.events[event];
  const after = (at: number) => firstThat(arrows.length, (n) => (arrows[n]?.to ?? OPEN) >= at);
  if (is?.type === 'MessageSent')
    return arrows.slice(after(event)).filter(({ from }) => from === event);
  const end = is?.type === 'WaitStarted' ? fold.waits.get(is.data.wait)?.to : event;
  const found = end === undefined ? undefined : arrows[after(end)];
  return found?.to === end && found !== undefined ? [found] : [];
}

/** The lane of the member that ended a job badly; -1: there is none. */
function culpritLane(fold: JobFold): number {
  const end = fold.ended === undefined ? undefined : fold.events[fold.ended];
  return end?.type === 'JobFailed' ? fold.laneNamed(end.data.member) : -1;
}

/** @param sent where the send is, and on which lane */
export function fanOf(sent: { x: number; lane: number }): Fan {
  return { ...sent, trunk: Number.POSITIVE_INFINITY, to: [] };
}

export function released(fan: Fan, x: number, lane: number): void {
  fan.trunk = Math.min(fan.trunk, x);
  fan.to.push({ x, lane });
}

function fansInSight(is: ArrowSight): Fan[] {
  const { fold, x, firstLane, lastLane, width } = is;
  const fans = new Map<number, Fan>();
  // They are in the order of their releases.
  const first = firstThat(fold.arrows.length, (n) => x(fold.arrows[n]?.to ?? OPEN) >= 0);
  for (let n = first; n < fold.arrows.length; n++) {
    const arrow = fold.arrows[n];
    if (arrow === undefined) break;
    const { from, to, fromLane, toLane } = arrow;
    let fan = fans.get(from);
    if (fan === undefined) {
      const sent = x(from);
      if (sent > width) continue;
      fan = fanOf({ x: sent, lane: fromLane });
      fans.set(from, fan);
    }
    released(fan, x(to), toLane);
  }
  const isInSight = (a: number, b: number) =>
    Math.max(a, b) >= firstLane && Math.min(a, b) <= lastLane;
  return [...fans.values()].flatMap((fan) => {
    if (fan.to.length > ALONE_MAX) return fan;
    const to = fan.to.filter(({ lane }) => isInSight(fan.lane, lane));
    return to.length > 0 ? { ...fan, to } : [];
  });
}

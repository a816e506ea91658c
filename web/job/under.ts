/** What lies under a point of a picture. */
import { countBefore } from './at.ts';
import { type Picture, RULER_HEIGHT } from './picture.ts';
import { type Barrier, type Lane, OPEN } from './spans.ts';

export interface Under {
  /** -1: none. */
  lane: number;
  event: number | undefined;
  barrier: Barrier | undefined;
}

/** What lies under a point: the nearest mark, else a wait, else a phase of the lane. */
export function under(picture: Picture, px: number, py: number): Under {
  const { extent, width, laneHeight, firstLane, offset, fold } = picture;
  const position = extent.from + (px / width) * (extent.to - extent.from);
  const perPixel = (extent.to - extent.from) / width;
  const x = (index: number) => (picture.positionOf(index) - extent.from) / perPixel;
  const near = fold.barriers.filter(
    ({ opened, verb }) => opened !== OPEN && verb !== 'wait' && Math.abs(x(opened) - px) < 5,
  );
  const isRuler = py < RULER_HEIGHT;
  const lane = isRuler ? -1 : firstLane + Math.floor((py - RULER_HEIGHT + offset) / laneHeight);
  const is = fold.lanes[lane];
  const barrier = isRuler ? near[0] : undefined;
  if (is === undefined) return { lane: -1, event: barrier?.opened, barrier };
  let best: number | undefined;
  let distance = 7;
  for (const mark of marksNear(is, picture, position, 8 * perPixel)) {
    const away = Math.abs(x(mark) - px);
    if (away < distance) [best, distance] = [mark, away];
  }
  if (best !== undefined) return { lane, event: best, barrier: undefined };
  const inWait = is.waits.findLast(
    ({ from, to }) =>
      picture.positionOf(from) <= position &&
      (to === OPEN ? picture.openEnd : picture.positionOf(to)) >= position,
  );
  if (inWait !== undefined) return { lane, event: inWait.from, barrier: inWait.barrier };
  const phase = is.phases.findLast(({ from }) => picture.positionOf(from) <= position);
  return { lane, event: phase?.from, barrier: undefined };
}

function marksNear(
  lane: Lane,
  { positionOf }: Picture,
  position: number,
  within: number,
): number[] {
  const spans = lane.marks.map((from) => ({ from: positionOf(from) }));
  const first = countBefore(spans, position - within);
  const last = countBefore(spans, position + within);
  return lane.marks.slice(first, last);
}

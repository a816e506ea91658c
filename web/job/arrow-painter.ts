/** Paints arrows: slanted lines, and bundles. */
import { ALONE_MAX, type Arrows, arrowsOf, type Fan, fanOf, released } from './arrows.ts';
import type { Paint } from './picture.ts';

/** Of a slanted line. */
const HEAD = 7;
/** A release that came so much later than the first of its bundle has a line that leads to it. */
const LATER = 4;

/** They lie under all else: a barrier that is one has a line of its own. */
export function paintBundles(is: Paint, { bundles }: Arrows): void {
  for (const { fan, hasHeads } of bundles) paintBundle(is, fan, is.colours.ink, hasHeads);
}

export function paintLines(is: Paint, { lines }: Arrows): void {
  paintSlanted(is, lines, is.colours.ink);
}

/** The arrows of one event, on top of all that is painted. */
export function paintArrowsOf(is: Paint, event: number): void {
  const arrows = arrowsOf(is.fold, event);
  const [first] = arrows;
  if (first === undefined) return;
  const fan = fanOf({ x: is.x(first.from), lane: first.fromLane });
  for (const { to, toLane } of arrows) released(fan, is.x(to), toLane);
  is.at.lineWidth = 2;
  if (fan.to.length > ALONE_MAX) paintBundle(is, fan, is.colours.accent, true);
  else paintSlanted(is, [fan], is.colours.accent);
  is.at.lineWidth = 1;
}

/** A line from the send to where it released the first, and across the lanes; each that was released has a head. */
function paintBundle(is: Paint, fan: Fan, colour: string, hasHeads: boolean): void {
  const { at, y, laneHeight, firstLane, lastLane } = is;
  const middle = (lane: number) => Math.round(y(lane) + laneHeight / 2) + 0.5;
  const trunk = Math.round(fan.trunk) + 0.5;
  const [lines, leads, heads] = [new Path2D(), new Path2D(), new Path2D()];
  let [low, high] = [fan.lane, fan.lane];
  const size = Math.min(5, laneHeight / 5);
  for (const { x, lane } of fan.to) {
    low = Math.min(low, lane);
    high = Math.max(high, lane);
    if (!hasHeads || lane < firstLane || lane > lastLane) continue;
    const tip = Math.max(x, trunk) + size + 1;
    if (x > trunk + LATER) {
      leads.moveTo(trunk, middle(lane));
      leads.lineTo(x, middle(lane));
    }
    heads.moveTo(tip, middle(lane));
    heads.lineTo(tip - size, middle(lane) - size);
    heads.lineTo(tip - size, middle(lane) + size);
    heads.closePath();
  }
  // Below the label of the wait that its sender began with it.
  const foot = Math.round(y(fan.lane) + laneHeight * 0.8) + 0.5;
  lines.moveTo(fan.x, middle(fan.lane));
  lines.lineTo(fan.x, foot);
  lines.lineTo(trunk, foot);
  lines.moveTo(trunk, middle(low));
  lines.lineTo(trunk, middle(high));
  draw(at, colour, lines, heads);
  at.globalAlpha = 0.35;
  at.stroke(leads);
  at.globalAlpha = 1;
}

/** Slanted lines, each with its head; of those that lie on the same pixels one. */
function paintSlanted(is: Paint, fans: readonly Fan[], colour: string): void {
  const { at, y, laneHeight } = is;
  const [lines, heads] = [new Path2D(), new Path2D()];
  const seen = new Set<string>();
  for (const { x: x1, lane: a, to } of fans)
    for (const { x: x2, lane: b } of to) {
      const key = `${Math.round(x1)} ${Math.round(x2)} ${a} ${b}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const [y1, y2] = [y(a) + laneHeight / 2, y(b) + (b > a ? 2 : laneHeight - 2)];
      lines.moveTo(x1, y1);
      lines.lineTo(x2, y2);
      const angle = Math.atan2(y2 - y1, x2 - x1);
      heads.moveTo(x2, y2);
      for (const turn of [-0.45, 0.45])
        heads.lineTo(x2 - HEAD * Math.cos(angle + turn), y2 - HEAD * Math.sin(angle + turn));
      heads.closePath();
    }
  draw(at, colour, lines, heads);
}

function draw(at: Paint['at'], colour: string, lines: Path2D, heads: Path2D): void {
  at.strokeStyle = colour;
  at.fillStyle = colour;
  at.globalAlpha = 0.7;
  at.stroke(lines);
  at.fill(heads);
  at.globalAlpha = 1;
}

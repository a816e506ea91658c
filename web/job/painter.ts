/** Paints lanes on a canvas: only what is in sight, and of what lies on one pixel only one. */
import { paintArrowsOf, paintBundles, paintLines } from './arrow-painter.ts';
import { arrowsInSight } from './arrows.ts';
import { countBefore } from './at.ts';
import { paintFlags, paintMarks } from './marks.ts';
import { type Paint, type Picture, RULER_HEIGHT } from './picture.ts';
import { firstThat } from './search.ts';
import { type Barrier, OPEN, type Phase, type WaitSpan } from './spans.ts';

const TICK_BASELINE = 14;
const BARRIER_BASELINE = 31;
const FONT = '11px system-ui, sans-serif';
/** In less room, and with fewer of its characters, a label says nothing. */
const CUT_PIXELS_MIN = 14;
const CUT_CHARACTERS_MIN = 5;
/** Left and right of it. */
const LABEL_MARGIN = 8;
/** Half of a mark, and a little. */
const MARK_PIXELS = 6;

/** The places of a picture on its canvas. */
function placed(at: CanvasRenderingContext2D, picture: Picture): Paint {
  const { extent, width, height, laneHeight, firstLane, offset, fold, openEnd } = picture;
  const scale = width / (extent.to - extent.from);
  return {
    ...picture,
    at,
    lastLane: Math.min(
      fold.lanes.length - 1,
      firstLane + Math.ceil((height - RULER_HEIGHT + offset) / laneHeight),
    ),
    x: (index) => ((index === OPEN ? openEnd : picture.positionOf(index)) - extent.from) * scale,
    y: (lane) => RULER_HEIGHT - offset + (lane - firstLane) * laneHeight,
  };
}

/** Nothing that is painted on lanes lies on the ruler. */
function clipped(canvas: CanvasRenderingContext2D, { width, height }: Picture): void {
  canvas.save();
  canvas.beginPath();
  canvas.rect(0, RULER_HEIGHT, width, height - RULER_HEIGHT);
  canvas.clip();
}

/** The arrows of events that somebody looks at, on top of a picture. */
export function paintTold(
  canvas: CanvasRenderingContext2D,
  picture: Picture,
  events: Iterable<number>,
): void {
  clipped(canvas, picture);
  for (const event of events) paintArrowsOf(placed(canvas, picture), event);
  canvas.restore();
}

export function paint(canvas: CanvasRenderingContext2D, picture: Picture): void {
  const { extent, width, height, firstLane } = picture;
  const scale = width / (extent.to - extent.from);
  const all = placed(canvas, picture);
  const { lastLane } = all;
  canvas.clearRect(0, 0, width, height);
  canvas.font = FONT;
  clipped(canvas, picture);
  for (let lane = firstLane; lane <= lastLane; lane++) paintGround(all, lane);
  paintTicks(all, scale);
  for (let lane = firstLane; lane <= lastLane; lane++) paintLane(all, lane);
  const arrows = arrowsInSight(all);
  paintBundles(all, arrows);
  paintBarriers(all);
  paintLines(all, arrows);
  for (let lane = firstLane; lane <= lastLane; lane++) paintMarks(all, lane);
  paintFlags(all);
  canvas.restore();
  paintRuler(all, scale);
}

function paintGround({ at, colours, width, laneHeight, y, chosenLane }: Paint, lane: number): void {
  at.fillStyle =
    lane === chosenLane ? colours.accent : lane % 2 === 0 ? colours.stripe : colours.ground;
  at.globalAlpha = lane === chosenLane ? 0.12 : 1;
  at.fillRect(0, y(lane), width, laneHeight);
  at.globalAlpha = 1;
}

function paintTicks({ at, colours, ticks, extent, height }: Paint, scale: number): void {
  at.fillStyle = colours.line;
  for (const { position } of ticks)
    at.fillRect(Math.round((position - extent.from) * scale), RULER_HEIGHT, 1, height);
}

/** The spans of these that may be in sight, by a search: the list is in the order of its beginnings. */
function inSight<T extends { from: number; to: number }>(
  spans: readonly T[],
  { x, width }: Pick<Paint, 'x' | 'width'>,
  paintOne: (span: T, left: number, right: number) => void,
): void {
  // The last that begins left of the sight may reach into it.
  const first = firstThat(spans.length, (at) => x(spans[at]?.from ?? OPEN) >= 0);
  let painted = Number.NEGATIVE_INFINITY;
  for (let at = Math.max(0, first - 32); at < spans.length; at++) {
    const span = spans[at];
    if (span === undefined) continue;
    const left = x(span.from);
    if (left > width) return;
    const right = x(span.to);
    // What lies within a pixel that is painted already is not seen.
    if (right < 0 || right < painted + 0.7) continue;
    painted = right;
    paintOne(span, left, right);
  }
}

function paintLane(is: Paint, index: number): void {
  const lane = is.fold.lanes[index];
  if (lane === undefined) return;
  const top = is.y(index);
  const gap = is.laneHeight > 20 ? 4 : 1;
  const bodyHeight = is.laneHeight - 2 * gap;
  const suiteHeight = is.laneHeight >= 26 ? 5 : 0;
  const barHeight = bodyHeight - (suiteHeight > 0 ? suiteHeight + 1 : 0);
  const { at, colours } = is;
  inSight(lane.phases, is, ({ phase, label, from: start }, left, right) => {
    if (phase === 'over') return;
    at.fillStyle = colours.phases[phase];
    const from = Math.max(left, -1);
    const width = Math.max(1, Math.min(right, is.width + 1) - from);
    at.fillRect(from, top + gap, width, barHeight);
    if (phase === 'deploy' || phase === 'boot') hatch(is, from, top + gap, width, barHeight, phase);
    if (is.laneHeight < 26) return;
    // What is waited for lies on it, and marks do: the label has the room before those.
    const wait = lane.waits[countBefore(lane.waits, start - 1)];
    const mark = lane.marks[firstThat(lane.marks.length, (n) => (lane.marks[n] ?? 0) >= start)];
    const next = Math.min(wait?.from ?? OPEN, mark ?? OPEN);
    const free = (next === OPEN ? right : Math.min(right, is.x(next) - MARK_PIXELS)) - from;
    labelled(is, label, from, Math.min(width, free), top + gap, barHeight);
  });
  if (suiteHeight > 0)
    inSight(lane.suites, is, (_, left, right) => {
      at.fillStyle = colours.accent;
      const from = Math.max(left, 0);
      const width = Math.max(1, Math.min(right, is.width) - from - 1);
      at.fillRect(from, top + gap + barHeight + 1, width, suiteHeight - 1);
    });
  inSight(lane.waits, is, (wait, left, right) =>
    paintWait(is, wait, left, right, top + gap, barHeight),
  );
}

/** Lines of their own for each phase: what is meant is seen without its colour. */
function hatch(
  { at, colours }: Paint,
  x: number,
  y: number,
  width: number,
  height: number,
  phase: Phase,
): void {
  if (width < 4) return;
  at.save();
  at.beginPath();
  at.rect(x, y, width, height);
  at.clip();
  at.strokeStyle = colours.ground;
  at.globalAlpha = 0.5;
  at.beginPath();
  const step = phase === 'deploy' ? 8 : 5;
  const slant = phase === 'deploy' ? height : 0;
  for (let line = x - height; line < x + width; line += step) {
    at.moveTo(line, y + height);
    at.lineTo(line + slant, y);
  }
  at.stroke();
  at.restore();
}

function labelled(
  { at, colours, width: sight }: Paint,
  label: string,
  x: number,
  width: number,
  y: number,
  height: number,
): void {
  const from = Math.max(x, 0);
  const room = Math.min(x + width, sight) - from - LABEL_MARGIN;
  const text = fitted(at, label.replaceAll('_', ' '), room);
  at.fillStyle = colours.ink;
  at.fillText(text, from + 5, y + height / 2 + 4);
}

/** A text that is cut where it does not fit; empty where too little would be left of it. */
function fitted(at: CanvasRenderingContext2D, text: string, room: number): string {
  if (text === '' || room < CUT_PIXELS_MIN) return '';
  const wide = at.measureText(text).width;
  if (wide <= room) return text;
  const kept = Math.floor((text.length * (room - 8)) / wide);
  return kept < CUT_CHARACTERS_MIN ? '' : `${text.slice(0, kept).trimEnd()}…`;
}

function paintWait(
  is: Paint,
  wait: WaitSpan,
  left: number,
  right: number,
  y: number,
  height: number,
): void {
  const { at, colours } = is;
  const from = Math.max(left, -1);
  const width = Math.max(1, Math.min(right, is.width + 1) - from);
  const isBad = wait.outcome === 'timedOut' || wait.outcome === 'unreachable';
  at.fillStyle = wait.verb === 'sync' ? colours.sync : colours.wait;
  at.fillRect(from, y, width, height);
  if (isBad) {
    at.fillStyle = colours.bad;
    at.fillRect(from, y, width, 3);
    at.fillRect(from, y + height - 3, width, 3);
  }
  for (const stuck of wait.stuck) {
    const start = Math.max(is.x(stuck.from), from);
    at.fillStyle = colours.bad;
    at.globalAlpha = 0.35;
    at.fillRect(start, y, Math.max(1, Math.min(is.x(stuck.to), is.width) - start), height);
    at.globalAlpha = 1;
  }
  if (width > 3) {
    at.strokeStyle = isBad ? colours.bad : colours.ink;
    at.globalAlpha = 0.55;
    at.strokeRect(from + 0.5, y + 0.5, width - 1, height - 1);
    at.globalAlpha = 1;
  }
  if (is.laneHeight < 20) return;
  const sign = isBad ? '✕ ' : '';
  // Where not all of it fits, what is waited for says more than how.
  const room = Math.min(from + width, is.width) - Math.max(from, 0) - LABEL_MARGIN;
  const isShort = at.measureText(`${sign}${wait.label}`).width > room;
  labelled(is, `${sign}${isShort ? wait.message : wait.label}`, from, width, y, height);
}

/** A line across the lanes that met, where the barrier opened: those of syncs full, the others dashed. */
function paintBarriers(is: Paint): void {
  const { at, colours, fold, y, laneHeight } = is;
  const seen = new Set<number>();
  const [syncs, others] = [new Path2D(), new Path2D()];
  eachOpened(is, (barrier, x) => {
    if (seen.has(Math.round(x))) return;
    seen.add(Math.round(x));
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const { lane } of barrier.waits) {
      low = Math.min(low, lane);
      high = Math.max(high, lane);
    }
    const last = barrier.last === undefined ? -1 : fold.laneNamed(barrier.last);
    if (last >= 0) [low, high] = [Math.min(low, last), Math.max(high, last)];
    const path = barrier.verb === 'sync' ? syncs : others;
    path.moveTo(Math.round(x) + 0.5, y(low) + 2);
    path.lineTo(Math.round(x) + 0.5, y(high) + laneHeight - 2);
  });
  at.strokeStyle = colours.accent;
  at.lineWidth = 2;
  at.stroke(syncs);
  at.lineWidth = 1;
  at.strokeStyle = colours.soft;
  at.setLineDash([3, 3]);
  at.stroke(others);
  at.setLineDash([]);
}

function eachOpened(is: Paint, each: (barrier: Barrier, x: number) => void): void {
  for (const barrier of is.fold.barriers) {
    if (barrier.opened === OPEN || barrier.verb === 'wait' || barrier.last === undefined) continue;
    const x = is.x(barrier.opened);
    if (x >= 0 && x <= is.width) each(barrier, x);
  }
}

function paintRuler(is: Paint, scale: number): void {
  const { at, colours, width, ticks, extent } = is;
  at.fillStyle = colours.ground;
  at.fillRect(0, 0, width, RULER_HEIGHT);
  at.fillStyle = colours.line;
  at.fillRect(0, RULER_HEIGHT - 1, width, 1);
  at.textAlign = 'left';
  for (const { position, text } of ticks) {
    const x = Math.round((position - extent.from) * scale);
    at.fillStyle = colours.line;
    at.fillRect(x, 4, 1, RULER_HEIGHT - 4);
    at.fillStyle = colours.soft;
    if (x + at.measureText(text).width < width) at.fillText(text, x + 4, TICK_BASELINE);
  }
  const named: [number, number][] = [];
  eachOpened(is, (barrier, x) => {
    const round = barrier.verb === 'sync' && barrier.round > 1 ? ` #${barrier.round}` : '';
    const text = `${barrier.message}${round}`;
    const wide = at.measureText(text).width;
    const left = Math.min(Math.max(2, x - wide / 2), width - wide - 2);
    if (named.length > 200 || named.some(([a, b]) => left < b + 6 && left + wide > a - 6)) return;
    named.push([left, left + wide]);
    at.fillStyle = barrier.verb === 'sync' ? colours.accent : colours.soft;
    at.fillText(text, left, BARRIER_BASELINE);
  });
}

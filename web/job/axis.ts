/** The axis of the lanes: which part of it is in sight, zoom and pan, and what stands at its ticks. */
import { scaleLinear } from 'd3-scale';
import type { JobFold } from './fold.ts';
import { OPEN } from './spans.ts';

/** By the clock, or by cause and effect. */
export type Order = 'wall' | 'causal';

/** Milliseconds since the job had its boards, or ranks. */
export interface Extent {
  from: number;
  to: number;
}

/** Where an event is on the axis: milliseconds since the job had its boards, or its rank. */
export function positionOf(fold: JobFold, at: number, order: Order): number {
  const event = Math.min(at, fold.length - 1);
  if (order === 'causal') return fold.ranks[event] ?? 0;
  return (fold.times[event] ?? 0) - (fold.times[fold.start] ?? 0);
}

/** The last event at or before a place on the axis, in the order of the log. */
export function eventAt(fold: JobFold, position: number, order: Order): number {
  if (order === 'causal')
    return Math.max(
      0,
      fold.ranks.findLastIndex((rank) => rank <= position),
    );
  const { times } = fold;
  const wanted = position + (times[fold.start] ?? 0);
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? OPEN) <= wanted) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

const MARGIN = 0.02;
const EXTENT_MIN: Record<Order, number> = { wall: 2, causal: 2 };

/** Where a job ends on the axis; one that goes on ends now, by the clock. */
export function endOf(fold: JobFold, order: Order, now?: number): number {
  if (order === 'causal') return fold.rankMax;
  const last = positionOf(fold, fold.length - 1, order);
  return now === undefined ? last : Math.max(last, now - (fold.times[fold.start] ?? 0));
}

/** All of the job from when it had its boards; from its submission while it has none. */
export function whole(fold: JobFold, order: Order, now?: number): Extent {
  const from = positionOf(fold, fold.start, order);
  const last = endOf(fold, order, now);
  const to = Math.max(last, from + EXTENT_MIN[order]);
  const margin = (to - from) * MARGIN;
  return { from: from - margin, to: to + margin };
}

export function zoomed({ from, to }: Extent, by: number, around: number, order: Order): Extent {
  const width = Math.max(EXTENT_MIN[order], (to - from) * by);
  const part = (around - from) / (to - from);
  return { from: around - part * width, to: around + (1 - part) * width };
}

export const moved = ({ from, to }: Extent, by: number): Extent => ({
  from: from + by,
  to: to + by,
});

export interface Tick {
  position: number;
  text: string;
}

const PIXELS_A_TICK = 90;

export function ticks(extent: Extent, width: number, order: Order): Tick[] {
  const count = Math.max(2, Math.floor(width / PIXELS_A_TICK));
  if (order === 'causal') {
    const scale = scaleLinear().domain([extent.from, extent.to]);
    return scale
      .ticks(count)
      .filter(Number.isInteger)
      .map((position) => ({ position, text: String(position) }));
  }
  const [from, to] = [extent.from / 1_000, extent.to / 1_000];
  const step = stepOf((to - from) / count);
  const out: Tick[] = [];
  for (let n = Math.ceil(from / step); n * step <= to; n++)
    out.push({ position: n * step * 1_000, text: tickText(n * step, step) });
  return out;
}

/** Steps that read well on a clock. */
const STEPS = [60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400];

function stepOf(seconds: number): number {
  if (seconds > 30)
    return STEPS.find((step) => step >= seconds) ?? Math.ceil(seconds / 86_400) * 86_400;
  const [step = 1] = [1, 2, 5, 10, 15, 30].filter((each) => each >= seconds);
  if (seconds >= 0.5) return step;
  const scale = scaleLinear()
    .domain([0, seconds * 10])
    .ticks(10);
  return (scale[1] ?? seconds) - (scale[0] ?? 0);
}

function tickText(seconds: number, step: number): string {
  const sign = seconds < 0 ? '−' : '';
  const is = Math.abs(seconds);
  if (step < 0.001) return `${sign}${(is * 1_000).toFixed(1)} ms`;
  if (step < 1) return `${sign}${is.toFixed(step < 0.01 ? 3 : step < 0.1 ? 2 : 1)} s`;
  if (is < 60) return `${sign}${Math.round(is)} s`;
  const minutes = Math.floor(is / 60);
  const rest = String(Math.round(is % 60)).padStart(2, '0');
  if (is < 3_600) return `${sign}${minutes}:${rest}`;
  const hours = Math.floor(is / 3_600);
  return `${sign}${hours}:${String(minutes % 60).padStart(2, '0')}:${rest}`;
}

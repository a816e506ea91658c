/** What is painted of a run. */
import type { Extent, Tick } from './axis.ts';
import type { JobFold } from './fold.ts';
import type { Flag } from './run.ts';
import type { Phase } from './spans.ts';

export interface Colours {
  ink: string;
  soft: string;
  faint: string;
  line: string;
  ground: string;
  stripe: string;
  accent: string;
  good: string;
  bad: string;
  warn: string;
  wait: string;
  sync: string;
  phases: Record<Phase, string>;
}

/** What is painted: lanes from `firstLane` on, in a part of the axis. */
export interface Picture {
  fold: JobFold;
  extent: Extent;
  ticks: readonly Tick[];
  width: number;
  height: number;
  laneHeight: number;
  firstLane: number;
  /** How far the first lane has been scrolled out of sight, in pixels. */
  offset: number;
  chosenLane: number;
  positionOf(at: number): number;
  /** Where spans that nothing has ended yet end on the axis. */
  openEnd: number;
  flags: readonly Flag[];
  colours: Colours;
}

export const RULER_HEIGHT = 38;

/** A picture with the canvas that it is painted on. */
export interface Paint extends Picture {
  at: CanvasRenderingContext2D;
  x(index: number): number;
  y(lane: number): number;
  lastLane: number;
}

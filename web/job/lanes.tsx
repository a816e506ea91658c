/** The lanes of a run: their names with what each member is about, the canvas, and the lens. */
import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { plural } from '../ui/parts.tsx';
import { memberAt } from './at.ts';
import { LaneView, pointOf } from './lane-view.ts';
import { RULER_HEIGHT } from './picture.ts';
import type { Run } from './run.ts';

/** How high a lane is, by how many there are. */
const HEIGHTS = [
  [8, 46],
  [16, 36],
  [32, 28],
  [Number.POSITIVE_INFINITY, 24],
] as const;
const SIGHT_PIXELS_MAX = 620;
/** Of the window: what is below the lanes has room as well. */
const SIGHT_PART = 0.56;

const SIGNS: Record<string, string> = {
  held: '·',
  deploy: '↓',
  boot: '↻',
  run: '▸',
  'hand-in': '↑',
  waiting: '‖',
  stuck: '!',
  complete: '✓',
  failed: '✕',
  timedOut: '✕',
  cancelled: '⊘',
};

export interface LanesProps {
  run: Run;
  /** What these lanes are, where a page has several. */
  name?: string;
  /** Of several lanes under one lens only the first has its buttons and hears its keys. */
  hasLens?: boolean;
  heightMax?: number;
}

export function Lanes({ run, name = 'Swimlanes', hasLens = true, heightMax }: LanesProps) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useMemo(() => new LaneView(run), [run]);
  const tip = useSignal<Tip | undefined>(undefined);
  const sight = useSignal({ top: 0, width: 800 });
  const lanes = run.count.value > 0 ? run.fold.lanes.length : 0;
  const laneHeight = HEIGHTS.find(([max]) => lanes <= max)?.[1] ?? 24;
  const most = heightMax ?? Math.min(SIGHT_PIXELS_MAX, innerHeight * SIGHT_PART);
  const height = RULER_HEIGHT + Math.min(lanes * laneHeight, Math.floor(most));

  useLayoutEffect(() => run.lens.add(run), [run]);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    view.attach(element);
    const watcher = new ResizeObserver(() => {
      sight.value = { ...sight.peek(), width: element.clientWidth };
    });
    watcher.observe(element);
    const wheel = (event: WheelEvent) => view.wheel(event);
    element.addEventListener('wheel', wheel, { passive: false });
    return () => {
      watcher.disconnect();
      element.removeEventListener('wheel', wheel);
      view.detach();
    };
  }, [view, lanes > 0]);
  useSignalEffect(() => {
    const { top, width } = sight.value;
    const { extent, runs, now } = run.lens;
    for (const is of [run.count, run.lane, run.order, run.flags, extent, runs, now]) void is.value;
    view.look({ top, width, laneHeight, height });
  });
  useSignalEffect(() => {
    void run.at.value;
    view.show();
  });
  useEffect(() => view.look({ ...sight.peek(), laneHeight, height }), [view, laneHeight, height]);
  useEffect(() => keepInSight(box.current, run.lane.value, laneHeight), [run.lane.value]);
  if (lanes === 0)
    return (
      <p class="empty">
        {run.count.value === 0 ? 'Reading the events…' : 'This job had no boards at this event.'}
      </p>
    );

  const first = Math.max(0, Math.floor(sight.value.top / laneHeight) - 2);
  const last = Math.min(lanes, first + Math.ceil(height / laneHeight) + 4);
  return (
    <div
      class="lanes"
      ref={box}
      style={{ maxHeight: `${height}px` }}
      onScroll={({ currentTarget: { scrollTop: top } }) => {
        sight.value = { ...sight.peek(), top };
      }}
    >
      <div class="lanes-all" style={{ height: `${RULER_HEIGHT + lanes * laneHeight}px` }}>
        <div class="lanes-names">
          {run.fold.lanes.slice(first, last).map((lane, n) => (
            <LaneName key={lane.device} run={run} index={first + n} height={laneHeight} />
          ))}
        </div>
        <div class="lanes-sight" style={{ height: `${height}px` }}>
          <canvas
            ref={canvas}
            role="img"
            aria-label={`${name} of ${plural(lanes, 'member')} over ${plural(run.count.value, 'event')}. The list of events below says the same in words.`}
            {...pointerOf(run, view, (is) => (tip.value = is))}
          />
          {tip.value !== undefined && <TipText tip={tip.value} width={sight.value.width} />}
        </div>
      </div>
      {hasLens && <LensKeys view={view} />}
    </div>
  );
}

interface Tip {
  x: number;
  y: number;
  text: string;
}

function TipText({ tip: { x, y, text }, width }: { tip: Tip; width: number }) {
  return (
    <div class={`tip ${x > width / 2 ? 'left' : ''}`} style={{ left: `${x}px`, top: `${y}px` }}>
      {text}
    </div>
  );
}

/** What a pointer does on the canvas. */
function pointerOf(run: Run, view: LaneView, tell: (tip: Tip | undefined) => void) {
  return {
    onPointerDown: (event: PointerEvent) => view.grab(event),
    onPointerMove: (event: PointerEvent) => tell(view.drag(event) ? undefined : view.tell(event)),
    onPointerUp: (event: PointerEvent) => view.drop(event),
    onPointerLeave: () => {
      view.leave();
      tell(undefined);
    },
    onDblClick: (event: MouseEvent) => view.zoom(0.5, pointOf(event).x),
    onContextMenu: (event: MouseEvent) => {
      const { x, y } = pointOf(event);
      const found = view.under(x, y);
      if (run.ask === undefined || found?.event === undefined || found.lane < 0) return;
      event.preventDefault();
      tell(undefined);
      run.ask({ lane: found.lane, event: found.event, x: event.clientX, y: event.clientY });
    },
  };
}

function keepInSight(box: HTMLElement | null, lane: number, laneHeight: number): void {
  if (box === null || lane < 0) return;
  const top = lane * laneHeight;
  const room = box.clientHeight - RULER_HEIGHT;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + laneHeight > box.scrollTop + room) box.scrollTop = top + laneHeight - room;
}

function LaneName({ run, index, height }: { run: Run; index: number; height: number }) {
  const lane = run.fold.lanes[index];
  if (lane === undefined) return null;
  const is = memberAt(lane, run.at.value);
  const isChosen = run.lane.value === index;
  const isSmall = height < 30;
  // The sign says that it waits, where there is room for one word.
  const waitsFor = isSmall ? is.waits.at(-1)?.message : undefined;
  return (
    <button
      type="button"
      class={`lane-name ${is.state} ${isSmall ? 'small' : ''}`}
      aria-pressed={isChosen}
      style={{ top: `${RULER_HEIGHT + index * height}px`, height: `${height}px` }}
      onClick={() => run.choose(index, true)}
      onContextMenu={(event) => {
        if (run.ask === undefined) return;
        event.preventDefault();
        run.ask({ lane: index, event: run.at.peek(), x: event.clientX, y: event.clientY });
      }}
      title={`${lane.device} (${lane.role}): ${is.doing}`}
    >
      <span class="lane-device">{lane.device}</span>
      <span class="lane-role">{lane.role}</span>
      <span class="lane-doing">
        <span aria-hidden="true">{SIGNS[is.state] ?? '·'}</span>{' '}
        <span class="lane-words">{waitsFor ?? is.doing}</span>
      </span>
    </button>
  );
}

/** Keys of the lens are heard wherever the focus is, but not where somebody types. */
function LensKeys({ view }: { view: LaneView }) {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      const acts: Record<string, () => void> = {
        '+': () => view.zoom(0.6),
        '=': () => view.zoom(0.6),
        '-': () => view.zoom(1 / 0.6),
        0: () => view.fit(),
        a: () => view.pan(-0.2),
        d: () => view.pan(0.2),
      };
      const act = acts[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [view]);
  return (
    <div class="lens" role="group" aria-label="Zoom">
      <button type="button" title="Zoom in (+)" aria-label="Zoom in" onClick={() => view.zoom(0.6)}>
        +
      </button>
      <button
        type="button"
        title="Zoom out (-)"
        aria-label="Zoom out"
        onClick={() => view.zoom(1 / 0.6)}
      >
        −
      </button>
      <button type="button" title="All of it (0)" onClick={() => view.fit()}>
        fit
      </button>
    </div>
  );
}

export const isTyping = ({ target }: KeyboardEvent): boolean =>
  target instanceof HTMLElement &&
  target.matches('input:not([type=range], [type=checkbox]), textarea, select, [contenteditable]');

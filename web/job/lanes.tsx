/** The lanes: a canvas that is painted once a view, and shown twice: whole and faint, and full up to where the page stands. */
import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { plural } from '../ui/parts.tsx';
import { lasting } from '../ui/time.ts';
import { memberAt } from './at.ts';
import { type Extent, moved, ticks, whole, zoomed } from './axis.ts';
import { coloursOf } from './colours.ts';
import type { JobPage } from './job-state.ts';
import { type Picture, paint, RULER_HEIGHT, under } from './painter.ts';
import { sentence } from './telling.ts';

/** How high a lane is, by how many there are. */
const HEIGHTS = [
  [8, 46],
  [16, 36],
  [32, 28],
  [Number.POSITIVE_INFINITY, 24],
] as const;
const SIGHT_PIXELS_MAX = 620;
const GHOST = 0.28;

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

export function Lanes({ page }: { page: JobPage }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useMemo(() => new LaneView(page), [page]);
  const tip = useSignal<{ x: number; y: number; text: string } | undefined>(undefined);
  const sight = useSignal({ top: 0, width: 800 });
  const lanes = page.count.value > 0 ? page.fold.lanes.length : 0;
  const laneHeight = HEIGHTS.find(([max]) => lanes <= max)?.[1] ?? 24;
  const height = RULER_HEIGHT + Math.min(lanes * laneHeight, SIGHT_PIXELS_MAX);

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
    void page.count.value;
    void page.lane.value;
    void page.order.value;
    view.look({ top, width, laneHeight, height });
  });
  useSignalEffect(() => {
    void page.at.value;
    view.show();
  });
  useEffect(() => view.look({ ...sight.peek(), laneHeight, height }), [view, laneHeight, height]);
  useEffect(() => keepInSight(box.current, page.lane.value, laneHeight), [page.lane.value]);
  if (lanes === 0) return <NoLanes page={page} />;

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
          {page.fold.lanes.slice(first, last).map((lane, n) => (
            <LaneName key={lane.device} page={page} index={first + n} height={laneHeight} />
          ))}
        </div>
        <div class="lanes-sight" style={{ height: `${height}px` }}>
          <canvas
            ref={canvas}
            role="img"
            aria-label={`Swimlanes of ${plural(lanes, 'member')} over ${plural(page.count.value, 'event')}. The list of events below says the same in words.`}
            onPointerDown={(event) => view.grab(event)}
            onPointerMove={(event) => {
              tip.value = view.drag(event) ? undefined : view.tell(event);
            }}
            onPointerUp={(event) => view.drop(event)}
            onPointerLeave={() => {
              tip.value = undefined;
            }}
            onDblClick={(event) => view.zoom(0.5, event.offsetX)}
          />
          {tip.value !== undefined && (
            <div
              class={`tip ${tip.value.x > sight.value.width / 2 ? 'left' : ''}`}
              style={{ left: `${tip.value.x}px`, top: `${tip.value.y}px` }}
            >
              {tip.value.text}
            </div>
          )}
        </div>
      </div>
      <LensKeys view={view} />
    </div>
  );
}

function keepInSight(box: HTMLElement | null, lane: number, laneHeight: number): void {
  if (box === null || lane < 0) return;
  const top = lane * laneHeight;
  const room = box.clientHeight - RULER_HEIGHT;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + laneHeight > box.scrollTop + room) box.scrollTop = top + laneHeight - room;
}

function NoLanes({ page }: { page: JobPage }) {
  return (
    <p class="empty">
      {page.count.value === 0 ? 'Reading the events…' : 'This job had no boards at this event.'}
    </p>
  );
}

function LaneName({ page, index, height }: { page: JobPage; index: number; height: number }) {
  const lane = page.fold.lanes[index];
  if (lane === undefined) return null;
  const is = memberAt(lane, page.at.value);
  const isChosen = page.lane.value === index;
  return (
    <button
      type="button"
      class={`lane-name ${is.state} ${height < 30 ? 'small' : ''}`}
      aria-pressed={isChosen}
      style={{ top: `${RULER_HEIGHT + index * height}px`, height: `${height}px` }}
      onClick={() => page.choose(index, true)}
      title={`${lane.device} (${lane.role}): ${is.doing}`}
    >
      <span class="lane-device">{lane.device}</span>
      <span class="lane-role">{lane.role}</span>
      <span class="lane-doing">
        <span aria-hidden="true">{SIGNS[is.state] ?? '·'}</span> {is.doing}
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
  target.matches('input:not([type=range]), textarea, select, [contenteditable]');

interface Sight {
  top: number;
  width: number;
  laneHeight: number;
  height: number;
}

/** What is in sight of a job's lanes. Painting happens at most once a frame. */
class LaneView {
  readonly #page: JobPage;
  readonly #whole = document.createElement('canvas');
  #canvas: HTMLCanvasElement | undefined;
  #sight: Sight | undefined;
  #picture: Picture | undefined;
  #extent: Extent | undefined;
  #order = '';
  #isWhole = true;
  #grabbed: { x: number; extent: Extent; isMoved: boolean; isRuler: boolean } | undefined;
  #frame = 0;
  #isStale = false;

  constructor(page: JobPage) {
    this.#page = page;
  }

  attach(canvas: HTMLCanvasElement): void {
    this.#canvas = canvas;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', this.#repaint);
  }

  detach(): void {
    cancelAnimationFrame(this.#frame);
    matchMedia('(prefers-color-scheme: dark)').removeEventListener('change', this.#repaint);
  }

  readonly #repaint = () => this.#ask(true);

  look(sight: Sight): void {
    this.#sight = sight;
    this.#ask(true);
  }

  show(): void {
    this.#ask(false);
  }

  fit(): void {
    this.#isWhole = true;
    this.#ask(true);
  }

  zoom(by: number, x?: number): void {
    const extent = this.#extent;
    if (extent === undefined || this.#sight === undefined) return;
    const width = extent.to - extent.from;
    const standing = this.#page.positionOf(this.#page.at.peek());
    const isInSight = standing >= extent.from && standing <= extent.to;
    const middle = isInSight ? standing : extent.from + width / 2;
    const around = x === undefined ? middle : extent.from + (x / this.#sight.width) * width;
    this.#set(zoomed(extent, by, around, this.#page.order.peek()));
  }

  pan(part: number): void {
    const extent = this.#extent;
    if (extent !== undefined) this.#set(moved(extent, part * (extent.to - extent.from)));
  }

  #set(extent: Extent): void {
    this.#extent = extent;
    this.#isWhole = false;
    this.#ask(true);
  }

  /** Turned with Ctrl it zooms, sideways it pans; up and down it scrolls the page. */
  wheel(event: WheelEvent): void {
    const isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (!event.ctrlKey && !event.metaKey && !isSideways) return;
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) this.zoom(1.0015 ** event.deltaY, event.offsetX);
    else this.pan(((event.deltaX || event.deltaY) / (this.#sight?.width ?? 1_000)) * 1);
  }

  grab(event: PointerEvent): void {
    if (this.#extent === undefined || event.button !== 0) return;
    const isRuler = event.offsetY < RULER_HEIGHT;
    this.#grabbed = { x: event.offsetX, extent: this.#extent, isMoved: false, isRuler };
    (event.target as Element).setPointerCapture(event.pointerId);
    if (isRuler) this.#standAt(event.offsetX);
  }

  /** @returns whether something was dragged */
  drag(event: PointerEvent): boolean {
    const grabbed = this.#grabbed;
    if (grabbed === undefined || this.#sight === undefined) return false;
    if (grabbed.isRuler) {
      this.#standAt(event.offsetX);
      return true;
    }
    const by = event.offsetX - grabbed.x;
    if (!grabbed.isMoved && Math.abs(by) < 4) return false;
    grabbed.isMoved = true;
    const { from, to } = grabbed.extent;
    this.#set(moved(grabbed.extent, (-by / this.#sight.width) * (to - from)));
    return true;
  }

  drop(event: PointerEvent): void {
    const grabbed = this.#grabbed;
    this.#grabbed = undefined;
    if (grabbed === undefined || grabbed.isMoved || grabbed.isRuler) return;
    const found = this.#picture && under(this.#picture, event.offsetX, event.offsetY);
    if (found === undefined) return;
    if (found.lane >= 0) this.#page.choose(found.lane);
    if (found.event !== undefined) this.#page.stand(found.event);
  }

  #standAt(x: number): void {
    const extent = this.#extent;
    if (extent === undefined || this.#sight === undefined) return;
    const position = extent.from + (x / this.#sight.width) * (extent.to - extent.from);
    this.#page.isPlaying.value = false;
    this.#page.stand(this.#page.eventAt(position));
  }

  /** The name of what is under the pointer. */
  tell(event: PointerEvent): { x: number; y: number; text: string } | undefined {
    if (this.#picture === undefined) return undefined;
    const found = under(this.#picture, event.offsetX, event.offsetY);
    const { fold } = this.#page;
    const is = found.event === undefined ? undefined : fold.events[found.event];
    if (is === undefined || found.event === undefined) return undefined;
    const since = (fold.times[found.event] ?? 0) - (fold.times[0] ?? 0);
    const text = `${found.event + 1} · ${lasting(since)} · ${sentence(is, (n) => fold.waits.get(n))}`;
    return { x: event.offsetX, y: event.offsetY, text };
  }

  #ask(isStale: boolean): void {
    this.#isStale ||= isStale;
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  #paint(): void {
    const sight = this.#sight;
    const canvas = this.#canvas;
    const page = this.#page;
    if (sight === undefined || canvas === undefined || sight.width === 0) return;
    const order = page.order.peek();
    if (this.#isWhole || order !== this.#order || this.#extent === undefined) {
      this.#extent = whole(page, order);
      this.#isWhole = true;
      this.#order = order;
    }
    const ratio = Math.min(devicePixelRatio, 2);
    if (this.#isStale) {
      this.#isStale = false;
      this.#paintWhole(sight, this.#extent, ratio);
    }
    const { width, height } = sight;
    sized(canvas, width, height, ratio);
    const to = canvas.getContext('2d');
    if (to === null || this.#picture === undefined) return;
    this.#compose(to, this.#picture, ratio);
  }

  #paintWhole({ top, width, height, laneHeight }: Sight, extent: Extent, ratio: number): void {
    const page = this.#page;
    const order = page.order.peek();
    const { fold } = page;
    sized(this.#whole, width, height, ratio);
    const to = this.#whole.getContext('2d');
    if (to === null) return;
    const firstLane = Math.floor(top / laneHeight);
    const from = order === 'wall' ? fold.times : fold.ranks;
    const last = from.length - 1;
    const origin = fold.times[fold.lanes[0]?.phases[0]?.from ?? 0] ?? 0;
    this.#picture = {
      fold,
      extent,
      ticks: ticks(extent, width, origin, order),
      ...{ width, height, laneHeight, firstLane, offset: top - firstLane * laneHeight },
      chosenLane: page.lane.peek(),
      positionOf: (at) => from[Math.min(at, last)] ?? 0,
      openEnd: order === 'wall' ? (fold.times[last] ?? 0) : fold.rankMax,
      colours: coloursOf(),
    };
    to.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint(to, this.#picture);
  }

  /** What has not happened yet is faint. In the causal order each lane has its own edge: what its member knew. */
  #compose(to: CanvasRenderingContext2D, picture: Picture, ratio: number): void {
    const { width, height, extent, laneHeight, firstLane, offset, colours, fold } = picture;
    const scale = width / (extent.to - extent.from);
    const page = this.#page;
    const at = page.at.peek();
    const xOf = (position: number) => (position - extent.from) * scale;
    to.setTransform(1, 0, 0, 1, 0, 0);
    to.clearRect(0, 0, width * ratio, height * ratio);
    to.globalAlpha = GHOST;
    to.drawImage(this.#whole, 0, 0);
    to.globalAlpha = 1;
    const isLast = at >= fold.length - 1;
    const cut = isLast ? width : Math.max(0, Math.min(width, xOf(picture.positionOf(at)) + 1));
    const copy = (x: number, y: number, w: number, h: number) => {
      const rect = [x * ratio, y * ratio, w * ratio, h * ratio] as const;
      if (rect[2] < 1 || rect[3] < 1) return;
      to.clearRect(...rect);
      to.drawImage(this.#whole, ...rect, ...rect);
    };
    copy(0, 0, width, RULER_HEIGHT);
    if (isLast || page.order.peek() === 'wall') copy(0, RULER_HEIGHT, cut, height - RULER_HEIGHT);
    else
      for (const [lane, seen] of edgesOf(page, at, firstLane, height / laneHeight + 2)) {
        const y = Math.max(RULER_HEIGHT, RULER_HEIGHT - offset + (lane - firstLane) * laneHeight);
        const x = Math.max(0, Math.min(width, xOf(seen) + 1));
        copy(0, y, x, Math.min(laneHeight, height - y));
      }
    to.setTransform(ratio, 0, 0, ratio, 0, 0);
    const x = xOf(picture.positionOf(at));
    to.fillStyle = colours.accent;
    to.fillRect(x - 0.5, 0, isLast && page.isEnded.peek() ? 1 : 2, height);
    to.beginPath();
    to.moveTo(x - 5, 0);
    to.lineTo(x + 6, 0);
    to.lineTo(x + 0.5, 8);
    to.fill();
  }
}

/** The rank up to which each lane in sight is known at an event. */
function edgesOf(page: JobPage, at: number, firstLane: number, count: number): Map<number, number> {
  const { laneOf, ranks, lanes } = page.fold;
  const edges = new Map<number, number>();
  const wanted = Math.min(lanes.length, Math.ceil(firstLane + count)) - firstLane;
  for (let n = at; n >= 0 && edges.size < wanted; n--) {
    const lane = laneOf[n] ?? -1;
    if (lane < firstLane || lane >= firstLane + wanted || edges.has(lane)) continue;
    edges.set(lane, ranks[n] ?? 0);
  }
  return edges;
}

function sized(canvas: HTMLCanvasElement, width: number, height: number, ratio: number): void {
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
}

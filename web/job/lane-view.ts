/** What is in sight of a run's lanes: painted once a view, and shown twice: whole and faint, and full up to where one stands. */
import { type Extent, endOf, eventAt, moved, positionOf, ticks, zoomed } from './axis.ts';
import { coloursOf } from './colours.ts';
import type { JobFold } from './fold.ts';
import { paint, paintTold } from './painter.ts';
import { type Picture, RULER_HEIGHT } from './picture.ts';
import type { Run } from './run.ts';
import { type Under, under } from './under.ts';
import { eventText, sinceBoards } from './words.ts';

const GHOST = 0.28;

export interface Sight {
  top: number;
  width: number;
  laneHeight: number;
  height: number;
}

/** Where a pointer is on the canvas, in its own pixels: on a wall all of the page is larger. */
export function pointOf(event: MouseEvent): { x: number; y: number } {
  const canvas = event.currentTarget as HTMLElement;
  const box = canvas.getBoundingClientRect();
  const scale = canvas.clientWidth / (box.width || 1);
  return { x: (event.clientX - box.x) * scale, y: (event.clientY - box.y) * scale };
}

/** Painting happens at most once a frame. */
export class LaneView {
  readonly #run: Run;
  readonly #whole = document.createElement('canvas');
  #canvas: HTMLCanvasElement | undefined;
  #sight: Sight | undefined;
  #picture: Picture | undefined;
  #extent: Extent | undefined;
  #order = '';
  #grabbed: { x: number; extent: Extent; isMoved: boolean; isRuler: boolean } | undefined;
  /** The event under the pointer. */
  #pointed: number | undefined;
  #frame = 0;
  #isStale = false;

  constructor(run: Run) {
    this.#run = run;
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
    this.#run.lens.extent.value = undefined;
  }

  zoom(by: number, x?: number): void {
    const extent = this.#extent;
    if (extent === undefined || this.#sight === undefined) return;
    const width = extent.to - extent.from;
    const { fold, at, order } = this.#run;
    const standing = positionOf(fold, at.peek(), order.peek());
    const isInSight = standing >= extent.from && standing <= extent.to;
    const middle = isInSight ? standing : extent.from + width / 2;
    const around = x === undefined ? middle : extent.from + (x / this.#sight.width) * width;
    this.#set(zoomed(extent, by, around, order.peek()));
  }

  pan(part: number): void {
    const extent = this.#extent;
    if (extent !== undefined) this.#set(moved(extent, part * (extent.to - extent.from)));
  }

  #set(extent: Extent): void {
    this.#extent = extent;
    this.#run.lens.extent.value = extent;
  }

  /** Turned with Ctrl it zooms, sideways it pans; up and down it scrolls the page. */
  wheel(event: WheelEvent): void {
    const isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (!event.ctrlKey && !event.metaKey && !isSideways) return;
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) this.zoom(1.0015 ** event.deltaY, pointOf(event).x);
    else this.pan((event.deltaX || event.deltaY) / (this.#sight?.width ?? 1_000));
  }

  grab(event: PointerEvent): void {
    if (this.#extent === undefined || event.button !== 0) return;
    const { x, y } = pointOf(event);
    const isRuler = y < RULER_HEIGHT;
    this.#grabbed = { x, extent: this.#extent, isMoved: false, isRuler };
    (event.target as Element).setPointerCapture(event.pointerId);
    if (isRuler) this.#standAt(x);
  }

  /** @returns whether something was dragged */
  drag(event: PointerEvent): boolean {
    const grabbed = this.#grabbed;
    if (grabbed === undefined || this.#sight === undefined) return false;
    const { x } = pointOf(event);
    if (grabbed.isRuler) {
      this.#standAt(x);
      return true;
    }
    const by = x - grabbed.x;
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
    const { x, y } = pointOf(event);
    const found = this.under(x, y);
    if (found === undefined) return;
    if (found.lane >= 0) this.#run.choose(found.lane);
    if (found.event !== undefined) this.#run.stand(found.event);
  }

  /** What lies under a point of the canvas. */
  under(x: number, y: number): Under | undefined {
    return this.#picture && under(this.#picture, x, y);
  }

  #standAt(x: number): void {
    const extent = this.#extent;
    if (extent === undefined || this.#sight === undefined) return;
    const position = extent.from + (x / this.#sight.width) * (extent.to - extent.from);
    const { fold, order } = this.#run;
    this.#run.stand(eventAt(fold, position, order.peek()));
  }

  /** The name of what is under the pointer. */
  tell(event: PointerEvent): { x: number; y: number; text: string } | undefined {
    const { x, y } = pointOf(event);
    const found = this.under(x, y);
    const { fold } = this.#run;
    this.#point(found?.event);
    if (found?.event === undefined) return undefined;
    const said = eventText(this.#run, found.event);
    const text = `${found.event + 1} · ${sinceBoards(fold, found.event)} · ${said}`;
    return { x, y, text };
  }

  /** Nothing is under the pointer any more. */
  leave(): void {
    this.#point(undefined);
  }

  #point(event: number | undefined): void {
    if (event === this.#pointed) return;
    this.#pointed = event;
    this.#ask(false);
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
    const { order: inOrder, lens } = this.#run;
    if (sight === undefined || canvas === undefined || sight.width === 0) return;
    const order = inOrder.peek();
    if (order !== this.#order && this.#order !== '') lens.extent.value = undefined;
    this.#order = order;
    this.#extent = lens.extent.peek() ?? lens.whole(order);
    const ratio = Math.min(devicePixelRatio * (canvas.currentCSSZoom ?? 1), 2);
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
    const run = this.#run;
    const { fold } = run;
    const order = run.order.peek();
    sized(this.#whole, width, height, ratio);
    const to = this.#whole.getContext('2d');
    if (to === null) return;
    const firstLane = Math.floor(top / laneHeight);
    this.#picture = {
      fold,
      extent,
      ticks: ticks(extent, width, order),
      ...{ width, height, laneHeight, firstLane, offset: top - firstLane * laneHeight },
      chosenLane: run.lane.peek(),
      flags: run.flags.peek(),
      positionOf: (at) => positionOf(fold, at, order),
      openEnd: endOf(fold, order, run.lens.nowOf(run)),
      colours: coloursOf(),
    };
    to.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint(to, this.#picture);
  }

  /** What has not happened yet is faint. In the causal order each lane has its own edge: what its member knew. */
  #compose(to: CanvasRenderingContext2D, picture: Picture, ratio: number): void {
    const { width, height, extent, laneHeight, firstLane, offset, colours, fold } = picture;
    const scale = width / (extent.to - extent.from);
    const run = this.#run;
    const at = run.at.peek();
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
    if (isLast || run.order.peek() === 'wall') copy(0, RULER_HEIGHT, cut, height - RULER_HEIGHT);
    else
      for (const [lane, seen] of edgesOf(run.fold, at, firstLane, height / laneHeight + 2)) {
        const y = Math.max(RULER_HEIGHT, RULER_HEIGHT - offset + (lane - firstLane) * laneHeight);
        const x = Math.max(0, Math.min(width, xOf(seen) + 1));
        copy(0, y, x, Math.min(laneHeight, height - y));
      }
    to.setTransform(ratio, 0, 0, ratio, 0, 0);
    paintTold(to, picture, new Set([at, this.#pointed ?? at]));
    const x = xOf(picture.positionOf(at));
    to.fillStyle = colours.accent;
    to.fillRect(x - 0.5, 0, isLast && run.isEnded.peek() ? 1 : 2, height);
    to.beginPath();
    to.moveTo(x - 5, 0);
    to.lineTo(x + 6, 0);
    to.lineTo(x + 0.5, 8);
    to.fill();
  }
}

/** The rank up to which each lane in sight is known at an event. */
function edgesOf(fold: JobFold, at: number, firstLane: number, count: number): Map<number, number> {
  const { laneOf, ranks, lanes } = fold;
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

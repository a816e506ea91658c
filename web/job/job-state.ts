/** One job that is looked at: its events as they come, the event at which the page stands, and what is chosen. */
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { type ApiError, get, unreadable } from '../api/client.ts';
import { follow } from '../api/stream.ts';
import type { Culprit, JobView, RecordedEvent } from '../api/types.ts';
import { query, setQuery } from '../ui/router.ts';
import { eventAt, type Order, positionOf } from './axis.ts';
import { JobFold } from './fold.ts';
import { type AskedOf, type Flag, Lens, type Run } from './run.ts';
import type { ScriptLines } from './script-lines.ts';

/** What comes is shown so often at most, and never so often that showing it takes more than a part of the time. */
const TOLD_EVERY_MS = 250;
const TELLING_PART = 6;
const ASKED_AGAIN_MS = 1_000;

export class JobPage implements Run {
  readonly id: number;
  readonly fold = new JobFold();
  readonly count = signal(0);
  /** What the server says of a job that did not complete: asked for when it has ended. */
  readonly view = signal<JobView | undefined>(undefined);
  readonly refused = signal<ApiError | undefined>(undefined);
  /** Nothing more can come. */
  readonly isEnded = signal(false);
  /** All that there was is here; what comes from now on happens now. */
  readonly isCaughtUp = signal(false);
  /** The event at which the page stands, as an index; `undefined`: the last one there is. */
  readonly chosen: Signal<number | undefined>;
  readonly at: ReadonlySignal<number>;
  readonly lane: ReadonlySignal<number>;
  /** The name of the member that is chosen; empty: none. */
  readonly device = computed(() => query.value.get('device') ?? '');
  readonly order: ReadonlySignal<Order>;
  readonly isPlaying = signal(false);
  readonly lens = new Lens();
  readonly flags = signal<readonly Flag[]>([]);
  /** Where members are in their scripts; `undefined`: not asked yet. */
  readonly scripts = signal<ScriptLines | undefined>(undefined);
  /** Whose line of what file ended the job, where that is known. */
  readonly culprit = signal<Culprit | undefined>(undefined);
  /** Where somebody asks what if; `undefined`: nowhere. */
  readonly asked = signal<AskedOf | undefined>(undefined);
  readonly #stop = new AbortController();
  #writesAddress: ReturnType<typeof setTimeout> | undefined;
  #tells: ReturnType<typeof setTimeout> | undefined;
  #told = Number.NEGATIVE_INFINITY;
  /** How long it took to show what came last. */
  #takes = 0;

  constructor(id: number) {
    this.id = id;
    const asked = Number(query.peek().get('at') ?? Number.NaN);
    this.chosen = signal(Number.isInteger(asked) && asked > 0 ? asked - 1 : undefined);
    this.at = computed(() => Math.min(this.chosen.value ?? Infinity, this.count.value - 1));
    this.lane = computed(() => {
      void this.count.value;
      return this.fold.laneNamed(this.device.value);
    });
    this.order = computed(() => (query.value.get('order') === 'causal' ? 'causal' : 'wall'));
  }

  open(): () => void {
    const { signal } = this.#stop;
    void follow({
      path: `/api/jobs/${this.id}/events?form=rows`,
      after: 0,
      placeOf: (event: RecordedEvent) => event.version,
      onEvents: (events) => this.#take(events),
      onLive: () => {
        this.#tell();
        this.isCaughtUp.value = true;
      },
      onEnd: () => {
        this.#tell();
        this.isCaughtUp.value = true;
        this.isEnded.value = true;
        void this.#askWhy();
      },
      onRefused: (error) => {
        this.refused.value = error;
      },
      signal,
    });
    return () => {
      this.#stop.abort();
      clearTimeout(this.#writesAddress);
      clearTimeout(this.#tells);
    };
  }

  /** How a job ended is in its events; why, where it did not complete, is told with what boards printed last. */
  async #askWhy(): Promise<void> {
    const { ended } = this.fold;
    if (ended === undefined || this.fold.events[ended]?.type === 'JobCompleted') return;
    try {
      this.view.value = await get<JobView>(`/api/jobs/${this.id}`, this.#stop.signal);
    } catch {
      // Its events were here a moment ago: the server is away, and comes back.
      if (!this.#stop.signal.aborted) setTimeout(() => void this.#askWhy(), ASKED_AGAIN_MS);
    }
  }

  #take(events: readonly RecordedEvent[]): void {
    const unread = this.fold.takeNew(events);
    if (unread !== undefined) {
      this.#stop.abort();
      this.refused.value = unreadable(this.id, unread);
      return;
    }
    if (this.#tells !== undefined) return;
    const pause = Math.max(TOLD_EVERY_MS, TELLING_PART * this.#takes);
    const wait = Math.max(0, this.#told + pause - performance.now());
    this.#tells = setTimeout(() => this.#tell(), wait);
  }

  /** Shows what is folded: of a log that is read as fast as it comes only now and then. */
  #tell(): void {
    clearTimeout(this.#tells);
    this.#tells = undefined;
    const began = performance.now();
    this.count.value = this.fold.length;
    this.#told = began;
    // It is painted with the next frame.
    requestAnimationFrame(() => setTimeout(() => (this.#takes = performance.now() - began)));
  }

  /** Stands at an event, and plays no more. The last one of a job that goes on is followed. */
  stand(at: number): void {
    this.isPlaying.value = false;
    this.playTo(at);
  }

  playTo(at: number): void {
    const last = this.fold.length - 1;
    const bounded = Math.max(0, Math.min(at, last));
    this.chosen.value = bounded === last ? undefined : bounded;
    // Browsers refuse an address that changes with every frame.
    clearTimeout(this.#writesAddress);
    this.#writesAddress = setTimeout(() => {
      const { value } = this.chosen;
      // A place of a console that was gone to is left with the first step.
      setQuery({ at: value === undefined ? undefined : String(value + 1), byte: undefined });
    }, 250);
  }

  /** Chooses a member; the same one again gives it up. */
  choose(lane: number, isToggled = false): void {
    const isSame = isToggled && lane === this.lane.peek();
    setQuery({ device: isSame ? undefined : this.fold.lanes[lane]?.device });
  }

  setOrder(order: Order): void {
    setQuery({ order: order === 'wall' ? undefined : order });
  }

  ask(asked: AskedOf): void {
    this.asked.value = asked;
  }

  positionOf(at: number): number {
    return positionOf(this.fold, at, this.order.peek());
  }

  eventAt(position: number): number {
    return eventAt(this.fold, position, this.order.peek());
  }
}

/** A run that is looked at beside another: of a job that was, or of one that would have been. */
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { RecordedEvent } from '../api/types.ts';
import type { Order } from './axis.ts';
import { JobFold } from './fold.ts';
import type { Flag, Lens, Run } from './run.ts';

export interface Beside {
  order: ReadonlySignal<Order>;
  lens: Lens;
  /** The name of the member that is chosen; empty: none. */
  device: ReadonlySignal<string>;
  choose(device: string | undefined): void;
}

export class FoldedRun implements Run {
  readonly fold = new JobFold();
  readonly count = signal(0);
  /** `undefined`: the last event. */
  readonly chosen: Signal<number | undefined> = signal(undefined);
  readonly at: ReadonlySignal<number>;
  readonly lane: ReadonlySignal<number>;
  readonly order: ReadonlySignal<Order>;
  readonly isEnded = signal(false);
  readonly flags: Signal<readonly Flag[]> = signal([]);
  readonly lens: Lens;
  readonly #choose: Beside['choose'];

  constructor({ order, lens, device, choose }: Beside) {
    this.order = order;
    this.lens = lens;
    this.#choose = choose;
    this.at = computed(() => Math.min(this.chosen.value ?? Infinity, this.count.value - 1));
    this.lane = computed(() => {
      void this.count.value;
      return this.fold.laneNamed(device.value);
    });
  }

  /** @returns the first that cannot be read */
  take(events: readonly RecordedEvent[]): RecordedEvent | undefined {
    const unread = this.fold.takeNew(events);
    if (unread === undefined) this.count.value = this.fold.length;
    return unread;
  }

  stand(at: number): void {
    this.chosen.value = Math.max(0, Math.min(at, this.fold.length - 1));
  }

  choose(lane: number, isToggled = false): void {
    const isSame = isToggled && lane === this.lane.peek();
    this.#choose(isSame ? undefined : this.fold.lanes[lane]?.device);
  }
}

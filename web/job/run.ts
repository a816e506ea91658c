/** What lanes are drawn of: a folded run, where one stands in it, and the lens through which it is looked at. */
import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { type Extent, type Order, whole } from './axis.ts';
import type { JobFold } from './fold.ts';

/** Words that stand at an event of a lane: a divergence, a change of a what-if. */
export interface Flag {
  event: number;
  lane: number;
  text: string;
  tone: 'bad' | 'warn' | 'accent';
}

export interface Run {
  readonly fold: JobFold;
  /** How many events are folded: whoever reads the fold reads this first, and is told when it grows. */
  readonly count: ReadonlySignal<number>;
  /** The event at which one stands, as an index. */
  readonly at: ReadonlySignal<number>;
  /** The lane that is chosen; -1: none. */
  readonly lane: ReadonlySignal<number>;
  readonly order: ReadonlySignal<Order>;
  /** Nothing more can come. */
  readonly isEnded: ReadonlySignal<boolean>;
  readonly flags: ReadonlySignal<readonly Flag[]>;
  readonly lens: Lens;
  stand(at: number): void;
  choose(lane: number, isToggled?: boolean): void;
  /** Somebody asks what else could be done with this; absent: nothing. */
  ask?(asked: AskedOf): void;
}

/** A place that somebody asks about, and where on the screen. */
export interface AskedOf {
  lane: number;
  event: number;
  x: number;
  y: number;
}

/** What part of the axis is in sight. Runs that lie above one another share one. */
export class Lens {
  /** `undefined`: all of it. */
  readonly extent = signal<Extent | undefined>(undefined);
  readonly runs: Signal<readonly Run[]> = signal([]);
  /** The time, while a job is looked at that goes on: what is open on its lanes grows with it. `undefined`: nothing goes on. */
  readonly now = signal<number | undefined>(undefined);

  /** @returns takes it away */
  add(run: Run): () => void {
    this.runs.value = [...this.runs.peek(), run];
    return () => {
      this.runs.value = this.runs.peek().filter((other) => other !== run);
    };
  }

  /** The time, for a run that goes on. */
  nowOf({ isEnded }: Run): number | undefined {
    return isEnded.peek() ? undefined : this.now.peek();
  }

  /** All of all runs that are looked at. */
  whole(order: Order): Extent {
    const all = this.runs.peek().map((run) => whole(run.fold, order, this.nowOf(run)));
    return {
      from: Math.min(...all.map(({ from }) => from)),
      to: Math.max(...all.map(({ to }) => to)),
    };
  }
}

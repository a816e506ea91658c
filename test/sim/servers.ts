/** The servers of a simulated lab: real engines on one log, which may be killed, and whose appends may fail. */
import { Engine } from '../../engine/engine.ts';
import { CommandRefused } from '../../engine/live-stream.ts';
import { memoryCheckpoints } from '../../store/checkpoints.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { type EventStore, StoreUnavailable } from '../../store/port.ts';
import { portOf } from '../engine/cluster.ts';
import type { VirtualClock } from '../engine/virtual-clock.ts';
import type { Random } from './random.ts';

export interface Running {
  name: string;
  engine: Engine;
  /** Resolves when its process ends: whoever is on the line there comes again elsewhere. */
  gone: Promise<undefined>;
  end: () => void;
}

export interface World {
  random: Random;
  time: VirtualClock;
  /** Several servers share the log. */
  shared: boolean;
  /** What every server's log is wrapped in: a mutant goes here. */
  around: (store: EventStore) => EventStore;
}

export class Servers {
  readonly store: EventStore = openMemoryStore();
  readonly running: Running[] = [];
  /** While the store is out of order: how often an append fails, and how often only its answer is lost. */
  trouble = 0;
  /** So many seconds, at most, pass before an append reaches the store. */
  slowSeconds = 0;
  readonly #world: World;
  readonly #checkpoints = new Map<string, ReturnType<typeof memoryCheckpoints>>();
  #ids = 0;

  constructor(world: World) {
    this.#world = world;
  }

  async start(name: string): Promise<Running> {
    const { time, shared, around } = this.#world;
    const { clock, stop } = time.process();
    let isOver = false;
    let letGo = () => {};
    const gone = new Promise<undefined>((resolve) => {
      letGo = () => resolve(undefined);
    });
    const end = () => {
      isOver = true;
      stop();
      letGo();
    };
    const checkpoints = this.#checkpoints.get(name) ?? memoryCheckpoints();
    this.#checkpoints.set(name, checkpoints);
    const store = this.#faulty(around(portOf(this.store)), () => isOver);
    const newId = () => `00000000-0000-7000-8000-${(++this.#ids).toString(16).padStart(12, '0')}`;
    const engine = new Engine({ store, checkpoints, clock, shared, newId });
    await engine.start();
    engine.open();
    const is = { name, engine, gone, end };
    this.running.push(is);
    return is;
  }

  /** `kill -9`: what it had asked of the log may still arrive, and nobody hears of the answer. */
  kill(is: Running): void {
    is.end();
    this.running.splice(this.running.indexOf(is), 1);
  }

  #faulty(store: EventStore, isOver: () => boolean): EventStore {
    const never = new Promise<never>(() => {});
    const { random } = this.#world;
    const append: EventStore['append'] = async (...is) => {
      if (this.slowSeconds > 0) await this.#pass(random.between(0, this.slowSeconds));
      if (isOver()) return never;
      if (random.chance(this.trouble)) throw new StoreUnavailable('the store is away');
      const done = await store.append(...is);
      if (isOver()) return never;
      if (random.chance(this.trouble)) throw new StoreUnavailable('the answer was lost');
      return done;
    };
    return { ...store, append };
  }

  #pass(seconds: number): Promise<void> {
    const { time } = this.#world;
    return new Promise((resolve) => void time.clock().after(seconds * 1000, resolve));
  }

  /** Asks any server; `undefined`: refused, or nobody could answer now. */
  async ask<T>(what: (engine: Engine) => Promise<T>): Promise<T | undefined> {
    if (this.running.length === 0) return undefined;
    const { engine, gone } = this.#world.random.of(this.running);
    try {
      return await Promise.race([what(engine), gone]);
    } catch (error) {
      if (error instanceof CommandRefused || error instanceof StoreUnavailable) return undefined;
      throw error;
    }
  }
}

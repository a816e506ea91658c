/** Keeps a projection up with the log: from its checkpoint through history into what is appended live. */
import { type EventType, notTaken, type RecordedEvent } from '../machines/events.ts';
import type { EventStore, Subscription } from '../store/port.ts';

/** A checkpoint is taken when this many events have gone by since the last one, and at a clean end. */
const CHECKPOINT_EVENTS = 10_000;

export interface Checkpoints {
  load(name: string): Promise<unknown>;
  save(name: string, value: unknown): Promise<void>;
}

/** So many events take a second or more, in which a server that starts says nothing else. */
const LONG_READ_EVENTS = 100_000;

/** A checkpoint knows more than the log has. */
export const aheadOfLog = (name: string, position: number, head: number): string =>
  `the checkpoint of the ${name} knows position ${position} and the log ends at ${head}: ` +
  'it is of another log, or the newest events of this one are lost';

/** A fold over the whole log. `version` changes whenever its meaning does: older checkpoints are then built anew. */
export interface Projection<S> {
  name: string;
  version: number;
  empty(): S;
  /** The types that change nothing of it. */
  needless: ReadonlySet<EventType>;
  /** Takes in one event, in place. */
  apply(state: S, event: RecordedEvent): void;
  toJson(state: S): unknown;
  fromJson(json: unknown): S;
}

export interface LastTaken {
  stream: string;
  version: number;
  id: string;
}

/** A checkpoint as it lies in its file. */
export interface Saved {
  version: number;
  /** Of the last event that was taken in. */
  position: number;
  /** Where it stands, and its id: a checkpoint of another log is not taken. */
  last: LastTaken;
  state: unknown;
}

export class ProjectionRunner<S> {
  readonly #projection: Projection<S>;
  readonly #store: EventStore;
  readonly #checkpoints: Checkpoints;
  readonly #onEvents: (events: readonly RecordedEvent[]) => void;
  readonly #warn: (what: string) => void;
  readonly #waiting: { position: number; resolve: () => void }[] = [];
  #state: S;
  #position = 0;
  #last: LastTaken = { stream: '', version: 0, id: '' };
  #lastAt = 0;
  #sinceCheckpoint = 0;
  #saving: Promise<void> = Promise.resolve();
  #subscription: Subscription | undefined;

  constructor(
    projection: Projection<S>,
    store: EventStore,
    checkpoints: Checkpoints,
    /** Called after events were taken in. */
    onEvents: (events: readonly RecordedEvent[]) => void,
    /** Something that a person should see. */
    warn: (what: string) => void = () => {},
  ) {
    this.#projection = projection;
    this.#store = store;
    this.#checkpoints = checkpoints;
    this.#onEvents = onEvents;
    this.#warn = warn;
    this.#state = projection.empty();
  }

  get state(): S {
    return this.#state;
  }
  /** Position of the last event taken in. */
  get position(): number {
    return this.#position;
  }
  /** When the last event taken in was decided; milliseconds since the epoch, 0 for an empty log. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** Resolves once all of the log as it is now has been taken in. */
  async start(): Promise<void> {
    await this.#restore();
    let untilTold = LONG_READ_EVENTS;
    const onEvents = (events: readonly RecordedEvent[]) => {
      this.#take(events);
      untilTold -= events.length;
      if (untilTold > 0) return;
      untilTold = Number.POSITIVE_INFINITY;
      this.#warn(
        `the log is long since the last checkpoint of the ${this.#projection.name}: reading it takes a while`,
      );
    };
    const { needless } = this.#projection;
    this.#subscription = this.#store.subscribeAll(this.#position, onEvents, needless);
    await this.#subscription.caughtUp;
    untilTold = Number.POSITIVE_INFINITY;
  }

  /** Resolves once the event at this position was taken in. */
  reached(position: number): Promise<void> {
    if (position <= this.#position) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ position, resolve }));
  }

  async stop(): Promise<void> {
    await this.#subscription?.stop();
    if (this.#sinceCheckpoint > 0) this.#checkpoint();
    await this.#saving;
  }

  #take(events: readonly RecordedEvent[]): void {
    for (const event of events) {
      try {
        this.#projection.apply(this.#state, event);
      } catch (error) {
        throw notTaken(event, error);
      }
      this.#position = event.position;
      this.#last = { stream: event.stream, version: event.version, id: event.id };
      this.#lastAt = event.meta.at;
    }
    this.#sinceCheckpoint += events.length;
    if (this.#sinceCheckpoint >= CHECKPOINT_EVENTS) this.#checkpoint();
    const reached = this.#waiting.filter((w) => w.position <= this.#position);
    for (const each of reached) {
      this.#waiting.splice(this.#waiting.indexOf(each), 1);
      each.resolve();
    }
    this.#onEvents(events);
  }

  #checkpoint(): void {
    this.#sinceCheckpoint = 0;
    const { name, version, toJson } = this.#projection;
    const saved: Saved = {
      version,
      position: this.#position,
      last: this.#last,
      state: toJson(this.#state),
    };
    // A checkpoint that cannot be written costs the next start some time, and nothing else.
    this.#saving = this.#saving.then(() => this.#checkpoints.save(name, saved)).catch(() => {});
  }

  async #restore(): Promise<void> {
    const saved = (await this.#checkpoints.load(this.#projection.name)) as Saved | undefined;
    await this.#takeOver(saved);
    const head = await this.#store.head();
    if (saved !== undefined && saved.position > head)
      this.#warn(aheadOfLog(this.#projection.name, saved.position, head));
  }

  async #takeOver(saved: Saved | undefined): Promise<void> {
    if (saved?.version !== this.#projection.version) return;
    const { last, position, state } = saved;
    for await (const event of this.#store.read(last.stream, last.version - 1)) {
      if (event.position !== position || event.id !== last.id) return;
      this.#state = this.#projection.fromJson(state);
      this.#position = position;
      this.#last = last;
      this.#lastAt = event.meta.at;
      return;
    }
  }
}

/**
 * One stream as the engine holds it: its state folded once, and its queue of commands.
 *
 * While an append is in flight, commands gather; then all are decided in order in memory and their events are
 * appended at once. Nobody hears of an event before it is durable. The same key gives the same outcome.
 */
import { Rejected, type Request } from '../machines/deciding.ts';
import { type AnyEvent, type NewEvent, notTaken, type StreamEvent } from '../machines/events.ts';
import type { Kind } from '../machines/streams.ts';
import { ConcurrencyConflict, type EventStore, StoreUnavailable } from '../store/port.ts';
import type { Clock } from './clock.ts';
import { Gathering } from './gathering.ts';

/** How often a batch is decided again after somebody else's append before its callers are told. */
const APPEND_ATTEMPTS_MAX = 20;
/** A batch is cut once it has this many events: one append stays well under the store's own limit. */
const BATCH_EVENTS_MAX = 5_000;

/** What came of a command that was not refused. */
export interface Done<S, E extends AnyEvent> {
  /** The events of this command alone; of the first time, when the key was known. Empty: it was so already. */
  events: readonly StreamEvent<E>[];
  /** The state just after them; the present one, when the key was known. */
  state: S;
  /** Whether this key had been answered before. */
  repeated: boolean;
  /** Of the append that made them durable; 0 when nothing was appended. */
  position: number;
}

export class CommandRefused extends Error {
  override readonly name = 'CommandRefused';
  readonly code: Rejected['code'];
  constructor(rejected: Rejected) {
    super(rejected.reason);
    this.code = rejected.code;
  }
}

interface Pending<S, C, E extends AnyEvent> {
  command: C;
  request: Request;
  resolve(done: Done<S, E>): void;
  reject(error: unknown): void;
}

/** One event with the state just after it. */
export interface Step<S, E extends AnyEvent> {
  event: StreamEvent<E>;
  state: S;
}

/** A stream as somebody else has folded it, up to some version: its later events are read when they are missed. */
export interface Seed<S> {
  state: S;
  version: number;
  /** Version of the first event that each key caused, of the keys that still count. */
  keys?: Iterable<readonly [string, number]>;
}

/** What the stream needs of its engine. */
export interface Surroundings<S, E extends AnyEvent> {
  store: EventStore;
  clock: Clock;
  newId(): string;
  /** The vocabulary in which the log is written now. */
  vocabulary(): number;
  /**
   * Called with events that are durable, each with the state just after it, in order: those of this engine, and
   * those of others that came after the stream was loaded.
   */
  onCommitted(steps: readonly Step<S, E>[]): void;
  /** Calls back once, soon, for what could not be read now; not after the engine was stopped. */
  again(callback: () => void): void;
  /** Called when the queue is empty and nothing is in flight. */
  onIdle(): void;
}

export class LiveStream<S, C, E extends AnyEvent> {
  readonly name: string;
  readonly #kind: Kind<S, C, E>;
  readonly #around: Surroundings<S, E>;
  readonly #pending: Pending<S, C, E>[] = [];
  readonly #gathering: Gathering;
  /** Version of the first event that each key caused. */
  readonly #keys = new Map<string, number>();
  #state: S;
  #version = 0;
  #loaded: Promise<void> | undefined;
  #running = false;
  /** Highest version that is known to be in the log. */
  #seen = 0;

  constructor(name: string, kind: Kind<S, C, E>, around: Surroundings<S, E>, seed?: Seed<S>) {
    this.name = name;
    this.#kind = kind;
    this.#around = around;
    this.#gathering = new Gathering(around.clock);
    this.#state = seed?.state ?? kind.initial;
    if (seed === undefined) return;
    this.#version = seed.version;
    for (const [key, version] of seed.keys ?? []) this.#keys.set(key, version);
    this.#loaded = Promise.resolve();
  }

  get state(): S {
    return this.#state;
  }
  get version(): number {
    return this.#version;
  }
  /** Folds what the store has, once. */
  load(): Promise<void> {
    this.#loaded ??= this.#readOn(() => {}).catch((error: unknown) => {
      this.#loaded = undefined;
      throw error;
    });
    return this.#loaded;
  }

  /** An event of this stream is in the log. One that this engine did not append itself is taken in. */
  observe(version: number): void {
    if (version <= this.#version || version <= this.#seen) return;
    this.#seen = version;
    // A run that is under way looks for what it has missed before it ends.
    if (this.#loaded !== undefined) this.#look();
  }

  /**
   * Queues a command.
   *
   * @throws CommandRefused when the rules refuse it; StoreUnavailable when it could not be made durable
   */
  execute(command: C, request: Request): Promise<Done<S, E>> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ command, request, resolve, reject });
      this.#gathering.seen();
      if (!this.#running) void this.#run();
    });
  }

  /** Whoever was just answered waits for something of another's doing: it gives no command at once. */
  stays(): void {
    this.#gathering.seen();
  }

  /** Version of the first event that this key caused. */
  versionOfKey(key: string): number | undefined {
    return this.#keys.get(key);
  }

  /** Takes in what the log has beyond this. */
  async #readOn(onEvent: (event: StreamEvent<E>) => void): Promise<void> {
    for await (const recorded of this.#around.store.read(this.name, this.#version)) {
      const event = recorded as unknown as StreamEvent<E>;
      try {
        this.#take(event);
      } catch (error) {
        throw notTaken(recorded, error);
      }
      onEvent(event);
    }
  }

  /** Somebody else has appended: what follows from their events follows here too. */
  async #catchUp(): Promise<void> {
    const steps: Step<S, E>[] = [];
    await this.#readOn((event) => steps.push({ event, state: this.#state }));
    if (steps.length > 0) this.#around.onCommitted(steps);
  }

  #take(event: StreamEvent<E>, state = this.#kind.evolve(this.#state, event)): void {
    this.#state = state;
    this.#version = event.version;
    const { key } = event.meta;
    if (key !== undefined && !this.#keys.has(key)) this.#keys.set(key, event.version);
  }

  get #isBehind(): boolean {
    return this.#seen > this.#version;
  }

  #look(): void {
    if (this.#isBehind && !this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#pending.length > 0 || this.#isBehind) {
        // Whoever speaks in the same turn shares the append, and so its fsync.
        await this.#around.clock.turnsEnd();
        await this.#gathering.gathered();
        const batch = this.#pending.splice(0);
        try {
          await this.load();
          if (this.#isBehind) await this.#catchUp();
          const left = await this.#commit(batch);
          this.#pending.unshift(...left);
        } catch (error) {
          for (const each of batch) each.reject(error as Error);
          // A command that came meanwhile has its own try.
          if (this.#pending.length > 0) continue;
          // What another server did must be heard of here though nobody asks for it.
          if (error instanceof StoreUnavailable) this.#around.again(() => this.#look());
          break;
        }
      }
    } finally {
      this.#running = false;
      this.#around.onIdle();
    }
  }

  /** Decides a batch and makes it durable; returns the commands that did not fit into it. */
  async #commit(batch: readonly Pending<S, C, E>[]): Promise<Pending<S, C, E>[]> {
    for (let attempt = 1; ; attempt++) {
      const { steps, answers, left } = this.#decide(batch);
      let position = 0;
      try {
        if (steps.length > 0) {
          position = await this.#append(steps, answers.length);
        }
      } catch (error) {
        if (!(error instanceof ConcurrencyConflict) || attempt >= APPEND_ATTEMPTS_MAX) throw error;
        await this.#catchUp();
        continue;
      }
      for (const { event, state } of steps) this.#take(event, state);
      if (steps.length > 0) this.#around.onCommitted(steps);
      for (const answer of answers) answer(position);
      return left;
    }
  }

  async #append(steps: readonly Step<S, E>[], answered: number): Promise<number> {
    const { store, clock } = this.#around;
    const events = steps.map((step) => step.event as unknown as StreamEvent);
    const from = clock.now();
    const { position } = await store.append(this.name, this.#version, events);
    this.#gathering.appended(answered, clock.now() - from);
    return position;
  }

  /** Decides in order, each command on the state that the one before it leads to. Nothing is kept of it here. */
  #decide(batch: readonly Pending<S, C, E>[]) {
    const steps: Step<S, E>[] = [];
    const answers: ((position: number) => void)[] = [];
    const keysNow = new Map<string, StreamEvent<E>[]>();
    let taken = 0;
    let bytes = 0;
    for (const { command, request, resolve, reject } of batch) {
      if (steps.length >= BATCH_EVENTS_MAX || bytes >= this.#batchBytesMax) break;
      taken++;
      const key = request.key ?? '';
      const known = this.#keys.get(key);
      const again = keysNow.get(key);
      if (known !== undefined) {
        answers.push(() => this.#recall(known).then(resolve, reject));
      } else if (again !== undefined) {
        answers.push((position) =>
          resolve({ events: again, state: this.#state, repeated: true, position }),
        );
      } else {
        const events = this.#decideOne(command, request, steps);
        if (events instanceof Error) {
          answers.push(() => reject(events));
          continue;
        }
        bytes += this.#bytesOf(events);
        const state = steps.at(-1)?.state ?? this.#state;
        if (key !== '' && events.length > 0) keysNow.set(key, events);
        answers.push((position) => resolve({ events, state, repeated: false, position }));
      }
    }
    return { steps, answers, left: batch.slice(taken) };
  }

  /** A batch is cut well before the store's limit: the last command may bring much more. */
  get #batchBytesMax(): number {
    return (this.#around.store.appendBytesMax ?? Number.POSITIVE_INFINITY) / 2;
  }

  #bytesOf(events: readonly StreamEvent<E>[]): number {
    if (this.#around.store.appendBytesMax === undefined) return 0;
    return events.reduce((sum, { data }) => sum + JSON.stringify(data).length, 0);
  }

  /** Decides one command after `steps` and adds its own. A rule that throws harms no other command of the batch. */
  #decideOne(command: C, request: Request, steps: Step<S, E>[]): StreamEvent<E>[] | Error {
    const before = steps.length;
    let state = steps.at(-1)?.state ?? this.#state;
    try {
      const { clock, newId, vocabulary } = this.#around;
      const env = { now: clock.now(), newId, request, vocabulary: vocabulary() };
      const decision = this.#kind.decide(command, state, env);
      if (decision instanceof Rejected) return new CommandRefused(decision);
      for (const decided of decision) {
        const event = placed(decided, this.name, this.#version + steps.length + 1);
        state = this.#kind.evolve(state, event);
        steps.push({ event, state });
      }
    } catch (error) {
      steps.length = before;
      return error instanceof Error ? error : new Error(String(error));
    }
    return steps.slice(before).map((step) => step.event);
  }

  /** The events that a key caused the first time: the first one, and those whose causation leads back to it. */
  async #recall(version: number): Promise<Done<S, E>> {
    const events: StreamEvent<E>[] = [];
    const causes = new Set<string>();
    for await (const recorded of this.#around.store.read(this.name, version - 1)) {
      const event = recorded as unknown as StreamEvent<E>;
      if (
        events.length > 0 &&
        (event.meta.key !== undefined || !causes.has(event.meta.causationId))
      )
        break;
      causes.add(event.id).add(event.meta.causationId);
      events.push(event);
    }
    return { events, state: this.#state, repeated: true, position: 0 };
  }
}

/** Key by key: a spread of the event takes longer than deciding it. */
const placed = <E extends AnyEvent>(
  { type, data, id, meta }: NewEvent<E>,
  stream: string,
  version: number,
): StreamEvent<E> => ({ type, data, id, meta, stream, version }) as unknown as StreamEvent<E>;

/**
 * Which workers are here. In a server that has its log for itself a worker lives in the server's own process, or has a
 * line to it; where several servers share a log each renews the word of its workers. One without a line is away: its
 * word holds for a while. A worker whose word has run out is lost, whoever sees it first, and the members on its boards
 * fail (SEMANTICS 4.7).
 */
import { own } from '../machines/names.ts';
import { VOCABULARY } from '../machines/versions.ts';
import type { WorkerState } from '../machines/worker.ts';
import { type Directory, forsaken } from '../projections/directory.ts';
import type { Clock } from './clock.ts';
import { CommandRefused } from './live-stream.ts';
import type { Commands } from './stream-commands.ts';

/** How long a worker's word holds, and how much of it is left when it is renewed. */
export const WORKER_LEASE_MS = 90_000;
const RENEW_BEFORE_MS = 60_000;

const by = { actor: 'engine:workers' };

/** What it asks of its engine. */
export interface WorkerWatchPort {
  clock: Clock;
  directory(): Directory;
  /** Resolves once the directory has taken in the log up to this position. */
  reached(position: number): Promise<void>;
  commands: Commands;
  /** Whether other servers work on the log: then a worker that never said how long it is here belongs to none. */
  shared: boolean;
}

export class WorkerWatch {
  readonly #port: WorkerWatchPort;
  /**
   * Since when this server has seen the log without a break: a word that it could not have heard renewed does not run
   * out. An EventStoreDB that is away for a minute loses no worker.
   */
  #sightSince: number | undefined;
  /** Each worker's latest word, with when it was heard: the clock of the server that gave it may be another. */
  readonly #words = new Map<string, { until: number; heardAt: number }>();
  /** The workers of this server, with what connects them anew after they counted as lost. */
  readonly #own = new Map<string, () => Promise<number>>();

  constructor(port: WorkerWatchPort) {
    this.#port = port;
  }

  /** From now on this server keeps the worker's word. */
  keep(worker: string, connect: () => Promise<number>): void {
    this.#own.set(worker, connect);
  }

  /** It has no line to this server any more. */
  letGo(worker: string): void {
    this.#own.delete(worker);
  }

  /** The log could not be read or written just now. */
  blinded(): void {
    this.#sightSince = this.#port.clock.now();
  }

  isOwn(worker: string): boolean {
    return this.#own.has(worker);
  }

  /** The vocabulary in which this server writes: what all servers that are here read. */
  get vocabulary(): number {
    const { directory, shared } = this.#port;
    if (!shared) return VOCABULARY;
    let least = VOCABULARY;
    for (const [name, { state }] of directory().workers)
      if (state.state === 'connected' && !this.#own.has(name))
        least = Math.min(least, state.vocabulary.reads);
    return least;
  }

  /** One round; resolves with the time of the next one. */
  async look(): Promise<number | null> {
    const { clock, directory, reached } = this.#port;
    this.#sightSince ??= clock.now();
    let next: number | null = null;
    for (const [worker, { state }] of directory().workers) {
      const connect = this.#own.get(worker);
      if (connect !== undefined && state.vocabulary.writes < this.vocabulary)
        await reached(await connect());
      else if (connect !== undefined && (state.state !== 'connected' || state.until !== null))
        await reached(await this.#keepWord(worker, state.until ?? 0, connect));
      else if (this.#lostAt(worker, state) <= clock.now()) await reached(await this.#lose(worker));
    }
    await this.#failMembers();
    for (const [worker, { state }] of directory().workers) {
      const at = this.#own.has(worker)
        ? (state.until ?? 0) - RENEW_BEFORE_MS
        : this.#lostAt(worker, state);
      if (at < Number.POSITIVE_INFINITY) next = Math.min(next ?? at, at);
    }
    return next;
  }

  /** From when on a worker counts as lost: when its word has run out by its server's clock, and by this one's too. */
  #lostAt(worker: string, { state, until }: WorkerState): number {
    const isHere = state === 'connected' || state === 'away';
    if (!isHere || (until === null && !this.#port.shared)) return Number.POSITIVE_INFINITY;
    let word = this.#words.get(worker);
    if (word === undefined || word.until !== (until ?? 0)) {
      word = { until: until ?? 0, heardAt: this.#port.clock.now() };
      this.#words.set(worker, word);
    }
    return Math.max(word.until, Math.max(word.heardAt, this.#sightSince ?? 0) + WORKER_LEASE_MS);
  }

  async #keepWord(worker: string, until: number, connect: () => Promise<number>): Promise<number> {
    const now = this.#port.clock.now();
    if (until - now > RENEW_BEFORE_MS) return 0;
    try {
      const command = { type: 'RenewWorker', until: now + WORKER_LEASE_MS } as const;
      return (await this.#port.commands.worker(worker, command, by)).position;
    } catch (error) {
      if (error instanceof CommandRefused) return connect();
      throw error;
    }
  }

  async #lose(worker: string): Promise<number> {
    const command = { type: 'LoseWorker', reason: 'its word was not renewed in time' } as const;
    return (await this.#port.commands.worker(worker, command, by)).position;
  }

  async #failMembers(): Promise<void> {
    const { directory } = this.#port;
    const { devices, jobs, held } = directory();
    for (const device of [...held]) {
      const heldBy = devices.get(device)?.state.heldBy;
      const entry = heldBy ? jobs.get(heldBy.job) : undefined;
      const reason = forsaken(directory(), device);
      if (reason === null || entry?.state !== 'allocated') continue;
      if (own(entry.ends, device) === undefined) await this.#fail(entry.id, device, reason);
    }
  }

  async #fail(job: number, member: string, reason: string): Promise<void> {
    const command = { type: 'FailMember', member, reason, fault: 'worker' } as const;
    try {
      const { position } = await this.#port.commands.job(job, command, by);
      await this.#port.reached(position);
    } catch (error) {
      if (!(error instanceof CommandRefused)) throw error;
    }
  }
}

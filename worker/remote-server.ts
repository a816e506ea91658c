/** The port of `wire/server-port.ts` over a line: what a dispatcher in another place than its server has. */
import { createHash } from 'node:crypto';
import type { Log } from '../dispatcher/drivers/driver.ts';
import type { MemberCommand } from '../machines/commands.ts';
import type { HealthCheck } from '../machines/events.ts';
import type {
  BoardRegistration,
  Ended,
  Owed,
  ReportedBy,
  ServerPort,
} from '../wire/server-port.ts';
import { bodyOf } from '../wire/worker-frames.ts';
import { type Body, Line, type LineOptions, Refusal } from './line.ts';
import type { Report, Spool } from './spool.ts';

export interface RemoteServerOptions extends Omit<LineOptions, 'register' | 'onChange'> {
  /** What the lab's file says now of its boards, beside what a dispatcher knows. */
  lab(): {
    jobLimit?: number;
    /** By device. */
    healthChecks: ReadonlyMap<string, HealthCheck>;
  };
  spool: Spool;
  /** What an earlier life left there. */
  left: readonly { id: number; report: Report }[];
  /** Where a board of this worker finds its door, and with which secret. */
  access(job: number, device: string): Promise<{ url: string; token: string }>;
  log: Log;
}

export class RemoteServer implements ServerPort {
  readonly line: Line;
  readonly #is: RemoteServerOptions;
  readonly #listeners = new Set<() => void>();
  /** What the servers were told last and took: said first on each new line. */
  #said: Body<'register'> | undefined;
  #registered: (() => void) | undefined;
  #owed: readonly Owed[] | undefined;
  #isFullSaid = false;

  constructor(is: RemoteServerOptions) {
    this.#is = is;
    this.line = new Line({
      ...is,
      register: () => this.#register(),
      onChange: () => this.#tell(),
    });
    for (const { id, report } of is.left) void this.#deliver(id, report).catch(() => undefined);
  }

  /** What was owed when it was asked last; `undefined`: it was not asked yet. */
  get lastOwed(): readonly Owed[] | undefined {
    return this.#owed;
  }

  /**
   * Resolves when a server has taken them; said again with other boards, on this line or a later one.
   *
   * @throws WorkerRefused the first time; Refusal when a server does not take the others, and those before hold
   */
  async register(boards: readonly BoardRegistration[]): Promise<void> {
    const body = this.#bodyOf(boards);
    if (this.#said !== undefined) {
      await this.line.ask('register', body);
      this.#said = body;
      return;
    }
    this.#said = body;
    const taken = new Promise<void>((resolve) => {
      this.#registered = resolve;
    });
    this.line.start();
    await Promise.race([taken, this.line.refused]);
  }

  #bodyOf(boards: readonly BoardRegistration[]): Body<'register'> {
    const { jobLimit, healthChecks } = this.#is.lab();
    const checked = boards.map((board) => {
      const healthCheck = healthChecks.get(board.device);
      return healthCheck === undefined ? board : { ...board, healthCheck };
    });
    return { boards: checked, ...(jobLimit !== undefined && { jobLimit }) };
  }

  async #register(): Promise<void> {
    await this.line.askFirst('register', this.#said ?? { boards: [] });
    this.#registered?.();
  }

  async owed(): Promise<readonly Owed[]> {
    const { owed, groups } = await this.line.ask('owed', {});
    const groupOf = new Map(groups.map(({ job, group }) => [job, group]));
    this.#owed = owed.map((entry) => ({ ...entry, group: groupOf.get(entry.job) ?? [] }));
    return this.#owed;
  }

  async ended(job: number, device: string): Promise<Ended | undefined> {
    return (await this.line.ask('ended', { job, device })).ended;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /**
   * Resolves when the server has it; without a line, when it is on this worker's own disk: the step goes on, and the
   * server hears of it later.
   */
  async report(job: number, command: MemberCommand, by: ReportedBy): Promise<void> {
    const report = { job, command, ...by };
    const { spool, log } = this.#is;
    const id = await spool.add(report);
    const delivered = this.#deliver(id, report);
    if (id === undefined) {
      if (!this.#isFullSaid)
        log.warn(
          {},
          'reports cannot be kept on the disk of this worker: steps wait for the server',
        );
      this.#isFullSaid = true;
      return delivered;
    }
    this.#isFullSaid = false;
    delivered.catch(() => undefined);
    await Promise.race([
      delivered,
      this.line
        .down()
        .then(() => spool.synced())
        .then(undefined, () => delivered),
    ]);
  }

  async #deliver(id: number | undefined, { job, command, key, console }: Report): Promise<void> {
    const about = { job, command, key, ...(console !== undefined && { console }) };
    try {
      await this.line.ask('report', about);
      this.#is.spool.done(id);
    } catch (error) {
      // A server that refused it will refuse it again; of a worker that stops it has to be kept.
      if (error instanceof Refusal) this.#is.spool.done(id);
      throw error;
    }
  }

  async keep(contents: readonly Uint8Array[]): Promise<void> {
    const byDigest = new Map(contents.map((content) => [digestOf(content), content]));
    const { digests } = await this.line.ask('missing', { digests: [...byDigest.keys()] });
    for (const digest of digests) {
      const content = byDigest.get(digest);
      if (content !== undefined) await this.line.ask('keep', { digest, body: bodyOf(content) });
    }
  }

  access(job: number, device: string): Promise<{ url: string; token: string }> {
    return this.#is.access(job, device);
  }
}

const digestOf = (content: Uint8Array): string =>
  createHash('sha256').update(content).digest('hex');

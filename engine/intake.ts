/** How jobs come in: counted, admitted or rejected, recorded; health checks likewise, as their hour comes. */
import type { JobCommand } from '../machines/commands.ts';
import { Rejected } from '../machines/deciding.ts';
import type { JobDefinition } from '../machines/definition.ts';
import type { NewEvent } from '../machines/events.ts';
import { jobStream, SUBMISSIONS } from '../machines/names.ts';
import { kinds } from '../machines/streams.ts';
import type { Directory } from '../projections/directory.ts';
import { ConcurrencyConflict, type EventStore } from '../store/port.ts';
import { checkOf } from './health-checks.ts';
import type { LabView } from './lab-view.ts';
import { CommandRefused } from './live-stream.ts';
import type { By, Commands } from './stream-commands.ts';

/** What it asks of its engine. */
export interface SubmissionsPort {
  directory(): Directory;
  /** Resolves once the directory has taken in the log up to this position. */
  reached(position: number): Promise<void>;
  commands: Commands;
  lab: LabView;
  store: EventStore;
  newId(): string;
}

/** No stream ever has so many events: an append at this version changes nothing. */
const VERSION_OF_NONE = 2 ** 40;

interface Submitted {
  definition: JobDefinition;
  document: string;
}

export class Submissions {
  readonly #port: SubmissionsPort;

  constructor(port: SubmissionsPort) {
    this.#port = port;
  }

  /** Counts a job, admits or rejects it, and records it; returns its number. The same key gives the same job. */
  async submit(job: Submitted, by: By): Promise<number> {
    await this.#assertFits(job, by);
    return this.#submitAs(job, by, 1);
  }

  /**
   * A job that is too large for one append would use up a number, and nobody would find it there: the log is asked before
   * it has one, by an append of its events that can only be refused. A log says for its size first.
   *
   * @throws AppendTooLarge; StoreUnavailable
   */
  async #assertFits(job: Submitted, { actor }: By): Promise<void> {
    const { store, newId, directory } = this.#port;
    if (store.appendBytesMax === undefined) return;
    if (Buffer.byteLength(JSON.stringify(job)) < store.appendBytesMax / 2) return;
    const request = { id: newId(), actor, correlationId: SUBMISSIONS };
    const command: JobCommand = { type: 'SubmitJob', ...job, short: [] };
    const decided = kinds.job.decide(command, kinds.job.initial, { now: 0, newId, request });
    if (decided instanceof Rejected) return;
    const stream = jobStream(directory().jobCount + 1);
    await store.append(stream, VERSION_OF_NONE, decided as NewEvent[]).catch((error: unknown) => {
      if (!(error instanceof ConcurrencyConflict)) throw error;
    });
  }

  /** Returns the next number that no job has: one that was imported alone was never counted here. */
  async #submitAs(job: Submitted, by: By, round: number): Promise<number> {
    const { commands, lab, reached } = this.#port;
    const count = { type: 'CountSubmission', name: job.definition.name } as const;
    // The same key goes the same way through the numbers.
    const key = by.key === undefined || round === 1 ? by.key : `${by.key} ${round}`;
    const counted = await commands.submission(count, { ...by, ...(key && { key }) });
    const id = counted.events[0]?.version;
    if (id === undefined) throw new Error('a submission was not counted');
    const short = lab.planner.admit(job.definition.roles);
    try {
      const done = await commands.job(id, { type: 'SubmitJob', ...job, short }, by);
      await reached(done.position);
      return id;
    } catch (error) {
      if (!(error instanceof CommandRefused && error.code === 'job-exists')) throw error;
      return this.#submitAs(job, by, round + 1);
    }
  }

  /** Submits the health checks that are due; resolves with the time of the next one that hours alone make due. */
  async submitChecks(): Promise<number | null> {
    const { directory, lab } = this.#port;
    // Whoever finds a check due gives it the same number, and so the same key: there is one, however many servers
    // there are. The number is of the moment in which it was found due.
    const due = lab
      .checksToSubmit()
      .map((device) => ({ device, number: (directory().checks.get(device) ?? 0) + 1 }));
    for (const { device, number } of due) {
      const check = directory().devices.get(device)?.state.healthCheck;
      if (!check) continue;
      const { definition, document } = check;
      const by = { actor: 'engine:health', key: `health-check/${device}/${number}` };
      await this.submit({ definition: checkOf(device, definition), document }, by);
    }
    return lab.nextCheckAt();
  }
}

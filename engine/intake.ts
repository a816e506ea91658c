/** How jobs come in: counted, admitted or rejected, recorded; health checks likewise, as their hour comes. */
import type { JobDefinition } from '../machines/definition.ts';
import type { Directory } from '../projections/directory.ts';
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
}

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
  submit(job: Submitted, by: By): Promise<number> {
    return this.#submitAs(job, by, 1);
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

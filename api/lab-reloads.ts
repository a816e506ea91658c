/** What a worker was asked to do with its lab's file, until it says what became of it. */
import { randomUUID } from 'node:crypto';
import type { LabChange } from '../wire/lab-change.ts';
import type { Question } from '../wire/worker-frames.ts';
import { ApiProblem } from './problems.ts';

/** Drivers are opened meanwhile, which try out what the machine can. */
const RELOAD_MS_MAX = 60_000;

interface Asked {
  done(change: LabChange): void;
  refuse(problem: ApiProblem): void;
}

export class LabReloads {
  readonly #asked = new Map<string, Asked>();

  /** @throws ApiProblem `invalid-lab`: nothing has changed; `worker-away`: nobody can say */
  async ask(worker: string, say: (reload: string) => void): Promise<LabChange> {
    const reload = randomUUID();
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<LabChange>((done, refuse) => {
        this.#asked.set(reload, { done, refuse });
        const why = `worker ${worker} has not answered for ${RELOAD_MS_MAX / 1000} s: it may still read its lab's file`;
        timer = setTimeout(() => refuse(new ApiProblem('worker-away', why)), RELOAD_MS_MAX);
        say(reload);
      });
    } finally {
      clearTimeout(timer);
      this.#asked.delete(reload);
    }
  }

  /** What the worker says; of one that nobody waits for, nothing. */
  answer({ reload, change, refused }: Extract<Question, { ask: 'reloaded' }>): void {
    const asked = this.#asked.get(reload);
    if (change !== undefined) asked?.done(change);
    else asked?.refuse(new ApiProblem('invalid-lab', refused ?? 'it says nothing of it'));
  }

  /** The line ended. */
  end(worker: string): void {
    const why = `the line of worker ${worker} broke: it may have read its lab's file, or not`;
    for (const { refuse } of this.#asked.values()) refuse(new ApiProblem('worker-away', why));
  }
}

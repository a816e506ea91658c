/** The dispatcher's view of a server in the same process: the port of `dispatcher/server-port.ts` on the engine. */
import { memberToken } from '../api/tokens.ts';
import type { ServerPort } from '../dispatcher/server-port.ts';
import type { Engine } from '../engine/engine.ts';
import { lastWords } from '../engine/owed.ts';

export interface InProcessOptions {
  engine: Engine;
  /** The worker's name in the log. */
  worker: string;
  secret: Buffer;
  /** Where the boards reach the server; asked when a board is given its access. */
  url(): string;
}

export function inProcessServer({ engine, worker, secret, url }: InProcessOptions): ServerPort {
  return {
    register: (boards) => engine.connectWorker(worker, boards),
    owed: () => engine.owed(worker),
    onChange: (listener) => engine.onChange(listener),
    async ended(job, device) {
      const state = await engine.job(job);
      const lines = state && lastWords(state, device);
      return lines && { job, device, lines };
    },
    report: (job, command, by) => engine.member(job, command, { actor: `worker:${worker}`, ...by }),
    access: async (job, device) => ({ url: url(), token: memberToken(secret, job, device) }),
  };
}

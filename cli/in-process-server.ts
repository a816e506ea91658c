/** The dispatcher's view of a server in the same process: the port of `dispatcher/server-port.ts` on the engine. */
import { memberToken } from '../api/tokens.ts';
import type { ServerPort } from '../dispatcher/server-port.ts';
import type { Engine } from '../engine/engine.ts';
import { lastWords } from '../engine/owed.ts';
import type { WorkerFacts } from '../engine/registry.ts';
import type { HealthCheck } from '../machines/events.ts';

export interface InProcessOptions {
  engine: Engine;
  /** The worker's name in the log. */
  worker: string;
  secret: Buffer;
  /** Where the boards reach the server, and the others on its log; asked when a board is given its access. */
  urls(): string[];
  /** By device name. */
  healthChecks: ReadonlyMap<string, HealthCheck>;
  /** What the worker says of itself when it connects. */
  facts(): WorkerFacts;
}

export function inProcessServer(is: InProcessOptions): ServerPort {
  const { engine, worker, secret } = is;
  return {
    register: (boards) => {
      const checked = boards.map((b) => ({ ...b, healthCheck: is.healthChecks.get(b.device) }));
      return engine.connectWorker(worker, checked, is.facts());
    },
    owed: () => engine.owed(worker),
    onChange: (listener) => engine.onChange(listener),
    async ended(job, device) {
      const state = await engine.job(job);
      const lines = state && lastWords(state, device);
      return lines && { job, device, lines };
    },
    report: (job, command, by) => engine.member(job, command, { actor: `worker:${worker}`, ...by }),
    access: async (job, device) => ({
      url: is.urls().join(' '),
      token: memberToken(secret, job, device),
    }),
  };
}

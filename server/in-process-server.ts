/** The port of `wire/server-port.ts` on the engine: for the dispatcher in this process, and for the lines of others. */
import { memberToken } from '../api/tokens.ts';
import type { Engine } from '../engine/engine.ts';
import { lastWords } from '../engine/owed.ts';
import type { WorkerFacts } from '../engine/registry.ts';
import type { HealthCheck } from '../machines/events.ts';
import type { Objects } from '../store/objects.ts';
import { withSecretsBack, withSecretsKept } from '../submission/addresses.ts';
import type { BoardRegistration, ServerPort } from '../wire/server-port.ts';
import type { AddressSecrets } from './address-secrets.ts';

export interface InProcessOptions {
  engine: Engine;
  /** The worker's name in the log. */
  worker: string;
  secret: Buffer;
  /** Where the boards reach the server, and the others on its log; asked when a board is given its access. */
  urls(): string[];
  /** Where what boards and their workers hand in is kept. */
  objects: Pick<Objects, 'keep'>;
  /** Of addresses that jobs name. */
  secrets: AddressSecrets;
  /** By device name; absent: its registrations have them. */
  healthChecks?(): ReadonlyMap<string, HealthCheck>;
  /** What the worker says of itself when it connects. */
  facts(): WorkerFacts;
}

export interface InProcessServer extends ServerPort {
  /** Lets the server know of the boards; the worker is not here yet. */
  announce(boards: readonly BoardRegistration[]): Promise<void>;
}

export function inProcessServer(is: InProcessOptions): InProcessServer {
  const { engine, worker, secret, secrets } = is;
  const checked = (boards: readonly BoardRegistration[]) => {
    const checks = is.healthChecks?.();
    return boards.map((board) => {
      const healthCheck = checks?.get(board.device) ?? board.healthCheck;
      return { ...board, healthCheck: healthCheck && withSecretsKept(healthCheck, secrets.keep) };
    });
  };
  return {
    announce: (boards) => engine.registerBoards(worker, checked(boards)),
    register: (boards) => engine.connectWorker(worker, checked(boards), is.facts()),
    owed: async () => withSecretsBack(await engine.owed(worker), secrets.kept),
    onChange: (listener) => engine.onChange(listener),
    async ended(job, device) {
      const state = await engine.job(job);
      const lines = state && lastWords(state, device);
      return lines && { job, device, lines };
    },
    report: (job, command, by) => engine.member(job, command, { actor: `worker:${worker}`, ...by }),
    async keep(contents) {
      for (const content of contents) await is.objects.keep(content);
    },
    access: async (job, device) => ({
      url: is.urls().join(' '),
      token: memberToken(secret, job, device),
    }),
  };
}

/** What the door of the workers on other machines is given: the port of each, on this server's engine and folder. */
import { memberToken } from '../api/tokens.ts';
import type { WorkerParts } from '../api/worker-parts.ts';
import type { Engine } from '../engine/engine.ts';
import type { Objects } from '../store/objects.ts';
import type { AddressSecrets } from './address-secrets.ts';
import { consoleCopies } from './console-copies.ts';
import { inProcessServer } from './in-process-server.ts';

export interface WorkersDoorOptions {
  engine: Engine;
  dataDir: string;
  secret: Buffer;
  objects: Pick<Objects, 'keep' | 'has'>;
  secrets: AddressSecrets;
  /** Of Muster. */
  version: string;
}

export function workersDoor(is: WorkersDoorOptions): WorkerParts {
  const { engine, dataDir, secret, objects, secrets, version } = is;
  return {
    ...{ engine, version },
    port: (worker, facts) =>
      inProcessServer({
        ...{ engine, worker, secret, objects, secrets },
        urls: () => [],
        facts: () => facts,
      }),
    consoles: consoleCopies(dataDir),
    missing: async (digests) => {
      const isKept = await Promise.all(digests.map((digest) => objects.has(digest)));
      return digests.filter((_, at) => !isKept[at]);
    },
    memberToken: (job, device) => memberToken(secret, job, device),
  };
}

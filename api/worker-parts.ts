/** What the lines of workers are given, beside what every door of the boards is. */
import { createHash, randomBytes } from 'node:crypto';
import type { Engine } from '../engine/engine.ts';
import type { WorkerFacts } from '../engine/registry.ts';
import type { ServerPort } from '../wire/server-port.ts';
import { isSame } from './tokens.ts';

/** The part of the engine that workers' lines use. */
export type WorkerEngine = Pick<Engine, 'device' | 'disconnectWorker' | 'job' | 'now' | 'worker'>;

/** The server's copies of the consoles of boards behind a worker. */
export interface ConsoleCopies {
  /**
   * Adds what is new of a part that begins at byte `at`; one that begins behind the end adds nothing. `came`: by when so
   * many bytes had come. Returns how many bytes are there.
   */
  append(
    of: { job: number; device: string },
    at: number,
    part: Uint8Array,
    came: readonly (readonly [offset: number, ms: number])[],
  ): Promise<number>;
  /** What is there is durable when this resolves, with how many bytes that are. */
  end(job: number, device: string): Promise<number>;
}

export interface WorkerParts {
  engine: WorkerEngine;
  /** Of Muster. */
  version: string;
  /** The port of a worker, as a dispatcher in this process has it. */
  port(worker: string, is: WorkerFacts): ServerPort;
  consoles: ConsoleCopies;
  /** Which of these contents are not kept. */
  missing(digests: readonly string[]): Promise<string[]>;
  /** The token with which a member speaks at the boards' door. */
  memberToken(job: number, device: string): string;
  /** How often a line is asked whether it is there; absent: `PING_MS`. */
  pingMs?: number;
}

const PREFIX = 'mw1';
const SECRET_BYTES = 32;
const WORKER_TOKEN = /^mw1\.([A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)\.[A-Za-z0-9_-]{43}$/;

/** A new token of a worker, with what of it is kept: nobody can make the one from the other. */
export function newWorkerToken(worker: string): { token: string; digest: string } {
  const token = `${PREFIX}.${worker}.${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { token, digest: digestOf(token) };
}

const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Whose token this is. */
export function workerOfToken(
  engine: Pick<Engine, 'worker'>,
  token: string,
): string | { refused: string } {
  const name = WORKER_TOKEN.exec(token)?.[1];
  if (name === undefined)
    return { refused: 'this is no token of a worker: "muster worker-token NAME" makes one' };
  const worker = engine.worker(name);
  const again = `"muster worker-token ${name}" makes a new one`;
  if (worker === undefined)
    return {
      refused: `this server knows no worker ${name}: its token is of another lab; ${again}`,
    };
  if (worker.tokenDigest === null)
    return { refused: `the token of worker ${name} was revoked, or there was none; ${again}` };
  if (!isSame(digestOf(token), worker.tokenDigest))
    return {
      refused: `this is not the token of worker ${name} any more, or one of another lab; ${again}`,
    };
  return name;
}

/** What the doors are given: the engine as far as they need it, and what the server says of itself. */
import type { FastifyBaseLogger } from 'fastify';
import type { Engine } from '../engine/engine.ts';
import type { OpenDefinition } from '../submission/lint/at-submission.ts';
import type { WorkerParts } from './worker-parts.ts';

/** The part of the engine that the board's endpoints use. */
export type BoardEngine = Pick<
  Engine,
  'job' | 'jobEvents' | 'call' | 'abandon' | 'member' | 'isSilenced'
>;

/** The part of the engine that the doors use: never its loops, never its insides. */
export type ApiEngine = BoardEngine &
  Pick<
    Engine,
    | 'submit'
    | 'jobCount'
    | 'allEvents'
    | 'streamEvents'
    | 'streamRows'
    | 'follow'
    | 'cancel'
    | 'devices'
    | 'device'
    | 'undriven'
    | 'workers'
    | 'worker'
    | 'changeWorker'
    | 'setOffline'
    | 'setOnline'
    | 'setHealth'
    | 'notePower'
    | 'retire'
    | 'restore'
    | 'directory'
    | 'queue'
    | 'queueLength'
    | 'why'
    | 'setPriority'
    | 'head'
    | 'now'
    | 'heldWaits'
  >;

/** Files beside the log, by the SHA-256 of what is in them. */
export interface KeptFiles {
  /** Durable when it resolves. @throws StoreUnavailable; whatever `content` throws */
  put(
    content: AsyncIterable<Uint8Array>,
    bytesMax: number,
  ): Promise<{ digest: string; bytes: number } | 'too-large'>;
  /** `undefined`: there is none. Reading it throws when it is damaged. */
  get(digest: string): Promise<AsyncIterable<Uint8Array> | undefined>;
}

export interface BoardParts {
  engine: BoardEngine;
  /** The public keys with which members' tokens are verified: this server's first. */
  tokenKeys(): Iterable<string>;
  /** How many bytes the console of a member has printed by now. */
  consoleSize(job: number, device: string): number;
  /** What tests handed in. */
  attachments: KeptFiles;
  /** The set of cases that is open on a member's console, and those that were opened there. */
  openSet(job: number, device: string): Promise<{ open?: string; opened?: string[] }>;
  log: FastifyBaseLogger;
}

export interface AppParts extends BoardParts {
  engine: ApiEngine;
  /** Of Muster. */
  version: string;
  /** With it set, every route but the health needs it. */
  apiToken?: string;
  /** The file that holds the console of a member; it need not exist. */
  consoleFile(job: number, device: string): string;
  /** The file in which a job that is out of the log lies; absent: there is no archive. */
  archivedIn?(job: number): Promise<string | undefined>;
  /** Keeps an address with a secret outside of the log, and says under which name (`submission/addresses.ts`). */
  keepSecret(address: string): string;
  /** Reads a definition that lies on this machine, for lint at submission; absent: none is read. */
  openDefinition?: OpenDefinition;
  /** Why nothing can be written yet, as after a start with a full disk; absent: it can. */
  readOnly?(): string | undefined;
  /** What the build of the page made; absent: this server has no page. */
  pageFolder?: string;
  /** What workers on other machines need; absent: they have no door. */
  worker?: WorkerParts;
  /** What the log is kept in: `sqlite`, `memory`. */
  storeName: string;
}

/** Whoever asks over the API without a name of their own. */
export const API_ACTOR = 'user:api';

/** A reason as it is recorded: one line, at most this many characters. */
export const REASON_CHARACTERS_MAX = 1_000;

/** A text on one line: control characters, newlines among them, become one space. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}

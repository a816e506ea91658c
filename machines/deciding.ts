/** What every `decide` is given, gives back, and shares: the request, the draft of its events, a refusal. */
import type { AnyEvent, NewEvent } from './events.ts';
import { written } from './versions.ts';

/** Who asks, why, and under which key: becomes the `meta` of what is decided. */
export interface Request {
  /** The request's own id: the causation of what it causes directly. */
  id: string;
  actor: string;
  correlationId: string;
  key?: string;
  console?: number;
}

/** Time and ids are arguments: the same inputs decide the same events. */
export interface Env {
  /** Milliseconds since the epoch. */
  now: number;
  newId: () => string;
  request: Request;
  /** The vocabulary that every reader of the log has; absent: this version's own. */
  vocabulary?: number;
}

/** A command that cannot be; nothing was recorded. `code` is for programs, `reason` for people. */
export class Rejected {
  readonly code: RejectionCode;
  readonly reason: string;
  constructor(code: RejectionCode, reason: string) {
    this.code = code;
    this.reason = reason;
  }
}
export type RejectionCode =
  | 'no-such-job'
  | 'no-such-member'
  | 'no-such-device'
  | 'no-such-worker'
  | 'no-such-wait'
  | 'job-ended'
  | 'job-exists'
  | 'job-not-allocated'
  | 'member-ended'
  | 'member-not-booted'
  | 'not-owed'
  | 'not-waiting'
  | 'board-taken'
  | 'worker-lost'
  | 'worker-here'
  | 'not-holder'
  | 'not-idle'
  | 'retired'
  | 'lease-void'
  | 'too-new'
  | 'key-reused';

/** The events of one command, evolved as they come, so that each sees what the one before it changed. */
export class Draft<S, E extends AnyEvent> {
  readonly events: NewEvent<E>[] = [];
  state: S;
  readonly env: Env;
  readonly #evolve: (state: S, event: NewEvent<E>) => S;

  constructor(state: S, env: Env, evolve: (state: S, event: NewEvent<E>) => S) {
    this.state = state;
    this.env = env;
    this.#evolve = evolve;
  }

  /**
   * Adds an event, in the vocabulary of the log: one of a type that its readers do not all have is left out. `causedBy`:
   * the id of an event of this draft; absent: the request itself. Returns the event's id.
   */
  emit<T extends E['type']>(
    type: T,
    data: Extract<E, { type: T }>['data'],
    causedBy?: string,
  ): string {
    const { now, newId, request, vocabulary } = this.env;
    const direct = causedBy === undefined;
    const as = written(type, data, vocabulary);
    if (as === undefined) return causedBy ?? request.id;
    const event = {
      type,
      data: as.data,
      id: newId(),
      meta: {
        at: now,
        actor: request.actor,
        causationId: causedBy ?? request.id,
        correlationId: request.correlationId,
        ...(request.key !== undefined && this.events.length === 0 && { key: request.key }),
        ...(direct && request.console !== undefined && { console: request.console }),
        ...(as.schema !== undefined && { schema: as.schema }),
      },
    } as unknown as NewEvent<E>;
    this.events.push(event);
    this.state = this.#evolve(this.state, event);
    return event.id;
  }
}

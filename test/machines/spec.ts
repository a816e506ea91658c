/**
 * Given / when / then for deciders: `given(...history).when(command).gives(events) | rejectsWith(code) |
 * changesNothing()`. The history is events, commands (decided on the way) and steps of the clock.
 */
import { expect } from 'vitest';
import { type Env, Rejected, type RejectionCode } from '../../machines/deciding.ts';
import type { AnyEvent, NewEvent } from '../../machines/events.ts';
import { parseEvent } from '../../machines/versions.ts';

/** When every test begins; milliseconds since the epoch. */
export const START = 1_700_000_000_000;

/** An environment whose clock stands at `now` and whose ids are `e1`, `e2`, ... */
export function envAt(now: number, nextId: () => number): Env {
  return {
    now,
    newId: () => `e${nextId()}`,
    request: { id: 'request', actor: 'user:test', correlationId: 'job-1' },
  };
}

export function counter(): () => number {
  let n = 0;
  return () => ++n;
}

/** The clock moves on by so many seconds. */
export interface Pause {
  seconds: number;
}
export const later = (seconds: number): Pause => ({ seconds });

/** An event as tests write it: its type, and as much of its data as the test is about. */
type Expected<E extends AnyEvent> = {
  [K in E['type']]: readonly [K, Partial<Extract<E, { type: K }>['data']>?];
}[E['type']];

export interface Decider<S, C, E extends AnyEvent> {
  initial: S;
  evolve(state: S, event: NewEvent<E>): S;
  decide(command: C, state: S, env: Env): NewEvent<E>[] | Rejected;
}

/** Every decided event is one that the store takes (`parseEvent` throws otherwise). */
export function assertStorable<E extends AnyEvent>(events: readonly NewEvent<E>[]): void {
  for (const event of events) parseEvent({ ...event, stream: 'test', version: 1 });
}

export function givenOf<S, C extends { type: string }, E extends AnyEvent>(
  decider: Decider<S, C, E>,
) {
  type Step = C | E | Pause;
  return (...history: Step[]) => ({
    when(command: C) {
      const id = counter();
      let now = START;
      let state = decider.initial;
      for (const step of history) {
        if ('seconds' in step) now += step.seconds * 1000;
        else
          for (const event of eventsOf(step, state, now, id)) state = decider.evolve(state, event);
      }
      const decision = decider.decide(command, state, envAt(now, id));
      return checks(decision, decider, state);
    },
  });

  function eventsOf(step: C | E, state: S, now: number, id: () => number): NewEvent<E>[] {
    const env = envAt(now, id);
    if ('data' in step) {
      const meta = { at: now, actor: 'user:test', causationId: 'request', correlationId: 'job-1' };
      return [{ ...(step as E), id: env.newId(), meta }];
    }
    const decision = decider.decide(step as C, state, env);
    if (decision instanceof Rejected)
      throw new Error(`given ${step.type}: ${decision.code}: ${decision.reason}`);
    return decision;
  }
}

function checks<S, C, E extends AnyEvent>(
  decision: NewEvent<E>[] | Rejected,
  decider: Decider<S, C, E>,
  before: S,
) {
  return {
    /** Exactly these events, in this order, with at least this data; they are storable and legal. */
    gives(...expected: Expected<E>[]): S {
      if (decision instanceof Rejected)
        throw new Error(`rejected: ${decision.code}: ${decision.reason}`);
      expect(decision.map(({ type }) => type)).toEqual(expected.map(([type]) => type));
      for (const [i, [, data]] of expected.entries())
        expect(decision[i]?.data).toMatchObject(data ?? {});
      assertStorable(decision);
      return decision.reduce(decider.evolve, before);
    },
    rejectsWith(code: RejectionCode, reason?: RegExp): void {
      expect(decision).toBeInstanceOf(Rejected);
      expect(decision).toMatchObject({ code });
      if (reason !== undefined) expect((decision as Rejected).reason).toMatch(reason);
    },
    changesNothing(): void {
      expect(decision).toEqual([]);
    },
  };
}

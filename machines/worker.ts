/** `worker-<name>`: whether the machine that drives some boards can be reached. Sections: machine, state, evolve, decide. */
import { createMachine } from 'xstate';
import type { WorkerCommand } from './commands.ts';
import { Draft, type Env, Rejected } from './deciding.ts';
import type { Meta, NewEvent, WorkerEvent } from './events.ts';
import { canonical } from './json.ts';
import { all, tableOf } from './table.ts';
import { VOCABULARY_FIRST_SAID } from './versions.ts';

// machine

export type WorkerStateName = 'none' | 'expected' | 'connected' | 'away' | 'lost';

/** What operators say of it, whether it is here or not. */
const anytime = [
  'WorkerDrained',
  'WorkerUndrained',
  'WorkerTokenMade',
  'WorkerTokenRevoked',
] as const;

/** `expected`: it has a token and was never here. `away`: it has no line to a server, and its word still holds. */
export const workerMachine = createMachine({
  id: 'worker',
  initial: 'none',
  states: {
    none: { on: { WorkerConnected: 'connected', WorkerTokenMade: 'expected' } },
    expected: { on: { ...all(anytime, 'expected'), WorkerConnected: 'connected' } },
    connected: {
      on: {
        ...all(anytime, 'connected'),
        WorkerConnected: 'connected',
        WorkerRenewed: 'connected',
        WorkerDisconnected: 'away',
        WorkerLost: 'lost',
      },
    },
    away: { on: { ...all(anytime, 'away'), WorkerConnected: 'connected', WorkerLost: 'lost' } },
    lost: { on: { ...all(anytime, 'lost'), WorkerConnected: 'connected' } },
  },
});

export const workerTable = tableOf<WorkerStateName>(workerMachine);

// state

export interface WorkerState {
  readonly state: WorkerStateName;
  readonly boards: readonly string[];
  /** How many of its boards may be held at once; `null`: all. */
  readonly jobLimit: number | null;
  /** When it counts as lost unless it is renewed; `null`: only the server that it lives in can lose it. */
  readonly until: number | null;
  /** The public key that verifies the tokens of its boards; `null`: only its own server knows it. */
  readonly tokenKey: string | null;
  /** Where boards reach the server that it lives in; `null`: only its own boards know it. */
  readonly boardUrl: string | null;
  /** Which events its server reads, and in which it writes now (`versions.ts`). */
  readonly vocabulary: { readonly reads: number; readonly writes: number };
  /** Its line, or the last one that it had; `null`: it lives in a server. */
  readonly line: {
    readonly line: string;
    readonly instance: string;
    readonly version: string;
  } | null;
  /** The digest of its token; `null`: none is worth anything. */
  readonly tokenDigest: string | null;
  /** Why its boards are given to no new job; `null`: they are. */
  readonly drained: string | null;
  /** When it connected, went or was lost; milliseconds since the epoch. */
  readonly since: number;
  /** Why it went or was lost. */
  readonly reason: string | null;
}

/** Whether what it said of how long it is here still holds; never of one that said nothing. */
export const keepsWord = ({ state, until }: WorkerState, now: number): boolean =>
  state === 'connected' && until !== null && until > now;

/** Whether its server, or a line, holds it now, or its last word does. @param shared whether several servers do */
export const isHeld = ({ state, until }: WorkerState, now: number, shared: boolean): boolean =>
  (state === 'connected' && until === null && !shared) ||
  ((state === 'connected' || state === 'away') && until !== null && until > now);

export const initialWorker: WorkerState = {
  state: workerTable.initial,
  boards: [],
  jobLimit: null,
  until: null,
  tokenKey: null,
  boardUrl: null,
  vocabulary: { reads: VOCABULARY_FIRST_SAID, writes: 1 },
  line: null,
  tokenDigest: null,
  drained: null,
  since: 0,
  reason: null,
};

// evolve

/** @throws IllegalTransition */
export function evolveWorker(
  worker: WorkerState,
  event: WorkerEvent & { meta: Pick<Meta, 'at'> },
): WorkerState {
  const state = workerTable.next(worker.state, event.type);
  const since = event.meta.at;
  switch (event.type) {
    case 'WorkerConnected': {
      const { jobLimit = null, until = null, tokenKey = null, boardUrl = null } = event.data;
      const { boards, vocabulary = initialWorker.vocabulary, line = null } = event.data;
      const is = { boards, jobLimit, until, tokenKey, boardUrl, vocabulary, line };
      return { ...worker, ...is, state, since, reason: null };
    }
    case 'WorkerRenewed':
      return { ...worker, state, until: event.data.until };
    case 'WorkerDisconnected':
      return { ...worker, ...event.data, state, since };
    case 'WorkerLost':
      return { ...worker, state, since, until: null, reason: event.data.reason };
    case 'WorkerDrained':
      return { ...worker, state, drained: event.data.reason };
    case 'WorkerUndrained':
      return { ...worker, state, drained: null };
    case 'WorkerTokenMade':
      return {
        ...worker,
        state,
        since: worker.state === 'none' ? since : worker.since,
        tokenDigest: event.data.digest,
      };
    case 'WorkerTokenRevoked':
      return { ...worker, state, tokenDigest: null };
  }
}

// decide

export function decideWorker(
  command: WorkerCommand,
  state: WorkerState,
  env: Env,
): NewEvent<WorkerEvent>[] | Rejected {
  const draft = new Draft<WorkerState, WorkerEvent>(state, env, evolveWorker);
  if (command.type === 'ConnectWorker') return connect(draft, command);
  if (command.type === 'MakeWorkerToken') {
    if (state.tokenDigest !== command.digest)
      draft.emit('WorkerTokenMade', { digest: command.digest });
    return draft.events;
  }
  if (state.state === 'none') return new Rejected('no-such-worker', 'there is no such worker');
  switch (command.type) {
    case 'RenewWorker':
      if (state.state !== 'connected')
        return new Rejected(
          'worker-lost',
          `it is not here (${state.reason}); it has to connect again`,
        );
      if ((state.until ?? 0) < command.until) draft.emit('WorkerRenewed', { until: command.until });
      break;
    case 'DisconnectWorker': {
      const { reason, until } = command;
      if (state.state === 'connected' && state.line?.line === command.line)
        draft.emit('WorkerDisconnected', { reason, until });
      break;
    }
    case 'LoseWorker': {
      const isHere = state.state === 'connected' || state.state === 'away';
      if (isHere && (state.until ?? 0) <= env.now)
        draft.emit('WorkerLost', { reason: command.reason });
      break;
    }
    case 'DrainWorker':
      if (state.drained !== command.reason) draft.emit('WorkerDrained', { reason: command.reason });
      break;
    case 'UndrainWorker':
      if (state.drained !== null) draft.emit('WorkerUndrained', {});
      break;
    case 'RevokeWorkerToken':
      if (state.tokenDigest !== null) draft.emit('WorkerTokenRevoked', { reason: command.reason });
  }
  return draft.events;
}

function connect(
  draft: Draft<WorkerState, WorkerEvent>,
  { type: _, ...is }: Extract<WorkerCommand, { type: 'ConnectWorker' }>,
): NewEvent<WorkerEvent>[] | Rejected {
  const { state } = draft;
  const { boards, until, line } = is;
  const isAnother = line !== undefined && state.line?.instance !== line.instance;
  if (isAnother && isHeld(state, draft.env.now, false))
    return new Rejected('worker-here', hereAlready(state));
  const same =
    state.state === 'connected' &&
    state.jobLimit === (is.jobLimit ?? null) &&
    state.tokenKey === (is.tokenKey ?? null) &&
    state.boardUrl === (is.boardUrl ?? null) &&
    state.line?.line === line?.line &&
    canonical(state.vocabulary) === canonical(is.vocabulary ?? initialWorker.vocabulary) &&
    (state.until === null) === (until === undefined) &&
    boards.length === state.boards.length &&
    boards.every((b, i) => b === state.boards[i]);
  if (!same) draft.emit('WorkerConnected', is);
  else if (until !== undefined && (state.until ?? 0) < until)
    draft.emit('WorkerRenewed', { until });
  return draft.events;
}

function hereAlready({ state, line, until }: WorkerState): string {
  if (line === null)
    return 'a server has a worker of this name itself: give one of the two another name';
  if (state === 'connected')
    return 'another worker of this name is here: give one of the two another name';
  const when = until === null ? '' : ` (${new Date(until).toISOString()})`;
  return `a worker of this name was here just now, from another folder: it may come back until its word has run out${when}`;
}

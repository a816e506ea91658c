/** `worker-<name>`: whether the machine that drives some boards can be reached. Sections: machine, state, evolve, decide. */
import { createMachine } from 'xstate';
import type { WorkerCommand } from './commands.ts';
import { Draft, type Env, Rejected } from './deciding.ts';
import type { Meta, NewEvent, WorkerEvent } from './events.ts';
import { canonical } from './json.ts';
import { tableOf } from './table.ts';
import { VOCABULARY_FIRST_SAID } from './versions.ts';

// machine

export type WorkerStateName = 'none' | 'connected' | 'lost';

export const workerMachine = createMachine({
  id: 'worker',
  initial: 'none',
  states: {
    none: { on: { WorkerConnected: 'connected' } },
    connected: {
      on: { WorkerConnected: 'connected', WorkerRenewed: 'connected', WorkerLost: 'lost' },
    },
    lost: { on: { WorkerConnected: 'connected' } },
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
  /** When it connected or was lost; milliseconds since the epoch. */
  readonly since: number;
  readonly reason: string | null;
}

/** Whether what it said of how long it is here still holds; never of one that said nothing. */
export const keepsWord = ({ state, until }: WorkerState, now: number): boolean =>
  state === 'connected' && until !== null && until > now;

export const initialWorker: WorkerState = {
  state: workerTable.initial,
  boards: [],
  jobLimit: null,
  until: null,
  tokenKey: null,
  boardUrl: null,
  vocabulary: { reads: VOCABULARY_FIRST_SAID, writes: 1 },
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
      const { boards, vocabulary = initialWorker.vocabulary } = event.data;
      return {
        state,
        since,
        boards,
        jobLimit,
        until,
        tokenKey,
        boardUrl,
        vocabulary,
        reason: null,
      };
    }
    case 'WorkerRenewed':
      return { ...worker, state, until: event.data.until };
    case 'WorkerLost':
      return { ...worker, state, since, until: null, reason: event.data.reason };
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
  if (state.state === 'none') return new Rejected('no-such-worker', 'there is no such worker');
  if (command.type === 'RenewWorker') {
    if (state.state === 'lost')
      return new Rejected('worker-lost', `it was lost: ${state.reason}; it has to connect again`);
    if ((state.until ?? 0) < command.until) draft.emit('WorkerRenewed', { until: command.until });
  } else if (state.state === 'connected' && (state.until ?? 0) <= env.now) {
    draft.emit('WorkerLost', { reason: command.reason });
  }
  return draft.events;
}

function connect(
  draft: Draft<WorkerState, WorkerEvent>,
  { type: _, ...is }: Extract<WorkerCommand, { type: 'ConnectWorker' }>,
): NewEvent<WorkerEvent>[] {
  const { state } = draft;
  const { boards, until } = is;
  const same =
    state.state === 'connected' &&
    state.jobLimit === (is.jobLimit ?? null) &&
    state.tokenKey === (is.tokenKey ?? null) &&
    state.boardUrl === (is.boardUrl ?? null) &&
    canonical(state.vocabulary) === canonical(is.vocabulary ?? initialWorker.vocabulary) &&
    (state.until === null) === (until === undefined) &&
    boards.length === state.boards.length &&
    boards.every((b, i) => b === state.boards[i]);
  if (!same) draft.emit('WorkerConnected', is);
  else if (until !== undefined && (state.until ?? 0) < until)
    draft.emit('WorkerRenewed', { until });
  return draft.events;
}

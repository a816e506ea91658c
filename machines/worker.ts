/** `worker-<name>`: whether the machine that drives some boards can be reached. Sections: machine, state, evolve, decide. */
import { createMachine } from 'xstate';
import type { WorkerCommand } from './commands.ts';
import { Draft, type Env, Rejected } from './deciding.ts';
import type { Meta, NewEvent, WorkerEvent } from './events.ts';
import { tableOf } from './table.ts';

// machine

export type WorkerStateName = 'none' | 'connected' | 'lost';

export const workerMachine = createMachine({
  id: 'worker',
  initial: 'none',
  states: {
    none: { on: { WorkerConnected: 'connected' } },
    connected: { on: { WorkerConnected: 'connected', WorkerLost: 'lost' } },
    lost: { on: { WorkerConnected: 'connected' } },
  },
});

export const workerTable = tableOf<WorkerStateName>(workerMachine);

// state

export interface WorkerState {
  readonly state: WorkerStateName;
  readonly boards: readonly string[];
  /** When it connected or was lost; milliseconds since the epoch. */
  readonly since: number;
  readonly reason: string | null;
}

export const initialWorker: WorkerState = {
  state: workerTable.initial,
  boards: [],
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
  return event.type === 'WorkerConnected'
    ? { state, since, boards: event.data.boards, reason: null }
    : { ...worker, state, since, reason: event.data.reason };
}

// decide

export function decideWorker(
  command: WorkerCommand,
  state: WorkerState,
  env: Env,
): NewEvent<WorkerEvent>[] | Rejected {
  const draft = new Draft<WorkerState, WorkerEvent>(state, env, evolveWorker);
  if (command.type === 'ConnectWorker') {
    const { boards } = command;
    const same =
      boards.length === state.boards.length && boards.every((b, i) => b === state.boards[i]);
    if (state.state !== 'connected' || !same) draft.emit('WorkerConnected', { boards });
  } else {
    if (state.state === 'none') return new Rejected('no-such-worker', 'there is no such worker');
    if (state.state === 'connected') draft.emit('WorkerLost', { reason: command.reason });
  }
  return draft.events;
}

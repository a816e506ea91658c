/**
 * A flat XState machine as evolve's transition table: which event is legal in which state, and where it leads.
 *
 * The table is read off the machine once, with xstate's own `transition()`. A fold then costs a map look-up and
 * not an actor an event, and an illegal event is an error instead of silence (STYLE.md, "XState v5 here").
 */
import { type AnyMachineSnapshot, type AnyStateMachine, transition } from 'xstate';

export class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition';
  readonly code = 'illegal-transition';
  readonly machine: string;
  readonly state: string;
  readonly eventType: string;
  constructor(machine: string, state: string, eventType: string) {
    super(`${machine}: ${eventType} is not legal in state ${state}`);
    this.machine = machine;
    this.state = state;
    this.eventType = eventType;
  }
}

export interface Table<State extends string> {
  readonly id: string;
  readonly initial: State;
  readonly states: readonly State[];
  /** Every legal step as [from, event type, to], in the machine's own order. */
  readonly steps: readonly (readonly [State, string, State])[];
  isLegal(state: State, eventType: string): boolean;
  isFinal(state: State): boolean;
  /** @throws IllegalTransition */
  next(state: State, eventType: string): State;
}

/** Reads the table off a machine. @throws when the machine does more than name states and events. */
export function tableOf<State extends string>(machine: AnyStateMachine): Table<State> {
  const states = Object.keys(machine.root.states) as State[];
  const steps: [State, string, State][] = [];
  const next = new Map<State, Map<string, State>>();
  for (const state of states) {
    const from = new Map<string, State>();
    next.set(state, from);
    const snapshot = machine.resolveState({ value: state, context: {} }) as AnyMachineSnapshot;
    for (const type of machine.root.states[state]?.ownEvents ?? []) {
      const [after, effects] = transition(machine, snapshot, { type });
      if (effects.length > 0) throw new Error(`${machine.id}: ${type} in ${state} has effects`);
      if (!snapshot.can({ type }) || typeof after.value !== 'string')
        throw new Error(`${machine.id}: ${type} in ${state} is not a plain step`);
      steps.push([state, type, after.value as State]);
      from.set(type, after.value as State);
    }
  }
  const initial = states.find((s) => machine.root.initial.target[0]?.key === s);
  if (initial === undefined) throw new Error(`${machine.id}: no initial state`);
  return {
    id: machine.id,
    initial,
    states,
    steps,
    isLegal: (state, eventType) => next.get(state)?.has(eventType) === true,
    isFinal: (state) => machine.root.states[state]?.type === 'final',
    next: (state, eventType) => {
      const to = next.get(state)?.get(eventType);
      if (to === undefined) throw new IllegalTransition(machine.id, state, eventType);
      return to;
    },
  };
}

/** `{ A: target, B: target, ... }`: the same target for several events. */
export function all<T extends string, S extends string>(
  types: readonly T[],
  target: S,
): Record<T, S> {
  return Object.fromEntries(types.map((type) => [type, target])) as Record<T, S>;
}

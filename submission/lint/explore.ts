/** All that a group's programs may come to, as far as it is worth to look: one run for each set of choices. */
import type { JobDefinition } from '../../machines/definition.ts';
import { converse } from './conversation.ts';
import type { FaultPoint, MemberProgram, Outcome } from './outcome.ts';
import type { Oracle } from './program-run.ts';

export interface Exploration {
  readonly outcomes: readonly Outcome[];
  /** Whether every set of choices was looked at. */
  readonly isAll: boolean;
  /** What comes of it where one thing goes wrong that a script foresees, as far as somebody is left waiting. */
  readonly faulty: readonly { readonly fault: FaultPoint; readonly outcome: Outcome }[];
  /** Whether all of that was looked at, or enough was found. */
  readonly areFaultsAll: boolean;
}

/** How much is looked at: runs, and calls in all of them. */
export interface Effort {
  readonly runsMax: number;
  readonly callsMax: number;
}
const MUCH: Effort = { runsMax: 256, callsMax: 60_000 };
/** While somebody waits for another answer. */
export const LITTLE: Effort = { runsMax: 16, callsMax: 3_000 };
/** Faults that are told of, those that are tried, and the calls that this may take. */
const FAULTS_TOLD_MAX = 10;
const FAULTS_MAX = 120;
const FAULT_CALLS_MAX = 30_000;

/** How often a loop is turned of which nobody knows how often. */
const TURNS = [1, 0, 2];

export function explore(
  definition: Pick<JobDefinition, 'countsSelf' | 'roles'>,
  members: readonly MemberProgram[],
  { runsMax, callsMax }: Effort = MUCH,
): Exploration {
  const outcomes: Outcome[] = [];
  let calls = 0;
  let path: number[] | undefined = [];
  while (path !== undefined && outcomes.length < runsMax && calls < callsMax) {
    const choices: Choices = new Choices(path);
    const outcome = converse(definition, members, choices);
    outcomes.push(outcome);
    calls += outcome.calls;
    path = choices.next();
  }
  const isGood = outcomes.every(({ stuck }) => stuck.length === 0);
  const faults = isGood
    ? withFaults(definition, members, outcomes, Math.min(callsMax, FAULT_CALLS_MAX))
    : { faulty: [], areFaultsAll: true };
  return { outcomes, isAll: path === undefined, ...faults };
}

/** One thing at a time goes wrong, all else goes well. */
function withFaults(
  definition: Pick<JobDefinition, 'countsSelf' | 'roles'>,
  members: readonly MemberProgram[],
  outcomes: readonly Outcome[],
  callsMax: number,
): Pick<Exploration, 'faulty' | 'areFaultsAll'> {
  const points = new Map<string, FaultPoint>();
  for (const { faults } of outcomes)
    for (const one of faults) {
      const { file, line, column } = one.at;
      const key = `${members[one.member]?.role} ${one.what} ${file}:${line}:${column}`;
      if (!points.has(key)) points.set(key, one);
    }
  const faulty: { fault: FaultPoint; outcome: Outcome }[] = [];
  let calls = 0;
  let tried = 0;
  for (const fault of points.values()) {
    if (faulty.length >= FAULTS_TOLD_MAX) break;
    if (tried >= FAULTS_MAX || calls > callsMax) return { faulty, areFaultsAll: false };
    tried += 1;
    const outcome = converse(definition, members, new Choices([]), fault);
    calls += outcome.calls;
    if (outcome.stuck.length > 0) faulty.push({ fault, outcome });
  }
  return { faulty, areFaultsAll: true };
}

/** Takes the ways of a path, then the first of each; remembers which others there were. */
class Choices implements Oracle {
  readonly #path: readonly number[];
  readonly #taken: { index: number; count: number }[] = [];
  readonly #known = new Map<string, number>();

  constructor(path: readonly number[]) {
    this.#path = path;
  }

  #choose(key: string, options: readonly number[]): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    let index = 0;
    if (options.length > 1) {
      index = this.#path[this.#taken.length] ?? 0;
      this.#taken.push({ index, count: options.length });
    }
    const chosen = options[index] ?? 0;
    this.#known.set(key, chosen);
    return chosen;
  }

  way(key: string, likely: readonly number[]): number {
    return this.#choose(key, likely);
  }

  turns(key: string, atLeast: number): number {
    return this.#choose(
      key,
      TURNS.filter((turns) => turns >= atLeast),
    );
  }

  /** The next path, depth first; `undefined`: that was the last. */
  next(): number[] | undefined {
    const taken = [...this.#taken];
    for (let last = taken.pop(); last !== undefined; last = taken.pop())
      if (last.index + 1 < last.count) return [...taken.map(({ index }) => index), last.index + 1];
    return undefined;
  }
}

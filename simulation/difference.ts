/** In which statement two plans differ, for a person. */
import type { Plan } from '../scheduler/types.ts';
import { membersText } from './filling.ts';

/** What the other plan says first that this one does not. */
export function differenceOf(one: Plan, other: Plan): string | undefined {
  const said = new Set(statementsOf(one));
  const others = statementsOf(other);
  const added = others.find((says) => !said.has(says));
  if (added !== undefined) return added;
  const left = new Set(others);
  const missing = [...said].find((says) => !left.has(says));
  if (missing !== undefined) return `it is not so that ${missing}`;
  return JSON.stringify(one) === JSON.stringify(other) ? undefined : 'jobs start in another order';
}

function statementsOf({ starts, reservation }: Plan): string[] {
  const said = starts.map(({ job, members }) => `job ${job} starts on ${membersText(members)}`);
  if (reservation === null) return said;
  const { job, at, boards } = reservation;
  return [...said, `job ${job} is promised ${boards.join(', ')} by ${at / 1000} s`];
}

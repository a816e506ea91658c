/** The results of a job as documents need them: suite by suite, each with the name of its place in the group. */
import type { z } from 'zod';
import { placeNames } from '../../projections/result-words.ts';
import type { CaseView, SuiteView } from '../../projections/views.ts';
import type { Results } from '../schemas.ts';

export type JobResults = z.infer<typeof Results>;

export interface SuiteCases extends SuiteView {
  /** Such as `client[0]`: the same in every run of a job, whichever boards it got. */
  place: string;
  cases: CaseView[];
}

/** In the order of the log, also those without a case. */
export function bySuite({ members, suites, cases }: JobResults): SuiteCases[] {
  const places = placeNames(members);
  const of = new Map<string, CaseView[]>();
  const keyOf = ({ device, suite }: { device: string; suite: string }) => `${device} ${suite}`;
  for (const is of cases) {
    const key = keyOf(is);
    const there = of.get(key);
    if (there === undefined) of.set(key, [is]);
    else there.push(is);
  }
  return suites.map((suite) => ({
    ...suite,
    place: places.get(suite.device) ?? suite.device,
    cases: of.get(keyOf(suite)) ?? [],
  }));
}

/** A job that ended, and otherwise than well; a document without a failed case must not pass for it. */
export const endedBadly = ({ state }: JobResults): boolean =>
  state !== 'complete' && state !== 'submitted' && state !== 'allocated';

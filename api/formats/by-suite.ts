/** The results of a job as documents need them: suite by suite, each with the name of its place in the group. */
import type { z } from 'zod';
import { placeNames } from '../../projections/results.ts';
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

/** `set/case`. */
export const caseName = ({ set, case: name }: Pick<CaseView, 'set' | 'case'>): string =>
  set === undefined ? name : `${set}/${name}`;

/** Why a suite has no case, in words. */
export function noCaseText({ state }: SuiteView): string {
  switch (state) {
    case 'prepared':
      return 'it has not begun';
    case 'running':
      return 'no case so far';
    case 'notRun':
      return 'it did not run: its member had ended';
    case 'cutOff':
      return 'no case came before its member ended';
    default:
      return 'no case came';
  }
}

/** A job that ended, and otherwise than well; a document without a failed case must not pass for it. */
export const endedBadly = ({ state }: JobResults): boolean =>
  state !== 'complete' && state !== 'submitted' && state !== 'allocated';

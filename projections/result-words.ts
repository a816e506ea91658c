/** What results are called in tables and documents alike. Pure. */
import type { CaseView, MemberView, SuiteView } from './views.ts';

/** `client[0]`: the same in every run of a job, whichever boards it got. */
export const placeName = ({ role, index }: Pick<MemberView, 'role' | 'index'>): string =>
  `${role}[${index}]`;

/** The place of each device in the group. */
export const placeNames = (members: readonly MemberView[]): ReadonlyMap<string, string> =>
  new Map(members.map((member) => [member.device, placeName(member)]));

/** `set/case`. */
export const caseName = ({ set, case: name }: Pick<CaseView, 'set' | 'case'>): string =>
  set === undefined ? name : `${set}/${name}`;

/** `93.5 Mbit/s`; empty: nothing was measured. */
export const measuredText = (is: Pick<CaseView, 'measurement' | 'units'>): string =>
  [is.measurement, is.units].filter((part) => part !== undefined).join(' ');

/** Why a suite has no case. */
export function noCaseText({ state }: Pick<SuiteView, 'state'>): string {
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

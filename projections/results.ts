/**
 * The combined results of a group (seed: "combine the results"), from the events of its job: what the boards
 * recorded, and a case for every call of the MultiNode API, by the engine's decision (SEMANTICS 2.3).
 */

import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import { missingText } from '../machines/wording.ts';
import { type CaseView, iso } from './views.ts';

export interface Results {
  /** In the log's order; of a case recorded twice both stand, and the last counts. */
  cases: CaseView[];
  /** How many cases count with each result. */
  summary: { pass: number; fail: number; skip: number; unknown: number };
}

/** Where the verbs of a member that has started no suite are put. */
const NO_SUITE = 'lava';

type Started = Extract<JobEvent, { type: 'WaitStarted' }>['data'];
type Outcome = Pick<CaseView, 'case' | 'result'> & { note?: string };

export function resultsOf(events: Iterable<RecordedEvent>): Results {
  const roles = new Map<string, string>();
  const suites = new Map<string, string>();
  const waits = new Map<number, Started>();
  const cases: CaseView[] = [];
  for (const recorded of events) {
    const event = recorded as RecordedEvent<JobEvent>;
    const add = (device: string, is: Omit<CaseView, 'device' | 'role' | 'at'>) =>
      cases.push({ device, role: roles.get(device) ?? '', ...is, at: iso(event.meta.at) });
    if (event.type === 'JobAllocated')
      for (const { device, role } of event.data.members) roles.set(device, role);
    else if (event.type === 'SuiteStarted') suites.set(event.data.member, event.data.suite);
    else if (event.type === 'WaitStarted') waits.set(event.data.wait, event.data);
    else if (event.type === 'ResultRecorded') {
      const { member, ...is } = event.data;
      add(member, is);
    }
    const outcome = outcomeOf(event, waits);
    if (outcome !== undefined && 'member' in event.data)
      add(event.data.member, { suite: suites.get(event.data.member) ?? NO_SUITE, ...outcome });
  }
  return { cases, summary: summaryOf(cases) };
}

/** The case of one call of the API, if this event decided one. */
function outcomeOf(event: JobEvent, waits: ReadonlyMap<number, Started>): Outcome | undefined {
  switch (event.type) {
    case 'MessageSent':
      if (event.data.verb === 'sync') return undefined;
      return { case: `multinode-send-${event.data.message}`, result: 'pass' };
    case 'RequestRefused': {
      const { verb, message, reason } = event.data;
      if (message === undefined) return undefined;
      return { case: `multinode-${verb}-${message}`, result: 'fail', note: reason };
    }
    case 'WaitReleased':
      return { case: caseOf(waits.get(event.data.wait)), result: 'pass' };
    case 'WaitTimedOut':
    case 'WaitUnreachable': {
      const how = event.type === 'WaitTimedOut' ? 'timed out' : 'can never be released';
      const note = `${how}: waiting for ${missingText(event.data)}`;
      return { case: caseOf(waits.get(event.data.wait)), result: 'fail', note };
    }
    case 'WaitAbandoned':
      return {
        case: caseOf(waits.get(event.data.wait)),
        result: 'fail',
        note: `given up: ${GIVEN_UP[event.data.why]}`,
      };
    default:
      return undefined;
  }
}

type Abandoned = Extract<JobEvent, { type: 'WaitAbandoned' }>['data'];
const GIVEN_UP: Record<Abandoned['why'], string> = {
  'verb-ended': 'the verb was ended before its wait was over',
  'connection-lost': 'its connection broke and did not come back',
  'member-ended': 'its member ended',
};

const caseOf = (wait: Started | undefined): string =>
  wait === undefined ? 'multinode-wait' : `multinode-${wait.verb}-${wait.message}`;

function summaryOf(cases: readonly CaseView[]): Results['summary'] {
  const last = new Map(
    cases.map((c) => [JSON.stringify([c.device, c.suite, c.set, c.case]), c.result]),
  );
  const summary = { pass: 0, fail: 0, skip: 0, unknown: 0 };
  for (const result of last.values()) summary[result]++;
  return summary;
}

/**
 * The combined results of a group (seed: "combine the results"), from the events of its job: what the boards
 * recorded, and a case for every call of the MultiNode API, by the engine's decision (SEMANTICS 2.3). A case that a
 * definition expects and that did not come is one that failed (SEMANTICS 2.4).
 */

import type { DataOf, JobEvent, RecordedEvent } from '../machines/events.ts';
import { measured } from '../machines/measurement.ts';
import { standing, tellEnd } from './telling.ts';
import {
  type AttachmentView,
  type CaseView,
  type GarbledView,
  iso,
  type MemberView,
  type ResultCounts,
  type ResultsView,
  type SuiteView,
} from './views.ts';

/** Where the verbs of a member that has started no suite are put. */
const NO_SUITE = 'lava';

type Started = DataOf<'WaitStarted'>;
type Outcome = Pick<CaseView, 'case' | 'result'> & { note?: string };
type Case = Omit<CaseView, 'counts'>;

/** A suite as far as it is told. */
interface Suite extends Pick<SuiteView, 'device' | 'role' | 'suite'> {
  told: Pick<SuiteView, 'definition' | 'source'>;
  expected?: ReadonlySet<string>;
  startedAt?: string;
  endedAt?: string;
  isPrepared: boolean;
  /** That its expected cases are due was noted. */
  isDue: boolean;
}
/** The place, in the order of the log, of the cases that a suite expects and does not have. */
interface Due {
  of: Suite;
  at: string;
}

export function resultsOf(events: Iterable<RecordedEvent>): ResultsView {
  const fold = new ResultsFold();
  for (const event of events) fold.take(event);
  return fold.results();
}

/** Takes in the events of one job in their order; what it keeps grows with the cases, not with what was said. */
export class ResultsFold {
  readonly #members: MemberView[] = [];
  readonly #roles = new Map<string, string>();
  readonly #suites = new Map<string, Suite>();
  readonly #over = new Set<string>();
  /** The suite that each member is in. */
  readonly #now = new Map<string, string>();
  readonly #waits = new Map<number, Started>();
  readonly #entries: (Case | Due)[] = [];
  readonly #garbled: GarbledView[] = [];
  readonly #attachments: AttachmentView[] = [];

  take(recorded: RecordedEvent): void {
    const event = recorded as RecordedEvent<JobEvent>;
    const at = iso(event.meta.at);
    if (event.type === 'JobAllocated') this.#allocated(event.data);
    if (!('member' in event.data)) return;
    this.#takeSuite(event, at);
    const device = event.data.member;
    const outcome = outcomeOf(event, this.#waits);
    if (event.type === 'WaitStarted') this.#waits.set(event.data.wait, event.data);
    if (outcome === undefined) return;
    if ('wait' in event.data) this.#waits.delete(event.data.wait);
    this.#add({ device, suite: this.#now.get(device) ?? NO_SUITE, ...outcome }, at);
  }

  /** Everything so far. */
  results(): ResultsView {
    const came = new Map<string, Set<string>>();
    for (const entry of this.#entries)
      if ('case' in entry) {
        const key = suiteKey(entry);
        came.set(key, (came.get(key) ?? new Set()).add(entry.case));
      }
    const all = this.#entries.flatMap((entry) =>
      'case' in entry
        ? [this.#withExpectation(entry)]
        : missingCases(entry, came.get(suiteKey(entry.of)) ?? new Set()),
    );
    const keys = all.map(caseKey);
    const last = new Map(keys.map((key, place) => [key, place]));
    const cases = all.map(({ at, ...is }, place): CaseView => {
      return { ...is, counts: last.get(keys[place] ?? '') === place, at };
    });
    const summary = none();
    const counts = new Map<string, ResultCounts>();
    for (const is of cases) {
      const key = suiteKey(is);
      const ofSuite = counts.get(key) ?? none();
      counts.set(key, ofSuite);
      if (!is.counts) continue;
      ofSuite[is.result]++;
      summary[is.result]++;
    }
    return {
      members: this.#members,
      suites: [...this.#suites].map(([key, suite]) => this.#viewOf(suite, counts.get(key))),
      cases,
      garbled: this.#garbled,
      attachments: this.#attachments,
      summary,
    };
  }

  #allocated({ members }: DataOf<'JobAllocated'>): void {
    const counted = new Map<string, number>();
    for (const { device, role } of members) {
      const index = counted.get(role) ?? 0;
      counted.set(role, index + 1);
      this.#members.push({ device, role, index });
      this.#roles.set(device, role);
    }
  }

  /** What tests told beside the calls of the API. */
  #takeSuite(event: RecordedEvent<JobEvent>, at: string): void {
    switch (event.type) {
      case 'SuitePrepared':
      case 'SuiteStarted':
      case 'SuiteEnded':
        this.#suiteTold(event, at);
        return;
      case 'ResultRecorded': {
        const { member: device, measurement, units, note, ...is } = event.data;
        const { measurement: number, ...said } = measured({ measurement, units, note });
        const numbers = number && { measurement: number.text, value: number.value };
        const url = note !== undefined && isAddress(note) ? { url: note } : {};
        this.#add({ device, ...is, ...numbers, ...said, ...url }, at);
        return;
      }
      case 'SignalGarbled': {
        const { member: device, ...is } = event.data;
        this.#garbled.push({ ...this.#who(device), ...is, at });
        return;
      }
      case 'AttachmentKept': {
        const { member: device, ...is } = event.data;
        this.#suite(device, is.suite);
        this.#attachments.push({ ...this.#who(device), ...is, at });
        return;
      }
      case 'MemberCompleted':
      case 'MemberFailed':
      case 'MemberTimedOut':
      case 'MemberCancelled': {
        const device = event.data.member;
        this.#over.add(device);
        for (const suite of this.#suites.values())
          if (suite.device === device) this.#due(suite, at);
      }
    }
  }

  #suiteTold(
    event: Extract<RecordedEvent<JobEvent>, { type: `Suite${string}` }>,
    at: string,
  ): void {
    const { member: device, suite: name } = event.data;
    const suite = this.#suite(device, name);
    if (event.type !== 'SuiteEnded') {
      const { definition } = event.data;
      if (definition !== undefined) suite.told = { ...suite.told, definition };
    }
    if (event.type === 'SuitePrepared') {
      const { source, expected } = event.data;
      suite.isPrepared = true;
      suite.told = { ...suite.told, source };
      if (expected !== undefined) suite.expected = new Set(expected);
    } else if (event.type === 'SuiteStarted') {
      this.#now.set(device, name);
      suite.startedAt ??= at;
      delete suite.endedAt;
    } else {
      suite.endedAt = at;
      this.#due(suite, at);
    }
  }

  /** From here on a case that the suite expects and that has not come is missing. */
  #due(suite: Suite, at: string): void {
    if (suite.expected === undefined || suite.isDue) return;
    suite.isDue = true;
    this.#entries.push({ of: suite, at });
  }

  #add(is: Omit<Case, 'role' | 'at'>, at: string): void {
    const { device, ...rest } = is;
    this.#suite(device, is.suite);
    this.#entries.push({ ...this.#who(device), ...rest, at });
  }

  #suite(device: string, suite: string): Suite {
    const key = suiteKey({ device, suite });
    const known = this.#suites.get(key);
    if (known !== undefined) return known;
    const is = { ...this.#who(device), suite, told: {}, isPrepared: false, isDue: false };
    this.#suites.set(key, is);
    return is;
  }

  #who = (device: string) => ({ device, role: this.#roles.get(device) ?? '' });

  #viewOf(suite: Suite, summary = none()): SuiteView {
    const { told, expected, startedAt, endedAt } = suite;
    const state = this.#stateOf(suite);
    return {
      ...this.#who(suite.device),
      suite: suite.suite,
      ...told,
      ...(expected !== undefined && { expected: [...expected] }),
      ...(state !== undefined && { state }),
      ...(startedAt !== undefined && { startedAt }),
      ...(endedAt !== undefined && { endedAt }),
      summary,
    };
  }

  #stateOf({ device, isPrepared, startedAt, endedAt }: Suite): SuiteView['state'] {
    const isOver = this.#over.has(device);
    if (endedAt !== undefined) return 'ended';
    if (startedAt !== undefined) return isOver ? 'cutOff' : 'running';
    if (isPrepared) return isOver ? 'notRun' : 'prepared';
    return undefined;
  }

  /** A case of the definition's own that it does not expect says so. Calls of the API and steps are nobody's to expect. */
  #withExpectation(is: Case): Case {
    const { expected } = this.#suites.get(suiteKey(is)) ?? {};
    if (expected === undefined || expected.has(is.case) || isOurs(is.case)) return is;
    return { ...is, note: is.note === undefined ? 'not expected' : `${is.note}; not expected` };
  }
}

const isOurs = (name: string): boolean => name.startsWith('multinode-') || STEP_CASES.has(name);
/** The cases of steps that ended other than well. */
const STEP_CASES: ReadonlySet<string> = new Set(['install', 'exit']);

/** The expected cases that are not among those that came. */
function missingCases({ of, at }: Due, came: ReadonlySet<string>): Case[] {
  const { device, role, suite } = of;
  return [...(of.expected ?? [])]
    .filter((name) => !came.has(name))
    .map((name) => ({ device, role, suite, case: name, result: 'fail', note: MISSING_NOTE, at }));
}
const MISSING_NOTE = 'expected, and did not come';

const isAddress = (text: string): boolean =>
  /^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(text) && URL.canParse(text);

const suiteKey = ({ device, suite }: { device: string; suite: string }): string =>
  `${device} ${suite}`;
const caseKey = ({ device, suite, set, case: name }: Case): string =>
  JSON.stringify([device, suite, set, name]);

const none = (): ResultCounts => ({ pass: 0, fail: 0, skip: 0, unknown: 0 });

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
    case 'WaitUnreachable':
    case 'WaitAbandoned': {
      const started = waits.get(event.data.wait);
      const note = standing(tellEnd(event, started)).join('\n');
      return { case: caseOf(started), result: 'fail', note };
    }
    default:
      return undefined;
  }
}

const caseOf = (wait: Started | undefined): string =>
  wait === undefined ? 'multinode-wait' : `multinode-${wait.verb}-${wait.message}`;

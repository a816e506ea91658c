/** Two runs of a job, told: the first divergence with what stood around it, what was asked for otherwise, and what came late. */
import type { Action, JobDefinition } from '../machines/definition.ts';
import type { DataOf, JobEvent, RecordedEvent } from '../machines/events.ts';
import { jobTable } from '../machines/job/job.ts';
import type { BoardCalls, Call } from './calls.ts';
import type { DiffView, DivergenceView } from './compared-views.ts';
import { type Compared, compare, type Divergence, type Pair } from './diff.ts';
import type { Evidence } from './evidence.ts';
import { Moments } from './moments.ts';
import { AnswerRefused } from './refused.ts';
import {
  allocatedAt,
  callKey,
  type RunFacts,
  timed,
  type Usual,
  usualAmong,
  usualOf,
} from './run-facts.ts';
import { eventPlace } from './state-at.ts';

type Events = readonly RecordedEvent<JobEvent>[];
type Run = Pick<Evidence, 'job' | 'events' | 'sources' | 'past'>;

/** How many calls are told before a divergence, and how many late ones. */
const CONTEXT = 3;
const LATE_MAX = 10;

/** @param found it was looked for: the last run that passed */
export function diffOf(good: Run, bad: Run, found: boolean): DiffView {
  const compared = compare(good.events, bad.events);
  const { pairs, alone, divergences } = compared;
  const moments = { good: new Moments(good.events), bad: new Moments(bad.events) };
  const views = divergences.map((divergence) => divergenceView(divergence, moments));
  const [first, ...others] = views;
  const failure = failureOf(bad.events);
  const isLate = first !== undefined && failure !== undefined;
  const firstEvent = divergences[0]?.event ?? 0;
  return {
    id: bad.job,
    with: good.job,
    found,
    states: { good: stateOf(good.events), bad: stateOf(bad.events) },
    equal: views.length === 0 && alone.good.length === 0 && alone.bad.length === 0,
    pairs: pairs.map(boardsOf),
    ...(first !== undefined && { first }),
    others,
    ...(failure !== undefined && { failure: eventPlace(moments.bad, failure) }),
    ...(failure !== undefined && { beforeFailure: isLate && firstEvent < failure }),
    alone: {
      good: alone.good.map(({ device }) => device),
      bad: alone.bad.map(({ device }) => device),
    },
    changed: changedIn(good, bad),
    timing: timingOf(compared, good, bad),
    past: (bad.past ?? []).map(({ job }) => job),
    noise: [...noiseOf(pairs), ...noiseOfRoles(good, bad)],
  };
}

/** The last run of the same definition that passed. @throws AnswerRefused `no-good-run` */
export function goodRun({ job, past = [] }: Pick<Evidence, 'job' | 'past'>): number {
  const [last] = past;
  if (last !== undefined) return last.job;
  const why = `no run of the definition of job ${job} has passed before it, as far as one looks back`;
  throw new AnswerRefused('no-good-run', `${why}: say which run is the good one`);
}

function stateOf(events: Events): DiffView['states']['good'] {
  // Its table alone: what was said in the conversation is not asked for.
  const state = events.reduce((is, { type }) => jobTable.next(is, type), jobTable.initial);
  if (state === 'none') throw new AnswerRefused('no-such-event', 'the job has no events');
  return state;
}

/** The first event by which the run is no good one. */
function failureOf(events: Events): number | undefined {
  return events.find(
    ({ type, data }) => FAILS.has(type) || (type === 'ResultRecorded' && data.result === 'fail'),
  )?.version;
}
const FAILS: ReadonlySet<string> = new Set<JobEvent['type']>([
  'JobRejected',
  'WaitTimedOut',
  'WaitUnreachable',
  'MemberFailed',
  'MemberTimedOut',
  'MemberCancelled',
  'JobFailed',
  'JobTimedOut',
  'JobCancelled',
]);

// divergences

function divergenceView(is: Divergence, moments: { good: Moments; bad: Moments }): DivergenceView {
  const { pair, call, good, bad, kind } = is;
  const place = (which: 'good' | 'bad', of: Call | undefined) =>
    of === undefined
      ? undefined
      : eventPlace(moments[which], kind === 'other-outcome' ? of.endEvent : of.event);
  const before = (which: 'good' | 'bad') =>
    pair[which].calls
      .slice(Math.max(0, call - CONTEXT), call)
      .map(({ event }) => eventPlace(moments[which], event));
  const [left, right] = [place('good', good), place('bad', bad)];
  return {
    boards: boardsOf(pair),
    kind,
    call: call + 1,
    says: sentenceOf(is),
    ...(left !== undefined && { good: left }),
    ...(right !== undefined && { bad: right }),
    before: { good: before('good'), bad: before('bad') },
  };
}

const boardsOf = ({ good, bad: { role, index, device } }: Pair): DiffView['pairs'][number] => ({
  role,
  index,
  good: good.device,
  bad: device,
});

function sentenceOf({ pair, good, bad, kind }: Divergence): string {
  const who = `${pair.bad.device} (${pair.bad.role})`;
  const outcome = (call: Call | undefined) => call?.outcome || 'did not come to an end';
  switch (kind) {
    case 'other-outcome':
      return `${good?.what} of ${who}: ${outcome(bad)}, and in the good run ${outcome(good)}`;
    case 'missing-call':
      if (bad === undefined) return `${who} did not come to ${good?.what}`;
      return bad.what === 'end'
        ? `${who} ended ${bad.outcome} before ${good?.what}`
        : `${who} came to the ${bad.what} (${bad.outcome}) without ${good?.what}`;
    case 'extra-call':
      return `${who} went on to ${bad?.what}, where the good run had nothing more`;
    case 'other-call':
      return `${who} called ${bad?.what} where the good run called ${good?.what}`;
  }
}

// what was asked for, and what ran

function changedIn(good: Run, bad: Run): DiffView['changed'] {
  const changed: DiffView['changed'] = [];
  const note = (what: string, where: string, left: string, right: string) => {
    const is = { what, where, good: left, bad: right };
    if (left !== right && !changed.some((other) => JSON.stringify(other) === JSON.stringify(is)))
      changed.push(is);
  };
  const [left, right] = [definitionOf(good.events), definitionOf(bad.events)];
  if (left !== undefined && right !== undefined) compareDefinitions(left, right, note);
  const ran = preparedIn(good.events);
  for (const [where, suite] of preparedIn(bad.events)) {
    const other = ran.get(where);
    if (other === undefined) continue;
    compareSources(where, other, suite, note);
    if (other.sources !== suite.sources) compareFiles({ where, good, bad }, other, suite, note);
  }
  return changed;
}

type Note = (what: string, where: string, left: string, right: string) => void;

const definitionOf = ([first]: Events): JobDefinition | undefined =>
  first?.type === 'JobSubmitted' ? first.data.definition : undefined;

function compareDefinitions(left: JobDefinition, right: JobDefinition, note: Note): void {
  note('name', 'the job', left.name, right.name);
  note('timeout', 'the job', `${left.timeoutSeconds} s`, `${right.timeoutSeconds} s`);
  const roles = ({ roles: all }: JobDefinition) =>
    all
      .map(
        ({ role, count, deviceType, device, tags }) =>
          `${count} x ${role} of ${device ?? deviceType}${tags.map((tag) => ` ${tag}`).join('')}`,
      )
      .sort()
      .join(', ');
  note('roles', 'the job', roles(left), roles(right));
  const count = Math.max(left.actions.length, right.actions.length);
  for (let at = 0; at < count; at++) {
    const [one, other] = [left.actions[at], right.actions[at]];
    const where = `action ${at} ${(other ?? one)?.command}`;
    note('action', where, one?.command ?? 'none', other?.command ?? 'none');
    if (one === undefined || other === undefined || one.command !== other.command) continue;
    note('image', where, imageOf(one), imageOf(other));
    note('timeout', where, `${one.timeoutSeconds} s`, `${other.timeoutSeconds} s`);
    note('parameters', where, restOf(one), restOf(other));
  }
}

const imageOf = (action: Action): string =>
  action.command === 'deploy_linaro_image' ? action.parameters.image : '';
const restOf = (action: Action): string =>
  action.command === 'deploy_linaro_image' ? '' : JSON.stringify(action.parameters);

type Prepared = DataOf<'SuitePrepared'>;

/** By role and suite: boards of a role run the same. */
function preparedIn(events: Events): Map<string, Prepared> {
  const roles = new Map<string, string>();
  const out = new Map<string, Prepared>();
  for (const { type, data } of events) {
    if (type === 'JobAllocated')
      for (const { device, role } of data.members) roles.set(device, role);
    if (type === 'SuitePrepared') out.set(`${roles.get(data.member) ?? ''} ${data.suite}`, data);
  }
  return out;
}

function compareSources(where: string, left: Prepared, right: Prepared, note: Note): void {
  const text = ({ source }: Prepared) =>
    source.from === 'git'
      ? `${source.repository} ${source.path}`
      : source.from === 'url'
        ? source.url
        : source.from;
  const commit = ({ source }: Prepared) => (source.from === 'git' ? source.commit : '');
  note('definition', where, text(left), text(right));
  note('commit', where, commit(left), commit(right));
  const pairs = ({ parameters }: Prepared) =>
    parameters.map(([key, value]) => `${key}=${value}`).join(' ');
  note('parameters', where, pairs(left), pairs(right));
}

/** Which files of a checkout are others. */
function compareFiles(
  { where, good, bad }: { where: string; good: Run; bad: Run },
  left: Prepared,
  right: Prepared,
  note: Note,
): void {
  const filesOf = ({ sources }: Run, { member, suite }: Prepared) => {
    const list = sources.find((ran) => ran.member === member && ran.suite === suite)?.list;
    const files = [
      ...(list?.files ?? []),
      ...(list?.scripts.map((script) => ({ ...script, path: script.name })) ?? []),
    ];
    return new Map(files.map(({ path, digest }) => [path, digest.slice(0, DIGEST_SHOWN)]));
  };
  const [before, after] = [filesOf(good, left), filesOf(bad, right)];
  for (const path of new Set([...before.keys(), ...after.keys()]))
    note('file', `${where} ${path}`, before.get(path) ?? 'none', after.get(path) ?? 'none');
}
const DIGEST_SHOWN = 12;

// times, and what means nothing

/** Of each board up to where it parts from its counterpart: what comes after that comes at other times. */
function timingOf(
  { pairs, alone, divergences }: Compared,
  good: Run,
  bad: Run,
): DiffView['timing'] {
  const usual = usualIn([...pairs.map((pair) => pair.good), ...alone.good], good, bad.past ?? []);
  const late: DiffView['timing'] = [];
  const from = allocatedAt(bad.events);
  for (const pair of pairs) {
    const board = pair.bad;
    const { device, role } = board;
    const parts = divergences.find((one) => one.pair === pair);
    const until =
      parts === undefined ? undefined : parts.call + (parts.kind === 'other-outcome' ? 1 : 0);
    const same = { ...board, calls: board.calls.slice(0, until) };
    for (const { call, nth, gapMs } of timed(same, from)) {
      const note = (what: string, which: Measured, ms: number) => {
        const is = usual(which, board, call.what, nth);
        if (is === undefined || ms <= is.high) return;
        const [seconds, median] = [ms / 1000, is.median / 1000];
        late.push({ device, role, what, event: call.event, seconds, usual: median, runs: is.runs });
      };
      note(call.what, 'gaps', gapMs);
      // How long a wait lasts is the doing of others; how long a boot does is not.
      if (call.what === 'boot' && call.outcome !== '')
        note('the end of its boot', 'lasted', call.endAt - call.at);
    }
  }
  return late.sort((a, b) => b.seconds - b.usual - (a.seconds - a.usual)).slice(0, LATE_MAX);
}

type Measured = 'gaps' | 'lasted';
type UsualOf = (which: Measured, board: BoardCalls, what: string, nth: number) => Usual | undefined;

/** What is usual of a call: in the last runs, or where nobody knows those in the good run. */
function usualIn(boards: readonly BoardCalls[], good: Run, past: readonly RunFacts[]): UsualOf {
  if (past.length > 0)
    return (which, board, what, nth) => usualOf(past, which, callKey(board, what, nth));
  const from = allocatedAt(good.events);
  const known = new Map<string, Record<Measured, number | undefined>[]>();
  for (const board of boards)
    for (const { call, gapMs } of timed(board, from)) {
      const key = `${board.role}[${board.index}] ${call.what}`;
      const lasted = call.outcome === '' ? undefined : call.endAt - call.at;
      const facts = known.get(key) ?? [];
      facts.push({ gaps: gapMs, lasted });
      known.set(key, facts);
    }
  return (which, { role, index }, what, nth) => {
    const is = known.get(`${role}[${index}] ${what}`)?.[nth - 1]?.[which];
    return is === undefined ? undefined : usualAmong([is]);
  };
}

function noiseOf(pairs: readonly Pair[]): DiffView['noise'] {
  const count = (is: (good: BoardCalls, bad: BoardCalls) => number) =>
    pairs.reduce((sum, { good, bad }) => sum + is(good, bad), 0);
  const values = count(
    (good, bad) =>
      bad.calls.filter(
        ({ what, values: said }, at) =>
          good.calls[at]?.what === what && good.calls[at]?.values !== said,
      ).length,
  );
  const boards = count((good, bad) => (good.device === bad.device ? 0 : 1));
  return [
    { what: 'values and measurements that differ', count: values },
    { what: 'roles that other boards played', count: boards },
  ].filter((noise) => noise.count > 0);
}

/** Who stands where in `lava-group` follows the order of the roles. */
function noiseOfRoles(good: Run, bad: Run): DiffView['noise'] {
  const [left, right] = [good, bad].map(
    ({ events }) => definitionOf(events)?.roles.map(({ role }) => role) ?? [],
  );
  const count = right?.filter((role, at) => left?.includes(role) && left[at] !== role).length ?? 0;
  const isSame = left?.length === right?.length && count > 0;
  return isSame ? [{ what: 'roles that stand in another order', count }] : [];
}

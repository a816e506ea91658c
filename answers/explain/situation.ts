/**
 * All that a rule may look at: the group and its calls, which waits failed and who was missing from them, why each of these
 * did not come, and where in the files it stands. Made once for a job; everything in it is a value.
 */

import type { Evidence as Given } from '../evidence.ts';
import { Orders } from '../happens-before.ts';
import { type Place, Places } from '../places.ts';
import type { ConsoleLine } from './consoles.ts';
import { type Death, deathsOf } from './deaths.ts';
import { deathsInCases } from './deaths-in-cases.ts';
import type { Culprit, Evidence, Kind, Step } from './explanation.ts';
import {
  type Call,
  callName,
  decidedAt,
  type Group,
  hasFailed,
  isWait,
  type Mark,
  type Member,
  missingFrom,
  overAt,
  sendOf,
} from './facts.ts';
import { Graphs, sitesOfCall, surest } from './graphs.ts';
import { type Harm, harmsOf } from './harm.ts';

/** Why a member that a wait lacked had not come, as far as events tell. */
export type Absence =
  /** Deploying, booting, or not even that. */
  | { why: 'not-up' }
  /** It is over, and not because of what another did. */
  | { why: 'ended' }
  /** A script of it ended, so that what came after was not reached. */
  | { why: 'script-died'; death: Death }
  /** A verb of its own failed or was refused before. */
  | { why: 'verb-failed'; call: Call }
  /** It waits itself. */
  | { why: 'blocked'; in: Call }
  /** It came after the wait was over. */
  | { why: 'late'; call: Call }
  /** It had run to its end. */
  | { why: 'through' }
  /** Something of it still ran. */
  | { why: 'busy' };

/** A wait that failed, and one of those whom it lacked. */
export interface Gap {
  readonly wait: Call;
  readonly member: Member;
  readonly absence: Absence;
}

export interface Situation {
  readonly group: Group;
  readonly failed: readonly Call[];
  readonly gaps: readonly Gap[];
  readonly deaths: readonly Death[];
  readonly harms: ReadonlyMap<Member, Harm>;
  readonly before: Orders;
  readonly places: Places;
  readonly graphs: Graphs;
  /** Of each member the last lines of its console before its scripts or it itself ended. */
  readonly said: ReadonlyMap<string, readonly ConsoleLine[]>;
  /** The line that made a call. */
  placeOf(call: Call): Place | undefined;
}

/** What a rule found. */
export interface Finding {
  readonly kind: Kind;
  readonly culprit: Culprit | null;
  readonly missing: readonly string[];
  /** The first thing that went wrong: by it findings are ranked. */
  readonly first: { readonly member: Member | undefined; readonly version: number };
  readonly steps: readonly Step[];
  readonly evidence: readonly Evidence[];
  /** One sentence, without a full stop. */
  readonly summary: string;
  readonly advice: readonly string[];
}

/** A rule, with its page. `find` is pure, and says nothing where it does not know. */
export interface Cause {
  readonly kind: Kind;
  readonly title: string;
  /** For people: when it is told, how it is seen, how it is mended. Paragraphs. */
  readonly page: string;
  /** A failure in a few lines. */
  readonly example: string;
  find(situation: Situation): readonly Finding[];
}

export function situationOf(
  group: Group,
  given: Pick<Given, 'sources' | 'events'>,
  said: ReadonlyMap<string, readonly ConsoleLine[]>,
): Situation {
  const commands = commandsOf(group);
  const places = new Places(given.sources, commands);
  const graphs = new Graphs(group, places, commands);
  const roles = rolesOf(group);
  const known = new Map<Call, Place | undefined>();
  const placeOf = (call: Call) => {
    if (!known.has(call)) known.set(call, placeOfCall(places, graphs, call, roles));
    return known.get(call);
  };
  const ended = group.members.flatMap(deathsOf);
  const failed = group.members
    .flatMap((member) =>
      member.calls.filter((call) => hasFailed(call) && counts(group, ended, call)),
    )
    .sort((a, b) => overAt(group, a).version - overAt(group, b).version || a.version - b.version);
  const lacked = failed.flatMap((wait) =>
    missingFrom(group, wait).map((member) => ({ wait, member })),
  );
  const gaps = lacked.map(({ wait, member }) => ({
    wait,
    member,
    absence: absenceOf(group, ended, wait, member),
  }));
  const deaths = [...ended, ...deathsInCases(graphs, lacked)];
  return {
    group,
    failed,
    gaps,
    deaths,
    harms: harmsOf(group.members, deaths),
    before: new Orders(given.events),
    places,
    graphs,
    said,
    placeOf,
  };
}

export const rolesOf = ({ members }: Group): Set<string> =>
  new Set(members.map(({ role }) => role));

const wantedOf = (call: Call, roles: ReadonlySet<string>) => ({
  roles,
  member: call.member.device,
  role: call.member.role,
  suite: call.suite,
  verb: call.verb,
  words: [
    ...(call.message === '' ? [] : [call.message]),
    ...(call.role === undefined ? [] : [call.role]),
    ...call.pairs.map(([key, value]) => `${key}=${value}`),
  ],
  from: call.from,
  isWhole: call.verb === 'send' && call.end?.how === 'sent',
});

/** Whether a wait that failed did harm: not one that its script gave up by itself, and tried again or went on without. */
function counts(group: Group, deaths: readonly Death[], call: Call): boolean {
  if (call.end?.how !== 'abandoned') return true;
  const { member, end } = call;
  if ((member.released.get(callName(call)) ?? 0) > end.version) return false;
  const died = deaths.some((death) => death.member === member && death.version > end.version);
  const failed = member.results.some(
    ({ version, result, case: name }) =>
      version > end.version && result === 'fail' && !name.startsWith('multinode-'),
  );
  return died || failed || group.end?.how !== 'complete';
}

function absenceOf(group: Group, deaths: readonly Death[], wait: Call, member: Member): Absence {
  const over = decidedAt(group, wait);
  const isUp = member.boots.some(({ done }) => done !== undefined && done.version <= over.version);
  const before = (mark: Mark | undefined): boolean =>
    mark !== undefined && mark.version <= over.version;
  const round = wait.verb === 'sync' ? wait.round : 1;
  if (!isUp && member.calls.every((call) => call.version > over.version)) return { why: 'not-up' };
  const coming = sendOf(group, wait.message, member, round);
  const later = coming !== undefined && coming.version > over.version ? coming : undefined;
  const inside = member.calls.find(
    (call) => isWait(call) && call.version <= over.version && isOpenAt(call, over.version),
  );
  if (inside !== undefined) return { why: 'blocked', in: inside };
  const death = deaths.find((one) => one.member === member && before(one));
  const broken = member.calls.find(
    (call) => before(call.end) && (hasFailed(call) || call.end?.how === 'refused'),
  );
  if (later !== undefined && !before(member.end)) return { why: 'late', call: later };
  if (broken !== undefined && (death === undefined || death.ofCall !== undefined))
    return { why: 'verb-failed', call: broken };
  if (death !== undefined) return { why: 'script-died', death };
  if (member.end === undefined || !before(member.end))
    return lastSuiteOver(member, over.version) ? { why: 'through' } : { why: 'busy' };
  return { why: member.end.how === 'complete' ? 'through' : 'ended' };
}

/** Whether a wait was under way at an event, and not over by it. Those that one event ends are under way together. */
const isOpenAt = (call: Call, version: number): boolean =>
  call.end === undefined ||
  call.end.version > version ||
  (call.end.how === 'unreachable' && call.end.form === 'deadlocked');

/** All that it was to run has ended by then. */
function lastSuiteOver(member: Member, version: number): boolean {
  const last = member.suites.at(-1);
  const isOver = last === undefined || (last.end !== undefined && last.end.version <= version);
  const running = member.actions.some(
    ({ version: began, end }) => began <= version && (end === undefined || end.version > version),
  );
  return isOver && !running;
}

// words for rules

function placeOfCall(
  places: Places,
  graphs: Graphs,
  call: Call,
  roles: ReadonlySet<string>,
): Place | undefined {
  const found = places.find(wantedOf(call, roles));
  const graph = graphs.of(call.member);
  return graph === undefined ? found : surest(found, sitesOfCall(graph, call));
}

/** The commands of the job's document that ran as suites. */
function commandsOf({ members, definition }: Group): Map<string, readonly string[]> {
  return new Map(
    members.flatMap(({ device, suites }) =>
      suites.flatMap(({ name, prepared }) => {
        const action = prepared === undefined ? undefined : definition?.actions[prepared.action];
        return action?.command === 'lava_command_run'
          ? [[`${device} ${name}`, action.parameters.commands] as const]
          : [];
      }),
    ),
  );
}

/** Where in the files somebody is to look. */
export function placed(place: Place | undefined): Pick<Culprit, 'file' | 'line' | 'text'> {
  if (place === undefined) return {};
  const { file, line, text } = place;
  return file === '' ? { text } : { file, line, text };
}

/** The member at the line of a call. */
export function culpritOf(situation: Situation, call: Call, id = call.message): Culprit {
  const place = situation.placeOf(call);
  return {
    device: call.member.device,
    role: call.member.role,
    ...placed(place),
    ...(id === '' ? {} : { id }),
  };
}

/** A member without a line of its own: the file of what it ran last, where that is known. */
export function culpritMember({ places }: Situation, member: Member, id?: string): Culprit {
  const suite = member.suites.at(-1);
  const source = places.suitesOf(member.device).find((one) => one.suite === suite?.name);
  const { prepared } = suite ?? {};
  const file =
    source?.list?.definition ??
    (prepared?.source.from === 'git' ? prepared.source.path : undefined);
  return {
    device: member.device,
    role: member.role,
    ...(file === undefined ? {} : { file }),
    ...(id === undefined ? {} : { id }),
  };
}

/** What a wait lacked, by name. */
export const missingOf = (situation: Situation, wait: Call): string[] =>
  missingFrom(situation.group, wait).map(({ device }) => device);

/** The failed waits that lack a member, the first to fail first. */
export const gapsOf = (situation: Situation, member: Member): Gap[] =>
  situation.gaps.filter((gap) => gap.member === member);

/** Of several gaps of one member the first. */
export function firstOfEach(gaps: readonly Gap[]): Gap[] {
  const seen = new Set<Member>();
  return gaps.filter(({ member }) => !seen.has(member) && seen.add(member) !== undefined);
}

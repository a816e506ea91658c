/** Rules that look at single calls: a failure that is hidden, a key that nobody sends, a limit that is too short. */
import type { JobDefinition } from '../../machines/definition.ts';
import type { CacheRead, CallGraph, CallSite } from './call-graph.ts';
import type { Exploration } from './explore.ts';
import type { Finding } from './findings.ts';
import type { MemberProgram } from './outcome.ts';
import { couldBe, couldBeSame, type Pattern, patternText } from './patterns.ts';
import { calledAt, isNear, placeOf, readHint } from './stuck-rules.ts';

/** Seconds, by device type. */
export type LabTimes = ReadonlyMap<string, Times>;
export interface Times {
  readonly deploySeconds: number;
  readonly bootSeconds: number;
}

const WAITS = ['wait', 'wait-all', 'sync', 'collect'];

export function swallowedFindings(graphs: readonly CallGraph[]): Finding[] {
  return graphs.flatMap(({ role, sites }) =>
    sites
      .filter(
        ({ verb, within, limitSeconds }) =>
          WAITS.includes(verb) &&
          // Whoever sets a limit and goes on means that nobody may come.
          (within.includes('test-case') ||
            (within.includes('or-true') && limitSeconds === undefined)),
      )
      .map(
        (site): Finding => ({
          ...calledAt(site),
          rule: 'swallowed-failure',
          severity: 'warning',
          message: site.within.includes('test-case')
            ? `lava-test-case exits 0 when this fails, and the script goes on: ${site.text}`
            : `nothing asks whether this fails, and the script goes on: ${site.text}`,
          role,
          related: [],
        }),
      ),
  );
}

// keys

export function keyFindings(graphs: readonly CallGraph[]): Finding[] {
  if (graphs.some(({ unresolved }) => unresolved.length > 0)) return [];
  const sends = new Sends(graphs);
  return graphs.flatMap((graph) => graph.reads.flatMap((read) => keyFinding(graph, read, sends)));
}

/** All that is sent, by what a wait for it may hear. */
class Sends {
  readonly broadcasts: readonly CallSite[];
  readonly #byId = new Map<string, CallSite[]>();
  /** Of their ids not all is known. */
  readonly #open: CallSite[] = [];

  constructor(graphs: readonly CallGraph[]) {
    const sites = graphs.flatMap((graph) => graph.sites);
    this.broadcasts = sites.filter(({ verb }) => verb === 'broadcast');
    for (const site of sites) {
      if (site.verb !== 'send' && site.verb !== 'broadcast') continue;
      const same = site.id.kind === 'exact' ? this.#byId.get(site.id.text) : this.#open;
      if (same !== undefined) same.push(site);
      else if (site.id.kind === 'exact') this.#byId.set(site.id.text, [site]);
    }
  }

  heardBy(wait: CallSite): readonly CallSite[] {
    const { id } = wait;
    const same = id.kind === 'exact' ? [this.#byId.get(id.text) ?? []] : [...this.#byId.values()];
    return [...same.flat(), ...this.#open].filter((site) => couldBeSame(site.id, id));
  }
}

function keyFinding(graph: CallGraph, read: CacheRead, sends: Sends): Finding[] {
  const wait = read.after === null ? undefined : graph.sites[read.after];
  const isNetwork = read.from === 'network';
  if (read.key.kind !== 'exact' || (wait === undefined && !isNetwork)) return [];
  const { text: key } = read.key;
  const heard = isNetwork ? sends.broadcasts : wait === undefined ? [] : sends.heardBy(wait);
  if (heard.length === 0) return [];
  const pairs = heard.flatMap((site) => site.pairs);
  const mayBe = (pattern: Pattern) => pattern.kind !== 'exact' || pattern.text.includes(key);
  if (pairs.some(([k, v]) => mayBe(k) || (!isNetwork && mayBe(v)))) return [];
  const names = [...new Set(pairs.map(([k]) => patternText(k)))];
  const near = names.find((name) => isNear(name, key));
  const sent =
    names.length === 0 ? 'it has no keys' : `its keys are ${names.slice(0, 8).join(', ')}`;
  const of = isNetwork
    ? 'lava-network broadcast'
    : `the message ${patternText(heard[0]?.id ?? read.key)}`;
  return [
    {
      ...placeOf(read),
      rule: 'key-never-sent',
      severity: 'warning',
      message: `no ${key} comes with ${of}: ${sent}`,
      ...(near !== undefined && { hint: `${near} is sent: is it meant?` }),
      role: graph.role,
      related: heard.map((site) => ({ ...placeOf(site), message: site.text })),
    },
  ];
}

/** What a script looks for and never finds, on whichever way, and that does not end it. */
export function unfoundFindings(
  members: readonly MemberProgram[],
  { outcomes }: Exploration,
): Finding[] {
  const keyOf = ({ member, read }: { member: number; read: number }) => `${member} ${read}`;
  const found = new Set(outcomes.flatMap((outcome) => outcome.found.map(keyOf)));
  const never = new Map<string, Finding>();
  for (const { unread } of outcomes)
    for (const one of unread) {
      const graph = members[one.member]?.graph;
      const read = graph?.reads[one.read];
      if (graph === undefined || read === undefined || found.has(keyOf(one))) continue;
      never.set(keyOf(one), {
        ...placeOf(read),
        rule: 'key-never-sent',
        severity: 'warning',
        message: `no line of the cache file fits here, or it has no value: ${read.text}`,
        ...readHint(read, graph),
        role: graph.role,
        related: [],
      });
    }
  return [...never.values()];
}

/** Several roles send the same id and nobody waits for it: they meant to meet. */
export function unheardFindings(graphs: readonly CallGraph[]): Finding[] {
  if (graphs.some(({ unresolved }) => unresolved.length > 0)) return [];
  const waits = graphs.flatMap(({ sites }) => sites.filter(({ verb }) => WAITS.includes(verb)));
  const waited = new Set(waits.map(({ id }) => (id.kind === 'exact' ? id.text : '')));
  const open = waits.filter(({ id }) => id.kind !== 'exact');
  // The last word of a role is a farewell.
  const farewells = new Set(graphs.map(({ sites }) => sites.at(-1)));
  const byId = new Map<string, { role: string; site: CallSite }[]>();
  for (const { role, sites } of graphs)
    for (const site of sites) {
      if (site.verb !== 'send' || site.id.kind !== 'exact') continue;
      const same = byId.get(site.id.text);
      if (same === undefined) byId.set(site.id.text, [{ role, site }]);
      else same.push({ role, site });
    }
  return [...byId].flatMap(([id, sends]): Finding[] => {
    const roles = [...new Set(sends.map(({ role }) => role))];
    const last = sends.at(-1);
    const isHeard = waited.has(id) || open.some((site) => couldBe(site.id, id));
    const isLast = sends.some(({ site }) => farewells.has(site));
    if (roles.length < 2 || last === undefined || isHeard || isLast) return [];
    return [
      {
        ...calledAt(last.site),
        rule: 'send-without-wait',
        severity: 'warning',
        message: `${roles.join(' and ')} send ${id}, and nobody waits for it`,
        hint: `was lava-sync ${id} or lava-wait ${id} meant?`,
        role: last.role,
        related: sends.slice(0, -1).map(({ site }) => ({ ...placeOf(site), message: site.text })),
      },
    ];
  });
}

// limits

export function limitFindings(
  graphs: readonly CallGraph[],
  { roles, actions }: Pick<JobDefinition, 'roles' | 'actions'>,
  times: LabTimes | undefined,
): Finding[] {
  if (times === undefined) return [];
  const readyAfter = (role: string): number | undefined => {
    const type = roles.find((one) => one.role === role)?.deviceType;
    const took = type === undefined ? undefined : times.get(type);
    return took === undefined ? undefined : took.deploySeconds + took.bootSeconds;
  };
  return graphs.flatMap((graph) => {
    const own = readyAfter(graph.role) ?? 0;
    const peers = roles
      .filter(({ role, count }) => role !== graph.role || count > 1)
      .map(({ role }) => ({ role, late: (readyAfter(role) ?? 0) - own }));
    const slowest = peers.sort((a, b) => b.late - a.late)[0];
    const first = graph.sites.find(({ verb }) => WAITS.includes(verb));
    if (slowest === undefined || first === undefined || slowest.late <= 0) return [];
    const ofAction = actions
      .filter(
        (action) =>
          action.command === 'lava_test_shell' && (action.roles?.includes(graph.role) ?? true),
      )
      .map(({ timeoutSeconds }) => timeoutSeconds);
    const limit = Math.min(first.limitSeconds ?? Number.POSITIVE_INFINITY, ...ofAction.slice(0, 1));
    if (limit >= slowest.late) return [];
    const message = `${graph.role} waits here for ${limit} s at most, but ${slowest.role} lately was ready ${Math.round(slowest.late)} s later`;
    return [
      {
        ...placeOf(first),
        rule: 'timeout-too-short',
        severity: 'warning',
        message,
        role: graph.role,
        related: [],
      } as const,
    ];
  });
}

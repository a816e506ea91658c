/**
 * `muster lint`: what a job's scripts will come to, told before a board is taken. Pure: repositories and files are handed in.
 */
import { actionsOf, type JobDefinition, type TestSource } from '../../machines/definition.ts';
import { readTestDefinition } from '../test-definition.ts';
import { placeIn } from '../tree.ts';
import type { CallGraph, Entry, ReadFile, Unresolved } from './call-graph.ts';
import type { MemberProgram, Outcome } from './conversation.ts';
import { type Exploration, explore } from './explore.ts';
import type { Finding, LintReport } from './findings.ts';
import { graphOf } from './graph.ts';
import { isIgnored } from './ignores.ts';
import { keyFindings, type LabTimes, limitFindings, swallowedFindings } from './site-rules.ts';
import { placeOf, stuckFindings } from './stuck-rules.ts';

/** A test definition with the files around it, or why it was not to be had. */
export type Opened =
  | {
      readonly file: string;
      readonly text: string;
      readonly readFile: ReadFile;
      /** Put before the paths of its checkout where they are named. */
      readonly prefix: string;
    }
  | { readonly missing: string };

export interface LabFacts {
  readonly boards?: readonly {
    readonly name: string;
    readonly type: string;
    readonly tags: readonly string[];
  }[];
  /** What the last runs took, by device type. */
  readonly times?: LabTimes;
}

export interface JobToLint {
  /** What to call the job's document, and the document. */
  readonly file: string;
  readonly text: string;
  readonly definition: JobDefinition;
  open(source: TestSource): Opened;
  readonly lab?: LabFacts;
}

/** Members of a role that are looked at: more of them do the same. */
const MEMBERS_OF_ROLE_MAX = 4;
const MEMBERS_MAX = 16;

export function lintJob(job: JobToLint): LintReport {
  const texts = new Map([[job.file, job.text]]);
  const opened = new Map<TestSource, Opened>();
  const findings: Finding[] = [];
  const open = (source: TestSource): Opened => {
    const known = opened.get(source) ?? job.open(source);
    if (!opened.has(source) && 'text' in known) {
      texts.set(known.prefix + known.file, known.text);
      findings.push(...definitionFindings(known.prefix + known.file, known.text));
    }
    opened.set(source, known);
    return known;
  };
  const members = membersOf(job, (role) => entriesOf(job, role, open));
  for (const one of opened.values())
    if ('readFile' in one)
      for (const { graph } of members)
        for (const file of graph.files) {
          const text = file.startsWith(one.prefix)
            ? one.readFile(file.slice(one.prefix.length))
            : undefined;
          if (typeof text === 'string' && !texts.has(file)) texts.set(file, text);
        }
  findings.push(...roleFindings(job));
  return lintMembers({ ...job, findings, texts }, members);
}

interface Known {
  readonly definition: Pick<JobDefinition, 'countsSelf' | 'roles' | 'actions'>;
  readonly lab?: LabFacts;
  readonly findings: readonly Finding[];
  readonly texts: ReadonlyMap<string, string>;
}

/** Lints what members run, however it was found. */
export function lintMembers(known: Known, members: readonly MemberProgram[]): LintReport {
  const { definition, lab, texts } = known;
  const exploration = explore(definition, members);
  const graphs = [...new Map(members.map(({ graph }) => [graph.role, graph])).values()];
  const all = [
    ...known.findings,
    ...conversationFindings(members, exploration),
    ...vagueFindings(members, exploration),
    ...graphs.flatMap(unresolvedFindings),
    ...swallowedFindings(graphs),
    ...keyFindings(graphs),
    ...limitFindings(graphs, definition, lab?.times),
  ];
  const unique = [...new Map(all.map((one) => [keyOf(one), one])).values()];
  const kept = unique.filter((one) => !isIgnored(one, texts.get(one.file)));
  const isBroken = kept.some(({ severity }) => severity === 'error');
  const isOpen =
    !exploration.isAll ||
    kept.some(({ severity }) => severity === 'note') ||
    graphs.some((graph) => graph.unresolved.length > 0) ||
    exploration.outcomes.some(
      ({ stuck, vague, parked }) => stuck.length + vague.length + parked.length > 0,
    );
  return {
    findings: kept.sort(inOrder),
    ignored: unique.length - kept.length,
    verdict: isBroken
      ? 'broken'
      : isOpen && unique.length === kept.length
        ? 'unknown'
        : isOpen
          ? 'unknown'
          : 'clean',
    files: [...new Set([...texts.keys(), ...graphs.flatMap(({ files }) => files)])],
  };
}

const keyOf = ({ rule, file, line, column }: Finding) => `${rule} ${file}:${line}:${column}`;
const rank = { error: 0, warning: 1, note: 2 };
const inOrder = (a: Finding, b: Finding): number =>
  rank[a.severity] - rank[b.severity] ||
  (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column);

// members

/** What each member runs; of a role with many members a few stand for all. */
export function membersOf(
  job: { readonly definition: Pick<JobDefinition, 'roles'> },
  entries: (role: string) => readonly Entry[],
): MemberProgram[] {
  const { roles } = job.definition;
  const counts = roles.map(({ role, count, device }) => ({
    role,
    count,
    ...(device !== undefined && { device }),
  }));
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  const own = new Map(counts.map(({ role }) => [role, entries(role)]));
  const graph = (role: string, of: typeof counts, member: number, errors: 'die' | 'go-on') =>
    graphOf(() => undefined, own.get(role) ?? [], {
      role,
      roles: of,
      member,
      parameters: [],
      errors,
    });
  const first = new Map(counts.map(({ role }) => [role, graph(role, counts, 0, 'die')]));
  const isWhole =
    total <= MEMBERS_MAX || [...first.values()].some((of) => of.isOfGroup || of.isOfMember);
  return counts.flatMap(({ role, count }) =>
    Array.from(
      { length: isWhole ? count : Math.min(count, MEMBERS_OF_ROLE_MAX) },
      (_, member): MemberProgram => {
        const known = first.get(role);
        const of =
          known !== undefined && (member === 0 || !known.isOfMember)
            ? known
            : graph(role, counts, member, 'die');
        return {
          role,
          graph: of,
          ...(of.deaths.length > 0 && { undying: graph(role, counts, member, 'go-on') }),
        };
      },
    ),
  );
}

function entriesOf(job: JobToLint, role: string, open: (source: TestSource) => Opened): Entry[] {
  let from = 0;
  return actionsOf(job.definition, role).flatMap(({ action }): Entry[] => {
    if (action.command === 'lava_command_run') {
      const place = placeIn(job.text);
      const commands = action.parameters.commands.map((text) => {
        const at = job.text.indexOf(JSON.stringify(text), from);
        if (at >= 0) from = at;
        return { text, ...place(at < 0 ? 0 : at + 1) };
      });
      return [{ kind: 'commands', file: job.file, commands }];
    }
    if (action.command !== 'lava_test_shell') return [];
    return action.parameters.definitions.map((source): Entry => {
      const of = open(source);
      if ('missing' in of)
        return { kind: 'definition', file: job.file, text: '', missing: of.missing };
      const { file, text, readFile, prefix } = of;
      return {
        kind: 'definition',
        file: prefix + file,
        text,
        readFile,
        prefix,
        parameters: source.parameters,
      };
    });
  });
}

// findings

export function definitionFindings(file: string, text: string): Finding[] {
  const { definition, problems } = readTestDefinition(text);
  if (definition !== undefined) return [];
  return problems.slice(0, 5).map(({ line, column, message }) => ({
    file,
    line,
    column,
    rule: 'definition',
    severity: 'error',
    message,
    related: [],
  }));
}

function roleFindings({ file, text, definition, lab }: JobToLint): Finding[] {
  const place = placeIn(text)(Math.max(0, text.search(/["']?(?:device_group|roles)["']?\s*:/)));
  const said = (message: string): Finding => ({
    file,
    ...place,
    rule: 'unsatisfiable-roles',
    severity: 'error',
    message,
    related: [],
  });
  const named = definition.roles.flatMap(({ device }) => device ?? []);
  const twice = named.find((name, index) => named.indexOf(name) !== index);
  if (twice !== undefined) return [said(`the board ${twice} cannot play two roles`)];
  const boards = lab?.boards;
  if (boards === undefined) return [];
  const slots = definition.roles.flatMap((role) => Array.from({ length: role.count }, () => role));
  const holder = new Map<string, number>();
  const seat = (slot: number, seen: Set<string>): boolean => {
    const asked = slots[slot];
    for (const board of boards) {
      const fits =
        asked?.device === undefined
          ? board.type === asked?.deviceType
          : board.name === asked.device;
      if (!fits || seen.has(board.name) || !asked?.tags.every((tag) => board.tags.includes(tag)))
        continue;
      seen.add(board.name);
      const other = holder.get(board.name);
      if (other !== undefined && !seat(other, seen)) continue;
      holder.set(board.name, slot);
      return true;
    }
    return false;
  };
  const short = slots.find((_, slot) => !seat(slot, new Set()));
  return short === undefined ? [] : [said(`the lab has no board left for role ${short.role}`)];
}

function conversationFindings(
  members: readonly MemberProgram[],
  { outcomes, isAll }: Exploration,
): Finding[] {
  const findings = outcomes.map((outcome) => [
    ...stuckFindings(members, outcome),
    ...refusedFindings(members, outcome),
  ]);
  const isBad = (of: readonly Finding[]) => of.some(({ severity }) => severity === 'error');
  const everywhere = (one: Finding) =>
    findings.every((of) => of.some((other) => keyOf(other) === keyOf(one)));
  const [first = []] = findings;
  const always = first.filter(everywhere);
  if (isAll && findings.every(isBad)) return always.length > 0 ? always : first;
  const sure = always.filter(({ severity }) => severity !== 'error' || isAll);
  const some = findings.flat().filter((one) => !sure.includes(one) && one.severity === 'error');
  const notes = some.slice(0, 20).map(
    (one): Finding => ({
      ...one,
      rule: 'unknown',
      severity: 'note',
      message: `it depends on what is not known here whether ${one.message}`,
    }),
  );
  const open = outcomes.flatMap(({ stuck }) => stuck.filter(({ isCertain }) => !isCertain));
  return [...sure, ...notes, ...open.map((one) => openWait(members, one))];
}

/** Words and loops that a run went by without knowing them. */
function vagueFindings(members: readonly MemberProgram[], { outcomes }: Exploration): Finding[] {
  return outcomes.flatMap(({ vague }) =>
    vague.map(({ member, what, at }): Finding => {
      const of = members[member];
      const site = of?.graph.sites.find(
        ({ file, line, column }) => file === at.file && line === at.line && column === at.column,
      );
      return {
        ...placeOf(at),
        rule: 'unknown',
        severity: 'note',
        message:
          what === 'loop'
            ? 'nobody can tell here how often this loop turns'
            : `nobody can tell here which id this is: ${site?.text ?? ''}`,
        role: of?.role ?? '',
        related: [],
      };
    }),
  );
}

function openWait(
  members: readonly MemberProgram[],
  { wait, order }: Outcome['stuck'][number],
): Finding {
  const member = members[wait.member];
  const site = member?.graph.sites[order];
  return {
    ...(site === undefined ? { file: '', line: 1, column: 1 } : placeOf(site)),
    rule: 'unknown',
    severity: 'note',
    message: `nobody can tell here whether ${site?.text ?? wait.message} is ever answered`,
    role: member?.role ?? '',
    related: [],
  };
}

function refusedFindings(members: readonly MemberProgram[], { refused }: Outcome): Finding[] {
  return refused.flatMap(({ member, order, code, reason }): Finding[] => {
    const of = members[member];
    const site = of?.graph.sites[order];
    if (of === undefined || site === undefined) return [];
    const rule = code === 'unknown-role' ? 'unknown-role' : 'refused-call';
    return [
      { ...placeOf(site), rule, severity: 'error', message: reason, role: of.role, related: [] },
    ];
  });
}

function unresolvedFindings({ role, unresolved }: CallGraph): Finding[] {
  return unresolved.map(
    (one): Finding => ({
      ...placeOf(one),
      rule: one.what === 'syntax' ? 'syntax' : 'unknown',
      severity: one.what === 'syntax' ? 'warning' : 'note',
      message: unresolvedText(one),
      role,
      related: [],
    }),
  );
}

function unresolvedText({ what, text }: Unresolved): string {
  switch (what) {
    case 'file':
      return `not known: ${text}`;
    case 'command':
      return `which command this is, and what it calls: ${text}`;
    case 'syntax':
      return `this cannot be read: ${text}`;
    case 'shell':
      return `not a shell script that can be followed: ${text}`;
    case 'loop':
      return `how often this loop turns: ${text}`;
    case 'limit':
      return `more than can be followed: ${text}`;
    default:
      return `not known: ${text}`;
  }
}

/**
 * `muster lint`: what a job's scripts will come to, told before a board is taken. Pure: repositories and files are handed in.
 */
import type { JobDefinition, TestSource } from '../../machines/definition.ts';
import { readTestDefinition } from '../test-definition.ts';
import { type Effort, explore } from './explore.ts';
import { type Finding, findingKey, type LintReport } from './findings.ts';
import {
  conversationFindings,
  faultFindings,
  unresolvedFindings,
  vagueFindings,
} from './group-findings.ts';
import { ignoreFindings, isIgnored, linesToIgnore } from './ignores.ts';
import { entriesOf, membersOf, type Opened } from './members.ts';
import type { MemberProgram } from './outcome.ts';
import { type Board, roleFindings } from './seats.ts';
import {
  keyFindings,
  type LabTimes,
  limitFindings,
  swallowedFindings,
  type Times,
  unfoundFindings,
  unheardFindings,
} from './site-rules.ts';
import { definitionSource } from './source.ts';

export interface LabFacts {
  readonly boards?: readonly Board[];
  /** What the last runs took, by device type. */
  readonly times?: LabTimes;
}

/** As a server tells of it. */
export const labFactsOf = ({
  boards,
  times,
}: {
  readonly boards: readonly Board[];
  readonly times: readonly ({ readonly type: string } & Times)[];
}): LabFacts => ({ boards, times: new Map(times.map((of) => [of.type, of])) });

export interface JobToLint {
  /** What to call the job's document, and the document. */
  readonly file: string;
  readonly text: string;
  readonly definition: JobDefinition;
  open(source: TestSource): Opened;
  readonly lab?: LabFacts;
  readonly effort?: Effort;
}

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
  findings.push(...roleFindings(job, job.lab?.boards));
  return lintMembers({ ...job, findings, texts }, members);
}

interface Known {
  readonly definition: Pick<JobDefinition, 'countsSelf' | 'roles' | 'actions'>;
  readonly lab?: LabFacts;
  readonly effort?: Effort;
  readonly findings: readonly Finding[];
  readonly texts: ReadonlyMap<string, string>;
}

/** Lints what members run, however it was found. */
export function lintMembers(known: Known, members: readonly MemberProgram[]): LintReport {
  const { definition, lab, texts } = known;
  const exploration = explore(definition, members, known.effort);
  const graphs = [...new Set(members.map(({ graph }) => graph))];
  const all = [
    ...known.findings,
    ...[...texts].flatMap(([file, text]) => ignoreFindings(file, text)),
    ...conversationFindings(members, exploration),
    ...faultFindings(members, exploration),
    ...vagueFindings(members, exploration),
    ...graphs.flatMap(unresolvedFindings),
    ...swallowedFindings(graphs),
    ...keyFindings(graphs),
    ...unfoundFindings(members, exploration),
    ...unheardFindings(graphs),
    ...limitFindings(graphs, definition, lab?.times),
  ];
  // The same said twice is said once, as the worse.
  const worse = [...all].sort((a, b) => rank[b.severity] - rank[a.severity]);
  const unique = [...new Map(worse.map((one) => [findingKey(one), one])).values()];
  const lines = new Map([...texts].map(([file, text]) => [file, linesToIgnore(text)]));
  const kept = unique.filter((one) => !isIgnored(one, lines.get(one.file) ?? []));
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
    verdict: isBroken ? 'broken' : isOpen || kept.some(isDoubt) ? 'unknown' : 'clean',
    files: [...new Set([...texts.keys(), ...graphs.flatMap(({ files }) => files)])],
  };
}

/** What hides a failure does no harm where nothing fails; any other warning may be why a job does not do what it is for. */
const isDoubt = ({ severity, rule }: Finding): boolean =>
  severity === 'warning' && rule !== 'swallowed-failure' && rule !== 'ignore';

const rank = { error: 0, warning: 1, note: 2 };
const inOrder = (a: Finding, b: Finding): number =>
  rank[a.severity] - rank[b.severity] ||
  (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column);

export function definitionFindings(file: string, text: string): Finding[] {
  if (definitionSource(file, text) !== undefined) return [];
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

/** What the runs of a group say: where it stands still, what is refused, and what nobody can tell. */
import type { CallGraph, FaultKind, Unresolved } from './call-graph.ts';
import type { Exploration } from './explore.ts';
import { type Finding, findingKey } from './findings.ts';
import { shown } from './names.ts';
import type { MemberProgram, Outcome } from './outcome.ts';
import { exact, patternText } from './patterns.ts';
import { calledAt, placeOf, stuckFindings } from './stuck-rules.ts';

export function conversationFindings(
  members: readonly MemberProgram[],
  { outcomes, isAll }: Exploration,
): Finding[] {
  const findings = outcomes.map((outcome) => [
    ...stuckFindings(members, outcome),
    ...refusedFindings(members, outcome),
  ]);
  const isBad = (of: readonly Finding[]) => of.some(({ severity }) => severity === 'error');
  const everywhere = (one: Finding) =>
    findings.every((of) => of.some((other) => findingKey(other) === findingKey(one)));
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

const FAULTS: Record<FaultKind, (text: string) => string> = {
  exit: (text) => `if it ends here (${text})`,
  check: (text) => `if this fails (${text})`,
  poll: (text) => `if this never comes to its end (${text})`,
  limit: (text) => `if this limit runs out, which nothing asks (${text})`,
  refused: (text) => `if this is refused, which nothing asks (${text})`,
};

/** What a script foresees to go wrong, and its peers do not. */
export function faultFindings(
  members: readonly MemberProgram[],
  { faulty, areFaultsAll }: Exploration,
): Finding[] {
  const found = faulty.flatMap(({ fault, outcome }): Finding[] => {
    const role = members[fault.member]?.role ?? '';
    const [first] = outcome.stuck;
    if (first === undefined) return [];
    const { wait, order } = first;
    const waiting = members[wait.member];
    const site = waiting?.graph.sites[order];
    const id = patternText(shown(exact(wait.message), wait.member));
    return [
      {
        ...placeOf(fault.at),
        rule: 'unknown',
        severity: 'note',
        message: `${FAULTS[fault.what](fault.at.text)}, ${waiting?.role ?? ''} waits for ${id} in vain`,
        role,
        related: site === undefined ? [] : [{ ...calledAt(site), message: site.text }],
      },
    ];
  });
  const [member] = members;
  if (areFaultsAll || member === undefined) return found;
  const [file = ''] = member.graph.files;
  return [
    ...found,
    {
      file,
      line: 1,
      column: 1,
      rule: 'unknown',
      severity: 'note',
      message: 'more checks and exits than can be followed: what comes of them is not known',
      related: [],
    },
  ];
}

/** Words and loops that a run went by without knowing them. */
export function vagueFindings(
  members: readonly MemberProgram[],
  { outcomes }: Exploration,
): Finding[] {
  const seen = new Set<string>();
  return outcomes.flatMap(({ vague }) =>
    vague.flatMap(({ member, what, at }): Finding[] => {
      const key = `${member} ${what} ${at.file}:${at.line}:${at.column}`;
      if (seen.has(key)) return [];
      seen.add(key);
      const of = members[member];
      const site = of?.graph.sites.find(
        ({ file, line, column }) => file === at.file && line === at.line && column === at.column,
      );
      return [
        {
          ...placeOf(at),
          rule: 'unknown',
          severity: 'note',
          message:
            what === 'loop'
              ? 'nobody can tell here how often this loop turns'
              : `nobody can tell here which id this is: ${site?.text ?? ''}`,
          role: of?.role ?? '',
          related: [],
        },
      ];
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
    ...(site === undefined ? { file: '', line: 1, column: 1 } : calledAt(site)),
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
      { ...calledAt(site), rule, severity: 'error', message: reason, role: of.role, related: [] },
    ];
  });
}

export function unresolvedFindings({ role, unresolved }: CallGraph): Finding[] {
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

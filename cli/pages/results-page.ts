/** The results of a group as a table: a row a case, what is long beneath its row, then what else the boards handed in. */
import type { z } from 'zod';
import type { Results } from '../../api/schemas.ts';
import { caseName, measuredText, noCaseText } from '../../projections/result-words.ts';
import type { CaseView, SuiteView } from '../../projections/views.ts';
import { stateCell } from './job-page.ts';
import { counted, hang } from './text.ts';
import { type Cell, type Column, type Page, table } from './text-table.ts';

type JobResults = z.infer<typeof Results>;

const COLUMNS: readonly Column[] = [
  { title: 'BOARD' },
  { title: 'ROLE' },
  { title: 'SUITE', flexible: true },
  { title: 'CASE', flexible: true },
  { title: 'RESULT' },
  { title: 'MEASURED', flexible: true },
];
const NOTE_INDENT = '    ';

export function renderResults(results: JobResults, page: Page): string {
  const { cases, suites } = results;
  const { pass, fail, skip, unknown } = results.summary;
  const total = `${counted(pass + fail + skip + unknown, 'case')}: ${pass} pass, ${fail} fail, ${skip} skip, ${unknown} unknown\n`;
  const roles = roleNames(results);
  const lines = inOrder(cases, suites.filter(isEmpty));
  const rows = lines.map((line): Cell[] => {
    const { device, role, suite } = line;
    const where = [device, roles.get(device) ?? role, suite];
    if (!('case' in line)) return [...where, '(no case)', '', ''];
    return [...where, caseName(line), resultCell(line, page), measuredText(line)];
  });
  const notes = (at: number): string => notesOf(lines[at], page);
  const grid = rows.length === 0 ? '' : table(COLUMNS, rows, page, notes);
  return grid + renderFiles(results, page) + renderGarbled(results, page) + total;
}

/** A role that several boards play has a number beside it. */
function roleNames({ members }: JobResults): ReadonlyMap<string, string> {
  const isShared = new Set(members.flatMap(({ role, index }) => (index > 0 ? [role] : [])));
  return new Map(
    members.map(({ device, role, index }) => [
      device,
      isShared.has(role) ? `${role}[${index}]` : role,
    ]),
  );
}

const isEmpty = ({ summary }: SuiteView): boolean =>
  summary.pass + summary.fail + summary.skip + summary.unknown === 0;

/** The cases, and between them, by time, the suites that have none; those that have not begun come last. */
function inOrder(
  cases: readonly CaseView[],
  empty: readonly SuiteView[],
): (CaseView | SuiteView)[] {
  const timeOf = ({ startedAt, endedAt }: SuiteView) => endedAt ?? startedAt ?? '~';
  const left = [...empty].sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1));
  const lines = cases.flatMap((is) => {
    const before = left.findIndex((suite) => timeOf(suite) >= is.at);
    return [...left.splice(0, before === -1 ? left.length : before), is];
  });
  return [...lines, ...left];
}

function resultCell({ result, counts }: CaseView, { colors }: Page): Cell {
  return counts ? stateCell(result, colors) : { text: `(${result})`, paint: colors.dim };
}

function notesOf(line: CaseView | SuiteView | undefined, { columns }: Page): string {
  if (line === undefined) return '';
  if (!('case' in line))
    return line.state === 'ended' ? '' : hang(NOTE_INDENT, noCaseText(line), columns);
  const notes = line.note?.split('\n') ?? [];
  if (!line.counts) notes.push('it came again later: the last counts');
  return notes.map((note) => hang(NOTE_INDENT, note, columns)).join('');
}

function renderFiles({ attachments }: JobResults, page: Page): string {
  if (attachments.length === 0) return '';
  const rows = attachments.map(({ device, suite, name, bytes, digest }) => [
    device,
    suite,
    name,
    String(bytes),
    digest.slice(0, DIGEST_SHOWN),
  ]);
  const columns: Column[] = [
    { title: 'BOARD' },
    { title: 'SUITE', flexible: true },
    { title: 'FILE', flexible: true },
    { title: 'BYTES', align: 'right' },
    { title: 'SHA-256' },
  ];
  return `\nFiles that tests handed in:\n${table(columns, rows, page)}\n`;
}
const DIGEST_SHOWN = 12;

function renderGarbled({ garbled }: JobResults, { columns }: Page): string {
  if (garbled.length === 0) return '';
  const lines = garbled.map(({ device, suite, text }) =>
    hang('  ', `${device}${suite === undefined ? '' : ` ${suite}`}: ${text}`, columns),
  );
  const title = `${counted(garbled.length, 'signal')} on the consoles could not be read:`;
  return `\n${hang('', title, columns)}${lines.join('')}\n`;
}

/**
 * Results as CSV (RFC 4180), for spreadsheets: a row for the job, for every suite, for each of its cases, for each file
 * and for each signal that could not be read. `kind` says which.
 *
 * A text that a spreadsheet would take for a formula gets an apostrophe before it: what boards say is not run on
 * somebody's desk. Programs that want the text as it is have JSON and YAML.
 */
import { noCaseText, placeNames } from '../../projections/result-words.ts';
import type { CaseView } from '../../projections/views.ts';
import { bySuite, type JobResults, type SuiteCases } from './by-suite.ts';
import { visible } from './visible.ts';

const COLUMNS = [
  'kind',
  'job',
  'place',
  'device',
  'role',
  'suite',
  'set',
  'case',
  'result',
  'counts',
  'measurement',
  'units',
  'note',
  'url',
  'at',
] as const;
type Row = { [name in (typeof COLUMNS)[number]]?: string | undefined };

export function csv(results: JobResults): string {
  const { job, state, reason, members, garbled, attachments } = results;
  const places = placeNames(members);
  const placed = ({ device, role, at }: { device: string; role: string; at: string }) => ({
    place: places.get(device) ?? device,
    device,
    role,
    at,
  });
  const rows: Row[] = [
    { kind: 'job', note: reason === undefined ? state : `${state}: ${reason}` },
    ...bySuite(results).flatMap((suite) => [
      suiteRow(suite),
      ...suite.cases.map((is) => caseRow(is, suite)),
    ]),
    ...attachments.map(({ suite, name, bytes, digest, ...is }) => ({
      kind: 'attachment',
      ...placed(is),
      suite,
      case: name,
      measurement: String(bytes),
      units: 'bytes',
      note: `sha256 ${digest}`,
    })),
    ...garbled.map(({ suite = '', text, ...is }) => ({
      kind: 'garbled',
      ...placed(is),
      suite,
      note: text,
    })),
  ];
  const lines = rows.map((row) => {
    const cells = { ...row, job: String(job) };
    return COLUMNS.map((name) => cell(name, cells[name] ?? '')).join(',');
  });
  return [COLUMNS.join(','), ...lines].map((line) => `${line}\r\n`).join('');
}

function suiteRow(suite: SuiteCases): Row {
  const { place, device, role, suite: name, cases, startedAt = '' } = suite;
  const note = cases.length === 0 ? noCaseText(suite) : '';
  return { kind: 'suite', place, device, role, suite: name, note, at: startedAt };
}

function caseRow(is: CaseView, { place }: SuiteCases): Row {
  const { counts, value: _, ...texts } = is;
  return { kind: 'case', place, ...texts, counts: String(counts) };
}

/** A measurement is a number, whatever sign it begins with. */
function cell(column: string, text: string): string {
  const shown = visible(text, /[\r\n]/);
  const safe = column !== 'measurement' && FORMULA.test(shown) ? `'${shown}` : shown;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
/** What Excel and others take for the beginning of one, its wide forms too, blanks before it or not. */
const FORMULA = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/;

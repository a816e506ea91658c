/** The results of a job: members as columns, suites and cases as rows; a case's measurements over the last runs. */
import type { CaseView, Results as ResultsOf } from '../api/types.ts';
import type { JobPage } from '../job/job-state.ts';
import { useAsked } from '../ui/asked.ts';
import { Download } from '../ui/download.tsx';
import { plural, ResultBadge, Trouble } from '../ui/parts.tsx';

const FORMATS = [
  ['junit', 'xml', 'JUnit'],
  ['tap', 'tap', 'TAP'],
  ['csv', 'csv', 'CSV'],
  ['yaml', 'yaml', 'YAML'],
] as const;

/** Asked for again at most this often while a job goes on. */
const FRESH_EVENTS = 25;

export function Results({ page }: { page: JobPage }) {
  const stale = page.isEnded.value ? 'end' : Math.floor(page.count.value / FRESH_EVENTS);
  const { answer, trouble } = useAsked<ResultsOf>(`/api/jobs/${page.id}/results`, stale);
  const results = answer.value;
  if (trouble.value !== '') return <Trouble>{trouble.value}</Trouble>;
  if (results === undefined) return <p class="loading">Asking for the results…</p>;
  const { summary } = results;
  const total = Object.values(summary).reduce((sum, n) => sum + n, 0);
  return (
    <div class="results">
      <p class="results-head">
        {total === 0 ? (
          <span>No case has come.</span>
        ) : (
          <span>
            {plural(total, 'case')}: {summary.pass} pass, <b>{summary.fail} fail</b>, {summary.skip}{' '}
            skip, {summary.unknown} unknown
          </span>
        )}
        <span class="downloads">
          {FORMATS.map(([format, extension, name]) => (
            <Download
              key={format}
              path={`/api/jobs/${page.id}/results?format=${format}`}
              name={`job-${page.id}-results.${extension}`}
            >
              {name}
            </Download>
          ))}
        </span>
      </p>
      {results.cases.length > 0 && <Matrix results={results} jobName={page.fold.name} />}
      {results.attachments.length > 0 && <Attachments results={results} job={page.id} />}
      {results.garbled.map(({ device, text }) => (
        <p key={`${device} ${text}`} class="garbled">
          {device} printed a signal that cannot be read: <code>{text}</code>
        </p>
      ))}
    </div>
  );
}

interface Row {
  suite: string;
  set: string | undefined;
  case: string;
  cells: Map<string, CaseView>;
}

function rowsOf({ cases }: ResultsOf): Row[] {
  const rows = new Map<string, Row>();
  for (const each of cases) {
    if (!each.counts) continue;
    const key = [each.suite, each.set ?? '', each.case].join('\0');
    const row = rows.get(key) ?? {
      suite: each.suite,
      set: each.set,
      case: each.case,
      cells: new Map<string, CaseView>(),
    };
    row.cells.set(each.device, each);
    rows.set(key, row);
  }
  const suites = [...new Set([...rows.values()].map(({ suite }) => suite))];
  return [...rows.values()].sort((a, b) => suites.indexOf(a.suite) - suites.indexOf(b.suite));
}

function Matrix({ results, jobName }: { results: ResultsOf; jobName: string }) {
  const rows = rowsOf(results);
  return (
    <div class="scrolled matrix" role="region" aria-label="Results" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>Case</th>
            {results.members.map(({ device, role }) => (
              <th key={device}>
                {device} <span class="soft">{role}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, n) => (
            <>
              {rows[n - 1]?.suite !== row.suite && (
                <tr key={row.suite} class="suite">
                  <th colSpan={1 + results.members.length} scope="rowgroup">
                    {row.suite}
                  </th>
                </tr>
              )}
              <tr key={`${row.suite} ${row.set} ${row.case}`}>
                <th scope="row" class="case">
                  <a href={caseLink(row.case, jobName)}>
                    {row.set === undefined ? row.case : `${row.set}/${row.case}`}
                  </a>
                </th>
                {results.members.map(({ device }) => (
                  <Cell key={device} is={row.cells.get(device)} />
                ))}
              </tr>
            </>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The case over the last runs of jobs of this name. */
export const caseLink = (id: string, name: string): string =>
  `/results?${new URLSearchParams({ case: id, ...(name !== '' && name.length <= 200 && { name }) })}`;

function Cell({ is }: { is: CaseView | undefined }) {
  if (is === undefined) return <td class="soft">–</td>;
  return (
    <td title={is.note}>
      <ResultBadge result={is.result} />
      {is.measurement !== undefined && (
        <span class="measured">
          {is.measurement} <span class="soft">{is.units}</span>
        </span>
      )}
      {is.url !== undefined ? (
        <a href={is.url} data-outside rel="noreferrer">
          reference
        </a>
      ) : (
        is.note !== undefined && <span class="case-note"> {is.note}</span>
      )}
    </td>
  );
}

function Attachments({ results, job }: { results: ResultsOf; job: number }) {
  return (
    <ul class="attachments" aria-label="Files that tests handed in">
      {results.attachments.map(({ device, suite, name, bytes, digest }) => (
        <li key={`${device} ${digest} ${name}`}>
          <Download path={`/api/jobs/${job}/attachments/${digest}`} name={name}>
            {name}
          </Download>{' '}
          <span class="soft">
            {plural(bytes, 'byte')}, {device}, {suite}
          </span>
        </li>
      ))}
    </ul>
  );
}

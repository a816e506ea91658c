/** What ran in a job: a block a suite, a line a file. */
import type { RanView, SourcesView } from '../../answers/views.ts';
import { counted, hang, names } from './text.ts';
import { type Page, table } from './text-table.ts';

export function renderSources({ suites }: SourcesView, page: Page): string {
  if (suites.length === 0) return 'No suite was prepared.\n';
  return suites.map((suite) => renderSuite(suite, page)).join('\n');
}

function renderSuite(suite: RanView, page: Page): string {
  const { columns } = page;
  const head = hang('', `${suite.suite}  on ${names(suite.members)}`, columns);
  const from = hang('  ', originText(suite.source), columns);
  const parameters = suite.parameters.map(([key, value]) => hang('  ', `${key}=${value}`, columns));
  if (!suite.kept)
    return [head, from, ...parameters, '  what ran was not kept, or is not there any more\n'].join(
      '',
    );
  const rows = [...suite.scripts, ...suite.files].map(({ path, bytes, digest, notKept }) => [
    path,
    String(bytes),
    digest.slice(0, DIGEST_SHOWN),
    notKept === undefined ? '' : NOT_KEPT[notKept],
  ]);
  const columnsOf = [
    { title: 'FILE', flexible: true },
    { title: 'BYTES', align: 'right' as const },
    { title: 'SHA-256' },
    { title: '' },
  ];
  const more = suite.more > 0 ? hang('  ', `and ${counted(suite.more, 'file')} more`, columns) : '';
  return [head, from, ...parameters, table(columnsOf, rows, page), more].join('');
}
const DIGEST_SHOWN = 12;

const NOT_KEPT = {
  binary: 'binary: not kept',
  large: 'large: not kept',
  many: 'one of too many: not kept',
  link: 'a link: not kept',
  gone: 'gone',
} as const;

function originText({ from, repository, revision, commit, path, url }: RanView['source']): string {
  if (from === 'git') {
    const asked = revision === undefined ? '' : ` (${revision})`;
    return `${path} of ${repository} at ${commit}${asked}`;
  }
  if (from === 'url') return url ?? '';
  return from === 'inline' ? 'inline in the job' : 'commands of the job';
}

/** What ran: the files of each suite, with the commit that they are of. Boards that ran the same stand together. */
import type { DataOf } from '../machines/events.ts';
import type { Evidence, RanSource } from './evidence.ts';
import { AnswerRefused } from './refused.ts';
import type { RanView, SourcesView } from './views.ts';

export function sourcesView({ job, events, sources }: Evidence): SourcesView {
  const prepared = events.flatMap(({ type, data }) => (type === 'SuitePrepared' ? [data] : []));
  const alike = new Map<string, RanView>();
  for (const is of prepared) {
    const ran = sources.find(({ member, suite }) => member === is.member && suite === is.suite);
    const { suite, source, parameters, sources: digest } = is;
    const key = JSON.stringify([suite, source, parameters, digest]);
    const known = alike.get(key);
    if (known === undefined) alike.set(key, ranView(is, ran));
    else if (!known.members.includes(is.member)) known.members.push(is.member);
  }
  return { id: job, suites: [...alike.values()] };
}

function ranView(is: DataOf<'SuitePrepared'>, ran: RanSource | undefined): RanView {
  const { member, suite, source, parameters } = is;
  const list = ran?.list;
  const fileView = (file: { bytes: number; digest: string }, path: string) => ({
    path,
    bytes: file.bytes,
    digest: file.digest,
    ...(ran?.text(file.digest) === undefined && { notKept: 'gone' as const }),
  });
  return {
    suite,
    members: [member],
    source,
    parameters,
    kept: list !== undefined,
    ...(list?.definition !== undefined && { definition: list.definition }),
    scripts: (list?.scripts ?? []).map((script) => fileView(script, script.name)),
    files: (list?.files ?? []).map(({ notKept, ...file }) => ({
      ...fileView(file, file.path),
      ...(notKept !== undefined && { notKept }),
    })),
    more: list?.more ?? 0,
  };
}

/** The text of a file that ran. @throws AnswerRefused `no-such-source` */
export function sourceText({ job, sources }: Evidence, digest: string): string {
  for (const { text } of sources) {
    const is = text(digest);
    if (is !== undefined) return is;
  }
  throw new AnswerRefused('no-such-source', `of job ${job} no text with this digest was kept`);
}

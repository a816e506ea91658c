/** `muster sources ID [FILE]`: what ran, and the text of it, also after its repository is gone. */
import { sourcesView, sourceText } from '../../answers/sources.ts';
import { type RanView, SourcesView } from '../../answers/views.ts';
import { type Cli, jobId, printJson } from '../command.ts';
import { type AnswerOptions, bundleCommand, usage, withJob } from '../evidence.ts';
import { CliFailure, EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { renderSources } from '../pages/sources-page.ts';
import { names } from '../pages/text.ts';

interface SourcesOptions extends AnswerOptions {
  suite?: string;
}

export function sourcesCommand(cli: Cli) {
  return bundleCommand('sources', 'list what ran in a job, or print a file of it', [
    'muster sources 12',
    'muster sources 12 run.sh --suite 0_smoke',
    'muster sources --bundle job-12.tar.gz',
  ])
    .argument('[words...]', "the job's number, and a file to print: its path, or its digest")
    .option('--suite <name>', 'of this suite alone')
    .action((words: string[], options: SourcesOptions) => {
      const { id, file } = wordsIn(words, options);
      return withJob(cli, id, options, {
        server: async ({ io, client }, job) => {
          const view = await client.json(`/api/jobs/${job}/sources`, SourcesView);
          return show(view, (digest) => client.text(`/api/jobs/${job}/sources/${digest}`), {
            io,
            file,
            options,
          });
        },
        bundle: (evidence) =>
          show(sourcesView(evidence), async (digest) => sourceText(evidence, digest), {
            io: cli.io,
            file,
            options,
          }),
      });
    });
}

/** With a bundle the number may be left out. */
function wordsIn(words: readonly string[], { bundle }: SourcesOptions) {
  const [first = '', second] = words;
  if (words.length > 2) throw usage('expected the number of a job, and a file of it');
  if (bundle !== undefined && second === undefined && !/^[1-9][0-9]{0,14}$/.test(first))
    return { id: undefined, file: first === '' ? undefined : first };
  return { id: first === '' ? undefined : jobId(first), file: second };
}

async function show(
  view: SourcesView,
  textOf: (digest: string) => Promise<string>,
  { io, file, options }: { io: Io; file: string | undefined; options: SourcesOptions },
): Promise<number> {
  const suites = view.suites.filter(
    ({ suite }) => options.suite === undefined || suite === options.suite,
  );
  if (file === undefined) {
    if (options.json) await printJson(io, { ...view, suites });
    else await io.out(renderSources({ ...view, suites }, io));
    return EXIT.ok;
  }
  const found = fileOf(suites, file);
  const text = await textOf(found.digest);
  if (options.json) await printJson(io, { ...found, text });
  else await io.out(text);
  return EXIT.ok;
}

/** The one file that a path or a digest means. @throws CliFailure `no-such-source`: exit 1 */
function fileOf(suites: readonly RanView[], wanted: string) {
  const failed = (message: string) =>
    new CliFailure({ code: 'no-such-source', exit: EXIT.failed, message });
  const all = suites.flatMap(({ suite, scripts, files }) =>
    [...scripts, ...files].map((file) => ({ suite, ...file })),
  );
  const found = all.filter(
    ({ path, digest }) =>
      path === wanted || (wanted.length >= DIGEST_MIN && digest.startsWith(wanted)),
  );
  const [first] = found;
  if (first === undefined)
    throw failed(
      `no file ${wanted} ran; there are: ${
        names(
          all.map(({ path }) => path),
          FILES_SHOWN_MAX,
        ) || 'none'
      }`,
    );
  if (found.some(({ digest }) => digest !== first.digest))
    throw failed(
      `${wanted} is not the same in each suite: say --suite, one of ${names([...new Set(found.map(({ suite }) => suite))])}`,
    );
  if (first.notKept !== undefined)
    throw failed(`${wanted} ran, and its text was not kept: ${first.notKept}`);
  return first;
}
const DIGEST_MIN = 6;
const FILES_SHOWN_MAX = 20;

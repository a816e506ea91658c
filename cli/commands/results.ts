/**
 * `muster results ID`: the result cases of the whole group, as a table or a document. `muster results --case NAME`: one
 * case over the last runs. That some of them failed is no failure of this command.
 */
import { type Command, Option } from 'commander';
import { RESULT_FORMATS } from '../../api/formats/formats.ts';
import { CaseHistory, Results } from '../../api/schemas.ts';
import {
  type Cli,
  type CommonOptions,
  type Context,
  countUpTo,
  jobId,
  printJson,
  serverCommand,
  withServer,
} from '../command.ts';
import { EXIT } from '../exit.ts';
import { renderHistory } from '../pages/history-page.ts';
import { renderResults } from '../pages/results-page.ts';

const LAST_DEFAULT = 20;
const LAST_MAX = 200;

interface ResultsOptions extends CommonOptions {
  format?: string;
  case?: string;
  name?: string;
  last?: number;
  before?: number;
}

export function resultsCommand(cli: Cli): Command {
  const forms = ['table', 'json', ...RESULT_FORMATS];
  return serverCommand('results', 'show the results of a group, or of one case over many jobs', [
    'muster results 12',
    'muster results 12 --format junit > results.xml',
    "muster results --case throughput --name 'wifi*' --last 20",
  ])
    .argument('[id]', "the job's number", jobId)
    .addOption(new Option('--format <form>', 'print this instead of a table').choices(forms))
    .option('--case <name>', 'this case over the last jobs that are over')
    .option('--name <pattern>', 'only jobs of this name; * is any run of characters, ? is one')
    .option(
      '--last <count>',
      `over how many jobs in which it came (default: ${LAST_DEFAULT})`,
      countUpTo(LAST_MAX),
    )
    .option('--before <id>', 'only jobs with a lower number', jobId)
    .action((id: number | undefined, options: ResultsOptions, command: Command) => {
      const wrong = wrongUse(id, options);
      if (wrong !== undefined) command.error(wrong);
      const form = options.json === true ? 'json' : (options.format ?? 'table');
      return withServer(cli, options, async (context) => {
        if (id === undefined) await showHistory(context, form, options);
        else await showResults(context, form, id);
        return EXIT.ok;
      });
    });
}

/** What does not go together; `undefined`: all does. */
function wrongUse(id: number | undefined, options: ResultsOptions): string | undefined {
  const { json, format, case: name } = options;
  if (json === true && format !== undefined && format !== 'json')
    return `--json and --format ${format} are two forms: say one`;
  if (id === undefined) {
    if (name === undefined) return 'say which job, or with --case which case over many jobs';
    if (name === '' || options.name === '') return 'a name is expected, and it is empty';
    if (format !== undefined && format !== 'table' && format !== 'json')
      return `a case over many jobs is a table or JSON, not ${format}`;
    return undefined;
  }
  const over = (['case', 'name', 'last', 'before'] as const).find(
    (key) => options[key] !== undefined,
  );
  return over && `--${over} is for one case over many jobs: leave out the job's number`;
}

async function showResults({ io, client }: Context, form: string, id: number): Promise<void> {
  const path = `/api/jobs/${id}/results`;
  if (form === 'table') await io.out(renderResults(await client.json(path, Results), io));
  else if (form === 'json') await printJson(io, await client.json(path, Results));
  else await io.out(await client.text(`${path}?format=${form}`));
}

async function showHistory(
  { io, client }: Context,
  form: string,
  options: ResultsOptions,
): Promise<void> {
  const query = new URLSearchParams({
    case: options.case ?? '',
    last: String(options.last ?? LAST_DEFAULT),
  });
  if (options.name !== undefined) query.set('name', options.name);
  if (options.before !== undefined) query.set('before', String(options.before));
  const history = await client.json(`/api/results?${query}`, CaseHistory);
  if (form === 'json') await printJson(io, history);
  else await io.out(renderHistory(history, io));
  if (history.next !== undefined) io.err(`older ones: --before ${history.next}\n`);
}

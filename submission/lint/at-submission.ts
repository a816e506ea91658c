/** What lint says of a job as it is handed in: of what stands in its document, since nothing was fetched by then. */
import type { JobDefinition } from '../../machines/definition.ts';
import type { Problem } from '../tree.ts';
import { lintJob } from './lint.ts';

const SAID_MAX = 20;

export function warningsAtSubmission(definition: JobDefinition, document: string): Problem[] {
  const report = lintJob({
    file: 'job',
    text: document,
    definition,
    open: () => ({ missing: 'a definition that was not fetched' }),
  });
  return report.findings
    .filter(({ severity, file }) => severity !== 'note' && file === 'job')
    .slice(0, SAID_MAX)
    .map(({ line, column, message, rule }) => ({
      path: '',
      line,
      column,
      message: `${message} [${rule}]`,
    }));
}

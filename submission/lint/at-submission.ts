/**
 * What lint says of a job as it is handed in: of what stands in its document, and of the definitions that the server may read
 * where they lie. It is not looked at longer than is bearable for whoever hands in a job, and for those who wait behind.
 */
import type { JobDefinition, TestSource } from '../../machines/definition.ts';
import { withoutSecrets } from '../addresses.ts';
import type { Problem } from '../tree.ts';
import { LITTLE } from './explore.ts';
import { type LabFacts, lintJob } from './lint.ts';
import type { Opened } from './members.ts';

const SAID_MAX = 20;

/** Reads a definition where it lies on this machine, with the files around it. */
export type OpenDefinition = (source: TestSource, signal: AbortSignal) => Promise<Opened>;

export interface SaidAtSubmission {
  readonly warnings: Problem[];
  /** One line: the definitions that were not read, or why nothing was; absent: all was. */
  readonly unread?: string;
}

/** Never throws for what it reads: what could not be read is said. */
export async function saidAtSubmission(
  definition: JobDefinition,
  document: string,
  open: OpenDefinition | undefined,
  { lab, signal }: { readonly lab?: LabFacts; readonly signal: AbortSignal },
): Promise<SaidAtSubmission> {
  const sources = definition.actions.flatMap((action) =>
    action.command === 'lava_test_shell' ? action.parameters.definitions : [],
  );
  const opened = new Map<string, Promise<Opened>>();
  for (const source of sources) {
    const key = keyOf(source);
    const missing: Opened = { missing: 'it lies on no disk that this server may read' };
    if (!opened.has(key))
      opened.set(
        key,
        open === undefined
          ? Promise.resolve(missing)
          : open(source, signal).catch(() => ({ missing: 'it could not be read in time' })),
      );
  }
  const read = new Map<string, Opened>();
  for (const [key, of] of opened) read.set(key, await of);
  const report = lintJob({
    file: 'job',
    text: document,
    definition,
    open: (source) => read.get(keyOf(source)) ?? { missing: 'it was not asked for' },
    ...(lab !== undefined && { lab }),
    effort: LITTLE,
  });
  const warnings = report.findings
    .filter(({ severity }) => severity !== 'note')
    .slice(0, SAID_MAX)
    .map(({ file, line, column, message, rule }): Problem => {
      const isHere = file === 'job';
      const where = isHere ? '' : `${file}:${line}: `;
      const at = isHere ? { line, column } : { line: 1, column: 1 };
      return { path: '', ...at, message: `${where}${message} [${rule}]` };
    });
  const names = [
    ...new Set(
      sources.flatMap((one) => ('missing' in (read.get(keyOf(one)) ?? {}) ? [nameOf(one)] : [])),
    ),
  ];
  if (names.length === 0) return { warnings };
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return { warnings, unread: `lint did not read ${names.slice(0, 3).join(', ')}${more}` };
}

const keyOf = ({ parameters: _, ...source }: TestSource): string => JSON.stringify(source);

const nameOf = (source: TestSource): string =>
  source.from === 'url'
    ? withoutSecrets(source.url)
    : `${source.path} of ${withoutSecrets(source.repository)}`;

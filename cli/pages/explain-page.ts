/** `muster explain` for people: what failed, the line that did it, how it came about, what to try. One screen. */
import type { Explanation } from '../../answers/explain/explanation.ts';
import { printable } from '../../submission/quoting.ts';
import { hang, hangLines } from './text.ts';
import type { Page } from './text-table.ts';

const OTHERS_SHOWN_MAX = 3;

export function renderExplanation(is: Explanation, page: Page): string {
  const { colors, columns } = page;
  const good = is.kind === 'nothing-failed' || is.kind === 'slow-but-healthy';
  const paint = good ? colors.green : colors.red;
  const parts = [
    paint(hang(`job ${is.job}  `, is.failure, columns)),
    colors.bold(hang('', `${is.kind}: ${is.summary}.`, columns)),
    culpritText(is, page),
    chainText(is, page),
    ...(is.advice.length === 0
      ? []
      : [`What to try\n${is.advice.map((text) => hang('  ', text, columns)).join('')}`]),
    othersText(is, page),
    ...(is.unseen.length === 0
      ? []
      : [`Not known\n${is.unseen.map((text) => hang('  ', text, columns)).join('')}`]),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** Member, file and line, and the line itself. */
function culpritText({ culprit }: Explanation, { columns, colors }: Page): string {
  if (culprit === null) return '';
  const { device, role, file, line, text } = culprit;
  const place = file === undefined ? '' : `, ${file}${line === undefined ? '' : `:${line}`}`;
  const head = hang('', `${device} (${role})${place}`, columns);
  return text === undefined ? head : `${head}${colors.yellow(hang('    ', text, columns))}`;
}

function chainText({ chain }: Explanation, { columns, colors }: Page): string {
  if (chain.length === 0) return '';
  const width = Math.max(...chain.map(({ event }) => String(event ?? '').length));
  const steps = chain.map(({ text, event, said, device, offset }) => {
    const head = `  ${String(event ?? '').padStart(width)}  `;
    const where =
      device === undefined || offset === undefined ? '' : ` (${device}, byte ${offset})`;
    return hangLines(
      head,
      [`${text}${where}`, ...(said === undefined ? [] : [colors.dim(printable(said))])],
      columns,
    );
  });
  return `How it came about, by the numbers of events\n${steps.join('')}`;
}

/** What fits, too. */
function othersText({ ranked }: Explanation, { columns }: Page): string {
  const others = ranked.slice(1);
  if (others.length === 0) return '';
  const shown = others.slice(0, OTHERS_SHOWN_MAX);
  const more = others.length - shown.length;
  const lines = shown.map(({ kind, summary, because }) =>
    hangLines('  ', [`${kind}: ${summary}`, because], columns),
  );
  return `Later, or less likely\n${lines.join('')}${more > 0 ? `  and ${more} more, with --json\n` : ''}`;
}

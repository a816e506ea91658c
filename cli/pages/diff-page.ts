/** Two runs beside one another: the first divergence with what stood around it, then all else. */
import type { DiffView, DivergenceView } from '../../answers/compared-views.ts';
import { duration } from '../../machines/wording.ts';
import { counted, hang, names, preciseTimeOfDay } from './text.ts';
import type { Page } from './text-table.ts';

export function renderDiff(view: DiffView, page: Page): string {
  const { columns, colors } = page;
  const { states, first, others, failure, beforeFailure, found } = view;
  const good = `job ${view.with} (${states.good}${found ? ', the last that passed' : ''})`;
  const lines = [hang('', `${good} and job ${view.id} (${states.bad})`, columns)];
  if (beforeFailure === false) lines.push(hang('', 'no divergence before the failure', columns));
  if (first === undefined)
    lines.push(hang('', 'no board did anything else than its counterpart', columns));
  else
    lines.push(
      '\nfirst divergence\n',
      colors.red(hang('  ', first.says, columns)),
      renderSides(first, view, columns),
    );
  if (others.length > 0) {
    lines.push('\nthen\n');
    for (const { says } of others.slice(0, OTHERS_SHOWN_MAX)) lines.push(hang('  ', says, columns));
    if (others.length > OTHERS_SHOWN_MAX)
      lines.push(`  and ${others.length - OTHERS_SHOWN_MAX} more\n`);
  }
  if (failure !== undefined)
    lines.push(
      '\nthe failure\n',
      hang(`  ${String(failure.event).padStart(4)}  `, failure.says, columns),
    );
  lines.push(...renderChanges(view, columns), ...renderTiming(view, columns));
  const { alone } = view;
  if (alone.good.length > 0)
    lines.push(hang('', `only in job ${view.with}: ${names(alone.good)}`, columns));
  if (alone.bad.length > 0)
    lines.push(hang('', `only in job ${view.id}: ${names(alone.bad)}`, columns));
  const noise = view.noise.map(({ what, count }) => `${count} ${what}`);
  if (noise.length > 0) lines.push('\n', hang('noise  ', noise.join('; '), columns));
  return lines.join('');
}
const OTHERS_SHOWN_MAX = 8;

function renderSides(
  { boards, before, good, bad }: DivergenceView,
  view: DiffView,
  columns: number,
): string {
  const side = (
    job: number,
    device: string,
    calls: typeof before.good,
    last: typeof good,
  ): string => {
    const told = [...calls, ...(last === undefined ? [] : [last])];
    const lines = told.map(({ event, at, says }) =>
      hang(`    ${String(event).padStart(4)}  ${preciseTimeOfDay(at)}  `, says, columns),
    );
    const nothing = last === undefined ? '          nothing more\n' : '';
    return hang('  ', `job ${job}, ${device}:`, columns) + lines.join('') + nothing;
  };
  return (
    side(view.with, boards.good, before.good, good) + side(view.id, boards.bad, before.bad, bad)
  );
}

function renderChanges({ changed }: DiffView, columns: number): string[] {
  if (changed.length === 0) return [];
  return [
    '\nchanged\n',
    ...changed.flatMap(({ what, where, good, bad }) => [
      hang('  ', `${what} of ${where}`, columns),
      hang('    was  ', good || 'nothing', columns),
      hang('    is   ', bad || 'nothing', columns),
    ]),
  ];
}

function renderTiming({ timing, past, with: good }: DiffView, columns: number): string[] {
  if (timing.length === 0) return [];
  const runs = past.length === 0 ? `job ${good}` : counted(past.length, 'run');
  return [
    `\nlater than in ${runs} before\n`,
    ...timing.map(({ device, what, seconds, usual, event }) =>
      hang(
        `  ${String(event).padStart(4)}  `,
        `${device}: ${what} came after ${duration(seconds * 1000)}, usually after ${duration(usual * 1000)}`,
        columns,
      ),
    ),
  ];
}

/** The page of `muster workers`. */
import type { WorkerView } from '../../api/schemas.ts';
import type { Colors } from '../io.ts';
import { dateAndTime } from './text.ts';
import { type Cell, type Page, table } from './text-table.ts';

export function renderWorkers(workers: readonly WorkerView[], page: Page): string {
  if (workers.length === 0)
    return 'There are no workers: start the server with --lab FILE, or muster worker on another machine.\n';
  const rows = workers.map((worker) => [
    worker.name,
    stateCell(worker, page.colors),
    dateAndTime(worker.since),
    usedText(worker),
    worker.version ?? (worker.state === 'expected' ? '' : 'in a server'),
    worker.drained === undefined
      ? 'yes'
      : { text: `no: ${worker.drained}`, paint: page.colors.yellow },
  ]);
  return table(
    [
      { title: 'WORKER' },
      { title: 'STATE', flexible: true },
      { title: 'SINCE' },
      { title: 'BOARDS' },
      { title: 'VERSION' },
      { title: 'NEW JOBS', flexible: true },
    ],
    rows,
    page,
  );
}

function stateCell({ state, reason, hasToken }: WorkerView, colors: Colors): Cell {
  if (state === 'connected') return state;
  if (state === 'expected') return hasToken ? 'expected' : 'expected: no token';
  return { text: reason === undefined ? state : `${state}: ${reason}`, paint: colors.red };
}

/** How many of its boards are in use. */
function usedText({ used, boards, jobLimit }: WorkerView): string {
  const limit = jobLimit === undefined ? '' : `, at most ${jobLimit}`;
  return `${used} of ${boards.length} in use${limit}`;
}

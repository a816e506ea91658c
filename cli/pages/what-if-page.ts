/** What would have been: how a job ends with a change, and the orders in which it could have happened. */

import type { OrdersView, WhatIfView } from '../../answers/compared-views.ts';
import { duration } from '../../machines/wording.ts';
import { stateCell } from './job-page.ts';
import { counted, hang } from './text.ts';
import { type Page, table } from './text-table.ts';

const time = (seconds: number): string => duration(seconds * 1000);

export function renderWhatIf(view: WhatIfView, page: Page): string {
  const { columns, colors } = page;
  const { recorded, outcome, seconds, members, hangs, beyond, changes } = view;
  const head = changes.length === 0 ? ['nothing is changed'] : changes;
  const what = hang(`job ${view.id}  `, head.join('; '), columns);
  const was = hang('  recorded  ', `${recorded.state} after ${time(recorded.seconds)}`, columns);
  const now = hang('  what if   ', `${outcome} after ${time(seconds)}`, columns);
  const rows = members.map((member) => [
    member.device,
    member.role,
    stateCell(member.recorded, colors),
    stateCell(member.state, colors),
    (member.reason ?? '').split('\n', 1).join(),
  ]);
  const titles = ['BOARD', 'ROLE', 'RECORDED', 'WHAT IF'].map((title) => ({ title }));
  return [
    what,
    was,
    now,
    table([...titles, { title: 'WHY', flexible: true }], rows, page),
    waitingText('hangs: nothing but a limit ends it', hangs, columns),
    ...beyond.map(({ member, event }) =>
      hang('unknown  ', `what ${member} does after event ${event} is not recorded`, columns),
    ),
    ...view.assumed.map((text) => hang('assumed  ', text, columns)),
  ].join('');
}

function waitingText(title: string, waits: WhatIfView['hangs'], columns: number): string {
  if (waits.length === 0) return '';
  const lines = waits.flatMap(({ member, what, missing }) => [
    hang('  ', `${member}: ${what}`, columns),
    ...missing.map((text) => hang('    ', `lacks ${text}`, columns)),
  ]);
  return hang('', title, columns) + lines.join('');
}

export function renderOrders(view: OrdersView, page: Page): string {
  const { columns } = page;
  const { states, all, ends, orders, races } = view;
  const looked = `${counted(states, 'state')} looked at, ${all ? 'and that is all of them' : 'and there are more'}`;
  const found = Object.entries(ends).filter(([, count]) => count > 0);
  const summary = found
    .map(([outcome, count]) => `${outcome}: ${counted(count, 'end')}`)
    .join(', ');
  const hanging = orders.find(({ outcome }) => outcome === 'hangs');
  const blocks =
    hanging === undefined
      ? [hang('', all ? 'no order hangs' : 'none of those hangs', columns)]
      : [
          hang('', 'the shortest order that hangs:', columns),
          ...hanging.steps.map(({ event, says }) =>
            hang(`  ${String(event).padStart(4)}  `, says, columns),
          ),
          waitingText('and then nobody moves:', hanging.waiting, columns),
        ];
  return [
    hang(`job ${view.id}  `, looked, columns),
    hang('  ', summary, columns),
    ...blocks,
    ...races.flatMap(({ member, wait, reads }) => [
      hang(
        '',
        `what ${member} reads depends on the order (event ${wait.event}: ${wait.says}):`,
        columns,
      ),
      ...reads.map((lines) => hang('  ', lines.join(', ') || 'nothing', columns)),
    ]),
  ].join('');
}

/** The page of `muster console NAME --list`. */
import type { DeviceConsoles } from '../../api/schemas.ts';
import { dateAndTime } from './text.ts';
import { type Page, table } from './text-table.ts';

export function renderConsoles(
  device: string,
  consoles: DeviceConsoles['consoles'],
  page: Page,
): string {
  if (consoles.length === 0) return `Nobody had the console of ${device} yet.\n`;
  const rows = consoles.map(({ number, user, startedAt, endedAt, reason, bytes }) => [
    String(number),
    dateAndTime(startedAt),
    endedAt === undefined ? 'open' : dateAndTime(endedAt),
    String(bytes),
    user,
    reason ?? '',
  ]);
  return table(
    [
      { title: 'CONSOLE', align: 'right' },
      { title: 'FROM' },
      { title: 'TO' },
      { title: 'BYTES', align: 'right' },
      { title: 'WHO', flexible: true },
      { title: 'ENDED BECAUSE', flexible: true },
    ],
    rows,
    page,
  );
}

/** The pages of `muster devices` and `muster device NAME`. */
import type { DeviceView } from '../../api/schemas.ts';
import type { Colors } from '../io.ts';
import { paintOf, renderFacts } from './job-page.ts';
import { counted, dateAndTime } from './text.ts';
import { type Cell, type Page, table } from './text-table.ts';

export function renderDevices(devices: readonly DeviceView[], page: Page): string {
  if (devices.length === 0) return 'There are no boards: start the server with --lab FILE.\n';
  const rows = devices.map((device) => [
    device.name,
    device.type,
    device.job === undefined ? device.state : `${device.state} (job ${device.job})`,
    onlineCell(device, page.colors),
    { text: healthText(device), paint: paintOf(device.health, page.colors) },
    device.tags.join(' '),
  ]);
  return table(
    [
      { title: 'BOARD' },
      { title: 'TYPE' },
      { title: 'STATE' },
      { title: 'ONLINE', flexible: true },
      { title: 'HEALTH', flexible: true },
      { title: 'TAGS', flexible: true },
    ],
    rows,
    page,
  );
}

function onlineCell(device: DeviceView, colors: Colors): Cell {
  if (device.online) return 'yes';
  const reason = device.offlineReason === undefined ? '' : `: ${device.offlineReason}`;
  return { text: `no${reason}`, paint: colors.red };
}

/** In a list a good board need not say why it is. */
function healthText({ health, healthReason }: DeviceView, saysWhyGood = false): string {
  const isPlain = healthReason === undefined || (health === 'good' && !saysWhyGood);
  return isPlain ? health : `${health}: ${healthReason}`;
}

export function renderDevice(device: DeviceView, page: Page): string {
  const online = onlineCell(device, page.colors);
  return `${device.name}\n${renderFacts(
    [
      ['type', device.type],
      ['tags', device.tags.length === 0 ? undefined : device.tags.join(' ')],
      ['state', device.state],
      ['job', device.job === undefined ? undefined : String(device.job)],
      ['online', typeof online === 'string' ? online : online.text],
      ['health', healthText(device, true)],
      ...checkFacts(device),
      ['worker', device.worker],
      ['driver', device.driver],
      ['idle since', dateAndTime(device.idleSince)],
    ],
    page,
  )}`;
}

const NO_CHECK_TO_LOOP = 'none; it gets no job until its health is set to something else';

function checkFacts(device: DeviceView): [string, string | undefined][] {
  const { healthCheck: check } = device;
  if (check === undefined)
    return [['health check', device.health === 'looping' ? NO_CHECK_TO_LOOP : 'none']];
  const { everyHours, everyJobs, lastAt, jobsSince } = check;
  const every = [
    everyHours === undefined ? [] : `every ${everyHours} h`,
    everyJobs === undefined ? [] : `every ${counted(everyJobs, 'job')}`,
  ].flat();
  return [
    ['health check', every.join(' or ') || 'while its health is unknown or looping'],
    ['last check', lastAt && `${dateAndTime(lastAt)}, ${counted(jobsSince, 'job')} since`],
    ['next check', nextCheckText(device, check)],
  ];
}

function nextCheckText(
  { state, health }: DeviceView,
  { job, due, nextAt, everyJobs, jobsSince }: NonNullable<DeviceView['healthCheck']>,
): string {
  if (job !== undefined) return `job ${job} checks it now`;
  if (due !== undefined) return `due now: ${due}`;
  if (state === 'retired') return 'none while it is retired';
  if (health !== 'good') return `none while its health is ${health}`;
  const next = [
    nextAt === undefined ? [] : dateAndTime(nextAt),
    everyJobs === undefined ? [] : `after ${counted(everyJobs - jobsSince, 'more job')}`,
  ].flat();
  return next.join(' or ') || 'when its health is unknown or looping';
}

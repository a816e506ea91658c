/** A job at one of its events: what happened, where each board was, what each could read, and who waited for whom. */
import type { BoardMoment, LabBoard, MailboxView, StateView } from '../../answers/views.ts';
import { paintOf, renderBarriers, renderMembers } from './job-page.ts';
import { counted, dateAndTime, hang, names, preciseTimeOfDay } from './text.ts';
import { type Page, table } from './text-table.ts';

/** @param device this board alone; absent: all of them */
export function renderState(view: StateView, page: Page, device?: string): string {
  const { job, boards, barriers, mailboxes, lab, leftOut } = view;
  const { columns } = page;
  const title = hang(`job ${view.id}  `, `${job.name}  ${job.state}`, columns);
  const wanted = boards.filter((board) => device === undefined || board.device === device);
  const mine = new Set(wanted.map((board) => board.device));
  const members = job.members.filter((member) => mine.has(member.device));
  const seen = barriers.filter(
    ({ arrived, missing, waits }) =>
      device === undefined ||
      [...arrived, ...missing, ...waits.map(({ member }) => member)].includes(device),
  );
  return [
    paintOf(job.state, page.colors)(title),
    renderEventLine(view, page),
    members.length > 0 ? `\n${renderMembers({ ...job, members }, page)}` : '',
    section(
      'scripts and cache files',
      wanted.map((board) => renderBoard(board, columns)),
    ),
    section('barriers', [
      leftOut.barriers > 0
        ? hang(
            '  ',
            `${counted(leftOut.barriers, 'barrier')} before these, nobody waits in them`,
            columns,
          )
        : '',
      seen.length > 0 ? renderBarriers({ barriers: seen, job: view.id }, page) : '',
    ]),
    section('messages', [
      ...mailboxes.map((mailbox) => renderMailbox(mailbox, columns)),
      leftOut.mailboxes > 0 ? hang('  ', `and ${leftOut.mailboxes} more`, columns) : '',
    ]),
    section('queue and boards', renderLab(lab, page, device)),
  ].join('');
}

/** Which event it is, and what happened. */
export function renderEventLine({ at, events }: StateView, { columns }: Page): string {
  const says = `${preciseTimeOfDay(at.at)}  ${at.says}`;
  return hang(`event ${at.event} of ${events}  `, says, columns);
}

function renderLab(lab: StateView['lab'], page: Page, device?: string): string[] {
  const { columns } = page;
  if (lab === undefined) return [hang('  ', 'unknown', columns)];
  const { length, place, reason, guaranteedStart } = lab.queue;
  const start =
    guaranteedStart === undefined ? '' : `; it starts by ${dateAndTime(guaranteedStart)}`;
  const waits = place === undefined ? '' : `this one is number ${place}: ${reason}${start}`;
  const queue = `${counted(length, 'job')} in the queue${waits === '' ? '' : `; ${waits}`}`;
  const boards = lab.boards.filter((board) => device === undefined || board.device === device);
  const rows = boards.map(({ device: name, deviceType, health, ...board }) => [
    name,
    deviceType,
    standingOf(board),
    health,
    keptText(board),
  ]);
  const titles = [{ title: 'BOARD' }, { title: 'TYPE' }, { title: 'STATE' }, { title: 'HEALTH' }];
  return [
    hang('  ', queue, columns),
    rows.length > 0 ? table([...titles, { title: 'WHY NOT', flexible: true }], rows, page) : '',
    lab.more > 0 ? hang('  ', `and ${counted(lab.more, 'more board')}`, columns) : '',
  ];
}

type Standing = Pick<LabBoard, 'state' | 'heldBy' | 'kept' | 'closed'>;

const standingOf = ({ state, heldBy }: Standing): string =>
  heldBy === undefined ? state : `job ${heldBy}`;

/** What keeps it from this job where that waits, and from any job. */
function keptText({ kept = [], closed }: Standing): string {
  const why = new Set(kept.map(({ why }) => why).filter((text) => !text.startsWith('held by')));
  if (why.size === 0 && closed !== undefined) why.add(closed);
  return [...why].join(', ');
}

function section(title: string, blocks: readonly string[]): string {
  const text = blocks.join('');
  return text === '' ? '' : `\n${title}\n${text}`;
}

function renderBoard(board: BoardMoment, columns: number): string {
  const { device, call, console, cache, networkCache, suite } = board;
  const lines: string[] = [];
  const where = suite === undefined ? '' : `, suite ${suite}`;
  if (call !== undefined) {
    lines.push(`event ${call.event}: ${call.what}${where}`);
    for (const { argv, read } of call.from ?? [])
      lines.push(
        `called by ${argv.join(' ')}${read === undefined ? '' : `, read up to byte ${read}`}`,
      );
  }
  if (console !== undefined)
    lines.push(`console: ${console.bytes} bytes at event ${console.event}`);
  lines.push(...cacheLines('cache file', cache), ...cacheLines('network cache file', networkCache));
  return lines
    .map((line, at) =>
      hang(at === 0 ? `  ${device}  ` : `  ${' '.repeat(device.length)}  `, line, columns),
    )
    .join('');
}

const CACHE_LINES_SHOWN_MAX = 32;

function cacheLines(name: string, file: BoardMoment['cache']): string[] {
  if (file === undefined) return [];
  const { lines, event } = file;
  if (lines.length === 0) return [`${name}, written at event ${event}: empty`];
  const more = lines.length - CACHE_LINES_SHOWN_MAX;
  return [
    `${name}, written at event ${event}:`,
    ...lines.slice(0, CACHE_LINES_SHOWN_MAX).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function renderMailbox({ message, senders, waiting }: MailboxView, columns: number): string {
  const sent = senders.map(({ member, count, pairs }) => {
    const often = count > 1 ? ` ${count} times` : '';
    const said = pairs.map(({ key, value }) => ` ${key}=${value}`).join('');
    return hang(`    `, `from ${member}${often}${said}`, columns);
  });
  const waits = waiting.map(({ member, verb }) => `${member} (lava-${verb})`);
  const open = waits.length > 0 ? hang('    ', `waited for by ${names(waits)}`, columns) : '';
  return [hang('  ', message, columns), ...sent, open].join('');
}

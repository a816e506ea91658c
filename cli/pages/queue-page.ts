/** The pages of `muster queue` and `muster why`: who waits, and what keeps the boards from them. */
import type { z } from 'zod';
import type { Queue, WhyView } from '../../api/schemas.ts';
import { asked } from '../../scheduler/reasons.ts';
import { renderFacts } from './job-page.ts';
import { counted, dateAndTime, hang, names } from './text.ts';
import { type Cell, type Page, table } from './text-table.ts';

/** With more boards than this a role shows how many each rule keeps away. */
const BOARDS_LISTED_MAX = 12;
const BOARDS_NAMED_MAX = 3;

type Slot = WhyView['slots'][number];
type Candidate = Slot['candidates'][number];

export function renderQueue({ queue, total }: z.infer<typeof Queue>, page: Page): string {
  const [first] = queue;
  if (first === undefined)
    return total === 0
      ? 'No job is waiting.\n'
      : `No more: ${counted(total, 'job')} in the queue.\n`;
  const rows = queue.map(({ place, job, name, priority, submittedAt, guaranteedStart }) => [
    String(place),
    String(job),
    name,
    String(priority),
    dateAndTime(submittedAt),
    guaranteedStart === null ? '' : dateAndTime(guaranteedStart),
  ]);
  const columns = [
    { title: 'PLACE', align: 'right' as const },
    { title: 'JOB', align: 'right' as const },
    { title: 'NAME', flexible: true },
    { title: 'PRIORITY', align: 'right' as const },
    { title: 'SINCE' },
    { title: 'STARTS BY' },
  ];
  const reasons = table(columns, rows, page, (row) =>
    hang('       ', queue[row]?.reason ?? '', page.columns),
  );
  return `${reasons}\n${hang('', `muster why ${first.job} tells what keeps each board from job ${first.job}.`, page.columns)}`;
}

/** @param isWhole every board has a line, however many there are */
export function renderWhy(why: WhyView, isWhole: boolean, page: Page): string {
  const { job, name, place, priority, submittedAt, reason, slots } = why;
  const facts = renderFacts(
    [
      ['place', String(place)],
      ['priority', String(priority)],
      ['since', dateAndTime(submittedAt)],
      ['reason', reason],
      ['starts by', startText(why)],
    ],
    page,
  );
  const isCut = !isWhole && slots.some(({ candidates }) => candidates.length > BOARDS_LISTED_MAX);
  return [
    hang(`job ${job}  `, name, page.columns),
    facts,
    ...slots.map((slot) => `\n${renderSlot(slot, isWhole, page)}`),
    isCut ? `\nmuster why ${job} --all lists every board.\n` : '',
  ].join('');
}

/** Only one job at a time is promised a start (SEMANTICS 4.4). */
function startText({ guaranteedStart, place }: WhyView): string {
  if (guaranteedStart !== null)
    return `${dateAndTime(guaranteedStart)} at the latest, by the timeouts of what runs`;
  return place === 1
    ? 'no time is sure: the timeouts of running jobs do not give it all its boards at once'
    : 'no time is sure yet: one job at a time is promised its start, the first that timeouts can give its boards';
}

function renderSlot(slot: Slot, isWhole: boolean, page: Page): string {
  const { role, wanted, free, short, candidates } = slot;
  const lacking = short > 0 ? `, ${short} short` : '';
  const title = hang(
    `role ${role}  `,
    `wants ${wanted} of ${asked(slot)}; ${free} free${lacking}`,
    page.columns,
  );
  const painted = short > 0 ? page.colors.red(title) : title;
  if (candidates.length === 0) return `${painted}There is no such board.\n`;
  return isWhole || candidates.length <= BOARDS_LISTED_MAX
    ? painted + renderBoards(candidates, page)
    : painted + renderRules(candidates, page);
}

function renderBoards(candidates: readonly Candidate[], page: Page): string {
  const rows = candidates.map(({ board, why, until }) => [
    board,
    whyCell(why, page),
    until === undefined ? '' : dateAndTime(until),
  ]);
  return table(
    [{ title: 'BOARD' }, { title: 'WHY NOT', flexible: true }, { title: 'BACK BY' }],
    rows,
    page,
  );
}

/** How many boards each rule keeps away, the most first. */
function renderRules(candidates: readonly Candidate[], page: Page): string {
  const byRule = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const rule = ruleOf(candidate.why);
    const boards = byRule.get(rule);
    if (boards === undefined) byRule.set(rule, [candidate]);
    else boards.push(candidate);
  }
  const rows = [...byRule]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([rule, boards]) => [
      String(boards.length),
      whyCell(rule, page),
      names(
        boards.map(({ board }) => board),
        BOARDS_NAMED_MAX,
      ),
      firstBack(boards),
    ]);
  return table(
    [
      { title: 'COUNT', align: 'right' },
      { title: 'WHY NOT', flexible: true },
      { title: 'BOARDS', flexible: true },
      { title: 'FIRST BACK BY' },
    ],
    rows,
    page,
  );
}

/** What boards have in common that one rule keeps away: neither the job that has each, nor its own reason. */
function ruleOf(why: string): string {
  return why
    .replace(/^held by job \d+( \(then .*\))?$/s, (_, then) =>
      then === undefined ? 'held by a job' : 'held by a job, then closed',
    )
    .replace(/^held by its health check, job \d+$/, 'held by its health check')
    .replace(/^goes to job \d+$/, 'goes to a job that starts now')
    .replace(
      /^(offline|retired|health \w+|a health check comes first|its worker \S+ is lost)( since its event \d+)?: .*$/s,
      '$1',
    );
}

function firstBack(boards: readonly Candidate[]): string {
  const times = boards.flatMap(({ until }) => until ?? []).sort();
  return times[0] === undefined ? '' : dateAndTime(times[0]);
}

function whyCell(why: string, { colors }: Page): Cell {
  return why === 'free' ? { text: why, paint: colors.green } : why;
}

/** The pages of the command line: what the server answered, laid out for people. Also used by the demo. */
import type { z } from 'zod';
import type { Barriers, JobPage } from '../../api/schemas.ts';
import type { BarrierView, JobView, LastLineView, SuiteView } from '../../projections/views.ts';
import type { Colors } from '../io.ts';
import { durationText } from './duration.ts';
import { dateAndTime, hang, hangLines, names, preciseTimeOfDay } from './text.ts';
import { type Cell, type Page, table } from './text-table.ts';

/** A state or a result in its colour. */
export function stateCell(state: string, colors: Colors): Cell {
  return { text: state, paint: paintOf(state, colors) };
}

const GOOD = new Set(['complete', 'pass', 'good', 'released']);
const BAD = new Set(['failed', 'fail', 'timedOut', 'rejected', 'bad', 'unreachable', 'cancelled']);

export function paintOf(state: string, colors: Colors): (text: string) => string {
  if (GOOD.has(state)) return colors.green;
  return BAD.has(state) ? colors.red : (text) => text;
}

export function renderJobs({ jobs, next }: z.infer<typeof JobPage>, page: Page): string {
  if (jobs.length === 0 && next !== undefined)
    return `There are none from job ${next} on; older ones were not looked at.\n`;
  if (jobs.length === 0) return 'There are no jobs; archived ones are not listed.\n';
  const rows = jobs.map((job) => [
    String(job.id),
    job.name,
    stateCell(job.state, page.colors),
    String(job.priority),
    String(job.members.length),
    dateAndTime(job.submittedAt),
  ]);
  return table(
    [
      { title: 'JOB', align: 'right' },
      { title: 'NAME', flexible: true },
      { title: 'STATE' },
      { title: 'PRIORITY', align: 'right' },
      { title: 'BOARDS', align: 'right' },
      { title: 'SUBMITTED' },
    ],
    rows,
    page,
  );
}

/** @param suites what ran, or is to run */
export function renderJob(job: JobView, suites: readonly SuiteView[], page: Page): string {
  const facts: [string, string | undefined][] = [
    ['reason', job.reason],
    ['priority', String(job.priority)],
    ['timeout', `${job.timeoutSeconds} s`],
    ['submitted', dateAndTime(job.submittedAt)],
    ['allocated', job.allocatedAt && dateAndTime(job.allocatedAt)],
    ['ended', job.endedAt && dateAndTime(job.endedAt)],
    ['runs', ranText(suites)],
  ];
  const title = hang(`job ${job.id}  `, `${job.name}  ${job.state}`, page.columns);
  return `${paintOf(job.state, page.colors)(title)}${renderFacts(facts, page)}${
    job.members.length > 0 ? renderMembers(job, page) : renderRoles(job, page)
  }${job.state === 'submitted' ? `\nIt waits for boards: muster why ${job.id} tells which, and how long.\n` : ''}`;
}

/** Each definition once, with the commit that it was taken from. */
function ranText(suites: readonly SuiteView[]): string | undefined {
  const ran = suites.flatMap(({ suite, source }) => {
    if (source?.from === 'url') return [`${suite}: ${source.url}`];
    if (source?.from !== 'git') return [];
    const asked = source.revision === undefined ? '' : ` (${source.revision})`;
    return [`${suite}: ${source.path} of ${source.repository} at ${source.commit}${asked}`];
  });
  return ran.length === 0 ? undefined : [...new Set(ran)].join('\n');
}

/** A name and what is known of it a line; names without anything known are left out. */
export function renderFacts(facts: readonly [string, string | undefined][], page: Page): string {
  const known = facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
  const width = Math.max(0, ...known.map(([name]) => name.length));
  return known
    .map(([name, value]) => hangLines(`  ${name.padEnd(width)}  `, value.split('\n'), page.columns))
    .join('');
}

/** The group in `lava-group` order. Of a reason in several lines the first: the others tell what other boards did. */
export function renderMembers(job: JobView, page: Page): string {
  const rows = job.members.map(({ device, role, state, doing, reason }) => [
    device,
    role,
    stateCell(state, page.colors),
    (reason ?? doing).split('\n', 1).join(),
  ]);
  return table(
    [{ title: 'BOARD' }, { title: 'ROLE' }, { title: 'STATE' }, { title: 'DOING', flexible: true }],
    rows,
    page,
  ).concat(renderLastLines(linesOfMembers(job), page));
}

const linesOfMembers = (job: JobView): LineOf[] =>
  job.members.flatMap(({ device, endedAt, lastLine }) =>
    lastLine === undefined ? [] : [{ ...lastLine, member: device, before: endedAt }],
  );

/** `before`: when what it is told beside was over; absent: it is not. */
type LineOf = LastLineView & { member: string; before?: string | undefined };

/** What boards printed last, a line each: `panda03, 41 s ago: + lava-sync ready`. */
function renderLastLines(lines: readonly LineOf[], { columns }: Page): string {
  if (lines.length === 0) return '';
  const rendered = lines.map(({ member, text, at, before }) =>
    hang(`  ${member}${agoText(at, before)}: `, text, columns),
  );
  return `last on their consoles\n${rendered.join('')}`;
}

function agoText(at: string | undefined, before: string | undefined): string {
  if (at === undefined) return '';
  const ms = Math.max(0, (before === undefined ? Date.now() : Date.parse(before)) - Date.parse(at));
  const long = durationText(Math.round(ms / 1000));
  return before === undefined ? `, ${long} ago` : `, ${long} before`;
}

function renderRoles(job: JobView, page: Page): string {
  const rows = job.roles.map(({ role, count, deviceType, device, tags, essential }) => [
    essential === true ? `${role} (essential)` : role,
    String(count),
    device ?? deviceType ?? '',
    tags.join(' '),
  ]);
  const columns = [
    { title: 'ROLE' },
    { title: 'WANTS', align: 'right' as const },
    { title: 'OF' },
    { title: 'TAGS', flexible: true },
  ];
  return table(columns, rows, page);
}

/** A block a barrier: who arrived when, who came last, who is missing, which wait ended badly and why. */
export function renderBarriers({ barriers }: z.infer<typeof Barriers>, page: Page): string {
  if (barriers.length === 0) return 'No board has waited yet.\n';
  return barriers.map((barrier) => renderBarrier(barrier, page)).join('');
}

function renderBarrier(barrier: BarrierView, page: Page): string {
  const { colors, columns } = page;
  const role = barrier.role === undefined ? '' : ` ${barrier.role}`;
  const round = barrier.round > 1 || barrier.verb === 'sync' ? `  round ${barrier.round}` : '';
  const state = barrier.released ? 'released' : 'not released';
  const title = hang('', `lava-${barrier.verb} ${barrier.id}${role}${round}  ${state}`, columns);
  const arrived = barrier.arrivals.map(({ member, at }) => {
    const isLast = barrier.last === member && barrier.arrived.length > 1;
    return hang(
      '  arrived  ',
      `${preciseTimeOfDay(at)}  ${member}${isLast ? '  (last)' : ''}`,
      columns,
    );
  });
  const missing =
    barrier.missing.length === 0
      ? ''
      : colors.red(hang('  missing  ', names(barrier.missing, MISSING_SHOWN_MAX), columns));
  const painted = barrier.released ? colors.green(title) : title;
  const lastLines = (barrier.lastLines ?? []).map(({ member, text, at }) =>
    hang(`  ${member} printed last${lastAt(barrier, at)}: `, text, columns),
  );
  const waits = renderWaits(barrier, columns).map(colors.red);
  return [painted, ...arrived, missing, ...lastLines, ...waits].join('');
}
const MISSING_SHOWN_MAX = 32;

function lastAt({ waits }: BarrierView, at: string | undefined): string {
  const isOpen = waits.some(({ outcome }) => outcome === 'open');
  return agoText(at, isOpen ? undefined : waits.at(-1)?.endedAt);
}

/** The waits that are stuck or ended unreleased. Those that ended alike stand together: a group may have thousands. */
function renderWaits({ waits }: BarrierView, columns: number): string[] {
  const alike = new Map<string, string[]>();
  for (const { member, outcome, stuck, reason } of waits) {
    if (outcome === 'released' || (outcome === 'open' && stuck === undefined)) continue;
    const how = reason ?? (outcome === 'open' ? 'stuck' : outcome);
    const members = alike.get(how);
    if (members === undefined) alike.set(how, [member]);
    else members.push(member);
  }
  return [...alike].map(([how, members]) => {
    const [first = '', ...under] = how.split('\n');
    return hangLines('  ', [`${names(members)}: ${first}`, ...under], columns);
  });
}

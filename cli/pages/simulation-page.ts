/** The pages of `muster simulate`: waits and use as tables, and a sentence for each verdict. */
import type { Report } from '../../simulation/report.ts';
import type { Trace } from '../../simulation/trace.ts';
import { durationText } from './duration.ts';
import { counted, hang, names } from './text.ts';
import { type Page, table } from './text-table.ts';

const HOLDERS_SHOWN_MAX = 3;

export function renderSimulation(trace: Trace, reports: readonly Report[], page: Page): string {
  const { jobs, boards, guessed } = trace;
  const lines = [
    hang('', `${counted(jobs.length, 'job')} on ${counted(boards.length, 'board')}`, page.columns),
  ];
  if (guessed > 0)
    lines.push(
      hang(
        '',
        `${counted(guessed, 'job')} did not end in the log: the usual run time was taken for them`,
        page.columns,
      ),
    );
  return [
    lines.join(''),
    renderWaits(reports, page),
    renderUse(reports, page),
    reports.map((report) => renderVerdict(report, page)).join(''),
  ].join('\n');
}

/** From submission to start, the sizes of the groups together so that policies stand under one another. */
function renderWaits(reports: readonly Report[], page: Page): string {
  const sizes = [...new Set(reports.flatMap(({ waits }) => waits.map(({ boards }) => boards)))];
  const rows = sizes.flatMap((size) =>
    reports.flatMap(({ policy, waits }) =>
      waits
        .filter(({ boards }) => boards === size)
        .map(({ boards, started, never, medianSeconds, p90Seconds, maxSeconds }) => [
          boards,
          policy,
          String(started),
          String(never),
          wait(medianSeconds),
          wait(p90Seconds),
          wait(maxSeconds),
        ]),
    ),
  );
  const titles = ['STARTED', 'NEVER', 'MEDIAN WAIT', '90 %', 'LONGEST'];
  return table(
    [
      { title: 'GROUP OF', align: 'right' },
      { title: 'POLICY' },
      ...titles.map((title) => ({ title, align: 'right' as const })),
    ],
    rows,
    page,
  );
}

const wait = (seconds: number | null): string => (seconds === null ? '-' : durationText(seconds));

function renderUse(reports: readonly Report[], page: Page): string {
  const types = reports[0]?.use ?? [];
  const rows = types.flatMap(({ deviceType, boards }) =>
    reports.map(({ policy, use }) => {
      const of = use.find((each) => each.deviceType === deviceType);
      const percents = [of?.busy, of?.grabbed].map((part) => `${Math.round((part ?? 0) * 100)} %`);
      return [deviceType, String(boards), policy, ...percents];
    }),
  );
  return table(
    [
      { title: 'TYPE', flexible: true },
      { title: 'BOARDS', align: 'right' },
      { title: 'POLICY' },
      { title: 'RUNNING', align: 'right' },
      { title: 'HELD, WAITING', align: 'right' },
    ],
    rows,
    page,
  );
}

function renderVerdict(report: Report, page: Page): string {
  const { policy, ends, spanSeconds } = report;
  const counts = Object.entries(ends)
    .filter(([, count]) => count > 0)
    .map(([end, count]) => `${count} ${END_WORDS[end] ?? end}`);
  const sentences = [
    `${counts.join(', ')}, in ${durationText(spanSeconds)}.`,
    starvationText(report),
    deadlockText(report),
  ];
  return hang(
    `${policy.padEnd(14)} `,
    sentences.filter((sentence) => sentence !== '').join(' '),
    page.columns,
  );
}

const END_WORDS: Record<string, string> = {
  timedOut: 'timed out',
  lost: 'lost with a board',
  queueTimedOut: 'timed out in the queue',
  waiting: 'never started',
};

function starvationText({ starved, deadlock }: Report): string {
  const [worst] = starved.first;
  if (worst === undefined) return deadlock === null ? 'Nobody starved.' : '';
  const waited = `${durationText(worst.waitedSeconds)}${worst.started ? '' : ' and did not start'}`;
  return `${counted(starved.jobs, 'job')} starved; job ${worst.job} (${counted(worst.boards, 'board')}) waited ${waited}.`;
}

function deadlockText({ deadlock }: Report): string {
  if (deadlock === null) return 'No deadlock.';
  const { holders, behind } = deadlock;
  const shown = holders
    .slice(0, HOLDERS_SHOWN_MAX)
    .map(({ job, holds, lacks }) => `job ${job} holds ${names(holds)} and lacks ${lacks} more`);
  const more = holders.length - shown.length;
  const others = more > 0 ? `; ${more} more hold boards too` : '';
  const queue =
    behind > 0 ? `; ${counted(behind, 'job')} wait${behind === 1 ? 's' : ''} behind` : '';
  return `DEADLOCK, for ever: ${shown.join('; ')}${others}${queue}.`;
}

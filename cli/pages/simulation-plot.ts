/** Waits by group size and use by device type, policy beside policy, as one SVG picture without any script. */
import type { Report } from '../../simulation/report.ts';
import { counted } from './text.ts';

const WIDTH = 920;
const LEFT = 70;
const PANEL_HEIGHT = 220;
const WAITS_TOP = 110;
const USE_TOP = WAITS_TOP + PANEL_HEIGHT + 110;
const HEIGHT = USE_TOP + PANEL_HEIGHT + 70;
const TYPES_SHOWN_MAX = 10;
/** Okabe and Ito's: told apart without colour vision too. */
const COLORS = ['#0072b2', '#009e73', '#d55e00'];
const TICKS = [
  [1, '1 s'],
  [10, '10 s'],
  [60, '1 min'],
  [600, '10 min'],
  [3_600, '1 h'],
  [36_000, '10 h'],
  [86_400, '1 d'],
  [864_000, '10 d'],
] as const;

export function plot(reports: readonly Report[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    legend(reports),
    waitsPanel(reports),
    usePanel(reports),
    '</svg>',
    '',
  ].join('\n');
}

const colorOf = (at: number): string => COLORS[at % COLORS.length] ?? '#222';

/** A square, the name and the verdict of each policy. */
function legend(reports: readonly Report[]): string {
  return reports
    .map((report, at) => {
      const y = 22 + at * 20;
      const mark = `<rect x="${LEFT}" y="${y - 10}" width="12" height="12" fill="${colorOf(at)}"/>`;
      return mark + text(LEFT + 20, y, `${report.policy}: ${verdict(report)}`);
    })
    .join('\n');
}

function verdict({ deadlock, starved, ends, jobs }: Report): string {
  const ran = jobs - ends.waiting - ends.rejected - ends.withdrawn - ends.queueTimedOut;
  const parts = [`${ran} of ${jobs} jobs ran`];
  if (starved.jobs > 0) parts.push(`${starved.jobs} starved`);
  if (deadlock !== null)
    parts.push(`DEADLOCK of ${counted(deadlock.holders.length, 'job')}, ${deadlock.behind} behind`);
  return parts.join(', ');
}

function waitsPanel(reports: readonly Report[]): string {
  const sizes = [...new Set(reports.flatMap(({ waits }) => waits.map(({ boards }) => boards)))];
  const longest = Math.max(
    10,
    ...reports.flatMap(({ waits }) => waits.map(({ maxSeconds }) => maxSeconds ?? 0)),
  );
  const heightOf = (seconds: number) =>
    (PANEL_HEIGHT * Math.log10(1 + seconds)) / Math.log10(1 + longest);
  const bottom = WAITS_TOP + PANEL_HEIGHT;
  const grid = TICKS.filter(([seconds]) => seconds <= longest).map(([seconds, label]) =>
    gridLine(bottom - heightOf(seconds), label),
  );
  const bars = slots(sizes.length, reports.length).map(({ group, policy, x, width }) => {
    const of = reports[policy]?.waits.find(({ boards }) => boards === sizes[group]);
    const color = colorOf(policy);
    const [median, p90, max] = [of?.medianSeconds, of?.p90Seconds, of?.maxSeconds].map((seconds) =>
      heightOf(seconds ?? 0),
    );
    const never = of !== undefined && of.never > 0 ? neverText(x + width / 2, of.never) : '';
    return [
      bar(x, bottom, width, p90 ?? 0, color, 0.35),
      bar(x, bottom, width, median ?? 0, color, 1),
      `<line x1="${x}" x2="${x + width}" y1="${bottom - (max ?? 0)}" y2="${bottom - (max ?? 0)}" stroke="${color}" stroke-width="2"/>`,
      never,
    ].join('');
  });
  const title =
    'Wait by size of the group: half wait up to the dark bar, 90 % up to the light bar, the line is the longest';
  return [
    text(LEFT, WAITS_TOP - 18, title, 'font-weight="bold"'),
    ...grid,
    ...bars,
    ...labels(
      sizes.map((size) => (size === '1' ? '1 board' : `${size} boards`)),
      bottom,
    ),
  ].join('\n');
}

const neverText = (x: number, count: number): string =>
  text(x, WAITS_TOP - 4, `${count} never`, 'text-anchor="middle" font-size="10"');

function usePanel(reports: readonly Report[]): string {
  const all = reports[0]?.use ?? [];
  const types = all.slice(0, TYPES_SHOWN_MAX).map(({ deviceType }) => deviceType);
  const bottom = USE_TOP + PANEL_HEIGHT;
  const bars = slots(types.length, reports.length).map(({ group, policy, x, width }) => {
    const of = reports[policy]?.use.find(({ deviceType }) => deviceType === types[group]);
    const busy = PANEL_HEIGHT * (of?.busy ?? 0);
    const grabbed = PANEL_HEIGHT * (of?.grabbed ?? 0);
    const color = colorOf(policy);
    return (
      bar(x, bottom, width, busy, color, 1) + bar(x, bottom - busy, width, grabbed, color, 0.35)
    );
  });
  const more =
    all.length > types.length ? ` (the first ${types.length} of ${all.length} types)` : '';
  const title = `Use of the boards: running is dark, held by a group that waits is light${more}`;
  return [
    text(LEFT, USE_TOP - 18, title, 'font-weight="bold"'),
    ...[0, 25, 50, 75, 100].map((percent) =>
      gridLine(bottom - (PANEL_HEIGHT * percent) / 100, `${percent} %`),
    ),
    ...bars,
    ...labels(types, bottom),
  ].join('\n');
}

/** Where each bar stands: groups side by side, in each the policies side by side. */
function slots(
  groups: number,
  policies: number,
): { group: number; policy: number; x: number; width: number }[] {
  const room = groupWidth(groups);
  const width = Math.min(40, (room * 0.8) / Math.max(1, policies));
  return Array.from({ length: groups * policies }, (_, at) => {
    const [group, policy] = [Math.floor(at / policies), at % policies];
    const middle = LEFT + room * (group + 0.5);
    const x = round(middle + (policy - policies / 2) * width);
    return { group, policy, x, width: round(width - 2) };
  });
}

const groupWidth = (groups: number): number => (WIDTH - LEFT - 20) / Math.max(1, groups);

function labels(names: readonly string[], bottom: number): string[] {
  const room = groupWidth(names.length);
  const charactersMax = Math.max(4, Math.floor(room / 7));
  return names.map((name, at) => {
    const shown = name.length > charactersMax ? `${name.slice(0, charactersMax - 1)}…` : name;
    return text(LEFT + room * (at + 0.5), bottom + 18, shown, 'text-anchor="middle"');
  });
}

function gridLine(y: number, label: string): string {
  const line = `<line x1="${LEFT}" x2="${WIDTH - 20}" y1="${round(y)}" y2="${round(y)}" stroke="#ddd"/>`;
  return line + text(LEFT - 8, y + 4, label, 'text-anchor="end"');
}

function bar(
  x: number,
  bottom: number,
  width: number,
  height: number,
  fill: string,
  opacity: number,
): string {
  return `<rect x="${x}" y="${round(bottom - height)}" width="${width}" height="${round(height)}" fill="${fill}" fill-opacity="${opacity}"/>`;
}

function text(x: number, y: number, words: string, more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" ${more}>${escaped(words)}</text>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

const escaped = (words: string): string =>
  words.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

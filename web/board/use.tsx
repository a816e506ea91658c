/** How a board was used over time: which job had it, when it was out of use, and when its health changed. */
import { useSignal } from '@preact/signals';
import { scaleTime } from 'd3-scale';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { RecordedEvent } from '../api/types.ts';
import { jobLink } from '../ui/parts.tsx';
import { clock, lasting, moment } from '../ui/time.ts';

interface Stretch {
  from: number;
  to: number | undefined;
  kind: 'job' | 'offline' | 'bad';
  job: number | undefined;
  text: string;
}

/** What held a board from when to when, out of its events. Pure. */
export function stretchesOf(events: readonly RecordedEvent[]): Stretch[] {
  const out: Stretch[] = [];
  const open = new Map<Stretch['kind'], Stretch>();
  const begin = (kind: Stretch['kind'], from: number, text: string, job?: number) => {
    end(kind, from);
    const stretch = { from, to: undefined, kind, job, text };
    open.set(kind, stretch);
    out.push(stretch);
  };
  const end = (kind: Stretch['kind'], to: number) => {
    const stretch = open.get(kind);
    if (stretch !== undefined) stretch.to = to;
    open.delete(kind);
  };
  for (const { type, data, meta } of events) {
    if (type === 'DeviceReserved') begin('job', meta.at, `job ${data.job}`, data.job);
    else if (type === 'DeviceReleased') end('job', meta.at);
    else if (type === 'DeviceWentOffline') begin('offline', meta.at, `offline: ${data.reason}`);
    else if (type === 'DeviceCameOnline') end('offline', meta.at);
    else if (type === 'DeviceHealthChanged') {
      const isOut = data.to === 'bad' || data.to === 'maintenance';
      if (isOut) begin('bad', meta.at, `${data.to}: ${data.reason}`);
      else end('bad', meta.at);
    }
  }
  return out;
}

const HEIGHT = 58;
const PIXELS_A_TICK = 130;
const ROWS = { job: 4, offline: 22, bad: 22 } as const;
const ROW_HEIGHT = 15;

export function Use({ events }: { events: readonly RecordedEvent[] }) {
  const figure = useRef<HTMLElement>(null);
  const wide = useSignal(800);
  useLayoutEffect(() => {
    const element = figure.current;
    if (element === null) return;
    const watcher = new ResizeObserver(() => {
      wide.value = Math.max(100, element.clientWidth);
    });
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [events.length > 0]);
  const width = wide.value;
  const first = events[0]?.meta.at;
  if (first === undefined) return null;
  const now = clock.value;
  const x = scaleTime()
    .domain([first, Math.max(now, first + 1_000)])
    .range([0, width]);
  const stretches = stretchesOf(events);
  const used = stretches
    .filter(({ kind }) => kind === 'job')
    .reduce((sum, { from, to }) => sum + (to ?? now) - from, 0);
  const share = Math.round((100 * used) / Math.max(1, now - first));
  return (
    <figure class="use" ref={figure}>
      <svg
        viewBox={`0 0 ${width} ${HEIGHT}`}
        role="group"
        aria-label={`In use for ${share} % of ${lasting(now - first)}`}
      >
        {x.ticks(Math.max(2, Math.floor(width / PIXELS_A_TICK))).map((tick) => (
          <g key={tick.getTime()} class="tick">
            <line x1={x(tick)} x2={x(tick)} y1="0" y2={HEIGHT - 14} />
            <text x={x(tick) + 3} y={HEIGHT - 3}>
              {moment(tick.getTime())}
            </text>
          </g>
        ))}
        {stretches.map(({ from, to, kind, job, text }) => {
          const long = Math.max(1.5, x(to ?? now) - x(from));
          const bar = (
            <rect class={kind} x={x(from)} width={long} y={ROWS[kind]} height={ROW_HEIGHT}>
              <title>{`${text}, ${lasting((to ?? now) - from)}`}</title>
            </rect>
          );
          if (job === undefined) return bar;
          return (
            <a key={`${kind} ${from}`} href={jobLink(job)} aria-label={text}>
              {bar}
            </a>
          );
        })}
      </svg>
      <figcaption class="soft">
        In use for {share} % of {lasting(now - first)}: jobs above, out of use below.
      </figcaption>
    </figure>
  );
}

/** What all members printed, by time, with the events between the lines. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { request, toldOf } from '../api/client.ts';
import { listed, Trouble } from '../ui/parts.tsx';
import { query, setQuery } from '../ui/router.ts';
import { Rows } from '../ui/rows.tsx';
import { consolePath } from './console.tsx';
import {
  type Entry,
  marksOf,
  marksOfEvents,
  merged,
  type TimedLine,
  timedLines,
} from './console-lines.ts';
import type { JobPage } from './job-state.ts';
import { AsPrinted, isAsPrinted, Told } from './printed.tsx';
import { eventText, sinceBoards } from './words.ts';

const ROW_HEIGHT = 24;
/** Of all consoles together: of each as much of its end as its part of this is. */
const BYTES_MAX = 16 * 1024 * 1024;
const PAUSE_MS = 300;

interface Loaded {
  lanes: readonly (readonly TimedLine[])[];
  /** Members whose beginning is left out. */
  cut: readonly string[];
}

export function Combined({ page }: { page: JobPage }) {
  const loaded = useSignal<Loaded | undefined>(undefined);
  const trouble = useSignal('');
  const count = page.count.value;
  const isPrinted = isAsPrinted();
  useEffect(() => {
    const stop = new AbortController();
    // New events come in bursts; the consoles are asked for after them.
    const later = setTimeout(
      () => {
        load(page, stop.signal, isPrinted).then(
          (got) => {
            loaded.value = got;
            trouble.value = '';
          },
          (error: unknown) => {
            if (!stop.signal.aborted) trouble.value = toldOf(error);
          },
        );
      },
      loaded.value === undefined ? 0 : PAUSE_MS,
    );
    return () => {
      clearTimeout(later);
      stop.abort();
    };
  }, [page, count, page.isEnded.value, isPrinted]);
  if (trouble.value !== '') return <Trouble>{trouble.value}</Trouble>;
  if (loaded.value === undefined) return <p class="loading">Asking for all consoles…</p>;
  return <Lines page={page} loaded={loaded.value} />;
}

function Lines({ page, loaded }: { page: JobPage; loaded: Loaded }) {
  const isWithEvents = query.value.get('events') !== 'no';
  const onlyChosen = query.value.get('only') === 'chosen' && page.lane.value >= 0;
  const lane = page.lane.value;
  const entries = useMemo(() => {
    const all = merged(page.fold, loaded.lanes);
    return all.filter((is) => {
      if ('event' in is) {
        const of = page.fold.laneOf[is.event] ?? -1;
        return isWithEvents && (!onlyChosen || of === lane || of === -1);
      }
      return !onlyChosen || is.lane === lane;
    });
  }, [page, loaded, isWithEvents, onlyChosen, lane]);
  const at = page.at.value;
  const isLast = at >= page.count.value - 1;
  const edge = isLast ? entries.length - 1 : edgeOf(entries, page, at);
  return (
    <div class="combined">
      <p class="console-head">
        <label>
          <input
            type="checkbox"
            checked={isWithEvents}
            onChange={({ currentTarget: { checked } }) =>
              setQuery({ events: checked ? undefined : 'no' })
            }
          />{' '}
          events between the lines
        </label>
        <label>
          <input
            type="checkbox"
            disabled={lane < 0}
            checked={onlyChosen}
            onChange={({ currentTarget: { checked } }) =>
              setQuery({ only: checked ? 'chosen' : undefined })
            }
          />{' '}
          only {lane < 0 ? 'the chosen member' : page.fold.lanes[lane]?.device}
        </label>
        <AsPrinted />
        {loaded.cut.length > 0 && (
          <span class="soft">The beginning is left out of {listed(loaded.cut, 4)}</span>
        )}
      </p>
      <Rows
        class="events combined-rows"
        count={entries.length}
        rowHeight={ROW_HEIGHT}
        focus={edge}
        label="Combined log"
        row={(n) => <Line page={page} entry={entries[n]} isLater={n > edge} at={at} />}
      />
    </div>
  );
}

/** The last entry that was there at an event. */
function edgeOf(entries: readonly Entry[], page: JobPage, at: number): number {
  const own = entries.findIndex((is) => 'event' in is && is.event >= at);
  const entry = entries[own];
  if (entry !== undefined && 'event' in entry && entry.event === at) return own;
  const time = page.fold.times[at] ?? 0;
  return entries.findLastIndex((is) => is.at <= time);
}

interface LineProps {
  page: JobPage;
  entry: Entry | undefined;
  isLater: boolean;
  at: number;
}

function Line({ page, entry, isLater, at }: LineProps) {
  if (entry === undefined) return null;
  const { fold } = page;
  if ('event' in entry)
    return (
      <div
        role="listitem"
        class={`event line-event ${isLater ? 'later' : ''} ${entry.event === at ? 'now' : ''}`}
      >
        <button type="button" onClick={() => page.stand(entry.event)}>
          <span class="event-time">{sinceBoards(fold, entry.event)}</span>
          <span class="line-who">event {entry.event + 1}</span>
          <span class="event-text">{eventText(page, entry.event)}</span>
        </button>
      </div>
    );
  const since = (entry.at - (fold.times[fold.start] ?? 0)) / 1_000;
  return (
    <div role="listitem" class={`line ${isLater ? 'later' : ''}`}>
      <span class="event-time">
        {since < 0 ? '−' : '+'}
        {Math.abs(since).toFixed(2)} s
      </span>
      <span class={`line-who of-${entry.lane % 6}`}>{fold.lanes[entry.lane]?.device}</span>
      <span class="line-text">
        <Told text={entry.text} />
      </span>
    </div>
  );
}

async function load(page: JobPage, signal: AbortSignal, isPrinted: boolean): Promise<Loaded> {
  const { fold } = page;
  const bytesMax = Math.floor(BYTES_MAX / Math.max(1, fold.lanes.length));
  const end = fold.times.at(-1) ?? 0;
  const cut: string[] = [];
  const lanes = await Promise.all(
    fold.lanes.map(async ({ device }, lane) => {
      const path = consolePath(page.id, device);
      const index = await request(`${path}/times`, { signal }).then((answer) => answer.text());
      const own = marksOf(index);
      const marks = own.length > 0 ? own : marksOfEvents(fold, lane);
      const from = Math.max(0, (marks.at(-1)?.bytes ?? 0) - bytesMax);
      if (from > 0) cut.push(device);
      const headers = from > 0 ? { range: `bytes=${from}-` } : {};
      const answer = await request(path, { headers, signal });
      const bytes = new Uint8Array(await answer.arrayBuffer());
      return timedLines(lane, bytes, from, marks, end, isPrinted);
    }),
  );
  return { lanes, cut };
}

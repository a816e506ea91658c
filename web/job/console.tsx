/** The console of a member, and how far it had come at the event at which the page stands. What it printed is text. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { request, toldOf } from '../api/client.ts';
import { Download } from '../ui/download.tsx';
import { Trouble } from '../ui/parts.tsx';
import { query } from '../ui/router.ts';
import { markedLine } from './console-marks.ts';
import { tellFrame } from './frames.ts';
import type { JobPage } from './job-state.ts';
import { plainText } from './plain-text.ts';
import { AsPrinted, isAsPrinted, Printed } from './printed.tsx';

/** So much is shown around the place: a console may have printed for hours. */
const SHOWN_BYTES_MAX = 128 * 1024;

export const consolePath = (job: number, device: string): string =>
  `/api/jobs/${job}/members/${encodeURIComponent(device)}/console`;

export function Console({ page }: { page: JobPage }) {
  const chosen = page.lane.value >= 0 ? page.lane.value : 0;
  const lane = page.fold.lanes[chosen];
  if (lane === undefined) return <p class="empty">This job had no boards.</p>;
  return (
    <div class="console">
      <p class="console-head">
        <label>
          Member{' '}
          <select
            value={chosen}
            onChange={({ currentTarget: { value } }) => page.choose(Number(value))}
          >
            {page.fold.lanes.map(({ device, role }, n) => (
              <option key={device} value={n}>
                {device} ({role})
              </option>
            ))}
          </select>
        </label>{' '}
        <Download
          path={consolePath(page.id, lane.device)}
          name={`job-${page.id}-${lane.device}.log`}
        >
          all of it, as a file
        </Download>
        <AsPrinted />
      </p>
      <ConsoleText key={lane.device} page={page} device={lane.device} lane={chosen} />
    </div>
  );
}

/** How many bytes a member's console had printed by an event; `undefined`: no event before it says. */
function printedBy(page: JobPage, lane: number, at: number): number | undefined {
  const { events, laneOf } = page.fold;
  for (let n = at; n >= 0; n--) {
    const printed = laneOf[n] === lane ? events[n]?.meta.console : undefined;
    if (printed !== undefined) return printed;
  }
  return undefined;
}

function ConsoleText({ page, device, lane }: { page: JobPage; device: string; lane: number }) {
  const bytes = useSignal<Uint8Array>(new Uint8Array());
  const trouble = useSignal('');
  const edge = useRef<HTMLSpanElement>(null);
  const count = page.count.value;
  useEffect(() => {
    const stop = new AbortController();
    // New events come in bursts; the console is asked for after them.
    const later = setTimeout(() => {
      void more(page.id, device, bytes.value, stop.signal)
        .then((all) => {
          bytes.value = all;
          trouble.value = '';
        })
        .catch((error: unknown) => {
          if (!stop.signal.aborted) trouble.value = toldOf(error);
        });
    }, 150);
    return () => {
      clearTimeout(later);
      stop.abort();
    };
  }, [page.id, device, count, page.isEnded.value]);
  const at = page.at.value;
  const isLast = at >= count - 1;
  const asked = Number(query.value.get('byte') ?? Number.NaN);
  const then = isLast ? undefined : (printedBy(page, lane, at) ?? 0);
  const printed = Number.isInteger(asked) ? asked : then;
  const place = Math.min(printed ?? bytes.value.length, bytes.value.length);
  const isPrinted = isAsPrinted();
  const parts = useMemo(
    () => around(bytes.value, place, isPrinted),
    [bytes.value, place, isPrinted],
  );
  useEffect(() => {
    const pane = edge.current?.parentElement;
    if (pane && edge.current) pane.scrollTop = edge.current.offsetTop - pane.clientHeight * 0.7;
  }, [parts]);
  if (trouble.value !== '') return <Trouble>{trouble.value}</Trouble>;
  if (bytes.value.length === 0) return <p class="empty">{device} has printed nothing.</p>;
  return (
    <pre class="console-text" role="region" aria-label={`Console of ${device}`} tabIndex={0}>
      {parts.isCut && '…\n'}
      <Printed text={parts.before} />
      <span ref={edge} class="console-edge" />
      <span class="later">
        <Printed text={parts.after} />
      </span>
    </pre>
  );
}

async function more(
  job: number,
  device: string,
  known: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const headers = known.length > 0 ? { range: `bytes=${known.length}-` } : {};
  const response = await request(consolePath(job, device), { headers, signal }).catch(
    (error: unknown) => {
      if ((error as { problem?: { status: number } }).problem?.status === 416) return undefined;
      throw error;
    },
  );
  if (response === undefined) return known;
  const got = new Uint8Array(await response.arrayBuffer());
  if (response.status !== 206) return got;
  const all = new Uint8Array(known.length + got.length);
  all.set(known);
  all.set(got, known.length);
  return all;
}

/** What stands around a place, in whole lines: a frame or a mark that was on its way there is told as one that had come. */
function around(
  bytes: Uint8Array,
  place: number,
  isPrinted: boolean,
): { before: string; after: string; isCut: boolean } {
  const isCut = place > SHOWN_BYTES_MAX;
  const from = isCut ? lineAt(bytes, place - SHOWN_BYTES_MAX) : 0;
  const to = Math.min(bytes.length, place + SHOWN_BYTES_MAX / 4);
  const decoder = new TextDecoder();
  const start = bytes.lastIndexOf(LF, place - 1) + 1;
  const isTold = !isPrinted && place > start && isToldLine(lineFrom(bytes, start, decoder));
  const edge = Math.max(from, isTold ? Math.min(to, lineAt(bytes, place)) : place);
  const text = (a: number, b: number) => decoder.decode(bytes.subarray(a, b));
  return { before: text(from, edge), after: text(edge, to), isCut };
}

const isToldLine = (line: string): boolean =>
  tellFrame(line) !== undefined || markedLine(plainText(line)) !== undefined;

const LF = 0x0a;

/** Where the next line begins at or after a place. */
function lineAt(bytes: Uint8Array, place: number): number {
  if (place === 0 || bytes[place - 1] === LF) return place;
  const end = bytes.indexOf(LF, place);
  return end < 0 ? bytes.length : end + 1;
}

function lineFrom(bytes: Uint8Array, start: number, decoder: TextDecoder): string {
  const end = bytes.indexOf(LF, start);
  return decoder.decode(bytes.subarray(start, end < 0 ? bytes.length : end));
}

/** Two boards' events beside one another: what both did stands on one line, what one of them did alone beside nothing. Pure. */
import type { RecordedEvent } from '../api/types.ts';
import type { JobFold } from '../job/fold.ts';
import { verbText } from '../job/meetings.ts';

/** Indexes of events; absent: the other did it alone. */
export interface Row {
  good?: number;
  bad?: number;
}

/** A table of so many cells at most is filled for what differs: what is longer is aligned by its place alone. */
const CELLS_MAX = 4_000_000;

/** What an event is, without what no two runs have in common: names of boards, times, values. */
export function keyOf(event: RecordedEvent, fold: JobFold): string {
  switch (event.type) {
    case 'ActionStarted':
      return `action ${event.data.action} ${event.data.command}`;
    case 'ActionEnded':
      return `end ${event.data.action} ${event.data.outcome}`;
    case 'MessageSent':
      return `${event.data.verb} ${event.data.message} ${event.data.count}`;
    case 'WaitStarted':
      return `begins ${verbText(event.data)}`;
    case 'WaitReleased':
    case 'WaitTimedOut':
    case 'WaitUnreachable':
    case 'WaitAbandoned':
    case 'WaitStuck':
    case 'WaitUnstuck':
      return `${event.type} ${fold.waits.get(event.data.wait)?.label ?? ''}`;
    case 'RequestRefused':
      return `refused ${event.data.verb} ${event.data.message ?? ''} ${event.data.code}`;
    case 'SuitePrepared':
    case 'SuiteStarted':
    case 'SuiteEnded':
      return `${event.type} ${event.data.suite}`;
    case 'ScriptEnded':
      return `${event.type} ${event.data.suite} ${event.data.script} ${event.data.status}`;
    case 'ResultRecorded':
      return `${event.data.suite} ${event.data.set ?? ''} ${event.data.case} ${event.data.result}`;
    default:
      return event.type;
  }
}

interface Side {
  fold: JobFold;
  lane: number;
}

export function aligned(good: Side, bad: Side): Row[] {
  const [left, right] = [eventsOf(good), eventsOf(bad)];
  const rows: Row[] = [];
  let from = 0;
  while (from < Math.min(left.length, right.length) && left[from]?.key === right[from]?.key) from++;
  let tail = 0;
  const shorter = Math.min(left.length, right.length) - from;
  while (tail < shorter && left.at(-1 - tail)?.key === right.at(-1 - tail)?.key) tail++;
  const put = (one: Of | undefined, other: Of | undefined) =>
    rows.push({ ...(one && { good: one.at }), ...(other && { bad: other.at }) });
  for (let n = 0; n < from; n++) put(left[n], right[n]);
  between(left.slice(from, left.length - tail), right.slice(from, right.length - tail), put);
  for (let n = tail; n > 0; n--) put(left.at(-n), right.at(-n));
  return rows;
}

interface Of {
  at: number;
  key: string;
}

function eventsOf({ fold, lane }: Side): Of[] {
  const out: Of[] = [];
  for (let at = 0; at < fold.length; at++) {
    const event = fold.events[at];
    if (event !== undefined && fold.laneOf[at] === lane) out.push({ at, key: keyOf(event, fold) });
  }
  return out;
}

/** By the longest sequence that both have in common. */
function between(
  left: readonly Of[],
  right: readonly Of[],
  put: (one: Of | undefined, other: Of | undefined) => void,
): void {
  const [rows, columns] = [left.length + 1, right.length + 1];
  if (rows * columns > CELLS_MAX) {
    for (let n = 0; n < Math.max(left.length, right.length); n++) {
      const isSame = left[n]?.key === right[n]?.key;
      if (isSame) put(left[n], right[n]);
      else {
        if (n < left.length) put(left[n], undefined);
        if (n < right.length) put(undefined, right[n]);
      }
    }
    return;
  }
  const common = new Uint16Array(rows * columns);
  const of = (one: number, other: number) => common[one * columns + other] ?? 0;
  for (let one = left.length - 1; one >= 0; one--)
    for (let other = right.length - 1; other >= 0; other--)
      common[one * columns + other] =
        left[one]?.key === right[other]?.key
          ? of(one + 1, other + 1) + 1
          : Math.max(of(one + 1, other), of(one, other + 1));
  let [one, other] = [0, 0];
  while (one < left.length && other < right.length)
    if (left[one]?.key === right[other]?.key) put(left[one++], right[other++]);
    else if (of(one + 1, other) >= of(one, other + 1)) put(left[one++], undefined);
    else put(undefined, right[other++]);
  while (one < left.length) put(left[one++], undefined);
  while (other < right.length) put(undefined, right[other++]);
}

/** What could have been otherwise at a place of a job, and how it stands in the address and in the API's words. Pure. */
import { nextOn } from './at.ts';
import type { JobFold } from './fold.ts';
import type { Flag } from './run.ts';

export type Change =
  | { kind: 'delay'; device: string; event: number | undefined; seconds: number }
  | { kind: 'drop'; event: number }
  | { kind: 'crash'; device: string; event: number };

export const DELAY_SECONDS = 20;

/** What a menu offers at an event of a lane. */
export interface Offer {
  text: string;
  change: Change;
}

/** What a board does by itself: whatever else happens to it follows from such a step. */
const STEPS = new Set(['MemberBooting', 'MemberBooted', 'ActionStarted', 'MessageSent']);

/** The last step of a member at or before an event, as an index. */
export function stepAt(fold: JobFold, lane: number, at: number): number | undefined {
  const isOn = fold.laneOf[at] === lane;
  let step = isOn ? at : nextOn(fold, lane, at, -1);
  for (; step !== undefined; step = nextOn(fold, lane, step, -1)) {
    const event = fold.events[step];
    if (event === undefined) return undefined;
    if (STEPS.has(event.type)) return step;
    // A sync is one call: its arrival is its step.
    if (event.type === 'WaitStarted' && event.data.verb !== 'sync') return step;
  }
  return undefined;
}

const shortOf = (fold: JobFold, at: number): string => {
  const event = fold.events[at];
  switch (event?.type) {
    case 'MessageSent':
      return `lava-${event.data.verb} ${event.data.message}`;
    case 'WaitStarted':
      return `lava-${event.data.verb} ${event.data.message}`;
    case 'ActionStarted':
      return `action ${event.data.action}`;
    case 'MemberBooting':
      return 'its boot';
    default:
      return 'this point';
  }
};

export function offersAt(fold: JobFold, lane: number, at: number): Offer[] {
  const device = fold.lanes[lane]?.device;
  if (device === undefined) return [];
  const offers: Offer[] = [];
  const event = fold.events[at];
  if (event?.type === 'MessageSent' && fold.laneOf[at] === lane)
    offers.push({
      text: `${event.data.message} of ${device} were lost`,
      change: { kind: 'drop', event: event.version },
    });
  const step = stepAt(fold, lane, at);
  if (step !== undefined)
    offers.push({
      text: `${device} came ${DELAY_SECONDS} s later to ${shortOf(fold, step)}`,
      change: {
        kind: 'delay',
        device,
        event: fold.events[step]?.version,
        seconds: DELAY_SECONDS,
      },
    });
  offers.push({
    text: `${device} were ${DELAY_SECONDS} s later from its start on`,
    change: { kind: 'delay', device, event: undefined, seconds: DELAY_SECONDS },
  });
  if (event !== undefined)
    offers.push({
      text: `${device} crashed here, after event ${at + 1}`,
      change: { kind: 'crash', device, event: event.version },
    });
  return offers;
}

/** As the API writes it. */
function wordOf(change: Change): string {
  switch (change.kind) {
    case 'drop':
      return String(change.event);
    case 'crash':
      return `${change.device}@${change.event}`;
    case 'delay': {
      const where = change.event === undefined ? '' : `@${change.event}`;
      return `${change.device}${where}:${change.seconds}s`;
    }
  }
}

export type ChangeWords = Record<Change['kind'], string[]>;

export function wordsOf(changes: readonly Change[]): ChangeWords {
  const words: ChangeWords = { delay: [], drop: [], crash: [] };
  for (const change of changes) {
    const word = wordOf(change);
    if (!words[change.kind].includes(word)) words[change.kind].push(word);
  }
  return words;
}

/** Those that stand in an address; what cannot be read is left out. */
export function changesIn(query: URLSearchParams): Change[] {
  const changes: Change[] = [];
  for (const word of query.getAll('delay')) {
    const [, device, event, seconds] = /^([^@:]+)(?:@(\d+))?:(\d+(?:\.\d+)?)s?$/.exec(word) ?? [];
    if (device === undefined || seconds === undefined) continue;
    const at = event === undefined ? undefined : Number(event);
    changes.push({ kind: 'delay', device, event: at, seconds: Number(seconds) });
  }
  for (const word of query.getAll('drop'))
    if (/^\d+$/.test(word)) changes.push({ kind: 'drop', event: Number(word) });
  for (const word of query.getAll('crash')) {
    const [, device, event] = /^([^@]+)@(\d+)$/.exec(word) ?? [];
    if (device !== undefined) changes.push({ kind: 'crash', device, event: Number(event) });
  }
  return changes;
}

/** Where the changes stand on the lanes of what was recorded. */
export function flagsOf(fold: JobFold, changes: readonly Change[]): Flag[] {
  return changes.flatMap((change): Flag[] => {
    const event = change.event === undefined ? fold.start : change.event - 1;
    const lane =
      change.kind === 'drop' ? (fold.laneOf[event] ?? -1) : fold.laneNamed(change.device);
    if (lane < 0) return [];
    const texts = { drop: 'lost', crash: 'crashes', delay: '' };
    const text = change.kind === 'delay' ? `+${change.seconds} s` : texts[change.kind];
    return [{ event, lane, text, tone: 'accent' }];
  });
}

/**
 * A job's events as lines that a person can follow: which board boots, who waits for whom at which barrier,
 * who came last, what was measured, how it ended. Used by `submit --wait`, `watch` and the demo.
 *
 * The words are those of `projections/telling.ts`; here is what is no news, and what is told already.
 */
import type { RecordedEvent } from '../../machines/events.ts';
import { jobOf } from '../../machines/names.ts';
import {
  details,
  type Memory,
  newMemory,
  predicate,
  sentence,
  standing,
  type Telling,
  type Tone,
  tell,
} from '../../projections/telling.ts';
import type { Colors } from '../io.ts';
import { hangLines, timeOfDay } from './text.ts';

export interface ProgressOptions {
  colors: Colors;
  columns: number;
  /** What to call a job at the head of its lines; absent: nothing, there is only one. */
  label?: (job: number) => string;
}

/** One event as text of whole lines, or an empty text when there is nothing to tell. */
export type Progress = (event: RecordedEvent) => string;

/** Follows any number of jobs at once; hand it the events of each in their order. */
export function progress({ colors, columns, label }: ProgressOptions): Progress {
  const memory: Memory = newMemory();
  const told = new Map<string, Set<string>>();
  return (event) => {
    const job = jobOf(event.stream);
    if (job === undefined) return '';
    const telling = tell(event, memory);
    const before = told.get(event.stream) ?? new Set();
    told.set(event.stream, before);
    if (telling.kind === 'job-end') told.delete(event.stream);
    if (!isNews(event, telling)) return '';
    const [first, ...under] = linesOf(event, telling, before);
    if (first === undefined) return '';
    const said = label === undefined ? first : labelled(label(job), telling, first);
    const head = `${timeOfDay(event.meta.at)}  `;
    return paint(hangLines(head, [said, ...under], columns), telling.tone, colors);
  };
}

/** What happened to the job itself is said of its label. */
function labelled(label: string, telling: Telling, said: string): string {
  const isOfJob = telling.kind === 'job' || telling.kind === 'job-end';
  return isOfJob ? `${label} ${predicate(telling)}` : `${label}: ${said}`;
}

/** Kinds of which a follower hears all, and those of which what went well is told by what follows. */
function isNews(event: RecordedEvent, telling: Telling): boolean {
  switch (event.type) {
    case 'MessageSent':
      // The arrival at a sync is told by its wait.
      return event.data.verb !== 'sync';
    case 'WaitStarted':
      return event.data.missingCount > 0;
    case 'WaitTimedOut':
      // The limit of the action or of the job ends its member too, and that says what it waited for.
      return event.data.limit === 'protocol';
    case 'ActionStarted':
      // Booting tells itself, and handing in results is no news.
      return !/^(boot_|submit_results)/.test(event.data.command);
    case 'ActionEnded':
    case 'SuitePrepared':
    case 'ScriptEnded':
    case 'SuiteEnded':
      // What went wrong ends its member, and that is told.
      return false;
    case 'ResultRecorded':
      // That a verb succeeded is told by its barrier.
      return event.data.result !== 'pass' || !event.data.case.startsWith('multinode-');
    default:
      return !LAB_KINDS.has(telling.kind);
  }
}
const LAB_KINDS: ReadonlySet<string> = new Set(['device', 'worker', 'submission']);

/** More would be remembered of a job than any reader does. */
const TOLD_MAX = 4096;

/**
 * A round of 128 boards that is released, or never can be, is one sentence, whoever of them hears it; and what a
 * missing member does is told once, not with each wait, member and job that it ended.
 */
function linesOf(event: RecordedEvent, telling: Telling, told: Set<string>): string[] {
  if (told.size > TOLD_MAX) told.clear();
  const isNew = (line: string): boolean => {
    const is = !told.has(line);
    told.add(line);
    return is;
  };
  const key = barrierKey(event, telling);
  if (key !== undefined && !isNew(key)) return [];
  const isOfOne = key === undefined || (event.type === 'WaitReleased' && !event.data.by);
  const said = isOfOne ? sentence(telling) : `${telling.object} ${standing(telling)[0]}`;
  const under = details(telling).filter((line) => AND_MORE.test(line) || isNew(line));
  return under.every((line) => AND_MORE.test(line)) ? [said] : [said, ...under];
}
/** Counts those who are not named above it. */
const AND_MORE = /^and \d+ more$/;

/** What is told once, of whomever it comes first; `undefined`: it holds of its member alone. */
function barrierKey(event: RecordedEvent, { object, because }: Telling): string | undefined {
  switch (event.type) {
    case 'WaitReleased': {
      // Whoever comes last at a sync is released with the others.
      if (object.startsWith('lava-sync ')) return `released ${object}`;
      return `released ${object} by ${event.data.by ?? event.data.wait}`;
    }
    case 'WaitStuck':
    case 'WaitUnreachable':
      return `${event.meta.at} ${event.type} ${object} ${because[0]}`;
    default:
      return undefined;
  }
}

function paint(text: string, tone: Tone, colors: Colors): string {
  if (tone === 'good') return colors.green(text);
  if (tone === 'bad') return colors.red(text);
  return tone === 'quiet' ? colors.dim(text) : text;
}

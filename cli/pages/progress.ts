/**
 * A job's events as lines that a person can follow: which board boots, who waits for whom at which barrier,
 * who came last, what was measured, how it ended. Used by `submit --wait`, `watch` and the demo.
 */

import type { DataOf, JobEvent, RecordedEvent, WaitVerb } from '../../machines/events.ts';
import { missingText } from '../../machines/wording.ts';
import type { Colors } from '../io.ts';
import { counted, hang, names, timeOfDay } from './text.ts';

export interface ProgressOptions {
  colors: Colors;
  columns: number;
  /** What to call a job at the head of its lines; absent: nothing, there is only one. */
  label?: (job: number) => string;
}

/** One event as text of whole lines, or an empty text when there is nothing to tell. */
export type Progress = (event: RecordedEvent) => string;

/** Follows any number of jobs at once; hand it the events of each in their order. */
export function progress(options: ProgressOptions): Progress {
  const jobs = new Map<string, JobProgress>();
  return (event) => {
    const job = jobNumber(event);
    if (job === undefined) return '';
    const state = jobs.get(event.stream) ?? newJob();
    jobs.set(event.stream, state);
    const told = tell(event, state);
    if (ENDS.has(event.type)) jobs.delete(event.stream);
    if (told === undefined) return '';
    const label = options.label === undefined ? '' : `${options.label(job)}  `;
    return paint(
      hang(`${timeOfDay(event.meta.at)}  ${label}`, told.text, options.columns),
      told.tone,
      options.colors,
    );
  };
}

/** After one of these there is nothing left to remember of a job. */
const ENDS: ReadonlySet<string> = new Set<JobEvent['type']>([
  'JobRejected',
  'JobCompleted',
  'JobFailed',
  'JobTimedOut',
  'JobCancelled',
]);

/** The job that an event belongs to by its stream. */
export function jobNumber(event: { stream: string }): number | undefined {
  const digits = /^job-(\d+)$/.exec(event.stream)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

type Tone = 'plain' | 'good' | 'bad' | 'quiet';
interface Told {
  text: string;
  tone: Tone;
}

interface OpenWait {
  verb: WaitVerb;
  /** What people call the barrier: `lava-sync ready (round 2)`. */
  title: string;
}

interface JobProgress {
  /** By the wait's number. */
  waits: Map<number, OpenWait>;
  /** The last release that was told, so that a round of 128 boards is one line. */
  lastRelease: string;
}

const newJob = (): JobProgress => ({ waits: new Map(), lastRelease: '' });

const plain = (text: string): Told => ({ text, tone: 'plain' });
const good = (text: string): Told => ({ text, tone: 'good' });
const bad = (text: string): Told => ({ text, tone: 'bad' });
const quiet = (text: string): Told => ({ text, tone: 'quiet' });

function paint(text: string, tone: Tone, colors: Colors): string {
  if (tone === 'good') return colors.green(text);
  if (tone === 'bad') return colors.red(text);
  return tone === 'quiet' ? colors.dim(text) : text;
}

function tell(event: RecordedEvent, job: JobProgress): Told | undefined {
  switch (event.type) {
    case 'WaitStarted':
    case 'WaitReleased':
    case 'WaitTimedOut':
    case 'WaitStuck':
    case 'WaitUnstuck':
    case 'WaitUnreachable':
    case 'WaitAbandoned':
      return tellWait(event, job);
    case 'MessageSent':
      // The arrival at a sync is told by its wait.
      return event.data.verb === 'sync'
        ? undefined
        : quiet(`${event.data.member} sends ${event.data.message}`);
    case 'RequestRefused':
      return bad(
        `${event.data.member}: lava-${event.data.verb} ${event.data.message ?? ''} is refused: ${event.data.reason}`,
      );
    case 'SuiteStarted':
      return plain(`${event.data.member} starts ${event.data.definition ?? event.data.suite}`);
    case 'ResultRecorded':
      return tellResult(event.data);
    default:
      return tellCourse(event);
  }
}

/** The course of the job and of its boards. */
function tellCourse(event: RecordedEvent): Told | undefined {
  switch (event.type) {
    case 'JobSubmitted': {
      const roles = event.data.definition.roles.map(({ role, count }) => `${count} x ${role}`);
      return plain(`submitted: ${event.data.definition.name} (${names(roles)})`);
    }
    case 'JobRejected': {
      const short = event.data.short.map((of) => shortText(of));
      return bad(`rejected: ${short.join('; ')}`);
    }
    case 'JobAllocated': {
      const members = event.data.members.map(({ device, role }) => `${device} (${role})`);
      return plain(`has its boards: ${names(members)}`);
    }
    case 'AllocationVoided':
      return quiet(`its boards went back: ${event.data.reason}`);
    case 'ActionStarted':
      return tellAction(event.data);
    case 'ActionEnded':
      return event.data.outcome === 'ok' ? undefined : bad(failedAction(event.data));
    case 'MemberBooting':
      return plain(`${event.data.member} boots`);
    case 'MemberBooted': {
      const at = event.data.address === undefined ? '' : ` at ${event.data.address}`;
      return plain(`${event.data.member} is up${at}`);
    }
    default:
      return tellEnd(event);
  }
}

function tellEnd(event: RecordedEvent): Told | undefined {
  switch (event.type) {
    case 'MemberCompleted':
      return good(`${event.data.member} is complete`);
    case 'MemberFailed':
      return bad(`${event.data.member} failed: ${event.data.reason}`);
    case 'MemberTimedOut':
      return bad(`${event.data.member} timed out: ${event.data.reason}`);
    case 'MemberCancelled':
      return bad(`${event.data.member} is cancelled: ${event.data.reason}`);
    case 'JobCompleted':
      return good('the job is complete');
    case 'JobFailed':
      return bad(`the job failed, first by ${event.data.member}: ${event.data.reason}`);
    case 'JobTimedOut':
      return bad(`the job timed out: ${event.data.reason}`);
    case 'JobCancelled':
      return bad(`the job is cancelled: ${event.data.reason}`);
    default:
      return undefined;
  }
}

function tellAction({ member, command }: DataOf<'ActionStarted'>): Told | undefined {
  if (command === 'deploy_linaro_image') return plain(`${member} gets its image`);
  if (command === 'lava_test_shell') return plain(`${member} begins its tests`);
  if (command === 'lava_command_run') return plain(`${member} runs commands`);
  // Booting tells itself, and handing in results is no news.
  return undefined;
}

function failedAction({ member, outcome, reason }: DataOf<'ActionEnded'>): string {
  const how = outcome === 'timedOut' ? 'ran out of time' : 'failed';
  return `${member}: the action ${how}${reason === undefined ? '' : `: ${reason}`}`;
}

function tellResult(data: DataOf<'ResultRecorded'>): Told | undefined {
  // That a verb succeeded is told by its barrier.
  if (data.result === 'pass' && data.case.startsWith('multinode-')) return undefined;
  const measured =
    data.measurement === undefined ? '' : `  ${data.measurement} ${data.units ?? ''}`.trimEnd();
  const note = data.note === undefined ? '' : ` (${data.note})`;
  const text = `${data.member}  ${data.case}: ${data.result}${measured}${note}`;
  if (data.result === 'pass') return good(text);
  return data.result === 'fail' ? bad(text) : plain(text);
}

type WaitEvent = Extract<JobEvent, { type: `Wait${string}` }>;

function tellWait(event: WaitEvent, job: JobProgress): Told | undefined {
  if (event.type === 'WaitStarted') return tellArrival(event.data, job);
  const { wait, member } = event.data;
  const open = job.waits.get(wait);
  const title = open?.title ?? `wait ${wait}`;
  const isOpen = ['WaitStuck', 'WaitUnstuck', 'WaitResumed'].includes(event.type);
  if (!isOpen) job.waits.delete(wait);
  switch (event.type) {
    case 'WaitResumed':
      return quiet(`${member} comes back to ${title} on another server`);
    case 'WaitReleased':
      return tellRelease(event.data, open, job);
    case 'WaitTimedOut':
      return bad(
        `${member} gave up at ${title} (limit of the ${event.data.limit}): ${lacked(event.data)}`,
      );
    case 'WaitStuck':
      return bad(`${member} is stuck at ${title}: ${lacked(event.data)}${cycle(event.data.cycle)}`);
    case 'WaitUnstuck':
      return plain(`${member} is not stuck at ${title} any more`);
    case 'WaitUnreachable':
      return bad(
        `${title} can never be released for ${member}: ${lacked(event.data)}${cycle(event.data.cycle)}`,
      );
    case 'WaitAbandoned':
      return quiet(`${member} left ${title} (${event.data.why})`);
  }
}

function tellArrival(data: DataOf<'WaitStarted'>, job: JobProgress): Told | undefined {
  const role = data.role === undefined ? '' : ` ${data.role}`;
  const round = data.round > 1 ? ` (round ${data.round})` : '';
  const title = `lava-${data.verb} ${data.message}${role}${round}`;
  job.waits.set(data.wait, { verb: data.verb, title });
  if (data.missingCount === 0) return undefined;
  const unnamed = data.missingCount - data.missing.length;
  const whom =
    data.verb === 'wait' && data.missingCount > 1
      ? `one of ${names(data.missing)}`
      : names(data.missing);
  return plain(
    `${data.member} waits at ${title} for ${whom}${unnamed > 0 ? ` (${data.missingCount} in all)` : ''}`,
  );
}

/** The members of one round are released by one append: told once. */
function tellRelease(
  { member, by }: DataOf<'WaitReleased'>,
  open: OpenWait | undefined,
  job: JobProgress,
): Told | undefined {
  if (open === undefined) return undefined;
  const release = `${open.title} ${open.verb === 'sync' ? '' : (by ?? member)}`;
  if (release === job.lastRelease) return undefined;
  job.lastRelease = release;
  if (by === undefined) return quiet(`${member} passes ${open.title} at once`);
  return good(`${open.title} is released: ${by} ${open.verb === 'wait' ? 'sent it' : 'came last'}`);
}

const lacked = (of: Parameters<typeof missingText>[0]): string => `missing ${missingText(of)}`;

const cycle = (members: readonly string[]): string =>
  members.length === 0 ? '' : `; they wait for one another: ${names(members)}`;

/** `role server wants 3 boards, 2 found: needs tag usb3`. */
export function shortText(of: {
  role: string;
  wanted: number;
  found: number;
  lacking: string;
}): string {
  return `role ${of.role} wants ${counted(of.wanted, 'board')}, ${of.found} found: ${of.lacking}`;
}

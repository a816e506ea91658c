/**
 * What the answers are made from, read on a server: a job's events from the log, in turns with all other reads of the past;
 * what ran from the files beside the log; consoles and their times from the data folder.
 */
import { statSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { ConsoleTimes } from '../answers/console-times.ts';
import type { ConsoleReader, Evidence, RanSource } from '../answers/evidence.ts';
import { definitionKey, type RunFacts } from '../answers/run-facts.ts';
import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import { timesFile } from '../wire/console-index.ts';
import { SourceList } from '../wire/sources.ts';
import type { History } from './history/history.ts';
import { labAlong } from './lab-along.ts';
import type { LabPast } from './lab-past.ts';
import type { ApiEngine, KeptFiles } from './parts.ts';
import type { PastRuns } from './past-runs.ts';
import { ApiProblem, stopping } from './problems.ts';
import { ifReadable } from './readable.ts';
import { noSuchJob } from './schemas.ts';

export interface EvidenceParts {
  history: Pick<History, 'events' | 'file'>;
  engine: Pick<ApiEngine, 'allEvents' | 'jobEvents' | 'streamEvents'>;
  labPast: Pick<LabPast, 'at'>;
  past: Pick<PastRuns, 'before'>;
  /** Events of a job, above which there is no answer; absent: `ANSWER_EVENTS_MAX`. */
  answerEventsMax?: number | undefined;
  /** What tests handed in, and what ran. */
  attachments: Pick<KeptFiles, 'get'>;
  /** The file that holds the console of a member; its index lies beside it. */
  consoleFile(job: number, device: string): string;
}

/** Text of one job's sources that one answer holds: what is more is not there for it. */
const SOURCE_BYTES_MAX = 64 * 1024 * 1024;
const LIST_BYTES_MAX = 16 * 1024 * 1024;
/** Of an index: more than a year's worth of a console that prints all the time is not read. */
const TIMES_BYTES_MAX = 32 * 1024 * 1024;

/** Answers are worked out in the thread that boards wait for: from so many events each takes a fraction of a second. */
export const ANSWER_EVENTS_MAX = 50_000;

export interface WantedEvidence {
  /** Also of a job that has too many events for an answer. */
  isWhole?: boolean;
  /** Whether what ran is wanted: its texts are read from files, one by one. */
  sources: boolean | 'lists';
  /** Whether the events of other streams are wanted: they lie anywhere between the job's own. */
  related?: boolean;
  /** Whether the runs before it are wanted. */
  past?: boolean;
  /** Whether the queue and the boards are wanted, as they were at each event. */
  lab?: boolean;
}

/**
 * The evidence of a job as it is now.
 *
 * @throws ApiProblem `no-such-job`, `too-many-events`; `stopping` when the signal aborts first; UnreadableEvent
 */
export async function evidenceOf(
  parts: EvidenceParts,
  job: number,
  signal: AbortSignal,
  wanted: WantedEvidence = { sources: true },
): Promise<Evidence> {
  const most = parts.answerEventsMax ?? ANSWER_EVENTS_MAX;
  const eventsMax = wanted.isWhole ? Number.POSITIVE_INFINITY : most;
  // Of a job that has too many, none but the one that is too many is read.
  const isTooLong =
    Number.isFinite(eventsMax) &&
    (await parts.history.file(signal, () => hasEventsAfter(parts.engine, job, eventsMax)));
  const read = isTooLong ? [] : await parts.history.events(job, signal, eventsMax + 1);
  const events = read as RecordedEvent<JobEvent>[];
  if (isTooLong || events.length > eventsMax)
    throw new ApiProblem(
      'too-many-events',
      `job ${job} has more than ${eventsMax} events: muster bundle ${job} FILE makes a file of it, from which muster answers with --bundle FILE`,
    );
  if (events.length === 0) throw noSuchJob(job);
  const sources = wanted.sources
    ? await sourcesOf(parts, events, signal, wanted.sources !== 'lists')
    : [];
  const related = wanted.related ? await relatedTo(parts, events, signal) : undefined;
  const past = wanted.past ? await pastOf(parts, job, events, signal) : undefined;
  const lab = wanted.lab ? await ifReadable(() => labAlong(parts, job, events, signal)) : undefined;
  const consoles = new Map<string, ConsoleReader>();
  return {
    job,
    events,
    sources,
    ...(related !== undefined && { related }),
    ...(past !== undefined && { past }),
    ...(lab !== undefined && { lab }),
    console(device) {
      let reader = consoles.get(device);
      reader ??= openConsole(parts.consoleFile(job, device));
      consoles.set(device, reader);
      return reader;
    },
  };
}

async function hasEventsAfter(
  engine: EvidenceParts['engine'],
  job: number,
  version: number,
): Promise<boolean> {
  for await (const _ of engine.jobEvents(job, version)) return true;
  return false;
}

async function pastOf(
  { past }: EvidenceParts,
  job: number,
  [first]: readonly RecordedEvent<JobEvent>[],
  signal: AbortSignal,
): Promise<RunFacts[]> {
  if (first?.type !== 'JobSubmitted') return [];
  return past.before(job, definitionKey(first.data.definition), signal);
}

/** Events of all streams that are looked at for those that belong to one job; and how many at a time. */
const LOOKED_AT_MAX = 50_000;
const PAGE_EVENTS = 1_000;

/**
 * What boards and workers did because of the job: from its submission on, until its boards are back, or as far as one
 * answer looks.
 */
async function relatedTo(
  { history, engine }: EvidenceParts,
  events: readonly RecordedEvent<JobEvent>[],
  signal: AbortSignal,
): Promise<RecordedEvent[]> {
  const [first] = events;
  const last = events.at(-1);
  if (first === undefined || last === undefined) return [];
  const found: RecordedEvent[] = [];
  const held = new Set<string>();
  for (let at = first.position, looked = 0; looked < LOOKED_AT_MAX; ) {
    const page = await history.file(signal, () => pageAfter(engine, at));
    for (const event of page) {
      if (event.meta.correlationId !== first.stream || event.stream === first.stream) continue;
      found.push(event);
      if (event.type === 'DeviceReserved') held.add(event.stream);
      if (event.type === 'DeviceReleased') held.delete(event.stream);
    }
    looked += page.length;
    at = page.at(-1)?.position ?? at;
    const isPast = at > last.position && held.size === 0;
    if (page.length < PAGE_EVENTS || isPast) break;
  }
  return found;
}

async function pageAfter(
  engine: EvidenceParts['engine'],
  position: number,
): Promise<RecordedEvent[]> {
  const page: RecordedEvent[] = [];
  for await (const event of engine.allEvents(position, PAGE_EVENTS)) page.push(event);
  return page;
}

/** What ran, suite by suite; a list that many members share is read once, and so is each file. */
async function sourcesOf(
  { history, attachments }: EvidenceParts,
  events: readonly RecordedEvent<JobEvent>[],
  signal: AbortSignal,
  withTexts: boolean,
): Promise<RanSource[]> {
  const prepared = events.flatMap(({ type, data }) => (type === 'SuitePrepared' ? [data] : []));
  const lists = new Map<string, SourceList | undefined>();
  const texts = new Map<string, string>();
  let room = SOURCE_BYTES_MAX;
  const keep = async (digest: string, bytes: number) => {
    if (texts.has(digest) || bytes > room) return;
    if (signal.aborted) throw stopping();
    const text = await history.file(signal, () => textOf(attachments, digest, bytes));
    if (text === undefined) return;
    room -= bytes;
    texts.set(digest, text);
  };
  const ran: RanSource[] = [];
  for (const { member, suite, sources } of prepared) {
    if (sources !== undefined && !lists.has(sources)) {
      const text = await history.file(signal, () => textOf(attachments, sources, LIST_BYTES_MAX));
      const list = text === undefined ? undefined : readList(text);
      lists.set(sources, list);
      const kept = withTexts ? list : undefined;
      for (const { digest, bytes } of kept?.scripts ?? []) await keep(digest, bytes);
      for (const { digest, bytes, notKept } of kept?.files ?? [])
        if (notKept === undefined) await keep(digest, bytes);
    }
    const list = sources === undefined ? undefined : lists.get(sources);
    ran.push({ member, suite, list, text: (digest) => texts.get(digest) });
  }
  return ran;
}

/** A list of another version of Muster is as good as none. */
function readList(text: string): SourceList | undefined {
  try {
    return SourceList.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** What was kept under a digest, as text. One that is gone or damaged is not there: an answer says so, and goes on. */
async function textOf(
  files: EvidenceParts['attachments'],
  digest: string,
  bytesMax: number,
): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    const content = await files.get(digest);
    if (content === undefined) return undefined;
    for await (const chunk of content) {
      bytes += chunk.length;
      if (bytes > bytesMax) return undefined;
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'object-damaged')
      return undefined;
    throw error;
  }
  return Buffer.concat(chunks).toString('utf8');
}

export const openConsole = (file: string): ConsoleReader => new ConsoleFile(file);

/** A console as it was when it was first looked at: what comes later is for the next who asks. */
class ConsoleFile implements ConsoleReader {
  readonly #file: string;
  readonly bytes: number;
  #times: Promise<ConsoleTimes | undefined> | undefined;

  constructor(file: string) {
    this.#file = file;
    this.bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  }

  async read(from: number, to: number): Promise<Buffer> {
    const [start, end] = [Math.max(0, from), Math.min(to, this.bytes)];
    if (end <= start) return Buffer.alloc(0);
    const handle = await open(this.#file, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(
        Buffer.alloc(end - start),
        0,
        end - start,
        start,
      );
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  }

  async timeAt(offset: number): Promise<number | undefined> {
    return (await this.#read())?.timeAt(offset);
  }

  async offsetAt(time: number): Promise<number | undefined> {
    return (await this.#read())?.offsetAt(time);
  }

  index(): Promise<string> {
    return timesText(this.#file);
  }

  #read(): Promise<ConsoleTimes | undefined> {
    this.#times ??= this.index().then((text) => ConsoleTimes.of(text));
    return this.#times;
  }
}

/** The index beside a console, as it is written; empty: there is none. */
async function timesText(consoleFile: string): Promise<string> {
  const text = await readFile(timesFile(consoleFile), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  });
  return text.slice(0, TIMES_BYTES_MAX);
}

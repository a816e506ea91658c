/**
 * Reads a whole log as strictly as possible: every event against its schema, every stream through its machine, the
 * numbers of streams and log, and what the server remembers (its checkpoints) against a cold rebuild.
 */
import { isDeepStrictEqual } from 'node:util';
import { aheadOfLog, type Checkpoints, type Projection } from '../engine/projection-runner.ts';
import { evolveDevice, initialDevice } from '../machines/device.ts';
import type {
  DeviceEvent,
  JobEvent,
  RecordedEvent,
  SubmissionEvent,
  WorkerEvent,
} from '../machines/events.ts';
import { evolveJob, initialJob, isOver, type JobState } from '../machines/job.ts';
import { SUBMISSIONS } from '../machines/names.ts';
import { evolveSubmissions, initialSubmissions } from '../machines/submissions.ts';
import { evolveWorker, initialWorker } from '../machines/worker.ts';
import { isUnreadableRecord } from '../store/edge.ts';
import { type EventStore, StoreUnavailable } from '../store/port.ts';
import { Fingerprints, fingerprintOf } from './fingerprints.ts';
import { counted } from './text.ts';

/** What is wrong, and where. A fault of a checkpoint has no place in the log. */
export interface Fault {
  stream?: string;
  version?: number;
  position?: number;
  type?: string;
  reason: string;
}

export interface Verified {
  events: number;
  streams: number;
  jobsOver: number;
  /** The position of the last event that was read. */
  head: number;
  faultCount: number;
  /** The first of them. */
  faults: Fault[];
  /** What was found and is no fault. */
  notes: string[];
}

export interface VerifyOptions {
  store: EventStore;
  checkpoints: Checkpoints;
  projections: readonly Projection<unknown>[];
  /** What was found wrong with the log's file before any event of it was read. */
  fileFaults: readonly string[];
  /** Whether retention took the job out once: when it is here, it was brought back. */
  wasArchived(stream: string): Promise<boolean>;
  /** Is told how many events were read by now. */
  onProgress(events: number): void;
}

const FAULTS_KEPT_MAX = 20;
const PROGRESS_EVENTS = 10_000;

export async function verifyLog(options: VerifyOptions): Promise<Verified> {
  const checks = new LogChecks();
  for (const reason of options.fileFaults) checks.fault({ reason });
  const rebuilds = await Promise.all(
    options.projections.map((is) => rebuildOf(is, options.checkpoints)),
  );
  for await (const event of readOver(options.store, (fault) => checks.fault(fault))) {
    checks.take(event);
    for (const rebuild of rebuilds) rebuild.take(event, (fault) => checks.fault(fault));
    if (checks.events % PROGRESS_EVENTS === 0) options.onProgress(checks.events);
  }
  await checkStreams(options, checks);
  const back = await checkIds(options, checks);
  const head = await options.store.head();
  const notes = rebuilds.flatMap((rebuild) => rebuild.end(head, (fault) => checks.fault(fault)));
  if (back > 0)
    notes.push(`back from the archive, and so behind what they caused: ${counted(back, 'job')}`);
  return { ...checks.summary(), notes };
}

/** A server reads streams and not the log: one that was cut in EventStoreDB still has its events in the log. */
async function checkStreams({ store, wasArchived }: VerifyOptions, checks: LogChecks) {
  for (const stream of checks.readableStreams()) {
    const version = await firstVersionOf(store, stream).catch((error: unknown) => {
      if (error instanceof StoreUnavailable) return error;
      throw error;
    });
    if (version instanceof StoreUnavailable) {
      checks.fault({ stream, reason: `it cannot be read alone: ${version.message}` });
      return;
    }
    if (version === 1 || (version === undefined && (await wasArchived(stream)))) continue;
    const begins = version === undefined ? 'has no event' : `begins with event ${version}`;
    checks.fault({ stream, reason: `read alone it ${begins}: it was deleted or cut in the store` });
  }
}

async function firstVersionOf(store: EventStore, stream: string): Promise<number | undefined> {
  try {
    for await (const { version } of store.read(stream)) return version;
    return undefined;
  } catch (error) {
    if (isUnreadableRecord(error)) return error.version;
    throw error;
  }
}

/**
 * Reads a second time for the ids that may be in a wrong place, and tells those that are.
 *
 * @returns how many jobs stand behind what they caused because they were brought back from the archive
 */
async function checkIds({ store, wasArchived }: VerifyOptions, checks: LogChecks): Promise<number> {
  const { doubted } = checks;
  const back = new Set<string>();
  if (doubted.size === 0) return 0;
  const seen = new Set<string>();
  /** The first event that each id is said to have caused, of the ids that had not come by then. */
  const effects = new Map<string, RecordedEvent>();
  for await (const event of readOver(store, () => {})) {
    const { causationId } = event.meta;
    if (isIn(doubted, causationId) && !seen.has(causationId) && !effects.has(causationId))
      effects.set(causationId, event);
    if (!isIn(doubted, event.id)) continue;
    if (seen.has(event.id))
      checks.fault({ ...placeOf(event), reason: `its id ${event.id} was there before` });
    seen.add(event.id);
    const effect = effects.get(event.id);
    if (effect === undefined) continue;
    effects.delete(event.id);
    if (back.has(event.stream) || (await wasArchived(event.stream))) {
      back.add(event.stream);
      continue;
    }
    const cause = `event ${event.version} of ${event.stream}`;
    checks.fault({
      ...placeOf(effect),
      reason: `its cause is ${cause}, which does not come before it`,
    });
  }
  return back.size;
}

function isIn(doubted: ReadonlySet<number>, id: string): boolean {
  const fingerprint = fingerprintOf(id);
  return fingerprint !== undefined && doubted.has(fingerprint);
}

/**
 * All events that can be read; one that cannot is reported, and reading goes on after it. Where the file is so damaged
 * that nothing after it can be read, that is reported too, and is the end.
 */
async function* readOver(
  store: EventStore,
  onFault: (fault: Fault) => void,
): AsyncIterable<RecordedEvent> {
  for (let after = 0; ; ) {
    try {
      for await (const event of store.readAll(after)) {
        after = event.position;
        yield event;
      }
      return;
    } catch (error) {
      if (isUnreadableRecord(error) && error.position > after) {
        const { stream, version, position, message } = error;
        onFault({ stream, version, position, reason: message });
        after = position;
        continue;
      }
      if (!isUnreadableRecord(error) && !(error instanceof StoreUnavailable)) throw error;
      onFault({ reason: `nothing after position ${after} can be read: ${error.message}` });
      return;
    }
  }
}

/** `broken`: an event of it could not be taken, and nothing can be said of those after it. */
interface Stream {
  version: number;
  state: unknown;
  isBroken: boolean;
}

class LogChecks {
  readonly #streams = new Map<string, Stream>();
  readonly #faults: Fault[] = [];
  readonly #ids = new Fingerprints();
  /** What caused something, and had not come as an event by then: mostly requests, which are no events. */
  readonly #causes = new Fingerprints();
  /** Fingerprints of ids that may have come twice, or after what they caused. */
  readonly doubted = new Set<number>();
  #faultCount = 0;
  #jobsOver = 0;
  #head = 0;
  events = 0;

  fault(fault: Fault): void {
    this.#faultCount += 1;
    if (this.#faults.length < FAULTS_KEPT_MAX) this.#faults.push(fault);
  }

  take(event: RecordedEvent): void {
    this.events += 1;
    const wrong = (reason: string) => this.fault({ ...placeOf(event), reason });
    if (event.position <= this.#head)
      wrong(`its position is not above ${this.#head}, that of the event before it`);
    this.#head = event.position;
    if (fingerprintOf(event.id) === undefined) wrong(`its id ${event.id} is not a UUID`);
    this.#take(event.id, event.meta.causationId);
    this.#fold(event, wrong);
  }

  #take(id: string, causationId: string): void {
    const [own, cause] = [fingerprintOf(id), fingerprintOf(causationId)];
    if (cause !== undefined && !this.#ids.has(cause)) this.#causes.add(cause);
    if (own === undefined) return;
    if (this.#ids.has(own) || this.#causes.has(own)) this.doubted.add(own);
    this.#ids.add(own);
  }

  #fold(event: RecordedEvent, wrong: (reason: string) => void): void {
    const is = this.#streams.get(event.stream) ?? { version: 0, state: undefined, isBroken: false };
    this.#streams.set(event.stream, is);
    if (event.version !== is.version + 1) {
      const why = event.version > is.version ? 'events are missing' : 'it is not in its place';
      wrong(`event ${is.version + 1} of its stream should come here: ${why}`);
      is.isBroken = true;
    }
    is.version = event.version;
    if (is.isBroken) return;
    try {
      is.state = evolved(event, is.state);
      if (event.stream.startsWith('job-') && isOver(is.state as JobState)) {
        this.#jobsOver += 1;
        is.state = over(is.state as JobState);
      }
    } catch (error) {
      wrong(error instanceof Error ? error.message : String(error));
      is.isBroken = true;
    }
  }

  *readableStreams(): Iterable<string> {
    for (const [stream, { isBroken }] of this.#streams) if (!isBroken) yield stream;
  }

  summary(): Omit<Verified, 'notes'> {
    return {
      events: this.events,
      streams: this.#streams.size,
      jobsOver: this.#jobsOver,
      head: this.#head,
      faultCount: this.#faultCount,
      faults: this.#faults,
    };
  }
}

/** @throws IllegalTransition; an Error for a stream that no version of Muster writes */
function evolved(event: RecordedEvent, state: unknown): unknown {
  const kind = event.stream.slice(0, event.stream.indexOf('-'));
  if (event.stream === SUBMISSIONS)
    return evolveSubmissions(
      (state ?? initialSubmissions) as never,
      event as SubmissionEvent & RecordedEvent,
    );
  if (kind === 'job')
    return evolveJob((state ?? initialJob) as JobState, event as JobEvent & RecordedEvent);
  if (kind === 'device')
    return evolveDevice((state ?? initialDevice) as never, event as DeviceEvent & RecordedEvent);
  if (kind === 'worker')
    return evolveWorker((state ?? initialWorker) as never, event as WorkerEvent & RecordedEvent);
  throw new Error('Muster has no such stream');
}

/** How a job that is over stays here: nothing is legal after the end, so its state's name is enough. */
const overAs = new Map<string, JobState>();

function over({ state }: JobState): JobState {
  const known = overAs.get(state) ?? { ...initialJob, state };
  overAs.set(state, known);
  return known;
}

type Checkpoint = { version: number; position: number; eventId: string; state: unknown };

/** One projection built anew from nothing, up to where its checkpoint stands, and compared with it there. */
class Rebuild {
  readonly #projection: Projection<unknown>;
  readonly #saved: Checkpoint | undefined;
  readonly #state: unknown;
  #isStopped = false;
  #isReached = false;

  constructor(projection: Projection<unknown>, saved: Checkpoint | undefined) {
    this.#projection = projection;
    this.#saved = saved;
    this.#state = projection.empty();
    this.#isStopped = saved === undefined || saved.version !== projection.version;
  }

  take(event: RecordedEvent, onFault: (fault: Fault) => void): void {
    const saved = this.#saved;
    if (this.#isStopped || saved === undefined || event.position > saved.position) return;
    try {
      this.#projection.apply(this.#state, event);
    } catch (error) {
      this.#isStopped = true;
      const reason = error instanceof Error ? error.message : String(error);
      onFault({
        ...placeOf(event),
        reason: `the ${this.#projection.name} cannot take it: ${reason}`,
      });
    }
    this.#isReached = event.position === saved.position && event.id === saved.eventId;
  }

  /** Compares; returns what is worth a note. `head`: of the log. */
  end(head: number, onFault: (fault: Fault) => void): string[] {
    const { name, version } = this.#projection;
    const saved = this.#saved;
    if (saved === undefined) return [`no checkpoint of the ${name} yet`];
    if (saved.version !== version)
      return [`the checkpoint of the ${name} is another version's; the server builds it anew`];
    if (this.#isStopped) return [];
    if (!this.#isReached && saved.position > head)
      return [`${aheadOfLog(name, saved.position, head)}; the server builds it anew`];
    if (!this.#isReached)
      return [`the checkpoint of the ${name} is of another log; the server builds it anew`];
    const rebuilt = JSON.parse(JSON.stringify(this.#projection.toJson(this.#state)));
    const where = differenceOf(saved.state, rebuilt, name);
    if (where !== undefined)
      onFault({
        position: saved.position,
        reason: `a cold rebuild differs from the checkpoint: ${where}`,
      });
    return [];
  }
}

async function rebuildOf(is: Projection<unknown>, checkpoints: Checkpoints): Promise<Rebuild> {
  return new Rebuild(is, (await checkpoints.load(is.name)) as Checkpoint | undefined);
}

const placeOf = ({ stream, version, position, type }: RecordedEvent) => ({
  stream,
  version,
  position,
  type,
});

/** The first place where two JSON values differ; undefined: nowhere. */
function differenceOf(saved: unknown, rebuilt: unknown, at: string): string | undefined {
  if (isDeepStrictEqual(saved, rebuilt)) return undefined;
  if (isContainer(saved) && isContainer(rebuilt)) {
    for (const key of new Set([...Object.keys(saved), ...Object.keys(rebuilt)])) {
      const where = differenceOf(saved[key], rebuilt[key], `${at}.${key}`);
      if (where !== undefined) return where;
    }
  }
  return `${at} is ${brief(saved)}, rebuilt ${brief(rebuilt)}`;
}

const isContainer = (is: unknown): is is Record<string, unknown> =>
  typeof is === 'object' && is !== null;

const brief = (value: unknown): string => String(JSON.stringify(value)).slice(0, BRIEF_CHARS_MAX);
const BRIEF_CHARS_MAX = 80;

/**
 * Reads a whole log as strictly as possible: every event against its schema, every stream through its machine, the
 * numbers of streams and log, and what the server remembers (its checkpoints) against a cold rebuild.
 */
import type { Checkpoints, Projection } from '../../engine/projection-runner.ts';
import type { RecordedEvent } from '../../machines/events.ts';
import { isUnreadableRecord } from '../../store/edge.ts';
import { type EventStore, StoreUnavailable } from '../../store/port.ts';
import { counted } from '../pages/text.ts';
import { rebuildOf } from './cold-rebuild.ts';
import { type Checked, type Fault, LogChecks, placeOf } from './event-checks.ts';
import { fingerprintOf } from './fingerprints.ts';

export interface Verified extends Checked {
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
  /** What lies in the log's folder and knows of its events; undefined: nobody has said which folder is its own. */
  beside: Beside | undefined;
  /** Is told how many events were read by now. */
  onProgress(events: number): void;
}

export interface Beside {
  /** What says that a log with events was there. */
  trace: string | undefined;
  /** The console of the highest job that has one. */
  console: { job: number; file: string } | undefined;
}

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
  notes.push(...checkBeside(options.beside, checks));
  return { ...checks.summary(), notes };
}

/** Whether what lies beside the log knows of events that it does not have; returns what is worth a note. */
function checkBeside(beside: Beside | undefined, checks: LogChecks): string[] {
  if (beside === undefined)
    return [
      'checkpoints, archive and consoles were not compared: --data names the folder of a server on this log',
    ];
  const { trace, console } = beside;
  if (checks.events === 0 && trace !== undefined)
    checks.fault({
      reason: `there is no event in the log, and ${trace} says that there were some`,
    });
  else if (console !== undefined && console.job > checks.lastJob)
    return [
      `${console.file} is there, and the last job of the log is ${checks.lastJob}: the newest events of the log are lost, or it is an older one`,
    ];
  return [];
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

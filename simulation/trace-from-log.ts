/**
 * A log folded to a trace: the boards and when they were there, what was submitted, how long it ran, how it ended.
 *
 * Who got which board is left out; so is when a job started. A worker that was lost, an operator or a bad health
 * keep new jobs from a board and do not end the one it has: how that job ended is in the log itself. Health checks
 * are no jobs of the trace: their boards are away while they run.
 */
import type { JobDefinition } from '../machines/definition.ts';
import type { DeviceEvent, JobEvent, RecordedEvent, WorkerEvent } from '../machines/events.ts';
import { streamOf } from '../machines/names.ts';
import type { Outage, Trace, TraceBoard, TraceJob } from './trace.ts';

/** All that a trace needs of it: logs have many jobs. */
type Asked = Pick<
  JobDefinition,
  'name' | 'roles' | 'timeoutSeconds' | 'queueTimeoutSeconds' | 'healthCheckOf'
>;

interface JobStory {
  id: number;
  definition: Asked;
  submittedAt: number;
  priority: number;
  allocated: { at: number; devices: string[] } | null;
  ended: { at: number; as: 'complete' | 'failed' | 'cancelled' | 'timedOut' | 'rejected' } | null;
}

interface BoardStory {
  is: TraceBoard;
  offline: boolean;
  ill: boolean;
  /** Since when nobody may have it; `null`: it may be had. */
  awaySince: number | null;
}

/** Takes the events of a log in its order, one by one: all of them may not fit into memory. */
export class LogStory {
  readonly #jobs = new Map<number, JobStory>();
  readonly #boards = new Map<string, BoardStory>();
  readonly #workers = new Map<string, { lost: boolean; jobLimit?: number }>();
  readonly #outages: Outage[] = [];
  #endsAt = 0;

  take(event: RecordedEvent): void {
    const { kind, id: name = '' } = streamOf(event.stream) ?? {};
    this.#endsAt = Math.max(this.#endsAt, event.meta.at);
    if (kind === 'job') this.#ofJob(Number(name), event as RecordedEvent<JobEvent>);
    else if (kind === 'device') this.#ofDevice(name, event as RecordedEvent<DeviceEvent>);
    else if (kind === 'worker') this.#ofWorker(name, event as RecordedEvent<WorkerEvent>);
  }

  /** Of all events that were taken; no other one may come then. */
  trace(): Trace {
    for (const [name, { awaySince }] of this.#boards)
      if (awaySince !== null) this.#away(name, awaySince, null);
    for (const { definition, allocated, ended } of this.#jobs.values())
      if (definition.healthCheckOf !== undefined && allocated !== null)
        for (const device of allocated.devices) this.#away(device, allocated.at, ended?.at ?? null);
    const stories = [...this.#jobs.values()]
      .filter(({ definition }) => definition.healthCheckOf === undefined)
      .sort((a, b) => a.submittedAt - b.submittedAt || a.id - b.id);
    const usualMs = medianOf(stories.flatMap((story) => runMsOf(story) ?? []));
    return {
      boards: [...this.#boards.values()].map(({ is }) => is),
      workers: [...this.#workers].map(([name, { jobLimit }]) =>
        jobLimit === undefined ? { name } : { name, jobLimit },
      ),
      jobs: stories.map((story) => jobOf(story, this.#endsAt, usualMs)),
      outages: this.#outages.sort((a, b) => a.from - b.from),
      guessed: stories.filter((story) => runMsOf(story) === undefined).length,
    };
  }

  #ofJob(id: number, event: RecordedEvent<JobEvent>): void {
    const { at } = event.meta;
    if (event.type === 'JobSubmitted') {
      const { priority, name, roles, timeoutSeconds, queueTimeoutSeconds, healthCheckOf } =
        event.data.definition;
      const definition = { name, roles, timeoutSeconds, queueTimeoutSeconds, healthCheckOf };
      const asked = { id, definition, submittedAt: at, priority };
      this.#jobs.set(id, { ...asked, allocated: null, ended: null });
    }
    const story = this.#jobs.get(id);
    if (story === undefined) return;
    switch (event.type) {
      case 'JobPriorityChanged':
        story.priority = event.data.to;
        break;
      case 'JobAllocated':
        story.allocated = { at, devices: event.data.members.map(({ device }) => device) };
        break;
      case 'JobRejected':
        story.ended = { at, as: 'rejected' };
        break;
      case 'JobCompleted':
        story.ended = { at, as: 'complete' };
        break;
      case 'JobFailed':
        story.ended = { at, as: 'failed' };
        break;
      case 'JobTimedOut':
        story.ended = { at, as: 'timedOut' };
        break;
      case 'JobCancelled':
        story.ended = { at, as: 'cancelled' };
    }
  }

  #ofDevice(name: string, event: RecordedEvent<DeviceEvent>): void {
    const { at } = event.meta;
    const known = this.#boards.get(name);
    if (event.type === 'DeviceRegistered') {
      // What the lab's file says of it last is what counts, from the start.
      const { deviceType, tags, worker } = event.data;
      const is = { name, deviceType, tags, worker, from: known?.is.from ?? at, until: null };
      const board = known ?? { offline: false, ill: false, awaySince: null, is };
      this.#boards.set(name, { ...board, is });
    }
    const board = this.#boards.get(name);
    if (board === undefined) return;
    switch (event.type) {
      case 'DeviceWentOffline':
        board.offline = true;
        break;
      case 'DeviceCameOnline':
        board.offline = false;
        break;
      case 'DeviceHealthChanged':
        board.ill = event.data.to !== 'good' && event.data.to !== 'unknown';
        break;
      case 'DeviceRetired':
        board.is = { ...board.is, until: at };
        break;
      case 'DeviceRestored':
        if (board.is.until !== null) this.#away(name, board.is.until, at);
        board.is = { ...board.is, until: null };
        board.ill = false;
    }
    this.#weigh(board, at);
  }

  #ofWorker(name: string, event: RecordedEvent<WorkerEvent>): void {
    const worker = this.#workers.get(name) ?? { lost: false };
    this.#workers.set(name, worker);
    if (event.type === 'WorkerConnected') {
      worker.lost = false;
      delete worker.jobLimit;
      if (event.data.jobLimit !== undefined) worker.jobLimit = event.data.jobLimit;
    } else if (event.type === 'WorkerLost') worker.lost = true;
    for (const board of this.#boards.values())
      if (board.is.worker === name) this.#weigh(board, event.meta.at);
  }

  /** Begins or ends an outage, when the board may be had no more, or again. */
  #weigh(board: BoardStory, at: number): void {
    const isLost = this.#workers.get(board.is.worker)?.lost === true;
    const isAway = board.offline || board.ill || isLost;
    if (isAway && board.awaySince === null) board.awaySince = at;
    if (isAway || board.awaySince === null) return;
    this.#away(board.is.name, board.awaySince, at);
    board.awaySince = null;
  }

  #away(board: string, from: number, until: number | null): void {
    if (from !== until) this.#outages.push({ board, from, until, kind: 'drained' });
  }
}

function jobOf(story: JobStory, endsAt: number, usualMs: number): TraceJob {
  const { id, definition, submittedAt, priority, allocated, ended } = story;
  const { name, roles, timeoutSeconds, queueTimeoutSeconds } = definition;
  const ranSoFarMs = allocated === null ? 0 : endsAt - allocated.at;
  return {
    id,
    name,
    submittedAt,
    priority,
    roles,
    timeoutSeconds,
    ...(queueTimeoutSeconds !== undefined && { queueTimeoutSeconds }),
    runMs: runMsOf(story) ?? Math.max(ranSoFarMs, usualMs),
    outcome: ended?.as === 'failed' || ended?.as === 'cancelled' ? 'failed' : 'complete',
    ...(allocated === null && ended?.as === 'cancelled' && { withdrawnAt: ended.at }),
  };
}

/** How long it had its boards; `undefined`: it never had them, or has them still. */
function runMsOf({ allocated, ended, definition }: JobStory): number | undefined {
  if (allocated === null || ended === null) return undefined;
  // One that its timeout ended runs into it again, however late the log had the end.
  return ended.as === 'timedOut' ? definition.timeoutSeconds * 1000 : ended.at - allocated.at;
}

/** 0 of nothing. */
function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

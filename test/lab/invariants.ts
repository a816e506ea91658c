/** The invariants of docs/architecture.md as one checker over a whole log: every kind of test ends with it. */
import { type DeviceState, evolveDevice, initialDevice } from '../../machines/device.ts';
import type { DeviceEvent, JobEvent, RecordedEvent } from '../../machines/events.ts';
import { evolveJob, initialJob, isOver, type JobState } from '../../machines/job/job.ts';
import { applyToDirectory, emptyDirectory } from '../../projections/directory.ts';

/** Takes a log in event by event, and throws with the first thing that is wrong, and where. */
export class LogChecker {
  readonly jobs = new Map<string, JobState>();
  readonly devices = new Map<string, DeviceState>();
  readonly #versions = new Map<string, number>();
  readonly #ids = new Set<string>();
  readonly #endedWaits = new Set<string>();
  readonly #directory = emptyDirectory();
  #position = 0;

  take(event: RecordedEvent): void {
    const wrong = (what: string) =>
      new Error(`${event.stream} ${event.version} ${event.type}: ${what}`);
    if (event.position <= this.#position) throw wrong('positions must grow');
    this.#position = event.position;
    if (event.version !== (this.#versions.get(event.stream) ?? 0) + 1)
      throw wrong('a hole in the stream');
    this.#versions.set(event.stream, event.version);
    if (this.#ids.has(event.id)) throw wrong('an event twice');
    this.#ids.add(event.id);
    applyToDirectory(this.#directory, event);
    if (event.stream.startsWith('job-')) this.#takeJob(event as RecordedEvent<JobEvent>, wrong);
    else if (event.stream.startsWith('device-'))
      this.#takeDevice(event as RecordedEvent<DeviceEvent>, wrong);
  }

  #takeJob(event: RecordedEvent<JobEvent>, wrong: (what: string) => Error): void {
    const state = evolveJob(this.jobs.get(event.stream) ?? initialJob, event);
    this.jobs.set(event.stream, state);
    if (event.type === 'JobAllocated')
      for (const { device } of event.data.members) {
        const held = this.devices.get(`device-${device}`)?.heldBy;
        if (`job-${held?.job}` !== event.stream || held?.lease !== event.data.lease)
          throw wrong(`${device} is not held for it: a group has all its boards or none`);
      }
    if (/^Wait(Released|TimedOut|Unreachable|Abandoned)$/.test(event.type)) {
      const wait = `${event.stream} ${'wait' in event.data ? event.data.wait : ''}`;
      if (this.#endedWaits.has(wait)) throw wrong('this wait has ended before');
      this.#endedWaits.add(wait);
    }
    if (isOver(state) && state.conversation.waits.length > 0)
      throw wrong('a job ended with open waits');
  }

  #takeDevice(event: RecordedEvent<DeviceEvent>, wrong: (what: string) => Error): void {
    const before = this.devices.get(event.stream) ?? initialDevice;
    this.devices.set(event.stream, evolveDevice(before, event));
    if (event.type !== 'DeviceReleased') return;
    const job = this.jobs.get(`job-${event.data.job}`);
    if (job?.state === 'allocated' && job.lease === event.data.lease)
      throw wrong(`job-${event.data.job} has it and is not over`);
  }

  /** Every job has ended, and no board is held. */
  assertFinished(): void {
    for (const [stream, job] of this.jobs)
      if (!isOver(job)) throw new Error(`${stream} is still ${job.state}`);
    for (const [stream, device] of this.devices)
      if (device.heldBy !== null)
        throw new Error(`${stream} is still held by job ${device.heldBy.job}`);
  }
}

/** @throws with the first thing that is wrong, and where */
export function checkLog(events: readonly RecordedEvent[], is: { finished: boolean }): void {
  const checker = new LogChecker();
  for (const event of events) checker.take(event);
  if (is.finished) checker.assertFinished();
}

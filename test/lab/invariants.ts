/** The invariants of docs/architecture.md as one checker over a whole log: every kind of test ends with it. */
import { type DeviceState, evolveDevice, initialDevice } from '../../machines/device.ts';
import type { DeviceEvent, JobEvent, RecordedEvent } from '../../machines/events.ts';
import { evolveJob, initialJob, isOver, type JobState } from '../../machines/job.ts';
import { applyToDirectory, emptyDirectory } from '../../projections/directory.ts';

/** @throws with the first thing that is wrong, and where */
export function checkLog(events: readonly RecordedEvent[], is: { finished: boolean }): void {
  const jobs = new Map<string, JobState>();
  const devices = new Map<string, DeviceState>();
  const versions = new Map<string, number>();
  const ids = new Set<string>();
  const endedWaits = new Set<string>();
  const directory = emptyDirectory();
  let position = 0;
  for (const event of events) {
    const where = `${event.stream} ${event.version} ${event.type}`;
    const wrong = (what: string) => new Error(`${where}: ${what}`);
    if (event.position <= position) throw wrong('positions must grow');
    position = event.position;
    if (event.version !== (versions.get(event.stream) ?? 0) + 1)
      throw wrong('a hole in the stream');
    versions.set(event.stream, event.version);
    if (ids.has(event.id)) throw wrong('an event twice');
    ids.add(event.id);
    applyToDirectory(directory, event);
    if (event.stream.startsWith('job-')) {
      const state = evolveJob(
        jobs.get(event.stream) ?? initialJob,
        event as RecordedEvent<JobEvent>,
      );
      jobs.set(event.stream, state);
      if (event.type === 'JobAllocated')
        for (const { device } of event.data.members) {
          const held = devices.get(`device-${device}`)?.heldBy;
          if (`job-${held?.job}` !== event.stream || held?.lease !== event.data.lease)
            throw wrong(`${device} is not held for it: a group has all its boards or none`);
        }
      if (/^Wait(Released|TimedOut|Unreachable|Abandoned)$/.test(event.type)) {
        const wait = `${event.stream} ${'wait' in event.data ? event.data.wait : ''}`;
        if (endedWaits.has(wait)) throw wrong('this wait has ended before');
        endedWaits.add(wait);
      }
      if (isOver(state) && state.conversation.waits.length > 0)
        throw wrong('a job ended with open waits');
    } else if (event.stream.startsWith('device-')) {
      const before = devices.get(event.stream) ?? initialDevice;
      devices.set(event.stream, evolveDevice(before, event as RecordedEvent<DeviceEvent>));
    }
  }
  if (!is.finished) return;
  for (const [stream, job] of jobs)
    if (!isOver(job)) throw new Error(`${stream} is still ${job.state}`);
  for (const [stream, device] of devices)
    if (device.heldBy !== null)
      throw new Error(`${stream} is still held by job ${device.heldBy.job}`);
}

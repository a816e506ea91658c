/** How long boards took to be deployed and to boot in a run: from the group's allocation until a shell answered. */
import type { JobEvent, RecordedEvent } from '../machines/events.ts';

export interface ReadyTime {
  readonly device: string;
  readonly deployMs: number;
  readonly bootMs: number;
}

/** Of the boards that came up; those that did not say nothing of how long it takes. */
export function readyTimesOf(events: readonly RecordedEvent<JobEvent>[]): ReadyTime[] {
  let from: number | undefined;
  const booting = new Map<string, number>();
  const ready = new Map<string, ReadyTime>();
  for (const { type, data, meta } of events) {
    if (type === 'JobAllocated') from = meta.at;
    else if (type === 'MemberBooting' && !booting.has(data.member))
      booting.set(data.member, meta.at);
    else if (type === 'MemberBooted' && from !== undefined && !ready.has(data.member)) {
      const began = booting.get(data.member) ?? from;
      const times = { deployMs: began - from, bootMs: meta.at - began };
      ready.set(data.member, { device: data.member, ...times });
    }
  }
  return [...ready.values()];
}

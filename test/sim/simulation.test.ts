/** A whole lab under faults on virtual time: the short version of `npm run sim`, with fixed seeds. */
import { describe, expect, it } from 'vitest';
import type { EventStore } from '../../store/port.ts';
import { simulate } from './lab.ts';

const MINUTES = 60;
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const timeout = 120_000;

/** What the seeds below must have seen between them, or they prove little. */
const seen = new Set<string>();

describe('a simulated lab', () => {
  it.each(SEEDS)(
    'of seed %i keeps every invariant under faults, and comes to its end when they stop',
    { timeout },
    async (seed) => {
      const { events, jobs, faults } = await simulate(seed, { minutes: MINUTES });
      expect(jobs).toBeGreaterThan(5);
      expect(faults).toBeGreaterThan(5);
      for (const { type } of events) seen.add(type);
    },
  );

  it('has seen every way in which a job, a wait or a worker can end', () => {
    for (const type of [
      'JobCompleted',
      'JobFailed',
      'JobCancelled',
      'WaitReleased',
      'WaitUnreachable',
      'WaitAbandoned',
      'WaitResumed',
      'MemberTimedOut',
      'AllocationVoided',
      'DeviceHealthChanged',
      'WorkerLost',
    ])
      expect([...seen], type).toContain(type);
  });

  it('is the same for the same seed, event by event', { timeout }, async () => {
    const [one, two] = [await simulate(11, { minutes: 30 }), await simulate(11, { minutes: 30 })];
    expect(two.events).toEqual(one.events);
  });

  it('is caught when boards are not reserved before a job has them', { timeout }, async () => {
    const unreserved = (store: EventStore): EventStore => ({
      ...store,
      append: async (stream, version, events) =>
        events[0]?.type === 'DeviceReserved'
          ? { version: version + events.length, position: 0 }
          : store.append(stream, version, events),
    });
    await expect(simulate(1, { minutes: MINUTES, around: unreserved })).rejects.toThrow(
      /all its boards or none/,
    );
  });
});

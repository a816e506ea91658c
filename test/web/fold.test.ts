/** What the page folds out of a job's events is what the server says the job was at each of them. */
import { describe, expect, it } from 'vitest';
import { Moments } from '../../answers/moments.ts';
import { stateAt } from '../../answers/state-at.ts';
import { cacheAt, jobStateAt, memberAt, missingAt, openWaits } from '../../web/job/at.ts';
import { foldOf, histories, jobsOf } from './histories.ts';

const MEMBER_ENDS = ['complete', 'failed', 'timedOut', 'cancelled'];

describe.each(histories)('of every job of %s, at every event, the page shows', (name) => {
  const jobs = jobsOf(name).map((events) => ({
    events,
    fold: foldOf(events),
    states: events.map((_, at) => stateAt(1, new Moments(events), at + 1)),
  }));

  it('the state of the job and how members ended', () => {
    for (const { fold, states } of jobs)
      for (const [at, { job }] of states.entries()) {
        expect(jobStateAt(fold, at)).toBe(job.state);
        for (const { device, state } of job.members) {
          const lane = fold.lanes[fold.laneNamed(device)]!;
          const shown = memberAt(lane, at).state;
          expect(MEMBER_ENDS.includes(shown) ? shown : 'goes on').toBe(
            MEMBER_ENDS.includes(state) ? state : 'goes on',
          );
        }
      }
  });

  it('what is in each cache file', () => {
    for (const { fold, states } of jobs)
      for (const [at, { boards }] of states.entries())
        for (const { device, cache, networkCache } of boards) {
          const lane = fold.laneNamed(device);
          const shown = (['cache', 'network'] as const).map((file) =>
            cacheAt(fold, lane, at, file),
          );
          const lines = shown.map((file) => file.lines);
          expect([device, at, lines]).toEqual([
            device,
            at,
            [cache?.lines ?? [], networkCache?.lines ?? []],
          ]);
        }
  });

  it('which waits are open, and whom each of them lacks', () => {
    for (const { fold, states } of jobs)
      for (const [at, { barriers }] of states.entries()) {
        const shown = fold.lanes
          .flatMap((lane) => openWaits(lane, at))
          .map((wait) => [wait.wait, missingAt(fold, wait, at)] as const)
          .sort(([a], [b]) => a - b);
        const open = barriers.flatMap(({ waits }) =>
          waits.filter(({ outcome }) => outcome === 'open').map(({ wait }) => wait),
        );
        expect(shown.map(([wait]) => wait)).toEqual(open.sort((a, b) => a - b));
        for (const [number, missing] of shown) {
          const barrier = barriers.find(({ waits }) => waits.some(({ wait }) => wait === number));
          const member = barrier?.waits.find(({ wait }) => wait === number)?.member;
          const others = barrier?.missing.filter((device) => device !== member);
          expect(missing.filter((device) => device !== member)).toEqual(others);
        }
      }
  });

  it('each release behind the send that caused it, in time and in the causal order', () => {
    for (const { fold } of jobs) {
      for (const { from, to } of fold.arrows) {
        expect(from).toBeLessThan(to);
        expect(fold.ranks[from]).toBeLessThan(fold.ranks[to] ?? 0);
        expect(fold.events[from]?.type).toBe('MessageSent');
        expect(fold.events[to]?.type).toBe('WaitReleased');
      }
      const released = fold.events.filter(
        (event) =>
          event.type === 'WaitReleased' &&
          event.data.by !== undefined &&
          event.data.by !== event.data.member,
      );
      expect(fold.arrows).toHaveLength(released.length);
    }
  });
});

it('takes what it has not yet, and says which event cannot be read', () => {
  const [, job = []] = [...histories].flatMap((name) => jobsOf(name));
  const fold = foldOf(job.slice(0, 3));
  expect(fold.takeNew(job.slice(0, 5))).toBeUndefined();
  expect(fold.length).toBe(Math.min(5, job.length));
  const bad = { ...job[0], type: 'JobAllocated', version: fold.length + 1, data: {} } as never;
  expect(fold.takeNew([bad])).toBe(bad);
});

/** The server's clock and the machine's: what a person is told when they differ. */
import { expect, it } from 'vitest';
import { watchClock } from '../../server/clock-watch.ts';

const DAY_MS = 86_400_000;

function watched(ours: number, wall: number) {
  const clock = { ours, wall };
  const said: string[] = [];
  const watch = watchClock({
    ours: () => clock.ours,
    wall: () => clock.wall,
    say: (what) => said.push(what),
  });
  watch.stop();
  const goOn = (by: { ours: number; wall: number }) => {
    clock.ours += by.ours;
    clock.wall += by.wall;
    watch.look();
    return said.splice(0);
  };
  return { said: said.splice(0), goOn };
}

it('says at the start that the log is ahead of the clock, by how much, and what that means', () => {
  const { said } = watched(366 * DAY_MS, DAY_MS);
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/^the last event of the log is 365 days ahead of this machine's clock: /);
  expect(said[0]).toContain('docs/operations.md (The clock)');
});

it('says nothing of a log that is some seconds ahead, as those of other servers may be', () => {
  expect(watched(1_009_999, 1_000_000).said).toEqual([]);
  expect(watched(1_010_000, 1_000_000).said).toHaveLength(1);
});

it('says once that the clock was set forward, or back, while the server runs', () => {
  const { said, goOn } = watched(DAY_MS, DAY_MS);
  expect(said).toEqual([]);
  expect(goOn({ ours: 10_000, wall: 10_001 })).toEqual([]);
  const [forward, ...more] = goOn({ ours: 10_000, wall: 10_000 + 3 * 3_600_000 });
  expect(forward).toMatch(
    /^the machine's clock has jumped 3 hours forward \(or the machine slept\)/,
  );
  expect(more).toEqual([]);
  expect(goOn({ ours: 10_000, wall: 10_000 })).toEqual([]);
  expect(goOn({ ours: 10_000, wall: 10_000 - 150_000 })[0]).toMatch(/jumped 2 minutes back\. /);
});

it('counts what it was ahead by at the start as no jump', () => {
  const { goOn } = watched(365 * DAY_MS, DAY_MS);
  expect(goOn({ ours: 10_000, wall: 10_000 })).toEqual([]);
});

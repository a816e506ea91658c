/** Where a commit is made: what was measured decides, and never one measure alone but where boards had to wait. */
import { expect, it } from 'vitest';
import {
  AWAY_MS,
  AWAY_MS_MAX,
  BLOCKED_MS_MAX,
  FAST_MS_MAX,
  HERE_BYTES_MAX,
  HERE_EVENTS_MAX,
  HERE_PAGES_MAX,
  MeasuredPlacing,
  SLOW_MS_MIN,
} from '../../store/sqlite/place.ts';

const small = { events: 2, bytes: 400 };
const FAST_MS = FAST_MS_MAX / 3;
const SLOW_MS = SLOW_MS_MIN * 3;
const CROSSING_MS = 0.15;
const LONG_AGO = -1e9;

/** A placing that has measured a disk: as many commits as move every estimate to its value. */
function measured(diskMs: number, crossingMs = CROSSING_MS): MeasuredPlacing {
  const placing = new MeasuredPlacing();
  for (let i = 0; i < 100; i++) placing.wasThere(small, diskMs, crossingMs);
  return placing;
}

it('commits in the log’s thread until something was measured', () => {
  expect(new MeasuredPlacing().next(small, 0)).toBe('there');
});

it('commits in the deciding thread on a fast disk, and in the log’s thread on a slow one', () => {
  expect(measured(FAST_MS).next(small, 0)).toBe('here');
  expect(measured(SLOW_MS).next(small, 0)).toBe('there');
});

it('commits in the log’s thread where to cross costs next to nothing against the disk', () => {
  expect(measured(FAST_MS, FAST_MS / 20).next(small, 0)).toBe('there');
});

it('hands a large group over, and goes on with the next small one', () => {
  const placing = measured(FAST_MS);
  expect(placing.next({ events: HERE_EVENTS_MAX + 1, bytes: 1 }, 0)).toBe('there');
  expect(placing.next({ events: 1, bytes: HERE_BYTES_MAX + 1 }, 0)).toBe('there');
  placing.wasThere({ events: HERE_EVENTS_MAX * 50, bytes: 1 }, 80, CROSSING_MS);
  expect(placing.next(small, 0)).toBe('here');
});

it('notices that a fast disk has become slow, and a slow one fast, and does not waver between', () => {
  const placing = measured(FAST_MS);
  for (let i = 0; i < 12; i++) placing.wasHere(SLOW_MS, i);
  expect(placing.next(small, 0)).toBe('there');
  const between = (FAST_MS_MAX + SLOW_MS_MIN) / 2;
  for (let i = 0; i < 200; i++) placing.wasThere(small, between, CROSSING_MS * 2);
  expect(placing.next(small, 0)).toBe('there');
  for (let i = 0; i < 200; i++) placing.wasThere(small, FAST_MS, CROSSING_MS);
  expect(placing.next(small, 0)).toBe('here');
  for (let i = 0; i < 200; i++) placing.wasHere(between, i);
  expect(placing.next(small, 0)).toBe('here');
});

it('leaves the deciding thread after one commit that boards had to wait for, for longer each time', () => {
  const placing = measured(FAST_MS);
  let now = 0;
  const gone = () => {
    placing.wasHere(BLOCKED_MS_MAX + 1, now);
    for (let i = 0; i < 100; i++) placing.wasThere(small, FAST_MS, CROSSING_MS);
    const from = now;
    while (placing.next(small, now) === 'there') now += AWAY_MS / 4;
    return now - from;
  };
  expect(gone()).toBe(AWAY_MS);
  expect(gone()).toBe(2 * AWAY_MS);
  for (let i = 0; i < 10; i++) gone();
  expect(gone()).toBe(AWAY_MS_MAX);
  now += 10 * AWAY_MS_MAX;
  expect(gone()).toBe(AWAY_MS);
});

it('leaves what failed in the deciding thread to the log’s thread for a while', () => {
  const placing = measured(FAST_MS);
  placing.failedHere(0);
  expect(placing.next(small, AWAY_MS - 1)).toBe('there');
  expect(placing.next(small, AWAY_MS)).toBe('here');
});

it('gives the log’s thread a group before the write-ahead log grows long, whatever the disk', () => {
  const placing = measured(FAST_MS);
  for (const group of [small, { events: HERE_EVENTS_MAX, bytes: HERE_BYTES_MAX }]) {
    let inARow = 0;
    while (placing.next(group, LONG_AGO + inARow) === 'here') inARow++;
    const pages = inARow * (group.events + group.bytes / 4096);
    expect(inARow).toBeGreaterThan(10);
    expect(pages).toBeLessThan(HERE_PAGES_MAX);
    expect(placing.next(group, 0)).toBe('here');
  }
});

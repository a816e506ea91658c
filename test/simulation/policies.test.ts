/** Policies on labs small enough to follow by hand, upstream's deadlocks among them (FIELD: lava-users 2018-04). */
import { describe, expect, test } from 'vitest';
import { POLICIES } from '../../simulation/policies.ts';
import { reportOf } from '../../simulation/report.ts';
import { starvedOf } from '../../simulation/starvation.ts';
import { board, endsOf, job, needs, play, startsOf, trace } from './labs.ts';

const ORDERS = 1_000;

describe('one group alone on an idle lab, whose untagged role fits the only tagged board', () => {
  const lab = [board('panda01', 'panda', 'wifi'), board('panda02', 'panda')];
  const alone = trace(lab, [job(1, [needs('any', 1, 'panda'), needs('wifi', 1, 'panda', 'wifi')])]);
  const deadlocksUnder = (policy: (typeof POLICIES)[number]) =>
    Array.from({ length: ORDERS }, (_, seed) => play(alone, policy, seed + 1)).filter(
      ({ deadlock }) => deadlock !== null,
    );

  test('deadlocks in about half of 1000 random orders when boards are taken one by one', () => {
    const deadlocked = deadlocksUnder('greedy');
    expect(deadlocked).toHaveLength(481);
    expect(deadlocked[0]?.deadlock).toEqual({
      since: 0,
      holders: [{ job: 1, holds: ['panda01'], lacks: 1 }],
      behind: 0,
    });
  });

  test.each(['gang', 'gang+backfill'] as const)(
    'starts at once in all of them under %s',
    (policy) => {
      expect(deadlocksUnder(policy)).toEqual([]);
      expect(startsOf(play(alone, policy))).toEqual({ 1: 0 });
    },
  );
});

describe('two groups that each need both boards of a type', () => {
  // The urgent one comes while the other waits for its second board, and gets that one.
  const pair = [needs('pair', 2, 'panda')];
  const crossed = trace(
    [board('panda01', 'panda'), board('panda02', 'panda')],
    [
      job(1, [needs('single', 1, 'panda')]),
      job(2, pair, { submittedAt: 1_000 }),
      job(3, pair, { submittedAt: 2_000, priority: 100 }),
      job(4, [needs('single', 1, 'panda')], { submittedAt: 3_000 }),
    ],
  );

  test('hold a board each for ever under greedy, and the whole lab with them', () => {
    const run = play(crossed, 'greedy');
    expect(run.deadlock?.holders.map(({ job: id }) => id).sort()).toEqual([2, 3]);
    expect(run.deadlock?.behind).toBe(1);
    expect(endsOf(run)).toEqual({ 1: 'complete', 2: 'waiting', 3: 'waiting', 4: 'waiting' });
    const [use] = reportOf(run).use;
    expect(use?.grabbed).toBeGreaterThan(0);
  });

  test.each(['gang', 'gang+backfill'] as const)('all run under %s', (policy) => {
    const run = play(crossed, policy);
    expect(run.deadlock).toBeNull();
    expect(new Set(Object.values(endsOf(run)))).toEqual(new Set(['complete']));
    expect(reportOf(run).use[0]?.grabbed).toBe(0);
  });
});

test('a group that only one board could fill is rejected, and waits for ever under greedy', () => {
  const lab = [board('panda01', 'panda', 'wifi'), board('panda02', 'panda')];
  const both = [needs('a', 1, 'panda', 'wifi'), needs('b', 1, 'panda', 'wifi')];
  const impossible = trace(lab, [job(1, both)]);
  expect(endsOf(play(impossible, 'greedy'))).toEqual({ 1: 'waiting' });
  expect(endsOf(play(impossible, 'gang'))).toEqual({ 1: 'rejected' });
  expect(endsOf(play(impossible, 'gang+backfill'))).toEqual({ 1: 'rejected' });
});

describe('a wide job under a stream of single ones', () => {
  const lab = ['a', 'b', 'c'].map((name) => board(name, 'panda'));
  const single = [needs('single', 1, 'panda')];
  // One comes every 4 minutes and runs for 10: at any time two or three boards are busy.
  const stream = Array.from({ length: 100 }, (_, at) =>
    job(at + 2, single, { submittedAt: at * 240_000 }),
  );
  const wide = job(1, [needs('all', 3, 'panda')], { submittedAt: 1 });
  const crowded = trace(
    lab,
    [stream[0], wide, ...stream.slice(1)].flatMap((each) => each ?? []),
  );

  test('starves under gang, which reserves nothing', () => {
    const run = play(crowded, 'gang');
    expect(starvedOf(run).map(({ job: { id } }) => id)).toEqual([1]);
    expect(startsOf(run)[1]).toBeGreaterThan(20_000);
  });

  test('starts when the timeout of what ran gives its boards back, under gang+backfill', () => {
    const run = play(crowded, 'gang+backfill');
    expect(starvedOf(run)).toEqual([]);
    expect(startsOf(run)[1]).toBeLessThanOrEqual(1_200);
  });

  test('is overtaken only by what ends before its reserved start', () => {
    const short = job(200, single, { submittedAt: 2, timeoutSeconds: 600, runMs: 300_000 });
    const run = play({ ...crowded, jobs: [...crowded.jobs.slice(0, 2), short] }, 'gang+backfill');
    expect(startsOf(run)).toEqual({ 2: 0, 1: 600, 200: 0.002 });
  });
});

describe('what befalls a job', () => {
  const lab = [board('panda01', 'panda'), board('panda02', 'panda')];
  const single = [needs('single', 1, 'panda')];

  test.each(POLICIES)('its timeout ends it, under %s', (policy) => {
    const run = play(trace(lab, [job(1, single, { runMs: 9_000_000 })]), policy);
    expect(run.jobs[0]).toMatchObject({ end: 'timedOut', endedAt: 1_200_000 });
  });

  test.each(POLICIES)('a lost board ends it, and its others come free, under %s', (policy) => {
    const outage = { board: 'panda01', from: 60_000, until: 9_000_000, kind: 'lost' as const };
    const jobs = [job(1, [needs('pair', 2, 'panda')]), job(2, single, { submittedAt: 30_000 })];
    const run = play(trace(lab, jobs, { outages: [outage] }), policy);
    expect(endsOf(run)).toEqual({ 1: 'lost', 2: 'complete' });
    expect(startsOf(run)[2]).toBe(60);
    expect(run.jobs[1]?.members).toEqual([{ device: 'panda02', role: 'single' }]);
  });

  test.each(POLICIES)('a drained board finishes it and takes no other, under %s', (policy) => {
    const outage = { board: 'panda01', from: 60_000, until: null, kind: 'drained' as const };
    const jobs = [job(1, single), job(2, single), job(3, single)];
    const run = play(trace(lab, jobs, { outages: [outage] }), policy);
    expect(endsOf(run)).toEqual({ 1: 'complete', 2: 'complete', 3: 'complete' });
    expect(run.jobs[2]?.members[0]?.device).toBe('panda02');
  });

  test.each(POLICIES)(
    'it leaves the queue when it is cancelled or its queue timeout has passed, under %s',
    (policy) => {
      const pair = [needs('pair', 2, 'panda')];
      const jobs = [
        job(1, pair),
        job(2, pair, { submittedAt: 1_000, queueTimeoutSeconds: 60 }),
        job(3, pair, { submittedAt: 2_000, withdrawnAt: 90_000 }),
        job(4, pair, { submittedAt: 3_000 }),
      ];
      const run = play(trace(lab, jobs), policy);
      expect(endsOf(run)).toEqual({
        1: 'complete',
        2: 'queueTimedOut',
        3: 'withdrawn',
        4: 'complete',
      });
      expect(startsOf(run)[4]).toBe(600);
    },
  );

  test.each(POLICIES)('a worker gives no more boards than it may, under %s', (policy) => {
    const jobs = [job(1, single), job(2, single)];
    const run = play(trace(lab, jobs, { workers: [{ name: 'w1', jobLimit: 1 }] }), policy);
    expect(startsOf(run)).toEqual({ 1: 0, 2: 600 });
  });

  test.each(POLICIES)('a board that is retired takes no more jobs, under %s', (policy) => {
    const leaving = [{ ...board('panda01', 'panda'), until: 1_000 }, board('panda02', 'panda')];
    const jobs = [job(1, [needs('pair', 2, 'panda')]), job(2, single, { submittedAt: 2_000 })];
    const run = play(trace(leaving, jobs), policy);
    expect(endsOf(run)).toEqual({ 1: 'complete', 2: 'complete' });
    expect(run.jobs[1]?.members[0]?.device).toBe('panda02');
  });
});

test('a group that lets a lost board go takes another in its place, under greedy', () => {
  const lab = [board('panda01', 'panda'), board('beagle01', 'beagle'), board('panda02', 'panda')];
  const jobs = [
    job(1, [needs('only', 1, 'beagle')]),
    job(2, [needs('a', 1, 'panda'), needs('b', 1, 'beagle')], { submittedAt: 1_000 }),
  ];
  // Whichever panda it holds, both go away in turn.
  const outages = ['panda01', 'panda02'].map((name, at) => {
    const from = 10_000 + at * 100_000;
    return { board: name, from, until: from + 50_000, kind: 'lost' as const };
  });
  expect(endsOf(play(trace(lab, jobs, { outages }), 'greedy'))).toEqual({
    1: 'complete',
    2: 'complete',
  });
});

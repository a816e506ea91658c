/** A log folded to a trace, and played again. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AnyEvent, RecordedEvent } from '../../machines/events.ts';
import { generate, WISHES_DEFAULT } from '../../simulation/generate.ts';
import { withMore, without } from '../../simulation/trace.ts';
import { board, endsOf, job, needs, play, startsOf, trace } from './labs.ts';
import { logOf, traceOf } from './logs.ts';

const single = [needs('single', 1, 'panda')];

test('a run that is folded back from its log and played again is the same run', () => {
  const wishes = { ...WISHES_DEFAULT, boards: 10, jobs: 60 };
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(70, 130), (seed, loadPercent) => {
      const made = generate({ ...wishes, loadPercent }, seed);
      const drained = made.outages.map((outage) => ({ ...outage, kind: 'drained' as const }));
      const first = { ...made, outages: drained.filter(({ until }) => until !== null) };
      const run = play(first, 'gang+backfill');
      const again = traceOf(logOf(first, run));
      expect(startsOf(play(again, 'gang+backfill'))).toEqual(startsOf(run));
      expect(again.jobs).toEqual(first.jobs);
      expect(again.boards).toEqual(first.boards);
    }),
    { seed: 5, numRuns: 20 },
  );
});

test('every way to end is played again as it was', () => {
  const pair = [needs('pair', 2, 'panda')];
  const told = trace(
    [board('panda01', 'panda'), board('panda02', 'panda')],
    [
      job(1, pair, { outcome: 'failed' }),
      job(2, pair, { runMs: 9_000_000, priority: 40 }),
      job(3, pair, { queueTimeoutSeconds: 5, priority: 30 }),
      job(4, pair, { withdrawnAt: 7_000, priority: 20 }),
      job(5, [needs('three', 3, 'panda')], { priority: 10 }),
    ],
  );
  const run = play(told, 'gang+backfill');
  const ends = { 1: 'failed', 2: 'timedOut', 3: 'queueTimedOut', 4: 'withdrawn', 5: 'rejected' };
  expect(endsOf(run)).toEqual(ends);
  expect(endsOf(play(traceOf(logOf(told, run)), 'gang+backfill'))).toEqual(ends);
});

test('a job that has not ended in the log gets the usual run time, and is counted', () => {
  const told = trace([board('panda01', 'panda')], [job(1, single), job(2, single), job(3, single)]);
  const whole = logOf(told, play(told, 'gang'));
  const cut = whole.filter(({ meta }) => meta.at <= 700_000);
  const again = traceOf(cut);
  expect(again.guessed).toBe(2);
  expect(again.jobs.map(({ runMs }) => runMs)).toEqual([600_000, 600_000, 600_000]);
});

let position = 0;
function recorded(stream: string, at: number, event: AnyEvent): RecordedEvent {
  position += 1;
  const meta = { at, actor: 'a', causationId: 'c', correlationId: stream };
  return { ...event, id: `e${position}`, stream, version: position, position, meta };
}
const registered = (at: number) =>
  recorded('device-panda01', at, {
    type: 'DeviceRegistered',
    data: { deviceType: 'panda', tags: ['wifi'], worker: 'w1', driver: 'local' },
  });
const health = (at: number, to: 'bad' | 'good') =>
  recorded('device-panda01', at, {
    type: 'DeviceHealthChanged',
    data: { from: 'unknown', to, reason: 'r' },
  });

test('a board is away while any reason keeps it: its worker, its health, an operator', () => {
  const events = [
    recorded('worker-w1', 0, {
      type: 'WorkerConnected',
      data: { boards: ['panda01'], jobLimit: 2 },
    }),
    registered(10),
    recorded('device-panda01', 20, { type: 'DeviceWentOffline', data: { reason: 'r' } }),
    health(30, 'bad'),
    recorded('device-panda01', 40, { type: 'DeviceCameOnline', data: {} }),
    recorded('worker-w1', 50, { type: 'WorkerLost', data: { reason: 'r' } }),
    health(60, 'good'),
    recorded('worker-w1', 70, { type: 'WorkerConnected', data: { boards: ['panda01'] } }),
    health(80, 'bad'),
  ];
  const { outages, workers } = traceOf(events);
  expect(outages).toEqual([
    { board: 'panda01', from: 20, until: 70, kind: 'drained' },
    { board: 'panda01', from: 80, until: null, kind: 'drained' },
  ]);
  expect(workers).toEqual([{ name: 'w1' }]);
});

test('a board that was retired is there until then, and again from when that was taken back', () => {
  const retired = [
    registered(10),
    recorded('device-panda01', 20, { type: 'DeviceRetired', data: { reason: 'r' } }),
  ];
  expect(traceOf(retired).boards[0]).toMatchObject({ from: 10, until: 20 });
  const restored = recorded('device-panda01', 30, {
    type: 'DeviceRestored',
    data: { reason: 'r' },
  });
  const again = traceOf([...retired, restored]);
  expect(again.boards[0]).toMatchObject({ from: 10, until: null });
  expect(again.outages).toEqual([{ board: 'panda01', from: 20, until: 30, kind: 'drained' }]);
});

test('a health check is no job of the trace: its board is away while it runs', () => {
  const told = trace(
    [board('panda01', 'panda')],
    [job(1, [{ role: 'r', count: 1, device: 'panda01', tags: [] }])],
  );
  const events = logOf(told, play(told, 'gang')).map((event) =>
    event.type === 'JobSubmitted'
      ? {
          ...event,
          data: {
            ...event.data,
            definition: { ...event.data.definition, healthCheckOf: 'panda01' },
          },
        }
      : event,
  );
  const again = traceOf(events);
  expect(again.jobs).toEqual([]);
  expect(again.outages).toEqual([{ board: 'panda01', from: 0, until: 600_000, kind: 'drained' }]);
});

test('a board less makes a queue, a board more takes it away', () => {
  const told = trace(
    [board('panda01', 'panda'), board('panda02', 'panda')],
    [job(1, single), job(2, single), job(3, single)],
  );
  expect(startsOf(play(told, 'gang'))).toEqual({ 1: 0, 2: 0, 3: 600 });
  expect(startsOf(play(without(told, new Set(['panda02'])), 'gang'))).toEqual({
    1: 0,
    2: 600,
    3: 1_200,
  });
  const more = withMore(told, [{ deviceType: 'panda', count: 1, tags: [] }]);
  expect(more.boards.map(({ name }) => name)).toContain('extra-panda-1');
  expect(startsOf(play(more, 'gang'))).toEqual({ 1: 0, 2: 0, 3: 0 });
});

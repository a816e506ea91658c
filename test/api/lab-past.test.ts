/** The queue and the boards at an event of a job are those of that moment: what the server itself said then. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { labAt } from '../../answers/evidence.ts';
import { type LabMoment, StateView } from '../../answers/views.ts';
import { History } from '../../api/history/history.ts';
import { JobPast } from '../../api/job-past.ts';
import { labAlong } from '../../api/lab-along.ts';
import { labMoment } from '../../api/lab-moment.ts';
import { LabPast } from '../../api/lab-past.ts';
import type { Clock } from '../../engine/clock.ts';
import { Engine } from '../../engine/engine.ts';
import { type JobEvent, type RecordedEvent, UnreadableEvent } from '../../machines/events.ts';
import { evolveJob, initialJob, type JobState } from '../../machines/job/job.ts';
import { iso } from '../../projections/views.ts';
import { memoryCheckpoints } from '../../store/checkpoints.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { jobOf, logOf, startEngine, submit, until, user } from '../engine/bench.ts';
import { doors } from './bench.ts';

const always = new AbortController().signal;

/** A lab of three boards in which jobs wait, get boards, go; boards go offline, fall ill and are retired. */
async function busyLab() {
  const lab = await startEngine({}, 3);
  onTestFinished(() => lab.engine.stop());
  const { engine } = lab;
  const waits = async (roles: Record<string, number>, priority = 50) =>
    submit(engine, jobOf(roles, { priority }));
  const first = await waits({ a: 2 });
  await until(async () => (await engine.job(first))?.allocatedAt ?? undefined);
  const second = await waits({ a: 3 });
  const third = await waits({ b: 2 }, 10);
  await engine.setOffline('panda03', 'power', user);
  await engine.setPriority(third, 90, user);
  await engine.setHealth('panda02', { to: 'bad', reason: 'smells', force: true }, user);
  await engine.cancel(first, 'enough', user);
  await until(async () => (engine.device('panda01')?.heldBy === null ? true : undefined));
  await engine.setPriority(second, 60, user);
  await engine.setOnline('panda03', user);
  await until(async () => (await engine.job(third))?.allocatedAt ?? undefined);
  await engine.cancel(second, 'enough', user);
  await engine.cancel(third, 'enough', user);
  return { ...lab, jobs: [first, second, third] };
}

const history = (engine: Engine) => ({ engine, history: new History(engine) });

/** Each event of a job with the job as it was then. */
function* along(events: readonly RecordedEvent[]): Iterable<[RecordedEvent<JobEvent>, JobState]> {
  let job = initialJob;
  for (const event of events as RecordedEvent<JobEvent>[]) {
    job = evolveJob(job, event);
    yield [event, job];
  }
}

describe('the lab at an event of a job', () => {
  it('is the queue and the boards that a server would have seen that had read the log up to there', async () => {
    const lab = await busyLab();
    const log = await logOf(lab);
    const past = new LabPast(memoryCheckpoints(), 4);
    let waited = 0;
    for (const id of lab.jobs) {
      const own = log.filter(({ stream }) => stream === `job-${id}`);
      for (const [event, job] of along(own)) {
        const directory = await past.at(event.position, history(lab.engine), always);
        const seen = labMoment(directory, id, job, event.meta.at);
        const then = await serverAt(log, event.position, event.meta.at);
        const why = then.why(id);
        waited += why === undefined ? 0 : 1;
        expect(seen.queue).toEqual({
          length: then.queueLength,
          ...(why && { place: why.place, reason: why.reason }),
          ...(why?.guaranteedStart && { guaranteedStart: iso(why.guaranteedStart) }),
        });
        for (const board of seen.boards) {
          const device = then.device(board.device);
          expect([board.health, board.heldBy, board.state]).toEqual([
            device?.health,
            device?.heldBy?.job,
            device?.state,
          ]);
          for (const { role, why: kept } of board.kept ?? []) {
            const slot = why?.slots.find((one) => one.role === role);
            expect(slot?.candidates.find((one) => one.board === board.device)?.why).toBe(kept);
          }
        }
      }
    }
    expect(waited).toBeGreaterThan(3);
  });

  it('is the same from whichever kept place one comes, also over those of a server that ran, and none at all', async () => {
    const lab = await busyLab();
    const log = await logOf(lab);
    const kept = memoryCheckpoints();
    const pasts = [
      new LabPast(memoryCheckpoints(), 2),
      new LabPast(kept, 7),
      new LabPast(kept, 7),
      new LabPast(),
    ];
    for (const { position } of log.toReversed()) {
      const [first, ...others] = await Promise.all(
        pasts.map(async (past) => {
          const { submissionKeys: _, ...is } = await past.at(position, history(lab.engine), always);
          return is;
        }),
      );
      for (const other of others) expect(other).toEqual(first);
    }
  });

  it('takes no kept place of another log, and none that cannot be read', async () => {
    const [one, other] = [await busyLab(), await busyLab()];
    const kept = memoryCheckpoints();
    const head = (await logOf(one)).at(-1)?.position ?? 0;
    await new LabPast(kept, 3).at(head, history(one.engine), always);
    const position = (await logOf(other)).at(-3)?.position ?? 0;
    const right = await new LabPast().at(position, history(other.engine), always);
    const seen = await new LabPast(kept, 3).at(position, history(other.engine), always);
    expect(seen).toEqual(right);
    await kept.save('lab-places', { damaged: true });
    expect(await new LabPast(kept, 3).at(position, history(other.engine), always)).toEqual(right);
  });

  it('is kept along a log by the server that writes it, so that a later one need not read it from its beginning', async () => {
    const kept = memoryCheckpoints();
    const past = new LabPast(kept, 10);
    const checkpoints = past.alongside(memoryCheckpoints());
    const lab = await startEngine({ checkpoints }, 2);
    for (let i = 0; i < 2_600; i++) await lab.engine.setOffline('panda01', `again ${i}`, user);
    for (let i = 0; i < 10_000; i++) await lab.engine.setOffline('panda02', `again ${i}`, user);
    await lab.engine.setOffline('panda01', 'last', user);
    await lab.engine.stop();
    const log = await logOf(lab);
    const position = log.at(-1)?.position ?? 0;
    let read = 0;
    const reading = history(lab.engine);
    const engine = {
      allEvents: (after: number, limit?: number) => {
        read += limit ?? 0;
        return lab.store.readAll(after, limit);
      },
      streamEvents: lab.engine.streamEvents.bind(lab.engine),
    };
    const directory = await new LabPast(kept, 10).at(position, { ...reading, engine }, always);
    expect(directory.devices.get('panda01')?.state.offline).toBe('last');
    expect(read).toBeLessThan(6_000);
  });

  it('along a job is at every event what it is when one asks for that event', async () => {
    const lab = await busyLab();
    const log = await logOf(lab);
    const parts = { ...history(lab.engine), labPast: new LabPast() };
    for (const id of lab.jobs) {
      const own = log.filter(({ stream }) => stream === `job-${id}`) as RecordedEvent<JobEvent>[];
      const runs = await labAlong(parts, id, own, always);
      expect(runs.until).toBe(own.length);
      for (const [event, job] of along(own)) {
        const directory = await parts.labPast.at(event.position, parts, always);
        const once = labMoment(directory, id, job, event.meta.at);
        expect(labAt(runs, event.version)).toEqual(once);
      }
      expect(labAt(runs, own.length + 1)).toBeUndefined();
    }
  });

  it('is in the answer of the API, with what kept each board from a job that waits', async () => {
    const { app, engine } = await doors({}, 2);
    const id = await submit(engine, jobOf({ a: 2 }));
    await until(async () => (await engine.job(id))?.allocatedAt ?? undefined);
    const later = await submit(engine, jobOf({ a: 1 }));
    const labOf = async (job: number): Promise<LabMoment | undefined> =>
      StateView.parse((await app.inject(`/api/jobs/${job}/state`)).json()).lab;
    expect(await labOf(later)).toMatchObject({
      queue: { length: 1, place: 1, reason: expect.stringContaining(`held by job ${id}`) },
      boards: [{ device: 'panda01', heldBy: id, kept: [{ role: 'a' }] }, { device: 'panda02' }],
    });
    expect((await labOf(id))?.queue.place).toBeUndefined();
    expect((await labOf(id))?.boards).toHaveLength(2);
  });

  it('is unknown where the log cannot be read up to there, and the rest of the answer is not', async () => {
    const lab = await startEngine({}, 2);
    onTestFinished(() => lab.engine.stop());
    const id = await submit(lab.engine, jobOf({ a: 2 }));
    const damaged: Pick<Engine, 'allEvents' | 'jobEvents' | 'streamEvents'> = {
      streamEvents: lab.engine.streamEvents.bind(lab.engine),
      allEvents: () => {
        throw new UnreadableEvent({ type: 'x', stream: 'device-x', version: 1 }, 'it is damaged');
      },
      jobEvents: (job, after) => lab.engine.jobEvents(job, after),
    };
    const past = new JobPast({
      engine: damaged,
      history: new History(lab.engine),
      labPast: new LabPast(),
    });
    const told = await past.told(id, '1', always);
    expect(told.event.type).toBe('JobSubmitted');
    expect(await past.lab(id, told, always)).toBeUndefined();
  });
});

/** A server that starts on the log as it was up to a position. */
async function serverAt(log: readonly RecordedEvent[], position: number, now: number) {
  const store = openMemoryStore();
  for (const event of log.filter((one) => one.position <= position)) {
    const { stream, version, position: _, ...is } = event;
    await store.append(stream, version - 1, [is as never]);
  }
  // Nobody acts on it: no turn of its ends.
  const clock = (): Clock => ({
    now: () => now,
    after: () => () => {},
    turnsEnd: () => new Promise(() => {}),
  });
  const engine = new Engine({ store, checkpoints: memoryCheckpoints(), clock });
  await engine.start();
  return engine;
}

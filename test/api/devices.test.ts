/** The doors of the lab: who has a board, how it is, who waits for which and why. */
import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import { booted, jobOf } from '../engine/bench.ts';
import { document, doors, finish, pair, submit, until } from './bench.ts';

/** Orders something of a device; gives the answer, with its status. */
const orderer = (app: FastifyInstance, name: string) => async (what: string, payload?: object) => {
  const url = `/api/devices/${name}/${what}`;
  const response = await app.inject({ method: 'POST', url, ...(payload && { payload }) });
  return { status: response.statusCode, ...response.json() };
};

/** A board as its worker announces it, whose health is checked when that is so often. */
const board = (device: string, every?: { everyHours?: number; everyJobs?: number }) => ({
  device,
  deviceType: 'panda',
  tags: [],
  driver: 'local',
  ...(every && { healthCheck: { ...every, definition: jobOf({ default: 1 }), document: '{}' } }),
});

describe('devices', () => {
  it('show who has a board, and take it out of use and back', async () => {
    const { app, engine } = await doors();
    const { server } = await pair(engine);
    const { devices } = (await app.inject('/api/devices')).json();
    expect(devices).toHaveLength(3);
    expect(devices[0]).toMatchObject({ name: 'panda01', state: 'reserved', online: true, job: 1 });
    const post = (what: string, payload?: object) =>
      app.inject({
        method: 'POST',
        url: `/api/devices/${server}/${what}`,
        ...(payload && { payload }),
      });
    expect((await post('offline', { reason: ' no\npower ' })).json()).toMatchObject({
      online: false,
      offlineReason: 'no power',
      job: 1,
    });
    expect((await post('offline', { reason: ' ' })).statusCode).toBe(400);
    expect((await post('offline', { reason: 'x', job: 1 })).statusCode).toBe(400);
    expect((await post('online')).json()).toMatchObject({ online: true });
    expect((await app.inject(`/api/devices/${server}`)).json().offlineReason).toBeUndefined();
  });

  it('show the health, and take what an operator says of it with its reason', async () => {
    const { app } = await doors({}, 2);
    const order = orderer(app, 'panda01');
    expect(await order('health', { health: 'good', reason: ' looked\nat it ' })).toMatchObject({
      status: 200,
      health: 'good',
      healthReason: 'looked at it',
    });
    const shown = (await app.inject('/api/devices')).json().devices;
    expect(shown[0]).toMatchObject({ health: 'good', healthReason: 'looked at it' });
    expect(shown[1].healthReason).toBeUndefined();
    for (const wrong of [
      { health: 'fine', reason: 'x' },
      { health: 'bad' },
      { health: 'bad', reason: ' ' },
      { health: 'good', reason: 'x', force: true },
      { health: 'bad', reason: 'x', extra: 1 },
    ])
      expect([wrong, (await order('health', wrong)).status]).toEqual([wrong, 400]);
  });

  it('leave a board with its job unless maintenance is forced', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    const order = orderer(app, server);
    const body = { health: 'maintenance', reason: 'new fan' };
    expect(await order('health', body)).toMatchObject({ health: 'maintenance', job });
    expect((await engine.job(job))?.state).toBe('allocated');
    await order('health', { ...body, force: true });
    const { members } = (await app.inject(`/api/jobs/${job}`)).json();
    expect(members[0]).toMatchObject({ device: server, state: 'failed' });
    expect(members[0].reason).toContain('new fan');
  });

  it('show when the next health check of a board is due, and why one is', async () => {
    const { app, engine } = await doors({}, 0);
    const boards = [board('b1', { everyHours: 24, everyJobs: 10 }), board('b2')];
    await engine.connectWorker('bench', boards, { jobLimit: 1 });
    const of = async (name: string) => (await app.inject(`/api/devices/${name}`)).json();
    const running = await until(async () => {
      const seen = await of('b1');
      return seen.job === undefined ? undefined : seen;
    });
    expect(running.healthCheck).toEqual({ everyHours: 24, everyJobs: 10, jobsSince: 0, job: 1 });
    expect((await of('b2')).healthCheck).toBeUndefined();
    expect((await app.inject('/api/workers')).json().workers).toMatchObject([
      { name: 'bench', state: 'connected', boards: ['b1', 'b2'], jobLimit: 1, used: 1 },
      { name: 'here', boards: [], used: 0 },
    ]);
    await until(async () => ((await engine.job(1))?.state === 'allocated' ? true : undefined));
    await booted(engine, 1);
    await finish(engine, 1, 'b1');
    const checked = await until(async () => {
      const seen = await of('b1');
      return seen.job === undefined ? seen : undefined;
    });
    expect(checked).toMatchObject({ health: 'good', healthReason: 'health check passed in job 1' });
    const { lastAt, nextAt, due } = checked.healthCheck;
    expect(Date.parse(nextAt) - Date.parse(lastAt)).toBe(24 * 3_600_000);
    expect(due).toBeUndefined();
    await orderer(app, 'b1')('offline', { reason: 'so that no check starts' });
    await orderer(app, 'b1')('health', { health: 'looping', reason: 'watch it' });
    expect((await of('b1')).healthCheck).toMatchObject({ due: 'it is looping' });
  });

  it('retire a board that no job has, and bring it back', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    const held = await orderer(app, server)('retire', { reason: 'broken' });
    expect(held).toMatchObject({ status: 409, code: 'not-idle' });
    expect(held.detail).toContain(`${server} is held by job ${job}; cancel that job or wait`);
    const order = orderer(app, 'panda03');
    expect(await order('retire', { reason: 'broken' })).toMatchObject({ state: 'retired' });
    expect(await order('health', { health: 'good', reason: 'x' })).toMatchObject({
      status: 409,
      code: 'retired',
      detail: 'panda03 is retired; restore it first',
    });
    expect(await order('restore', { reason: 'mended' })).toMatchObject({
      state: 'idle',
      health: 'unknown',
      healthReason: 'mended',
    });
    expect((await order('retire', {})).status).toBe(400);
  });

  it('say which device there is not', async () => {
    const { app } = await doors();
    const reason = 'x';
    const answers = [
      (await app.inject('/api/devices/x')).json(),
      await orderer(app, 'x')('online'),
      await orderer(app, 'x')('offline', { reason }),
      await orderer(app, 'x')('retire', { reason }),
      await orderer(app, 'x')('restore', { reason }),
      await orderer(app, 'x')('health', { health: 'bad', reason }),
    ];
    for (const answer of answers)
      expect(answer).toMatchObject({
        status: 404,
        code: 'no-such-device',
        detail: 'there is no device x',
      });
  });
});

describe('the queue', () => {
  /** Two boards that job 1 has, and jobs 2 and later that wait for them. */
  async function waitingJobs(count: number) {
    const lab = await doors({}, 2);
    for (let i = 0; i <= count; i++) await lab.app.inject(submit(document()));
    await until(async () => ((await lab.engine.job(1))?.state === 'allocated' ? true : undefined));
    return lab;
  }
  const idsOf = (queue: { job: number }[]) => queue.map(({ job }) => job);

  it('tells why each job waits, and when the first one starts at the latest', async () => {
    const { app } = await waitingJobs(2);
    const { queue, total } = (await app.inject('/api/queue')).json();
    expect(total).toBe(2);
    expect(queue).toMatchObject([
      { job: 2, name: 'a pair', place: 1, priority: 50 },
      { job: 3, place: 2, guaranteedStart: null },
    ]);
    expect(queue[0].reason).toMatch(/^waits for 2 boards of role server/);
    const { allocatedAt } = (await app.inject('/api/jobs/1')).json();
    expect(Date.parse(queue[0].guaranteedStart)).toBe(Date.parse(allocatedAt) + 600_000);
  });

  it('comes in pages', async () => {
    const { app } = await waitingJobs(5);
    const page = async (query: string) => {
      const { queue, next } = (await app.inject(`/api/queue${query}`)).json();
      return [idsOf(queue), next];
    };
    expect(await page('?limit=2')).toEqual([[2, 3], 2]);
    expect(await page('?limit=2&after=2')).toEqual([[4, 5], 4]);
    expect(await page('?limit=2&after=4')).toEqual([[6], undefined]);
    expect(await page('?after=9')).toEqual([[], undefined]);
    for (const wrong of ['?limit=0', '?limit=1001', '?after=-1'])
      expect((await app.inject(`/api/queue${wrong}`)).statusCode).toBe(400);
  });

  it('a page may be longer than what is explained in one turn', async () => {
    const { app } = await waitingJobs(450);
    const { queue, next } = (await app.inject('/api/queue?after=3&limit=440')).json();
    const places = queue.map(({ place }: { place: number }) => place);
    expect(places).toEqual(Array.from({ length: 440 }, (_, at) => at + 4));
    expect(idsOf(queue)).toEqual(places.map((place: number) => place + 1));
    expect(next).toBe(443);
  });

  it('explains a job that waits, board by board', async () => {
    const { app } = await waitingJobs(1);
    const why = (await app.inject('/api/jobs/2/why')).json();
    expect(why).toMatchObject({ job: 2, name: 'a pair', place: 1, priority: 50 });
    const until = why.guaranteedStart;
    expect(why.slots).toEqual([
      {
        role: 'server',
        deviceType: 'panda',
        tags: [],
        wanted: 2,
        free: 0,
        short: 2,
        candidates: [
          { board: 'panda01', why: 'held by job 1', until },
          { board: 'panda02', why: 'held by job 1', until },
        ],
      },
    ]);
  });

  it('moves a job that waits to another place', async () => {
    const { app } = await waitingJobs(2);
    const change = (id: number, payload: object) =>
      app.inject({ method: 'PUT', url: `/api/jobs/${id}/priority`, payload });
    expect((await change(3, { priority: 80 })).json()).toMatchObject({ id: 3, priority: 80 });
    expect(idsOf((await app.inject('/api/queue')).json().queue)).toEqual([3, 2]);
    for (const priority of [101, -1, 1.5, 'high'])
      expect([priority, (await change(3, { priority })).statusCode]).toEqual([priority, 400]);
  });

  it('says what has become of a job that does not wait', async () => {
    const { app } = await waitingJobs(1);
    await app.inject({ method: 'POST', url: '/api/jobs/2/cancel' });
    for (const [id, state, reason] of [
      [1, 'allocated', ''],
      [2, 'cancelled', ': cancelled by a user'],
    ] as const) {
      const why = await app.inject(`/api/jobs/${id}/why`);
      const url = `/api/jobs/${id}/priority`;
      const priority = await app.inject({ method: 'PUT', url, payload: { priority: 1 } });
      for (const response of [why, priority])
        expect(response.json()).toMatchObject({
          status: 409,
          code: 'not-waiting',
          detail: `job ${id} does not wait for boards: it is ${state}${reason}`,
          state,
        });
    }
  });
});

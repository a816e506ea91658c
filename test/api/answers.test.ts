import { describe, expect, it } from 'vitest';
import { StateView } from '../../answers/views.ts';
import { doors, pair, say } from './bench.ts';

describe('GET /api/jobs/N/state', () => {
  it('is the job as it is now, and as it was at an event or at a time', async () => {
    const { app, engine } = await doors();
    const { job, server, client } = await pair(engine);
    const state = async (query = '') => {
      const answer = await app.inject(`/api/jobs/${job}/state${query}`);
      expect(answer.statusCode).toBe(200);
      return StateView.parse(answer.json());
    };
    const before = await state();
    await say(app, { job, device: server }, 'send', 'ready', 'port=80');
    await say(app, { job, device: client }, 'wait', 'ready');
    const now = await state();
    expect(now.job).toEqual({
      ...(await app.inject(`/api/jobs/${job}`)).json(),
      members: now.job.members,
    });
    expect(now.boards.map(({ device, cache }) => [device, cache?.lines])).toEqual([
      [server, undefined],
      [client, ['port=80']],
    ]);
    expect(now.barriers).toEqual((await app.inject(`/api/jobs/${job}/barriers`)).json().barriers);
    const { event, at } = before.at;
    expect(await state(`?at=${event}`)).toEqual({ ...before, events: now.events });
    expect((await state(`?at=${encodeURIComponent(now.at.at)}`)).at).toEqual(now.at);
    expect((await state(`?at=${encodeURIComponent(at)}`)).at.event).toBeGreaterThanOrEqual(event);
  });

  it('refuses what is no event of the job, and no time', async () => {
    const { app, engine } = await doors();
    const { job } = await pair(engine);
    const codes = async (...queries: string[]) =>
      Promise.all(
        queries.map(async (query) => {
          const { statusCode, body } = await app.inject(`/api/jobs/${query}`);
          return [statusCode, JSON.parse(body).code];
        }),
      );
    expect(
      await codes(
        `${job}/state?at=0`,
        `${job}/state?at=999`,
        `${job}/state?at=2001-01-01T00:00:00Z`,
      ),
    ).toEqual(Array(3).fill([404, 'no-such-event']));
    expect(await codes(`${job}/state?at=`, `${job}/state?at=noon`, `${job}/state?at=-1`)).toEqual(
      Array(3).fill([400, 'invalid-request']),
    );
    expect(await codes('99/state')).toEqual([[404, 'no-such-job']]);
  });
});

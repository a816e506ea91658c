import { expect, it } from 'vitest';
import { Explanation } from '../../answers/explain/explanation.ts';
import { doors, pair, say } from './bench.ts';

const explanation = async (app: Awaited<ReturnType<typeof doors>>['app'], job: number) => {
  const answer = await app.inject(`/api/jobs/${job}/explanation`);
  expect(answer.statusCode).toBe(200);
  return Explanation.parse(answer.json());
};

it('GET /api/jobs/N/explanation says of a live job that nothing failed so far', async () => {
  const { app, engine } = await doors();
  const { job, server } = await pair(engine);
  await say(app, { job, device: server }, 'send', 'ready');
  expect(await explanation(app, job)).toMatchObject({ kind: 'nothing-failed', culprit: null });
});

it('GET /api/jobs/N/explanation names who arrived with another id, and the events that say so', async () => {
  const { app, engine } = await doors();
  const { job, server, client } = await pair(engine);
  await say(app, { job, device: server }, 'send', 'raedy');
  const wait = say(app, { job, device: client }, 'wait', 'ready');
  const failed = { actor: 'worker:w', key: 'end' };
  await engine.member(job, { type: 'FailMember', member: server, reason: 'it is over' }, failed);
  await wait;
  const is = await explanation(app, job);
  expect(is.culprit).toMatchObject({ device: server, id: 'raedy' });
  expect(is.kind).toBe('arrived-with-another-id');
  expect(is.missing).toEqual([server]);
});

it('GET /api/jobs/N/explanation of no job is a problem', async () => {
  const { app } = await doors();
  expect((await app.inject('/api/jobs/9/explanation')).json()).toMatchObject({
    code: 'no-such-job',
  });
});

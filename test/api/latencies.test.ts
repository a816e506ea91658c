/** How long the store, the queue and the barriers took, as `/metrics` tells it. */
import { expect, it } from 'vitest';
import { until } from '../engine/bench.ts';
import { doors, pair, say } from './bench.ts';

it('the metrics count how long events, jobs and waits took, each wait by its verb and its end', async () => {
  const { app, engine } = await doors();
  const { job, server, client } = await pair(engine);
  const waits = say(app, { job, device: client }, 'wait', 'ready');
  await until(() => (engine.heldWaits === 1 ? true : undefined));
  await say(app, { job, device: server }, 'send', 'ready');
  await waits;
  await engine.cancel(job, 'seen enough', { actor: 'user:test' });
  const { events } = (await app.inject(`/api/jobs/${job}/events`)).json();
  const of = (text: string, sample: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${sample} `))
        ?.split(' ')
        .at(-1),
    );
  const text = await until(async () => {
    const { body } = await app.inject('/metrics');
    const heard = of(body, 'muster_store_seconds_count');
    return heard >= events.length ? body : undefined;
  });
  expect(of(text, 'muster_queue_seconds_count')).toBe(1);
  const released = 'muster_barrier_seconds_count{verb="wait",outcome="released"}';
  expect(of(text, released)).toBe(1);
  expect(of(text, 'muster_store_seconds_sum')).toBeLessThan(60);
});

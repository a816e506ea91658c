/** What is asked of a job that is over costs what is asked for, however many events it has. */
import { describe, expect, it } from 'vitest';
import { evidenceOf } from '../../api/evidence.ts';
import type { RecordedEvent } from '../../machines/events.ts';
import { EventStreamReader } from '../../web/api/event-stream.ts';
import { doors, engineBut, finish, listening, opened, pair, submit, until } from './bench.ts';

const sse = { accept: 'text/event-stream' };

/** A job of which nothing is held any more: its boards are back. */
async function pastJob() {
  const lab = await doors();
  const { job, server, client } = await pair(lab.engine);
  for (const device of [server, client]) await finish(lab.engine, job, device);
  lab.boardsAreOff();
  await until(() => (lab.engine.directory.jobs.has(job) ? undefined : true));
  return { ...lab, job };
}

describe('the stream of a job that is over', () => {
  it('is read once and not folded: its last event says how it ended', async () => {
    const { engine, job } = await pastJob();
    const folds: number[] = [];
    const counting = engineBut(engine, {
      job(id) {
        folds.push(id);
        return engine.job(id);
      },
    });
    const { app } = await doors({ engine: counting });
    const stream = opened(await listening(app), { url: `/api/jobs/${job}/events`, headers: sse });
    await stream.ended;
    expect(stream.text()).toContain('event: JobCompleted\n');
    expect(stream.text()).toMatch(/event: end\ndata: \{"job":1,"state":"complete"\}\n\n$/);
    expect((await app.inject(`/api/jobs/${job}/events?limit=3`)).json().events).toHaveLength(3);
    expect(folds).toEqual([]);
  });

  it.each([
    ['as the log has them', false],
    ['one by one, where the log has none', true],
  ])('is half as long in rows %s, and says the same but for ids and causes', async (_, isRead) => {
    const lab = await pastJob();
    const noRows = engineBut(lab.engine, { streamRows: async () => undefined });
    const { app } = isRead ? await doors({ engine: noRows }) : lab;
    const url = `/api/jobs/${lab.job}/events`;
    const whole = (await app.inject(url)).json().events as RecordedEvent[];
    const port = await listening(app);
    const [rows, long] = [
      opened(port, { url: `${url}?form=rows`, headers: sse }),
      opened(port, { url, headers: sse }),
    ];
    await Promise.all([rows.ended, long.ended]);
    const read = new EventStreamReader();
    expect(read.take(rows.text())).toEqual(
      whole.map(({ id: __, stream: ___, meta, ...event }) => {
        const { causationId: ____, correlationId: _____, ...is } = meta;
        return { ...event, meta: is };
      }),
    );
    expect(read.isEnded).toBe(true);
    expect(rows.text().length).toBeLessThan(0.55 * long.text().length);
  });

  it('goes on in rows behind any of its events', async () => {
    const { app, job } = await pastJob();
    const url = `/api/jobs/${job}/events?form=rows`;
    const stream = opened(await listening(app), { url, headers: { ...sse, 'last-event-id': '3' } });
    await stream.ended;
    expect(new EventStreamReader().take(stream.text())[0]?.version).toBe(4);
  });

  it('has rows for streams alone, and no other forms', async () => {
    const { app, job } = await pastJob();
    const page = await app.inject(`/api/jobs/${job}/events?form=rows`);
    expect([page.statusCode, page.json().problems[0]]).toEqual([
      400,
      { path: 'query.form', message: 'rows are for a stream: ask with Accept: text/event-stream' },
    ]);
    const url = `/api/jobs/${job}/events?form=other`;
    expect((await app.inject({ url, headers: sse })).statusCode).toBe(400);
  });

  it('ends for whoever takes it up behind its last event', async () => {
    const { app, job } = await pastJob();
    const { events } = (await app.inject(`/api/jobs/${job}/events`)).json();
    const headers = { ...sse, 'last-event-id': String(events.length) };
    const stream = opened(await listening(app), { url: `/api/jobs/${job}/events`, headers });
    await stream.ended;
    expect(stream.text()).toBe('event: end\ndata: {"job":1,"state":"complete"}\n\n');
  });

  it('is refused where there is no such job, from its beginning and from any place', async () => {
    const { app } = await pastJob();
    for (const url of ['/api/jobs/7/events', '/api/jobs/7/events?after=5'])
      for (const headers of [{}, sse])
        expect((await app.inject({ url, headers })).json().code).toBe('no-such-job');
  });
});

describe('an answer about a job of too many events', () => {
  it('is refused before they are read', async () => {
    const { engine, job } = await pastJob();
    const read: number[] = [];
    const counting = {
      ...{ allEvents: engine.allEvents, streamEvents: engine.streamEvents },
      async *jobEvents(id: number, after = 0) {
        for await (const event of engine.jobEvents(id, after)) {
          read.push(event.version);
          yield event;
        }
      },
    };
    const signal = new AbortController().signal;
    const parts = {
      engine: counting,
      history: {
        file: <T>(_: AbortSignal, how: () => Promise<T>) => how(),
        events: async () => {
          throw new Error('all of them are read');
        },
      },
      answerEventsMax: 4,
    };
    await expect(evidenceOf(parts as never, job, signal)).rejects.toMatchObject({
      code: 'too-many-events',
    });
    expect(read).toEqual([5]);
  });
});

describe('the jobs that are over', () => {
  it('are found behind very many that wait, without a look at those', async () => {
    const { engine, app, job } = await pastJob();
    for (let n = 0; n < 20; n++) expect((await app.inject(submit(waiting))).statusCode).toBe(201);
    const looked: number[] = [];
    const counting = engineBut(engine, {
      job(id) {
        looked.push(id);
        return engine.job(id);
      },
    });
    const { app: counted } = await doors({ engine: counting });
    const { jobs } = (await counted.inject('/api/jobs?state=complete,failed&limit=1')).json();
    expect(jobs.map(({ id }: { id: number }) => id)).toEqual([job]);
    expect(looked).toEqual([job]);
  });
});

/** Of all boards that there are: while one job has them the others wait. */
const waiting = JSON.stringify({
  timeout: 600,
  job_name: 'waits',
  device_group: [{ role: 'server', count: 3, device_type: 'panda' }],
  actions: [{ command: 'lava_command_run', parameters: { commands: ['true'] } }],
});

describe('the queue', () => {
  it('says since when the one waits that has waited longest, wherever its page begins', async () => {
    const { app } = await doors();
    expect((await app.inject('/api/queue')).json().oldest).toBeUndefined();
    for (let n = 0; n < 4; n++) await app.inject(submit(waiting));
    const all = (await app.inject('/api/queue')).json();
    expect(all.queue).toHaveLength(3);
    const { oldest } = (await app.inject('/api/queue?after=2')).json();
    expect(oldest).toBe(all.queue[0].submittedAt);
  });
});

import { describe, expect, it } from 'vitest';
import { finishedJob } from '../store/jobs.ts';
import { document, doors, engineBut, pair, say, submit, until } from './bench.ts';

describe('jobs', () => {
  it('are submitted as text and shown with their members', async () => {
    const { app, engine } = await doors();
    const response = await app.inject(submit(document()));
    expect(response.statusCode).toBe(201);
    expect(response.headers.location).toBe('/api/jobs/1');
    expect(response.json()).toMatchObject({ id: 1, state: 'submitted', short: [] });
    await until(async () => ((await engine.job(1))?.state === 'allocated' ? true : undefined));
    const shown = (await app.inject('/api/jobs/1')).json();
    expect(shown).toMatchObject({ id: 1, name: 'a pair', state: 'allocated' });
    expect(shown.members.map((m: { role: string }) => m.role)).toEqual(['server', 'server']);
  });

  it('are rejected, with the roles short, when the boards can never satisfy them', async () => {
    const { app } = await doors();
    const answer = (await app.inject(submit(document(9)))).json();
    expect(answer).toMatchObject({ id: 1, state: 'rejected' });
    expect(answer.short).toMatchObject([{ role: 'server', wanted: 9, found: 3 }]);
    expect((await app.inject('/api/jobs/1')).json().state).toBe('rejected');
  });

  it('can be checked before they are submitted: what is wrong, what fits, what is short; nothing is recorded', async () => {
    const { app, engine } = await doors();
    const check = (payload: string) =>
      app.inject({
        method: 'POST',
        url: '/api/jobs/check',
        payload,
        headers: { 'content-type': 'text/plain' },
      });
    const good = (await check(document())).json();
    expect(good).toMatchObject({ name: 'a pair', form: 'json', short: [] });
    expect(good.roles).toMatchObject([{ role: 'server', count: 2, fit: 3, free: 3 }]);
    const wide = (await check(document(9))).json();
    const submitted = (await app.inject(submit(document(9)))).json();
    expect(wide.short).toEqual(submitted.short);
    const lonely = document().replace('lava-sync ready', 'lava-wait never');
    const warned = (await check(lonely)).json().warnings;
    expect(warned).toEqual((await app.inject(submit(lonely))).json().warnings);
    expect(warned[0].message).toContain('[wait-without-send]');
    const wrong = await check('{"timeout": ');
    expect(wrong.statusCode).toBe(422);
    expect(wrong.json().problems[0].line).toBe(1);
    expect(engine.jobCount).toBe(2);
  });

  it('give back the document byte for byte', async () => {
    const { app } = await doors();
    const text = `\ufeff\r\n  ${document()}  \n\n`;
    await app.inject(submit(Buffer.from(text)));
    const response = await app.inject('/api/jobs/1/document');
    expect(response.rawPayload).toEqual(Buffer.from(text));
    expect(response.headers['content-type']).toContain('text/plain');
  });

  it('take the document with any content type, or with none', async () => {
    const { app } = await doors();
    for (const type of ['application/yaml', 'text/plain', 'application/x-www-form-urlencoded'])
      expect((await app.inject(submit(document(), { 'content-type': type }))).statusCode).toBe(201);
    const without = { method: 'POST', url: '/api/jobs', payload: document() } as const;
    expect((await app.inject(without)).statusCode).toBe(201);
  });

  it('are the same job for the same key', async () => {
    const { app } = await doors();
    const headers = { 'idempotency-key': 'once' };
    const ids = [];
    for (let i = 0; i < 2; i++) ids.push((await app.inject(submit(document(), headers))).json().id);
    expect(ids).toEqual([1, 1]);
  });

  it('count their own caller where the submission says so', async () => {
    const { app, engine } = await doors();
    await app.inject(submit(document(), {}, '?countsSelf=true'));
    await app.inject(submit(document()));
    expect((await engine.job(1))?.definition?.countsSelf).toBe(true);
    expect((await engine.job(2))?.definition?.countsSelf).toBe(false);
  });

  it.each([
    ['malformed JSON', '{"timeout": '],
    ['an empty body', ''],
    ['a job without anything', '{}'],
    ['an unknown command', document().replace('lava_command_run', 'lava_frobnicate')],
  ])('name every problem with its place: %s', async (_, text) => {
    const { app, engine } = await doors();
    const response = await app.inject(submit(text));
    expect(response.statusCode).toBe(422);
    expect(response.headers['content-type']).toContain('application/problem+json');
    const problem = response.json();
    expect(problem).toMatchObject({
      type: 'urn:muster:invalid-job',
      status: 422,
      code: 'invalid-job',
    });
    expect(problem.problems.length).toBeGreaterThan(0);
    for (const each of problem.problems)
      expect(each).toMatchObject({ line: expect.any(Number), column: expect.any(Number) });
    expect(engine.jobCount).toBe(0);
  });

  it('refuse a document that is not UTF-8, and one of more than 4 MiB', async () => {
    const { app } = await doors();
    const notUtf8 = await app.inject(submit(Buffer.from('{"job_name": "\xff"}', 'latin1')));
    expect([notUtf8.statusCode, notUtf8.json().code]).toEqual([422, 'invalid-job']);
    const huge = await app.inject(submit(' '.repeat(4 * 1024 * 1024 + 1)));
    expect([huge.statusCode, huge.json().code]).toEqual([413, 'too-large']);
  });

  it('are listed newest first, in pages, by state', async () => {
    const { app } = await doors({}, 2);
    for (let i = 0; i < 5; i++) await app.inject(submit(document(i === 0 ? 9 : 2)));
    const ids = async (query: string) => {
      const { jobs, next } = (await app.inject(`/api/jobs${query}`)).json();
      return [jobs.map((job: { id: number }) => job.id), next];
    };
    expect(await ids('')).toEqual([[5, 4, 3, 2, 1], undefined]);
    expect(await ids('?limit=2')).toEqual([[5, 4], 4]);
    expect(await ids('?limit=2&before=4')).toEqual([[3, 2], 2]);
    expect(await ids('?limit=2&before=2')).toEqual([[1], undefined]);
    expect(await ids('?state=rejected')).toEqual([[1], undefined]);
    expect((await ids('?state=submitted,allocated'))[0]).toEqual([5, 4, 3, 2]);
  });

  it('that were imported alone are listed with the others, each once', async () => {
    const { app, store } = await doors();
    await store.append('job-3', 0, finishedJob(3, Date.UTC(2026, 0, 1)));
    const listed = async () => {
      const { jobs } = (await app.inject('/api/jobs')).json();
      return jobs.map(({ id }: { id: number }) => id);
    };
    expect(await listed()).toEqual([3]);
    expect((await app.inject('/api/jobs?before=3')).json().jobs).toEqual([]);
    for (const expected of [
      [3, 1],
      [3, 2, 1],
      [4, 3, 2, 1],
    ]) {
      await app.inject(submit(document()));
      expect(await listed()).toEqual(expected);
    }
  });

  it('that are not over are found at once, however many have ended since', async () => {
    const lab = await doors({}, 2);
    for (let i = 0; i < 3; i++) await lab.app.inject(submit(document()));
    const { engine } = lab;
    await until(async () => ((await engine.job(1))?.state === 'allocated' ? true : undefined));
    const asked: number[] = [];
    const job = (id: number) => {
      asked.push(id);
      return engine.job(id);
    };
    const { app } = await doors({ engine: engineBut(engine, { job, jobCount: 200_000 }) });
    const page = async (query: string) => {
      const { jobs, next } = (await app.inject(`/api/jobs?${query}`)).json();
      return [jobs.map(({ id }: { id: number }) => id), next];
    };
    expect(await page('state=submitted,allocated')).toEqual([[3, 2, 1], undefined]);
    expect(await page('state=submitted,allocated&limit=1')).toEqual([[3], 3]);
    expect(await page('state=submitted&before=3')).toEqual([[2], undefined]);
    expect(Math.max(...asked)).toBe(3);
  });

  it('are cancelled whole, once, and answered as they are when they have ended', async () => {
    const { app, engine } = await doors();
    await pair(engine);
    const cancel = (payload?: object) =>
      app.inject({ method: 'POST', url: '/api/jobs/1/cancel', ...(payload && { payload }) });
    const first = (await cancel({ reason: 'wrong\nboards' })).json();
    expect(first).toMatchObject({ state: 'cancelled', reason: 'wrong boards' });
    expect(first.members.map((m: { state: string }) => m.state)).toEqual([
      'cancelled',
      'cancelled',
    ]);
    expect((await cancel()).json()).toEqual({ ...first, members: expect.anything() });
  });

  it('show their barriers and the results of the group', async () => {
    const { app, engine } = await doors();
    const { job, server, client } = await pair(engine);
    const held = say(app, { job, device: client }, 'sync', 'ready');
    await until(() => (engine.heldWaits === 1 ? true : undefined));
    const barriers = async () => (await app.inject('/api/jobs/1/barriers')).json().barriers;
    expect(await barriers()).toMatchObject([
      { id: 'ready', verb: 'sync', arrived: [client], missing: [server], released: false },
    ]);
    await say(app, { job, device: server }, 'sync', 'ready');
    await held;
    expect(await barriers()).toMatchObject([{ missing: [], released: true, last: server }]);
    await say(app, { job, device: server }, 'result', 'case=speed', 'result=fail', 'suite=0_x');
    const results = (await app.inject('/api/jobs/1/results')).json();
    expect(results).toMatchObject({ job: 1, state: 'allocated', summary: { pass: 2, fail: 1 } });
    expect(results.cases.at(-1)).toMatchObject({ device: server, case: 'speed', suite: '0_x' });
  });

  it('that do not exist are a problem at every address of theirs', async () => {
    const { app } = await doors();
    for (const part of [
      '',
      '/why',
      '/document',
      '/barriers',
      '/results',
      '/events',
      '/members/x/console',
    ]) {
      const response = await app.inject(`/api/jobs/7${part}`);
      expect([part, response.statusCode, response.json().code]).toEqual([part, 404, 'no-such-job']);
    }
    const priority = {
      method: 'PUT',
      url: '/api/jobs/7/priority',
      payload: { priority: 1 },
    } as const;
    expect((await app.inject(priority)).json().code).toBe('no-such-job');
    const cancel = await app.inject({ method: 'POST', url: '/api/jobs/7/cancel' });
    expect([cancel.statusCode, cancel.json().code]).toEqual([404, 'no-such-job']);
  });
});

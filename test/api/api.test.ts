import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildBoardApp } from '../../api/board-app.ts';
import { memberToken, tokenKeyOf } from '../../api/tokens.ts';
import { StoreUnavailable } from '../../store/port.ts';
import { sent } from '../store/events.ts';
import {
  document,
  doors,
  engineBut,
  finish,
  pair,
  readableLog,
  said,
  say,
  secret,
  submit,
} from './bench.ts';

describe('consoles', () => {
  it('come byte for byte, whole or from a byte on', async () => {
    const { app, engine, consoleFile } = await doors();
    const { job, server } = await pair(engine);
    const bytes = Buffer.from([0, 255, 13, 10, 27, 65, 66]);
    const url = `/api/jobs/${job}/members/${server}/console`;
    expect((await app.inject(url)).rawPayload).toHaveLength(0);
    writeFileSync(consoleFile(job, server), bytes);
    const whole = await app.inject(url);
    expect(whole.rawPayload).toEqual(bytes);
    expect(whole.headers['content-type']).toBe('application/octet-stream');
    const part = await app.inject({ url, headers: { range: 'bytes=4-' } });
    expect([part.statusCode, part.headers['content-range']]).toEqual([206, 'bytes 4-6/7']);
    expect(part.rawPayload).toEqual(bytes.subarray(4));
    const middle = await app.inject({ url, headers: { range: 'bytes=1-2' } });
    expect(middle.rawPayload).toEqual(bytes.subarray(1, 3));
    const beyond = await app.inject({ url, headers: { range: 'bytes=7-' } });
    expect([beyond.statusCode, beyond.headers['content-range']]).toEqual([416, 'bytes */7']);
  });

  it('are those of members alone, whatever the name looks like', async () => {
    const { app, engine } = await doors();
    const { job } = await pair(engine);
    for (const name of ['panda03', 'nobody'])
      expect((await app.inject(`/api/jobs/${job}/members/${name}/console`)).json().code).toBe(
        'no-such-member',
      );
    const climbing = await app.inject(`/api/jobs/${job}/members/..%2F..%2Fetc%2Fpasswd/console`);
    expect(climbing.statusCode).toBe(400);
  });
});

describe('the server', () => {
  it('tells its health, and a problem when its log is away', async () => {
    const { app, engine } = await doors();
    expect((await app.inject('/api/health')).json()).toMatchObject({
      status: 'ok',
      version: '1.2.3',
      store: 'memory',
      position: await engine.head(),
    });
    const away = engineBut(engine, { head: () => Promise.reject(new StoreUnavailable('/secret')) });
    const second = await doors({ engine: away });
    const response = await second.app.inject('/api/health');
    expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '1']);
    expect(response.body).not.toContain('secret');
  });

  it('has figures for Prometheus', async () => {
    const { app, engine } = await doors({}, 4);
    await pair(engine);
    await app.inject(submit(document(3)));
    await app.inject('/api/devices');
    const { body, headers } = await app.inject('/metrics');
    expect(headers['content-type']).toContain('text/plain');
    expect(body).toContain(
      'muster_http_requests_total{method="GET",route="/api/devices",status="200"} 1',
    );
    expect(body).toContain('muster_jobs{state="submitted"} 1');
    expect(body).toContain('muster_jobs{state="allocated"} 1');
    expect(body).toContain('muster_devices{state="reserved"} 2');
    expect(body).toContain('muster_held_waits 0');
    expect(body).toContain(`muster_log_position ${await engine.head()}`);
  });

  it('describes every one of its routes in OpenAPI 3.1, with references that resolve', async () => {
    const { app } = await doors();
    const text = (await app.inject('/openapi.json')).body;
    const api = JSON.parse(text);
    expect(api.openapi).toBe('3.1.0');
    for (const path of [
      '/api/jobs',
      '/api/jobs/{id}/events',
      '/api/queue',
      '/api/jobs/{id}/why',
      '/api/devices/{name}/health',
      '/board/v1/{verb}',
      '/metrics',
    ])
      expect(Object.keys(api.paths)).toContain(path);
    expect(api.paths['/api/jobs'].get.responses['200']).toBeDefined();
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(Object.keys(api.components.schemas)).toContain(name);
  });

  it('has a page of documentation that asks nothing of any other server', async () => {
    const { app } = await doors();
    const page = await app.inject('/docs/');
    expect(page.statusCode).toBe(200);
    const assets = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? '');
    expect(assets.length).toBeGreaterThan(2);
    for (const asset of assets) {
      const { pathname, host } = new URL(asset, 'http://muster/docs/');
      expect(host).toBe('muster');
      expect([pathname, (await app.inject(pathname)).statusCode]).toEqual([pathname, 200]);
    }
  });
});

describe('errors', () => {
  it('hide the cause of a failure, and log it once', async () => {
    const { engine } = await doors();
    const failing = engineBut(engine, {
      queue: () => {
        throw new Error('the secret cause');
      },
    });
    const { app, lines } = await doors({ engine: failing });
    const response = await app.inject('/api/queue?after=4321');
    expect(response.statusCode).toBe(500);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toMatchObject({ code: 'internal', type: 'urn:muster:internal' });
    expect(response.body).not.toContain('secret');
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines[0])).toContain('the secret cause');
    expect(JSON.stringify(lines[0])).not.toContain('4321');
  });

  it('name the place of what is damaged in the log, and do not hide the rest', async () => {
    const { engine, store } = await doors();
    await store.append('job-9', 0, [sent()]);
    await pair(engine);
    const { app, lines } = await doors({ engine: engineBut(engine, { jobCount: 9 }) });
    const { jobs } = (await app.inject('/api/jobs')).json();
    expect(jobs.map(({ id }: { id: number }) => id)).toEqual([1]);
    expect(JSON.stringify(lines)).toContain('job-9 event 1 (MessageSent)');
    expect((await app.inject('/api/jobs/9')).json()).toMatchObject({
      status: 500,
      code: 'unreadable-event',
      detail: expect.stringMatching(/^job-9 event 1 \(MessageSent\): .*; muster verify names all/),
    });
    // Its events are shown as they are: whoever looks for the damage reads them.
    expect((await app.inject('/api/jobs/9/events')).json().events).toMatchObject([
      { stream: 'job-9', version: 1, type: 'MessageSent' },
    ]);
  });

  it('say which addresses there are not, and which methods there are', async () => {
    const { app } = await doors();
    const unknown = await app.inject('/api/nothing');
    expect([unknown.statusCode, unknown.json().code]).toEqual([404, 'not-found']);
    const wrong = await app.inject({ method: 'DELETE', url: '/api/jobs/1' });
    expect([wrong.statusCode, wrong.json().code]).toEqual([405, 'method']);
    expect(wrong.headers.allow).toBe('GET, HEAD');
  });

  it('are one format for whatever is wrong with a request', async () => {
    const { app } = await doors();
    const cancel = (payload: string, type = 'application/json') =>
      ({
        method: 'POST',
        url: '/api/jobs/1/cancel',
        headers: { 'content-type': type },
        payload,
      }) as const;
    for (const [request, code] of [
      ['/api/jobs/x', 'invalid-request'],
      ['/api/jobs?limit=0', 'invalid-request'],
      ['/api/jobs?state=none', 'invalid-request'],
      ['/api/events?after=-1', 'invalid-request'],
      ['/api/jobs/%zz', 'invalid-request'],
      [cancel('{"reason": '), 'invalid-request'],
      [cancel('{"__proto__": {"x": 1}}'), 'invalid-request'],
      [cancel('{"reason": 5}'), 'invalid-request'],
      [cancel('x', 'text/html'), 'media-type'],
      [cancel(JSON.stringify({ reason: 'x'.repeat(2_000_000) })), 'too-large'],
    ] as const) {
      const response = await app.inject(request as string);
      expect(response.headers['content-type']).toContain('application/problem+json');
      expect([request, response.json().code]).toEqual([request, code]);
    }
    const { problems } = (await app.inject('/api/jobs?limit=0')).json();
    expect(problems).toMatchObject([{ path: 'query.limit', message: expect.any(String) }]);
  });
});

describe('the API token', () => {
  it('is asked for everywhere but at the health and by boards, who have their own', async () => {
    const { app, engine } = await doors({ apiToken: 'open sesame' });
    const { job, server } = await pair(engine);
    for (const url of [
      '/api/jobs',
      '/api/events',
      '/metrics',
      '/openapi.json',
      '/docs/',
      '/docs/json',
    ]) {
      const without = await app.inject(url);
      expect([url, without.statusCode, without.json().code]).toEqual([url, 401, 'token-missing']);
    }
    expect((await app.inject(submit(document()))).statusCode).toBe(401);
    expect((await app.inject('/api/health')).statusCode).toBe(200);
    expect(await say(app, { job, device: server }, 'self')).toBe(`ok\n${server}\n`);
  });

  it('opens the doors, and no other token does', async () => {
    const { app } = await doors({ apiToken: 'sesame' });
    const as = (token: string) =>
      app.inject({ url: '/api/jobs', headers: { authorization: `Bearer ${token}` } });
    expect((await as('sesame')).statusCode).toBe(200);
    expect((await as('sesam')).json().code).toBe('token-refused');
  });
});

describe('without an API token', () => {
  it('pages of other sites are refused, whichever name leads them here', async () => {
    const { app, engine } = await doors();
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { host: 'evil.example', origin: 'http://evil.example' },
      { host: 'evil.example:8080' },
      { host: 'localhost.evil.example' },
    ]) {
      const response = await app.inject(submit(document(), headers));
      expect([headers, response.json().code]).toEqual([headers, 'origin-refused']);
    }
    expect(engine.jobCount).toBe(0);
    for (const host of ['localhost:80', '127.0.0.1:8080', '[::1]:8080', 'LOCALHOST'])
      expect((await app.inject({ url: '/api/jobs', headers: { host } })).statusCode).toBe(200);
    const own = { host: 'localhost:80', origin: 'http://localhost:5173' };
    expect((await app.inject(submit(document(), own))).statusCode).toBe(201);
  });

  it('boards still come by any name that leads here', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    const call = said('self', [], { token: memberToken(secret, job, server) });
    const headers = { ...call.headers, host: 'muster.lab' };
    expect((await app.inject({ ...call, headers })).body).toBe(`ok\n${server}\n`);
  });
});

describe('the listener of the boards', () => {
  it("has the board's endpoints and nothing else", async () => {
    const { engine, boardsAreOff, attachments } = await doors();
    const { job, server, client } = await pair(engine);
    const { log } = readableLog();
    const app = await buildBoardApp({
      engine,
      attachments,
      tokenKeys: () => [tokenKeyOf(secret)],
      consoleSize: () => 0,
      openSet: async () => ({}),
      log,
    });
    expect(await say(app, { job, device: server }, 'self')).toBe(`ok\n${server}\n`);
    for (const url of ['/', '/api/jobs', '/api/health', '/metrics', '/docs', '/openapi.json']) {
      const response = await app.inject(url);
      expect([url, response.statusCode, response.json().code]).toEqual([url, 404, 'not-found']);
    }
    for (const device of [server, client]) await finish(engine, job, device);
    boardsAreOff();
    expect(await say(app, { job, device: server }, 'self')).toMatch(/^denied /);
    await app.close();
  });
});

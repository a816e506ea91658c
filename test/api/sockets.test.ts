import { appendFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createConnection } from 'node:net';
import { describe, expect, it } from 'vitest';
import { memberToken } from '../../api/tokens.ts';
import type { RecordedEvent } from '../../machines/events.ts';
import {
  countsOf,
  document,
  doors,
  engineBut,
  finish,
  listening,
  newKey,
  opened,
  pair,
  said,
  say,
  secret,
  until,
} from './bench.ts';

const sse = { accept: 'text/event-stream' };

/** What a board says over a socket. */
function board(
  port: number,
  job: number,
  device: string,
  verb: string,
  words: string[],
  key = newKey(),
) {
  return opened(port, said(verb, words, { token: memberToken(secret, job, device), key }));
}

/** The events of a stream so far: id, type and data of each. */
function parsed(text: string) {
  return text
    .split('\n\n')
    .slice(0, -1)
    .filter((block) => !block.startsWith(':'))
    .map((block) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      return {
        id: Number(field('id')),
        event: field('event'),
        data: JSON.parse(field('data') ?? 'null'),
      };
    });
}

describe('a held wait', () => {
  it('is answered when its message comes', async () => {
    const { app, engine } = await doors();
    const port = await listening(app);
    const { job, server, client } = await pair(engine);
    const held = board(port, job, client, 'wait', ['ip']);
    await until(() => (engine.heldWaits === 1 ? true : undefined));
    expect(held.text()).toBe('');
    await say(app, { job, device: server }, 'send', 'ip', 'a=1');
    await held.ended;
    expect(held.text()).toBe('ok\na=1\n');
  });

  it('is let go when its client goes, and taken up again with its key', async () => {
    const { app, engine } = await doors();
    const port = await listening(app);
    const { job, server, client } = await pair(engine);
    const key = newKey();
    const first = board(port, job, client, 'sync', ['x'], key);
    await until(() => (engine.heldWaits === 1 ? true : undefined));
    first.client.destroy();
    await until(() => (engine.heldWaits === 0 ? true : undefined));
    const second = board(port, job, client, 'sync', ['x'], key);
    await until(() => (engine.heldWaits === 1 ? true : undefined));
    await say(app, { job, device: server }, 'sync', 'x');
    await second.ended;
    expect(second.text()).toBe('ok\n');
    expect(countsOf(await engine.job(job), 'x')).toEqual([1, 1]);
  });

  it('is told to come again when the server stops, and the stop does not wait for it', async () => {
    const { app, engine } = await doors();
    const port = await listening(app);
    const { job, client } = await pair(engine);
    const held = board(port, job, client, 'wait', ['x']);
    const json = opened(port, {
      method: 'POST',
      url: '/board/v1/wait',
      headers: {
        authorization: `Bearer ${memberToken(secret, job, client)}`,
        'content-type': 'application/json',
        'muster-key': newKey(),
      },
      payload: '{"words":["y"]}',
    });
    const silent = createConnection(port, '127.0.0.1');
    silent.on('error', () => {});
    await new Promise((resolve) => silent.once('connect', resolve));
    await until(() => (engine.heldWaits === 2 ? true : undefined));
    await app.close();
    await Promise.all([held.ended, json.ended]);
    expect(held.text()).toBe('retry the server is stopping\n');
    expect(JSON.parse(json.text())).toEqual({ status: 'wait', lines: [] });
    expect((await engine.job(job))?.conversation.waits.flat()).toHaveLength(2);
  });

  it('leaves its connection for the next request', async () => {
    const { app, engine } = await doors({ heldMsMax: 10 });
    const port = await listening(app);
    const { job, client } = await pair(engine);
    const { headers, payload } = said('wait', ['x'], { token: memberToken(secret, job, client) });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const text = [
      'POST /board/v1/wait HTTP/1.1',
      'host: muster',
      ...lines,
      `content-length: ${payload.length}`,
      '',
      payload,
    ].join('\r\n');
    const socket = createConnection(port, '127.0.0.1');
    let got = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      got += chunk;
    });
    socket.write(text);
    await until(() => (got.match(/\r\n\r\nwait\n/g)?.length === 1 ? true : undefined));
    socket.write(text);
    await until(() => (got.match(/\r\n\r\nwait\n/g)?.length === 2 ? true : undefined));
    socket.destroy();
  });

  it('of two hundred boards is held at once, and all are answered', async () => {
    const boards = 201;
    const { app, engine } = await doors({}, boards);
    const port = await listening(app);
    const { definition } = (await engine.job(await submitted(app, boards))) ?? {};
    expect(definition?.roles[0]?.count).toBe(boards);
    await until(async () => ((await engine.job(1))?.state === 'allocated' ? true : undefined));
    const devices = (await engine.job(1))?.members.map((member) => member.device) ?? [];
    const by = { actor: 'worker:here' };
    for (const member of devices) {
      await engine.member(1, { type: 'StartBoot', member }, by);
      await engine.member(1, { type: 'ConfirmBoot', member }, by);
    }
    const [last = '', ...others] = devices;
    const held = others.map((device) => board(port, 1, device, 'sync', ['ready']));
    await until(() => (engine.heldWaits === others.length ? true : undefined));
    expect(await say(app, { job: 1, device: last }, 'sync', 'ready')).toBe('ok\n');
    await Promise.all(held.map((each) => each.ended));
    expect(new Set(held.map((each) => each.text()))).toEqual(new Set(['ok\n']));
  });
});

async function submitted(app: Awaited<ReturnType<typeof doors>>['app'], count: number) {
  const response = await app.inject({ method: 'POST', url: '/api/jobs', payload: document(count) });
  return response.json().id as number;
}

describe('events', () => {
  it('come in pages, by version of a job and by position of the log', async () => {
    const { app, engine } = await doors();
    const { job } = await pair(engine);
    const all: RecordedEvent[] = [];
    for await (const event of engine.allEvents()) all.push(event);
    const ofJob = all.filter((event) => event.stream === `job-${job}`);
    for (const [url, expected, place] of [
      ['/api/events', all, 'position'],
      [`/api/jobs/${job}/events`, ofJob, 'version'],
    ] as const) {
      const seen: RecordedEvent[] = [];
      let after = 0;
      for (;;) {
        const page = (await app.inject(`${url}?limit=2&after=${after}`)).json();
        seen.push(...page.events);
        if (page.next === undefined) break;
        expect(page.events).toHaveLength(2);
        expect(page.next).toBe(page.events.at(-1)[place]);
        after = page.next;
      }
      expect(seen).toEqual(expected);
    }
  });

  it('of a job stream out, history and then live without a hole, up to its end', async () => {
    const { app, engine } = await doors();
    const port = await listening(app);
    const { job, server, client } = await pair(engine);
    const stream = opened(port, { url: `/api/jobs/${job}/events`, headers: sse });
    expect((await stream.head).headers['content-type']).toBe('text/event-stream');
    await until(() => (parsed(stream.text()).length > 3 ? true : undefined));
    await Promise.all(
      Array.from({ length: 250 }, (_, i) => say(app, { job, device: server }, 'send', `m${i}`)),
    );
    for (const device of [server, client]) await finish(engine, job, device);
    await stream.ended;
    const seen = parsed(stream.text());
    const recorded: RecordedEvent[] = [];
    for await (const event of engine.jobEvents(job)) recorded.push(event);
    expect(seen.at(-1)).toMatchObject({ event: 'end', data: { job, state: 'complete' } });
    expect(seen.slice(0, -1).map((each) => each.data)).toEqual(recorded);
    expect(seen.slice(0, -1).map((each) => each.id)).toEqual(
      recorded.map((event) => event.version),
    );
  });

  it('go on after the last one that a client has seen', async () => {
    const { app, engine } = await doors();
    const port = await listening(app);
    const { job, server, client } = await pair(engine);
    for (const device of [server, client]) await finish(engine, job, device);
    const url = `/api/jobs/${job}/events`;
    const whole = opened(port, { url, headers: sse });
    await whole.ended;
    const ids = parsed(whole.text()).map((each) => each.id);
    const resumed = opened(port, { url, headers: { ...sse, 'last-event-id': '3' } });
    await resumed.ended;
    expect(parsed(resumed.text()).map((each) => each.id)).toEqual(ids.slice(3));
    const over = opened(port, { url, headers: { ...sse, 'last-event-id': '9999' } });
    await over.ended;
    expect(parsed(over.text()).map((each) => each.event)).toEqual(['end']);
    const wrong = await app.inject({ url, headers: { ...sse, 'last-event-id': 'x' } });
    expect(wrong.json().code).toBe('invalid-request');
  });

  it('of the whole log stream to many at once, and say in silence that they live', async () => {
    const { app, engine } = await doors({ heartbeatMs: 10 });
    const port = await listening(app);
    const streams = [1, 2, 3].map(() => opened(port, { url: '/api/events', headers: sse }));
    for (const { text } of streams)
      await until(() => (text().includes(': alive\n\n') ? true : undefined));
    const { job, server } = await pair(engine);
    await say(app, { job, device: server }, 'send', 'x');
    const head = await engine.head();
    for (const { text } of streams) {
      await until(() => (parsed(text()).at(-1)?.id === head ? true : undefined));
      const ids = parsed(text()).map((each) => each.id);
      expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    }
    await app.close();
    for (const { ended } of streams) await ended;
  });

  it('are not read on for a client that does not take them', async () => {
    const lab = await doors();
    const { job } = await pair(lab.engine);
    const [first] = (await lab.app.inject(`/api/jobs/${job}/events?limit=1`)).json().events;
    const big = { ...first, data: { ...first.data, document: 'x'.repeat(256 * 1024) } };
    let read = 0;
    const engine = engineBut(lab.engine, {
      async *allEvents(after = 0) {
        for (let position = after + 1; ; position++) {
          read++;
          yield { ...big, position };
        }
      },
    });
    const { app } = await doors({ engine });
    const port = await listening(app);
    const slow = httpRequest({
      port,
      host: '127.0.0.1',
      path: '/api/events',
      headers: sse,
      agent: false,
    });
    const response = await new Promise<NodeJS.ReadableStream>((resolve) => {
      slow.once('response', resolve).end();
    });
    response.pause();
    // It stands still once the sockets between are full, a page of events at the most further on.
    const still = async () => {
      const before = read;
      for (let i = 0; i < 200; i++) await app.inject('/api/devices');
      return read === before && read > 0 ? true : undefined;
    };
    await until(still);
    expect(read).toBeLessThanOrEqual(200);
    slow.destroy();
  });

  it('end when the log cannot be read any more, and the server goes on', async () => {
    const lab = await doors();
    const { job } = await pair(lab.engine);
    const engine = engineBut(lab.engine, {
      async *allEvents() {
        yield* [];
        throw new Error('a torn page');
      },
    });
    const { app, lines } = await doors({ engine });
    const port = await listening(app);
    const stream = opened(port, { url: '/api/events', headers: sse });
    await stream.ended;
    expect(lines.filter((line) => JSON.stringify(line).includes('a torn page'))).toHaveLength(1);
    expect((await app.inject(`/api/jobs/${job}`)).statusCode).toBe(200);
  });
});

describe('a console', () => {
  it('is followed from a byte on until its member has ended and the last words came', async () => {
    const { app, engine, consoleFile } = await doors();
    const port = await listening(app);
    const { job, server, client } = await pair(engine);
    const url = `/api/jobs/${job}/members/${server}/console?follow=true&from=2`;
    const following = opened(port, { url });
    await following.head;
    writeFileSync(consoleFile(job, server), 'abcd');
    await until(() => (following.text() === 'cd' ? true : undefined));
    for (const device of [server, client]) await finish(engine, job, device);
    appendFileSync(consoleFile(job, server), 'last words');
    await following.ended;
    expect(following.text()).toBe('cdlast words');
  });
});

import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Client, type ClientLimits } from '../../cli/client.ts';
import { Interrupted } from '../../cli/exit.ts';
import { deadUrl, fakeServer, json, problem, sse, sseEnd } from './fake-server.ts';
import { events } from './job-12.ts';

const quick: Partial<ClientLimits> = { reconnectMaxMs: 300, pauseMinMs: 5, pauseMaxMs: 20 };
const patient: Partial<ClientLimits> = { ...quick, reconnectMaxMs: 20_000 };

function clientOf(url: string, limits = patient) {
  const interrupt = new AbortController();
  const breaks: string[] = [];
  const client = new Client({
    url,
    signal: interrupt.signal,
    onBreak: (text) => breaks.push(text),
    limits,
  });
  return { client, interrupt, breaks };
}

const path = '/api/jobs/12/events';

async function versions(of: AsyncIterable<{ version: number }>): Promise<number[]> {
  const seen: number[] = [];
  for await (const { version } of of) seen.push(version);
  return seen;
}

const allVersions = events.map(({ version }) => version);

describe('a followed event stream', () => {
  test('gives each event once and ends when the server says so', async () => {
    const server = await fakeServer({
      [`GET ${path}`]: (_, reply) => {
        sse(reply, events);
        sseEnd(reply);
      },
    });
    const { client } = clientOf(server.url);
    expect(await versions(client.follow(path))).toEqual(allVersions);
    expect(server.asked).toHaveLength(1);
    expect(server.asked[0]?.headers['last-event-id']).toBeUndefined();
  });

  test('goes on after the last event it saw when the connection breaks', async () => {
    const server = await fakeServer({
      [`GET ${path}`]: ({ headers }, reply) => {
        const last = Number(headers['last-event-id'] ?? 0);
        sse(reply, events.slice(last, last + 7));
        if (last + 7 >= events.length) sseEnd(reply);
        // Lets the events out, then breaks the connection in the middle of the next one.
        else reply.write('id: 99\ndata: {"half":', () => reply.destroy());
      },
    });
    const { client, breaks } = clientOf(server.url);
    expect(await versions(client.follow(path))).toEqual(allVersions);
    expect(server.asked.map(({ headers }) => headers['last-event-id'])).toEqual([
      undefined,
      '7',
      '14',
    ]);
    expect(breaks[0]).toContain('trying again');
  });

  test('goes on when the server ends the connection politely without the last word', async () => {
    const server = await fakeServer({
      [`GET ${path}`]: ({ headers }, reply) => {
        if (headers['last-event-id'] === undefined) {
          sse(reply, events.slice(0, 3));
          reply.end();
        } else {
          sse(reply, events.slice(3));
          sseEnd(reply);
        }
      },
    });
    const { client } = clientOf(server.url);
    expect(await versions(client.follow(path))).toEqual(allVersions);
  });

  test('waits for a server that restarts', async () => {
    const first = await fakeServer({
      [`GET ${path}`]: (_, reply) => {
        sse(reply, events.slice(0, 4));
      },
    });
    const { client, breaks } = clientOf(first.url);
    const seen: number[] = [];
    for await (const { version } of client.follow(path)) {
      seen.push(version);
      if (version !== 4) continue;
      await first.stop();
      await fakeServer(
        {
          [`GET ${path}`]: ({ headers }, reply) => {
            sse(reply, events.slice(Number(headers['last-event-id'])));
            sseEnd(reply);
          },
        },
        first.port,
      );
    }
    expect(seen).toEqual(allVersions);
    expect(breaks.length).toBeGreaterThan(0);
  });

  test('takes a stream that falls silent for broken', async () => {
    const server = await fakeServer({
      [`GET ${path}`]: ({ headers }, reply) => {
        const last = Number(headers['last-event-id'] ?? 0);
        sse(reply, last === 0 ? events.slice(0, 5) : events.slice(last));
        if (last > 0) sseEnd(reply);
      },
    });
    const { client } = clientOf(server.url, { ...patient, silenceMaxMs: 500 });
    expect(await versions(client.follow(path))).toEqual(allVersions);
    expect(server.asked.length).toBeGreaterThan(1);
  });

  test('waits while the server says that it cannot now', async () => {
    let asked = 0;
    const server = await fakeServer({
      [`GET ${path}`]: (_, reply) => {
        asked += 1;
        if (asked === 1) {
          sse(reply, events.slice(0, 2));
          reply.end();
        } else if (asked === 2) problem(reply, 503, 'store-unavailable', 'disk full');
        else {
          sse(reply, events.slice(2));
          sseEnd(reply);
        }
      },
    });
    const { client } = clientOf(server.url);
    expect(await versions(client.follow(path))).toEqual(allVersions);
  });

  test('gives up when the server stays away, with the exit code for that', async () => {
    const server = await fakeServer({
      [`GET ${path}`]: (_, reply) => {
        sse(reply, events.slice(0, 1));
      },
    });
    const { client } = clientOf(server.url, quick);
    const follow = (async () => {
      for await (const _ of client.follow(path)) await server.stop();
    })();
    await expect(follow).rejects.toMatchObject({ code: 'no-server', exit: 3 });
  });

  test('ends at once when the job is not there', async () => {
    const server = await fakeServer({
      [`GET ${path}`]: (_, reply) => problem(reply, 404, 'no-such-job', 'there is no job 12'),
    });
    const { client } = clientOf(server.url);
    await expect(versions(client.follow(path))).rejects.toMatchObject({ code: 'no-such-job' });
    expect(server.asked).toHaveLength(1);
  });

  test('is interrupted while nothing happens', async () => {
    const server = await fakeServer({
      [`GET ${path}`]: (_, reply) => {
        sse(reply, events.slice(0, 1));
      },
    });
    const { client, interrupt } = clientOf(server.url);
    const follow = (async () => {
      for await (const _ of client.follow(path)) interrupt.abort();
    })();
    await expect(follow).rejects.toBeInstanceOf(Interrupted);
  });

  test('is split between bytes of one character without harm', async () => {
    const odd = { ...events[0]!, data: { name: 'größe 板' } };
    const server = await fakeServer({
      [`GET ${path}`]: (_, reply) => {
        reply.writeHead(200, { 'content-type': 'text/event-stream' });
        const bytes = Buffer.from(
          `id: 1\ndata: ${JSON.stringify(odd)}\n\nevent: end\ndata: {}\n\n`,
        );
        const next = (at: number): void => {
          if (at === bytes.length) reply.end();
          else reply.write(bytes.subarray(at, at + 1), () => setImmediate(next, at + 1));
        };
        next(0);
      },
    });
    const { client } = clientOf(server.url);
    const seen = [];
    for await (const { data } of client.follow(path)) seen.push(data);
    expect(seen).toEqual([odd.data]);
  });
});

describe('a request', () => {
  const shape = z.object({ ok: z.boolean() });

  test('to a server that is not there fails at once', async () => {
    const { client, breaks } = clientOf(await deadUrl());
    await expect(client.json('/x', shape)).rejects.toMatchObject({ code: 'no-server', exit: 3 });
    expect(breaks).toEqual([]);
  });

  test('whose connection breaks is sent again, the same', async () => {
    let asked = 0;
    const server = await fakeServer({
      'POST /x': (_, reply) => {
        asked += 1;
        if (asked < 3) reply.destroy();
        else json(reply, { ok: true });
      },
    });
    const { client } = clientOf(server.url);
    const headers = { 'idempotency-key': 'k' };
    const answer = await client.json('/x', shape, { method: 'POST', body: 'text', headers });
    expect(answer).toEqual({ ok: true });
    expect(server.asked.map((one) => [one.headers['idempotency-key'], one.body])).toEqual([
      ['k', 'text'],
      ['k', 'text'],
      ['k', 'text'],
    ]);
  });

  test('keeps what this version does not know of an answer', async () => {
    const server = await fakeServer({ 'GET /x': { ok: true, more: [1] } });
    const { client } = clientOf(server.url);
    expect(await client.json('/x', shape)).toEqual({ ok: true, more: [1] });
  });

  test('answered by something else than Muster says so', async () => {
    const server = await fakeServer({
      'GET /x': (_, reply) => reply.writeHead(200).end('<html>'),
      'GET /y': (_, reply) => reply.writeHead(404).end('<html>'),
    });
    const { client } = clientOf(server.url);
    for (const at of ['/x', '/y'])
      await expect(client.json(at, shape)).rejects.toMatchObject({
        code: 'strange-answer',
        exit: 1,
      });
  });

  test('carries the token', async () => {
    const server = await fakeServer({ 'GET /x': { ok: true } });
    const { signal } = new AbortController();
    await new Client({ url: `${server.url}/`, token: 't', signal }).json('/x', shape);
    expect(server.asked[0]).toMatchObject({ path: '/x', headers: { authorization: 'Bearer t' } });
  });

  test.each(['nonsense', 'ftp://x', 'http://x/?a=1'])('to "%s" is wrong usage', async (url) => {
    expect(() => clientOf(url)).toThrow(expect.objectContaining({ code: 'bad-url', exit: 2 }));
  });
});

describe('a file of bytes', () => {
  const whole = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
  const collect = async (of: AsyncIterable<Uint8Array>) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of of) chunks.push(chunk);
    return Buffer.concat(chunks);
  };

  test('is taken up where the connection broke', async () => {
    const server = await fakeServer({
      'GET /console': ({ headers }, reply) => {
        const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
        reply.writeHead(from === 0 ? 200 : 206, { 'content-length': whole.length - from });
        if (from > 0) reply.end(whole.subarray(from));
        else reply.write(whole.subarray(0, 100), () => reply.destroy());
      },
    });
    const { client } = clientOf(server.url);
    expect(await collect(client.bytes('/console', false))).toEqual(whole);
    expect(server.asked.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=100-']);
  });

  test('is followed from where it broke', async () => {
    const server = await fakeServer({
      'GET /console': ({ path }, reply) => {
        const from = Number(new URL(path, 'http://x').searchParams.get('from'));
        reply.writeHead(200);
        if (from > 0) reply.end(whole.subarray(from));
        else reply.write(whole.subarray(0, 100), () => reply.destroy());
      },
    });
    const { client } = clientOf(server.url);
    expect(await collect(client.bytes('/console', true))).toEqual(whole);
    expect(server.asked.map(({ path }) => path)).toEqual([
      '/console?follow=true&from=0',
      '/console?follow=true&from=100',
    ]);
  });
});

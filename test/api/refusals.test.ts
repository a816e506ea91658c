import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { memberToken } from '../../api/tokens.ts';
import { doors, listening, pair, said, secret, until } from './bench.ts';

/** Sends bytes on a socket; gives all that came until the server ended it. */
async function told(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('latin1');
  let text = '';
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {});
  socket.write(bytes);
  await once(socket, 'close');
  return text;
}

/** The last answer of a connection: its status and its problem. */
function lastProblem(text: string) {
  const at = text.lastIndexOf('HTTP/1.1 ');
  const [head = '', body = ''] = text.slice(at).split('\r\n\r\n');
  expect(head).toContain('content-type: application/problem+json');
  expect(head.toLowerCase()).toContain('connection: close');
  return { status: Number(head.slice(9, 12)), code: JSON.parse(body).code as string };
}

describe('what is refused before there is a request', () => {
  it.each([
    ['what is no HTTP', 'nonsense\r\n\r\n', 400, 'invalid-request'],
    [
      'a method that is none',
      'FOO /api/jobs HTTP/1.1\r\nhost: localhost\r\n\r\n',
      400,
      'invalid-request',
    ],
    [
      'a header without a colon',
      'GET / HTTP/1.1\r\nhost localhost\r\n\r\n',
      400,
      'invalid-request',
    ],
    [
      'two lengths',
      'POST /api/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      400,
      'invalid-request',
    ],
    [
      'a broken chunk',
      'POST /api/jobs HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      400,
      'invalid-request',
    ],
    ['no host', 'GET /api/jobs HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'invalid-request'],
    [
      'a head that is too long',
      `GET / HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'head-too-large',
    ],
    [
      'an expectation',
      'GET /api/jobs HTTP/1.1\r\nhost: localhost\r\nexpect: tea\r\nconnection: close\r\n\r\n',
      417,
      'expectation',
    ],
    ['a proxy', 'CONNECT example.org:80 HTTP/1.1\r\nhost: localhost\r\n\r\n', 405, 'method'],
    [
      'another protocol',
      'GET /api/jobs HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: tea\r\n\r\n',
      400,
      'invalid-request',
    ],
    [
      'a handshake without a key',
      'GET /worker/v1/connect HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
      400,
      'invalid-request',
    ],
    [
      'a socket where there is none',
      'GET /api/jobs HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
      400,
      'invalid-request',
    ],
  ])('is a problem like any other: %s', async (_, bytes, status, code) => {
    const { app } = await doors();
    const port = await listening(app);
    expect(lastProblem(await told(port, bytes))).toEqual({ status, code });
  });

  it('is a problem like any other: a request that does not come whole', async () => {
    const { app } = await doors();
    const port = await listening(app);
    const connected = once(app.server, 'connection');
    const text = told(port, 'GET /api/jobs HTTP/1.1\r\nhost: local');
    const [socket] = await connected;
    // Node looks for late requests every half minute: here it is told at once.
    const late = Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    app.server.emit('clientError', late, socket);
    expect(lastProblem(await text)).toEqual({ status: 408, code: 'too-slow' });
  });

  it('does not take with it the answers that are owed on its connection', async () => {
    const { app, engine } = await doors();
    const port = await listening(app);
    const { job, server, client } = await pair(engine);
    const token = (device: string) => memberToken(secret, job, device);
    const raw = (verb: string, device: string, word: string) => {
      const { headers, payload, url } = said(verb, [word], { token: token(device) });
      const lines = Object.entries({ host: 'x', 'content-length': payload.length, ...headers });
      return `POST ${url} HTTP/1.1\r\n${lines.map(([k, v]) => `${k}: ${v}`).join('\r\n')}\r\n\r\n${payload}`;
    };
    const text = told(
      port,
      `${raw('send', server, 'a')}${raw('wait', server, 'b')}garbage\r\n\r\n`,
    );
    await until(() => (engine.heldWaits === 1 ? true : undefined));
    await app.inject(said('send', ['b'], { token: token(client) }));
    const answers = await text;
    expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual([
      'HTTP/1.1 200',
      'HTTP/1.1 200',
      'HTTP/1.1 400',
    ]);
    expect(lastProblem(answers).code).toBe('invalid-request');
  });

  it('has its place behind what is owed, where it is the last body that broke off', async () => {
    const { app } = await doors();
    const port = await listening(app);
    const answers = await told(
      port,
      'GET /api/devices HTTP/1.1\r\nhost: localhost\r\n\r\n' +
        'POST /api/jobs HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    );
    expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
  });
});

describe('a query', () => {
  it.each([
    ['/api/jobs?limt=5', 'query.limt', 'limit, before, state'],
    ['/api/jobs/1?x=1', 'query.x', 'no fields'],
    ['/api/health?x', 'query.x', 'no fields'],
    ['/api/events?from=1', 'query.from', 'after, limit'],
    ['/api/queue?state=submitted', 'query.state', 'limit, after'],
    ['/metrics?name=x', 'query.name', 'no fields'],
    ['/openapi.json?x=1', 'query.x', 'no fields'],
  ])('that names what there is not is told what there is: %s', async (url, path, known) => {
    const { app } = await doors();
    const response = await app.inject(url);
    expect([response.statusCode, response.json().code]).toEqual([400, 'invalid-request']);
    const message = `is unknown; this address takes ${known}`;
    expect(response.json().problems).toEqual([{ path, message }]);
  });

  it('is looked at by every route, the orders and the verbs of boards among them', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    for (const url of ['/api/jobs', '/api/jobs/1/cancel', '/api/devices/panda01/online'])
      expect((await app.inject({ method: 'POST', url: `${url}?froce=true` })).json()).toMatchObject(
        { code: 'invalid-request', problems: [{ path: 'query.froce' }] },
      );
    const headers = { authorization: `Bearer ${memberToken(secret, job, server)}` };
    const verb = { method: 'GET', url: '/board/v1/role?wrod=list', headers } as const;
    expect((await app.inject(verb)).json().problems).toMatchObject([{ path: 'query.wrod' }]);
    expect((await app.inject('/docs/?x=1')).statusCode).toBe(200);
  });
});

describe('a number in an address', () => {
  it.each([
    '0x1',
    '+1',
    '1e0',
    '01',
    '1.0',
    ' 1',
    '%201',
    '1%20',
    '-1',
    '0',
    '',
    '9007199254740993',
    '١',
  ])('is decimal digits and nothing else, not %j', async (text) => {
    const { app, engine } = await doors();
    await pair(engine);
    const number = text.includes('%') ? text : encodeURIComponent(text);
    const paths = ['', '/events', '/why', '/document', '/results', '/members/panda01/console'];
    for (const path of text === '' ? [] : paths)
      expect((await app.inject(`/api/jobs/${number}${path}`)).json().code).toBe('invalid-request');
    for (const url of [
      '/api/jobs?limit=',
      '/api/jobs?before=',
      '/api/events?limit=',
      '/api/queue?limit=',
      '/api/jobs/1/events?limit=',
    ])
      expect([url, (await app.inject(url + number)).json().code]).toEqual([url, 'invalid-request']);
    if (text === '0') return;
    for (const url of [
      '/api/events?after=',
      '/api/queue?after=',
      '/api/jobs/1/members/panda01/console?from=',
    ])
      expect([url, (await app.inject(url + number)).json().code]).toEqual([url, 'invalid-request']);
    const headers = { accept: 'text/event-stream', 'last-event-id': text };
    if (/^[\x21-\x7e]+$/.test(text))
      expect((await app.inject({ url: '/api/events', headers })).json().code).toBe(
        'invalid-request',
      );
  });
});

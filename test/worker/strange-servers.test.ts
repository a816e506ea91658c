/** What a worker finds where it expects a server: each is named in words, and another server of the list is tried. */
import { once } from 'node:events';
import { createServer as httpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { FRAMES } from '../../wire/worker-frames.ts';
import { WorkerRefused } from '../../worker/line.ts';
import { deadUrl } from '../cli/fake-server.ts';
import { TcpProxy } from '../store/tcp-proxy.ts';
import { bareServer, lineTo, untilSaid } from './bare-server.ts';

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const http = (answer: RequestListener) => () => listening(httpServer(answer));
const tcp = (greet: string) => () =>
  listening(createServer((socket) => void socket.on('data', () => {}).write(greet)));
const socket = (talk: (socket: WebSocket) => void) => async () => {
  const server = httpServer();
  new WebSocketServer({ server }).on('connection', talk);
  return listening(server);
};

const strange: [string, () => Promise<string>, RegExp][] = [
  ['nobody', deadUrl, /connection refused/],
  [
    'a proxy without a server',
    http((_, reply) => reply.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad</h1>')),
    /it answers 502: a proxy is there, and no server behind it/,
  ],
  ['a page', http((_, reply) => reply.end('<html>')), /it answers 200: is a Muster server there\?/],
  [
    'a redirection',
    http((_, reply) => reply.writeHead(301, { location: 'https://muster.lab/' }).end()),
    /it sends whoever asks to https:\/\/muster\.lab\/: name that address/,
  ],
  [
    'a problem',
    http((_, reply) =>
      reply
        .writeHead(400, { 'content-type': 'application/problem+json' })
        .end('{"detail": "this server speaks https"}'),
    ),
    /this server speaks https/,
  ],
  ['another protocol', tcp('SSH-2.0-OpenSSH_9.2\r\n'), /Parse Error/],
  ['whoever hangs up', () => listening(createServer((s) => s.destroy())), /connection broken/],
  [
    'a socket that says no JSON',
    socket((s) => s.send('hello')),
    /it sent what cannot be read: it is not JSON: "hello"/,
  ],
  ['a socket that speaks binary', socket((s) => s.send(Buffer.alloc(9))), /it is binary/],
  [
    'a socket with messages of its own',
    socket((s) => s.send('[{"jsonrpc":"2.0"}]')),
    /it sent what cannot be read: message 1 cannot be read/,
  ],
  ['a socket that closes', socket((s) => s.close(1011)), /it was closed \(1011\)/],
];

describe('a worker that finds', () => {
  it.each(strange)('%s says so, and goes to the next server', async (_, make, why) => {
    const server = await bareServer();
    const { line, said, next } = lineTo([await make(), server.url], {
      token: await server.token(),
    });
    const up = next();
    line.start();
    await up;
    expect(said[0]).toMatch(why);
    expect(said[0]).toMatch(/^no line to http.*; trying again$/);
    expect(said[1]).toBe(`there is a line to ${server.url}`);
  });
});

it('a server that says nothing is given up, and one that a worker cannot hear any more', async () => {
  const server = await bareServer();
  const silent = await socket(() => {})();
  const proxy = await TcpProxy.to(Number(new URL(server.url).port));
  onTestFinished(() => proxy.close());
  const servers = [silent, `http://127.0.0.1:${proxy.port}`];
  const pingMs = 300;
  const { line, said, next } = lineTo(servers, { token: await server.token(), pingMs });
  let up = next();
  line.start();
  await up;
  expect(said[0]).toMatch(/nothing was heard of it; trying again$/);
  up = next();
  // The server answers pings; from now on nothing of it comes through.
  proxy.holdAnswers();
  await untilSaid(said, /is down \(nothing was heard of it\)/);
  proxy.cut();
  await up;
});

it('what was asked on a line that nobody hears is asked on the next one, and answered', async () => {
  const server = await bareServer();
  const proxy = await TcpProxy.to(Number(new URL(server.url).port));
  onTestFinished(() => proxy.close());
  const servers = [`http://127.0.0.1:${proxy.port}`, server.url];
  const { line, next } = lineTo(servers, { token: await server.token(), pingMs: 300 });
  const up = next();
  line.start();
  await up;
  proxy.holdAnswers();
  expect(await line.ask('owed', {})).toEqual({ owed: [], groups: [] });
});

it('a server that comes back at another address is found there', async () => {
  const first = await bareServer();
  const elsewhere = Number(new URL(await deadUrl()).port);
  const servers = [first.url, `http://127.0.0.1:${elsewhere}`];
  const { line, next } = lineTo(servers, { token: await first.token() });
  let up = next();
  line.start();
  await up;
  up = next();
  await first.again(elsewhere);
  await up;
  expect(await line.ask('owed', {})).toEqual({ owed: [], groups: [] });
});

describe('a worker is refused, in words that say what to do,', () => {
  const refusal = async (servers: string[], is: Parameters<typeof lineTo>[1]) => {
    const { line } = lineTo(servers, is);
    line.start();
    const refused = await line.refused.catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(WorkerRefused);
    return (refused as WorkerRefused).message;
  };

  it('with the token of another lab', async () => {
    const [here, there] = [await bareServer(), await bareServer()];
    expect(await refusal([here.url], { token: await there.token('lab7') })).toBe(
      'this server knows no worker lab7: its token is of another lab; "muster worker-token lab7" makes a new one',
    );
    await here.token('lab7');
    expect(await refusal([here.url], { token: await there.token('lab7') })).toMatch(
      /not the token of worker lab7 any more, or one of another lab/,
    );
  });

  it('with what is no token', async () => {
    const { url } = await bareServer();
    expect(await refusal([url], { token: 'secret' })).toMatch(/no token of a worker/);
  });

  it('as the second one of its name, and the first one stays', async () => {
    const server = await bareServer();
    const token = await server.token();
    const first = lineTo([server.url], { token });
    const up = first.next();
    first.line.start();
    await up;
    expect(await refusal([server.url], { token, instance: 'two' })).toMatch(
      /a worker called lab2 has a line already: give one of the two another name/,
    );
    expect(first.line.isUp).toBe(true);
  });

  it('with a board of another worker', async () => {
    const server = await bareServer();
    const first = lineTo([server.url], { token: await server.token('lab1') });
    const up = first.next();
    first.line.start();
    await up;
    expect(await refusal([server.url], { token: await server.token('lab2') })).toMatch(
      /panda01 is a board of worker lab1, which is here/,
    );
    expect(server.engine.worker('lab2')?.state).toBe('expected');
  });

  it('by an older server, with which of the two to upgrade', async () => {
    const server = await bareServer();
    const frames = { first: FRAMES.last + 1, last: FRAMES.last + 2 };
    const line = new WebSocket(`${server.url.replace('http', 'ws')}/worker/v1/connect`);
    await once(line, 'open');
    const hello = { frames, token: 'x', instance: 'y', version: '9.9.9' };
    line.send(JSON.stringify([{ hello }]));
    const [said] = await once(line, 'message');
    expect(String(said)).toMatch(
      /the worker \(Muster 9\.9\.9\) speaks .* upgrade the servers first/,
    );
  });
});

it('a token that is revoked ends the line of its worker, and opens none', async () => {
  const server = await bareServer();
  const { line, said, next } = lineTo([server.url], { token: await server.token() });
  const up = next();
  line.start();
  await up;
  const answer = await fetch(`${server.url}/api/workers/lab2/revoke`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"reason": "it was in a log"}',
  });
  expect(answer.status).toBe(200);
  await untilSaid(said, /is down \(the token of lab2 was revoked: it was in a log\)/);
  await untilSaid(said, /the token of worker lab2 was revoked, or there was none/);
  expect(line.isUp).toBe(false);
});

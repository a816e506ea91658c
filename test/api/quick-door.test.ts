/** The quick way through the boards' door answers just what Node's own way answers, and leaves the rest to it. */
import { createConnection, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildBoardApp } from '../../api/board-app.ts';
import { readPlainRequest } from '../../api/plain-request.ts';
import { memberToken, tokenKeyOf } from '../../api/tokens.ts';
import { doors, listening, newKey, pair, readableLog, secret, until } from './bench.ts';

/** A listener of boards, with a job of two. */
async function boardDoor(heldMsMax?: number) {
  const { engine, attachments } = await doors();
  const app = await buildBoardApp({
    engine,
    attachments,
    openSet: async () => ({}),
    tokenKeys: () => [tokenKeyOf(secret)],
    consoleSize: () => 0,
    log: readableLog().log,
    ...(heldMsMax !== undefined && { heldMsMax }),
  });
  onTestFinished(() => app.close());
  const port = await listening(app);
  return { engine, app, port, ...(await pair(engine)) };
}

interface Connected {
  socket: Socket;
  text(): string;
  /** How many answers have come. */
  answers(count: number): Promise<string[]>;
  isClosed(): boolean;
}

async function connected(port: number): Promise<Connected> {
  const socket = createConnection(port, '127.0.0.1');
  let text = '';
  let isClosed = false;
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket
    .on('error', () => {})
    .on('close', () => {
      isClosed = true;
    });
  await new Promise((resolve) => socket.once('connect', resolve));
  onTestFinished(() => {
    socket.destroy();
  });
  const bodies = () =>
    text
      .split(/HTTP\/1\.1 (?=\d{3} )/)
      .slice(1)
      .map((answer) => answer.slice(answer.indexOf('\r\n\r\n') + 4));
  return {
    socket,
    text: () => text,
    answers: (count) => until(() => (bodies().length >= count ? bodies() : undefined)),
    isClosed: () => isClosed,
  };
}

interface Said {
  job: number;
  device: string;
  verb: string;
  words?: string;
  key?: string;
  token?: string;
  more?: string;
}

function request({ job, device, verb, words = '', key = newKey(), token, more = '' }: Said) {
  const bearer = token ?? memberToken(secret, job, device);
  const length = Buffer.byteLength(words, 'latin1');
  return Buffer.from(
    `POST /board/v1/${verb} HTTP/1.1\r\nHost: muster\r\nAuthorization: Bearer ${bearer}\r\n` +
      `Content-Type: application/x-muster-words\r\nMuster-Key: ${key}\r\n${more}Content-Length: ${length}\r\n\r\n${words}`,
    'latin1',
  );
}

/** What Node's own way takes instead: a field that the quick way does not know. */
const SLOW = 'X-Slow: yes\r\n';
const withoutDate = (text: string) => text.replace(/^Date: .*$/m, 'Date: now');

describe('the quick way', () => {
  it('answers to the letter what Node’s own way answers', async () => {
    const { port, job, server } = await boardDoor();
    const questions: Partial<Said>[] = [
      { verb: 'self' },
      { verb: 'role', words: 'list\n' },
      { verb: 'group', words: 'nobody\n' },
      { verb: 'send', words: 'x\na=1\nb=%C3%BC\n' },
      { verb: 'send', words: 'not an id\n' },
      { verb: 'send', words: 'x\n', key: 'short' },
      { verb: 'send', words: '\xff\xfe\n' },
      { verb: 'suite', words: 'nonsense\n' },
      { verb: 'wait-all', words: 'x\nserver\n' },
      { verb: 'send', words: 'x\n', token: 'mb1.1.forged.x' },
      { verb: 'no-such-verb' },
    ];
    for (const is of questions) {
      const said = { job, device: server, verb: 'self', ...is };
      const [quick, slow] = await Promise.all(
        ['', SLOW].map(async (more) => {
          const connection = await connected(port);
          connection.socket.write(request({ ...said, more }));
          await connection.answers(1);
          return withoutDate(connection.text());
        }),
      );
      expect({ is, text: quick }).toEqual({ is, text: slow });
    }
  });

  it('answers in the order of the requests, a held wait first, and many in one go', async () => {
    const { port, engine, job, server, client } = await boardDoor();
    const board = await connected(port);
    const wait = request({ job, device: client, verb: 'wait', words: 'ip\n' });
    const self = request({ job, device: client, verb: 'self' });
    board.socket.write(Buffer.concat([wait, self, self, self]));
    await until(() => (engine.heldWaits === 1 ? true : undefined));
    expect(board.text()).toBe('');
    const other = await connected(port);
    other.socket.write(request({ job, device: server, verb: 'send', words: 'ip\na=1\n' }));
    expect(await board.answers(4)).toEqual(['ok\na=1\n', ...Array(3).fill(`ok\n${client}\n`)]);
  });

  it('hands a connection on with all its bytes once what came before was answered, garbage too', async () => {
    const { port, job, server } = await boardDoor();
    const board = await connected(port);
    const token = memberToken(secret, job, server);
    const get = `GET /board/v1/role HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`;
    const self = request({ job, device: server, verb: 'self' });
    board.socket.write(Buffer.concat([self, self, Buffer.from(get), self]));
    const answers = await board.answers(4);
    expect(answers[1]).toBe(`ok\n${server}\n`);
    expect(JSON.parse(answers[2] ?? '')).toEqual({ status: 'ok', lines: ['server'] });
    expect(answers[3]).toBe(`ok\n${server}\n`);
    const bad = await connected(port);
    bad.socket.write(Buffer.concat([self, self, Buffer.from('garbage\r\n\r\n')]));
    const [first, second] = await bad.answers(3);
    expect([first, second]).toEqual(Array(2).fill(`ok\n${server}\n`));
    expect(bad.text()).toContain('HTTP/1.1 400 ');
    await until(() => (bad.isClosed() ? true : undefined));
  });

  it('takes a request however it is cut into pieces', async () => {
    const { port, job, server } = await boardDoor();
    const self = request({ job, device: server, verb: 'self' });
    for (const cut of [1, 40, self.length - 1]) {
      const board = await connected(port);
      board.socket.setNoDelay(true);
      // The first request is answered before the second half of the other one is sent.
      board.socket.write(Buffer.concat([self, self.subarray(0, cut)]));
      await board.answers(1);
      board.socket.write(Buffer.concat([self.subarray(cut), self]));
      expect(await board.answers(3)).toEqual(Array(3).fill(`ok\n${server}\n`));
    }
  });

  it('lets a wait go whose board is gone, and takes it up again with its key', async () => {
    const { port, engine, job, server, client } = await boardDoor();
    const wait = { job, device: client, verb: 'wait', words: 'x\n', key: newKey() };
    for (const leave of ['end', 'destroy'] as const) {
      const board = await connected(port);
      board.socket.write(request(wait));
      await until(() => (engine.heldWaits === 1 ? true : undefined));
      board.socket[leave]();
      await until(() => (engine.heldWaits === 0 ? true : undefined));
    }
    const again = await connected(port);
    again.socket.write(request(wait));
    await until(() => (engine.heldWaits === 1 ? true : undefined));
    const other = await connected(port);
    other.socket.write(request({ job, device: server, verb: 'send', words: 'x\n' }));
    expect(await again.answers(1)).toEqual(['ok\n']);
  });

  it('holds a wait for so long and no longer, and leaves its connection for the next request', async () => {
    const { port, job, client } = await boardDoor(10);
    const board = await connected(port);
    for (const count of [1, 2]) {
      board.socket.write(request({ job, device: client, verb: 'wait', words: 'x\n' }));
      expect(await board.answers(count)).toEqual(Array(count).fill('wait\n'));
    }
  });

  it('tells who waits to come again when the server stops, and lets go of silent connections', async () => {
    const { port, app, engine, job, client } = await boardDoor();
    const board = await connected(port);
    const silent = await connected(port);
    board.socket.write(request({ job, device: client, verb: 'wait', words: 'x\n' }));
    await until(() => (engine.heldWaits === 1 ? true : undefined));
    await app.close();
    expect(await board.answers(1)).toEqual(['retry the server is stopping\n']);
    expect(board.text()).toContain('Connection: close');
    await until(() => (board.isClosed() && silent.isClosed() ? true : undefined));
  });
});

describe('a plain request', () => {
  const plain = request({ job: 1, device: 'panda01', verb: 'send', words: 'x\n' });
  const text = plain.toString('latin1');
  const read = (is: string) => readPlainRequest(Buffer.from(is, 'latin1'));

  it('is read with its verb, its token, its key and its body, and no byte of the next one', () => {
    const is = readPlainRequest(Buffer.concat([plain, plain]));
    expect(is).toMatchObject({ verb: 'send', length: plain.length });
    expect(is?.token).toBe(memberToken(secret, 1, 'panda01'));
    expect(is?.body.toString()).toBe('x\n');
  });

  it('is read whole or not at all', () => {
    for (let length = 0; length < plain.length; length++)
      expect(readPlainRequest(plain.subarray(0, length))).toBeUndefined();
  });

  it('is nothing that HTTP may mean otherwise', () => {
    const field = (line: string) => text.replace('\r\n', `\r\n${line}\r\n`);
    const odd = [
      field('Transfer-Encoding: chunked'),
      field('Expect: 100-continue'),
      field('Connection: close'),
      field('Connection: upgrade'),
      field('Upgrade: websocket'),
      field('Content-Length: 2'),
      field('Host: other'),
      field('Authorization: Bearer other'),
      field('Content-Encoding: gzip'),
      field('X-Folded: a\r\n b'),
      field('X-Unknown: yes'),
      field('Accept:'),
      field('Accept : */*'),
      field('Accept: a\x00b'),
      field('Accept: ü'),
      text.replace('Host: muster\r\n', ''),
      text.replace('Content-Length: 2', 'Content-Length: +2'),
      text.replace('Content-Length: 2', 'Content-Length: 0x2'),
      text.replace('Content-Length: 2', 'Content-Length: 99999999'),
      text.replace(/Content-Length: 2\r\n/, ''),
      text.replace(/Authorization: .*\r\n/, ''),
      text.replace('Bearer', 'Basic'),
      text.replace('x-muster-words', 'json'),
      text.replace('x-muster-words', 'x-muster-words; charset=utf-8'),
      text.replace('POST', 'GET'),
      text.replace('POST', 'post'),
      text.replace('HTTP/1.1', 'HTTP/1.0'),
      text.replace('/board/v1/send', '/board/v1/send?x=1'),
      text.replace('/board/v1/send', '/board/v1/send/'),
      text.replace('/board/v1/send', 'http://muster/board/v1/send'),
      text.replaceAll('\r\n', '\n'),
      `\r\n${text}`,
      ` ${text}`,
      field(`Accept: ${'x'.repeat(5_000)}`),
    ];
    for (const is of odd) expect([is, read(is)]).toEqual([is, undefined]);
  });
});

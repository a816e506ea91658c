import { createConnection } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { buildBoardApp } from '../../api/board-app.ts';
import { FRAME_BYTES_MAX } from '../../api/line-frames.ts';
import { memberToken, tokenKeyOf } from '../../api/tokens.ts';
import { StoreUnavailable } from '../../store/port.ts';
import { doors, engineBut, finish, listening, newKey, pair, say, secret, until } from './bench.ts';

interface Answer {
  n: number | null;
  status: string;
  lines?: string[];
  reason?: string;
}

/** A worker's end of a line: its answers in the order in which they came, and frame by frame. */
async function lineTo(port: number) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/worker/v1/line`);
  const frames: Answer[][] = [];
  socket.on('message', (frame) => frames.push(JSON.parse(frame.toString())));
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  onTestFinished(() => socket.terminate());
  const answers = () => frames.flat();
  return {
    socket,
    frames,
    answers,
    closed,
    send: (...messages: unknown[]) => socket.send(JSON.stringify(messages)),
    /** The answer to request `n`, when it is there. */
    answer: (n: number | null) => until(() => answers().find((answer) => answer.n === n)),
  };
}

/** A message of a member. */
const says = (job: number, device: string, n: number, verb: string, ...words: string[]) => ({
  n,
  token: memberToken(secret, job, device),
  verb,
  words,
  key: newKey(),
});

/** A pair of boards on booted members, and a line to the server. */
async function lined(options: Parameters<typeof doors>[0] = {}) {
  const lab = await doors(options);
  const port = await listening(lab.app);
  return { ...lab, port, line: await lineTo(port), ...(await pair(lab.engine)) };
}

const recorded = async (
  engine: { jobEvents(id: number): AsyncIterable<{ type: string }> },
  id: number,
  type: string,
) => {
  let count = 0;
  for await (const event of engine.jobEvents(id)) if (event.type === type) count++;
  return count;
};

describe('a line', () => {
  it('carries the messages of several boards in one frame, and answers waits when they end', async () => {
    const { line, job, server, client, engine } = await lined();
    line.send(says(job, client, 1, 'wait', 'ip'), says(job, client, 2, 'role'));
    expect(await line.answer(2)).toEqual({ n: 2, status: 'ok', lines: ['client'] });
    await until(() => (engine.heldWaits === 1 ? true : undefined));
    line.send(says(job, server, 3, 'send', 'ip', 'a=1 %0A "ü"'));
    expect(await line.answer(1)).toEqual({ n: 1, status: 'ok', lines: ['a=1 %0A "ü"'] });
    expect(await line.answer(3)).toEqual({ n: 3, status: 'ok', lines: [] });
  });

  it('lets messages of one frame count in their order', async () => {
    const { line, job, server, client } = await lined();
    line.send(...Array.from({ length: 50 }, (_, i) => says(job, server, i, 'send', 'x', `k=${i}`)));
    await line.answer(49);
    line.send(says(job, client, 50, 'wait', 'x'));
    expect((await line.answer(50)).lines).toEqual(['k=49']);
  });

  it('answers all that one turn decides in one frame', async () => {
    const { line, job, server, client } = await lined();
    line.send(says(job, server, 1, 'sync', 'x'), says(job, client, 2, 'sync', 'x'));
    await line.answer(2);
    expect(line.frames).toHaveLength(1);
    expect(
      line
        .answers()
        .map(({ n }) => n)
        .sort(),
    ).toEqual([1, 2]);
  });

  it('is there on the door of the boards too', async () => {
    const { engine, log, attachments } = await doors();
    const { job, server } = await pair(engine);
    const tokenKeys = () => [tokenKeyOf(secret)];
    const app = await buildBoardApp({
      engine,
      attachments,
      tokenKeys,
      consoleSize: () => 0,
      openSet: async () => ({}),
      log,
    });
    onTestFinished(() => app.close());
    const line = await lineTo(await listening(app));
    line.send(says(job, server, 1, 'self'));
    expect((await line.answer(1)).lines).toEqual([server]);
  });

  it('counts a message once, on whatever door its key comes again', async () => {
    const { app, line, job, server, engine } = await lined();
    const message = says(job, server, 1, 'send', 'x');
    line.send(message, { ...message, n: 2 });
    await line.answer(2);
    await say(app, { job, device: server, key: message.key }, 'send', 'x');
    expect(await recorded(engine, job, 'MessageSent')).toBe(1);
  });

  it('speaks for the member of each token alone, and denies all others', async () => {
    const { line, job, server, client, engine } = await lined();
    const mine = says(job, server, 1, 'send', 'x');
    const mac = mine.token.slice(mine.token.lastIndexOf('.') + 1);
    const others = memberToken(Buffer.from('another secret'), job, server);
    line.send(mine);
    await line.answer(1);
    const forged = [others, '', `mb1.${job}.${client}.${mac}`, `mb1.${job + 1}.${server}.${mac}`];
    for (const [i, token] of forged.entries()) {
      line.send({ ...says(job, server, 10 + i, 'send', 'x'), token });
      expect((await line.answer(10 + i)).status).toBe('denied');
    }
    expect(await recorded(engine, job, 'MessageSent')).toBe(1);
  });

  it('denies a member whose job has finished, though its token was known', async () => {
    const { line, job, server, client, engine, boardsAreOff } = await lined();
    line.send(says(job, server, 1, 'self'));
    await line.answer(1);
    for (const device of [server, client]) await finish(engine, job, device);
    boardsAreOff();
    line.send(says(job, server, 2, 'self'), says(job, server, 3, 'send', 'x'));
    expect((await line.answer(2)).status).toBe('denied');
    expect((await line.answer(3)).status).toBe('denied');
  });

  it('says wait when a wait was held for long enough, and goes on with it when its key comes again', async () => {
    const { line, job, server, client, engine } = await lined({ heldMsMax: 20 });
    const message = says(job, client, 1, 'sync', 'x');
    line.send(message);
    expect((await line.answer(1)).status).toBe('wait');
    line.send(says(job, server, 2, 'sync', 'x'));
    expect((await line.answer(2)).status).toBe('ok');
    line.send({ ...message, n: 3 });
    expect((await line.answer(3)).status).toBe('ok');
    expect(await recorded(engine, job, 'MessageSent')).toBe(2);
  });

  it('lets a wait go when its board is gone, and says nothing more of it', async () => {
    const { line, job, server, client, engine } = await lined();
    line.send(says(job, client, 1, 'wait', 'x'));
    await until(() => (engine.heldWaits === 1 ? true : undefined));
    line.send({ n: 1, gone: true }, { n: 99, gone: true });
    await until(() => (engine.heldWaits === 0 ? true : undefined));
    expect(await recorded(engine, job, 'WaitAbandoned')).toBe(0);
    line.send(says(job, server, 2, 'send', 'x'));
    await line.answer(2);
    expect(line.answers().map(({ n }) => n)).toEqual([2]);
  });

  it('lets all its waits go when it closes: they stay open for whoever comes with their key', async () => {
    const { line, port, job, server, client, engine } = await lined();
    const message = says(job, client, 1, 'wait', 'x');
    line.send(message, says(job, server, 2, 'wait', 'y'));
    await until(() => (engine.heldWaits === 2 ? true : undefined));
    line.socket.terminate();
    await until(() => (engine.heldWaits === 0 ? true : undefined));
    expect(await recorded(engine, job, 'WaitAbandoned')).toBe(0);
    const again = await lineTo(port);
    again.send(message);
    await until(() => (engine.heldWaits === 1 ? true : undefined));
    again.send(says(job, server, 3, 'send', 'x', 'k=v'));
    expect((await again.answer(1)).lines).toEqual(['k=v']);
  });

  it('is told to come again when the server stops, and closes', async () => {
    const { app, line, job, client, engine } = await lined();
    line.send(says(job, client, 1, 'wait', 'x'));
    await until(() => (engine.heldWaits === 1 ? true : undefined));
    await app.close();
    expect(await line.closed).toBe(1001);
    expect(line.answers()).toEqual([{ n: 1, status: 'retry', reason: 'the server is stopping' }]);
    expect(await recorded(engine, job, 'WaitAbandoned')).toBe(0);
  });

  it('hears what is under way when the server stops', async () => {
    const { engine } = await doors();
    const { job, server } = await pair(engine);
    let goOn = () => {};
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const slow = engineBut(engine, {
      call: async (...call) => {
        await gate;
        return engine.call(...call);
      },
    });
    const { app } = await doors({ engine: slow });
    const line = await lineTo(await listening(app));
    line.send(says(job, server, 1, 'send', 'x'), says(job, server, 2, 'role'));
    await line.answer(2);
    const stopped = app.close();
    goOn();
    await stopped;
    expect((await line.answer(1)).status).toBe('ok');
  });

  it('says that the log cannot be written now, and what is wrong is logged once', async () => {
    const { engine } = await doors();
    const { job, server } = await pair(engine);
    const broken = engineBut(engine, {
      call: () => Promise.reject(new StoreUnavailable('disk full at /secret/place')),
    });
    const { app, lines } = await doors({ engine: broken });
    const line = await lineTo(await listening(app));
    line.send(says(job, server, 1, 'send', 'x'), says(job, server, 2, 'send', 'x'));
    expect((await line.answer(2)).status).toBe('retry');
    expect(JSON.stringify(line.answers())).not.toContain('secret');
    expect(lines.filter(({ level }) => level === 50)).toHaveLength(1);
  });
});

describe('a frame that is not right', () => {
  const token = memberToken(secret, 1, 'panda01');
  it.each([
    ['no JSON', '[{"n": 1', null, /not JSON/],
    ['no list', '{"n": 1}', null, /list of messages/],
    ['a message that is no object', '[7]', null, /object/],
    ['a message without a number', '[{"verb": "self"}]', null, /"n"/],
    ['a number that is none', '[{"n": -1}]', null, /"n"/],
    ['a message without a token', '[{"n": 7, "verb": "self", "words": []}]', 7, /token/],
    ['a message without a verb', `[{"n": 7, "token": "${token}", "words": []}]`, 7, /verb/],
    [
      'words that are no strings',
      `[{"n": 7, "token": "x", "verb": "self", "words": [1]}]`,
      7,
      /words/,
    ],
    [
      'a key that is no string',
      `[{"n": 7, "token": "x", "verb": "self", "words": [], "key": 1}]`,
      7,
      /key/,
    ],
    ['a field that is unknown', '[{"n": 7, "device": "panda02"}]', 7, /device.*unknown/],
    [
      'a verb that there is not',
      `[{"n": 7, "token": "${token}", "verb": "x", "words": []}]`,
      7,
      /verb/,
    ],
  ])('is answered: %s', async (_, frame, n, reason) => {
    const { line, job, server } = await lined();
    line.socket.send(frame);
    const answer = await line.answer(n);
    expect(answer.status).toBe('refused');
    expect(answer.reason).toMatch(reason);
    line.send(says(job, server, 50, 'self'));
    expect((await line.answer(50)).status).toBe('ok');
  });

  it('is answered when it is binary', async () => {
    const { line } = await lined();
    line.socket.send(Buffer.from('[]'));
    expect((await line.answer(null)).reason).toMatch(/binary/);
  });

  it('is answered when it changes something without a usable key, or when its number is open', async () => {
    const { line, job, server, client, engine } = await lined();
    const { key: _, ...without } = says(job, server, 1, 'send', 'x');
    line.send(without, { ...without, n: 2, key: 'short' });
    expect((await line.answer(1)).reason).toMatch(/key/);
    expect((await line.answer(2)).reason).toMatch(/key/);
    line.send(says(job, client, 3, 'wait', 'x'), says(job, client, 3, 'wait', 'y'));
    expect((await line.answer(3)).reason).toMatch(/open already/);
    await until(() => (engine.heldWaits === 1 ? true : undefined));
  });

  it('closes its line when it is too large or no text, and harms nobody else', async () => {
    const { line, port, job, server } = await lined();
    const other = await lineTo(port);
    line.socket.send(`["${'x'.repeat(FRAME_BYTES_MAX)}"]`);
    expect(await line.closed).toBe(1009);
    const third = await lineTo(port);
    third.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
    expect(await third.closed).toBe(1007);
    other.send(says(job, server, 1, 'self'));
    expect((await other.answer(1)).status).toBe('ok');
  });
});

describe('an upgrade', () => {
  /** What the server says to raw bytes before it closes. */
  const answerTo = (port: number, text: string) =>
    new Promise<string>((resolve) => {
      const socket = createConnection(port, '127.0.0.1');
      let answer = '';
      socket.on('data', (bytes) => {
        answer += bytes;
      });
      socket.on('close', () => resolve(answer));
      socket.write(text);
    });
  const upgrade = (path: string, to: string) =>
    `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: ${to}\r\n\r\n`;

  it.each([
    ['of another address', '/health', 'websocket', /only \/worker\/v1\/line/],
    ['to another protocol', '/worker/v1/line', 'h2c', /400 Bad Request/],
  ])('%s is refused, and its connection closed', async (_, path, to, answer) => {
    const { app } = await doors();
    expect(await answerTo(await listening(app), upgrade(path, to))).toMatch(answer);
  });
});

describe('a worker that does not read', () => {
  it('is not read on, so that its answers do not pile up, until it reads again', async () => {
    const { line, job, server } = await lined();
    line.socket.pause();
    const words = Array.from({ length: 300 }, (__, i) => `k${i}=${'v'.repeat(200)}`);
    line.send(says(job, server, 0, 'send', 'big', ...words));
    const asks = 400;
    for (let n = 1; n <= asks; n++) line.send(says(job, server, n, 'wait-all', 'big', 'server'));
    await turn();
    line.socket.resume();
    await line.answer(asks);
    expect(line.answers()).toHaveLength(asks + 1);
  });
});

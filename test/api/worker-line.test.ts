/** The server's end of a worker's line: what its boards say counts as at their own door, whatever becomes of the line. */
import { describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../store/port.ts';
import { WORKER_FRAME_BYTES_MAX } from '../../wire/worker-frames.ts';
import { pandas } from '../engine/bench.ts';
import { doors, engineBut, finish, newKey, pair, say, until } from './bench.ts';
import { lined, lineTo, registered, verb, workerDoors } from './lined.ts';

const recorded = async (
  engine: { jobEvents(id: number): AsyncIterable<{ type: string }> },
  id: number,
  type: string,
) => {
  let count = 0;
  for await (const event of engine.jobEvents(id)) if (event.type === type) count++;
  return count;
};

const held = (engine: { heldWaits: number }, waits: number) =>
  until(() => (engine.heldWaits === waits ? true : undefined));

describe('boards behind a worker', () => {
  it('are heard several in one frame, and a wait is answered when it ends', async () => {
    const { line, server, client, engine } = await lined();
    line.send(verb(2, client, 'wait', 'ip'), verb(3, client, 'role'));
    expect(await line.heard(3)).toBe('ok\nclient\n');
    await held(engine, 1);
    line.send(verb(4, server, 'send', 'ip', 'a=1 %0A "ü"'));
    expect(await line.heard(2)).toBe('ok\na=1 %0A "ü"\n');
    expect(await line.heard(4)).toBe('ok\n');
  });

  it('are heard in the order of their frame', async () => {
    const { line, server, client } = await lined();
    line.send(...Array.from({ length: 50 }, (_, i) => verb(i + 2, server, 'send', 'x', `k=${i}`)));
    await line.answer(51);
    line.send(verb(60, client, 'wait', 'x'));
    expect(await line.heard(60)).toBe('ok\nk=49\n');
  });

  it('are answered in one frame, where one turn decides it', async () => {
    const { line, server, client } = await lined();
    line.send(verb(2, server, 'sync', 'x'), verb(3, client, 'sync', 'x'));
    await line.answer(3);
    expect(line.frames.map((frame) => frame.map(({ n }) => n).sort())).toEqual([[2, 3]]);
  });

  it('count once, at whatever door their key comes again', async () => {
    const { app, line, server, engine } = await lined();
    const is = { ...server, key: newKey() };
    line.send(verb(2, is, 'send', 'x'), verb(3, is, 'send', 'x'));
    await line.answer(3);
    expect(await say(app, is, 'send', 'x')).toBe('ok\n');
    expect(await recorded(engine, server.job, 'MessageSent')).toBe(1);
  });

  it('speak in their own job alone, and in none that has finished', async () => {
    const { line, server, client, engine, boardsAreOff } = await lined();
    line.send(verb(2, { ...server, job: server.job + 1 }, 'send', 'x'));
    expect(await line.heard(2)).toMatch(/^denied /);
    line.send(verb(3, server, 'self'));
    expect(await line.heard(3)).toBe(`ok\n${server.device}\n`);
    for (const { job, device } of [server, client]) await finish(engine, job, device);
    boardsAreOff();
    line.send(verb(4, server, 'self'), verb(5, server, 'send', 'x'));
    expect(await line.heard(4)).toMatch(/^denied /);
    expect(await line.heard(5)).toMatch(/^denied /);
    expect(await recorded(engine, server.job, 'MessageSent')).toBe(0);
  });

  it('hear wait when a wait was held for long enough, and go on with it when its key comes again', async () => {
    const { line, server, client, engine } = await lined({ heldMsMax: 20 });
    const is = { ...client, key: newKey() };
    line.send(verb(2, is, 'sync', 'x'));
    expect(await line.heard(2)).toBe('wait\n');
    line.send(verb(3, server, 'sync', 'x'));
    expect(await line.heard(3)).toBe('ok\n');
    line.send(verb(4, is, 'sync', 'x'));
    expect(await line.heard(4)).toBe('ok\n');
    expect(await recorded(engine, server.job, 'MessageSent')).toBe(2);
  });

  it('let a wait go that nobody waits for any more, and nothing more is said of it', async () => {
    const { line, server, client, engine } = await lined();
    line.send(verb(2, client, 'wait', 'x'));
    await held(engine, 1);
    line.send({ gone: 2 }, { gone: 99 });
    await held(engine, 0);
    expect(await recorded(engine, server.job, 'WaitAbandoned')).toBe(0);
    line.send(verb(3, server, 'send', 'x'));
    await line.answer(3);
    expect(line.said().map(({ n }) => n)).toEqual([3]);
  });

  it('go on with their waits on the next line of their worker', async () => {
    const { line, port, token, server, client, engine } = await lined();
    const is = { ...client, key: newKey() };
    line.send(verb(2, is, 'wait', 'x'), verb(3, server, 'wait', 'y'));
    await held(engine, 2);
    line.socket.terminate();
    await line.closed;
    const again = await registered(port, token);
    await held(engine, 0);
    expect(await recorded(engine, server.job, 'WaitAbandoned')).toBe(0);
    again.send(verb(2, is, 'wait', 'x'));
    await held(engine, 1);
    again.send(verb(3, server, 'send', 'x', 'k=v'));
    expect(await again.heard(2)).toBe('ok\nk=v\n');
  });

  it('keep their waits when the server stops, which says so and closes the line', async () => {
    const { app, line, client, engine } = await lined();
    line.send(verb(2, client, 'wait', 'x'));
    await held(engine, 1);
    await app.close();
    expect(await line.closed).toBe(1000);
    expect(line.said()).toEqual([{ bye: { code: 'stopping', reason: 'the server is stopping' } }]);
    expect(await recorded(engine, client.job, 'WaitAbandoned')).toBe(0);
  });

  it('are told to come again while the log cannot be written, and what is wrong is logged once', async () => {
    const { engine } = await doors({}, 3, { line: { line: 'x', instance: 'one', version: '0' } });
    const { job, server: device } = await pair(engine);
    const broken = engineBut(engine, {
      call: () => Promise.reject(new StoreUnavailable('disk full at /secret/place')),
    });
    const { lines, port, token } = await workerDoors({ engine: broken });
    const line = await registered(port, token);
    line.send(verb(2, { job, device }, 'send', 'x'), verb(3, { job, device }, 'send', 'x'));
    expect(await line.heard(2)).toMatch(/^retry /);
    expect(await line.heard(3)).toMatch(/^retry /);
    expect(JSON.stringify(line.said())).not.toContain('secret');
    expect(lines.filter(({ level }) => level === 50)).toHaveLength(1);
  });
});

describe('a frame that is none', () => {
  it.each([
    ['no JSON', '[{"n": 2', /not JSON/],
    ['no list', '{"n": 2}', /list of messages/],
    ['an empty list', '[]', /list of messages/],
    ['a message that is no object', '[7]', /message 1/],
    ['a question without a number', '[{"ask": "owed"}]', /message 1/],
    ['a number that is none', '[{"n": -1, "ask": "owed"}]', /message 1/],
    ['a question that there is not', '[{"n": 2, "ask": "sing"}]', /message 1/],
    ['a field that is unknown', '[{"n": 2, "ask": "owed", "colour": "red"}]', /colour/],
    ['a second one in it that is none', '[{"n": 2, "ask": "owed"}, {"n": 3}]', /message 2/],
    [
      'a second hello',
      '[{"hello": {"frames": {"first": 1, "last": 1}, "token": "x", "instance": "y", "version": "0"}}]',
      /second hello/,
    ],
  ])('ends its line, in words that say why, and no other: %s', async (_, frame, why) => {
    const { line, port, token, server } = await lined();
    line.socket.send(frame);
    expect((await line.bye())?.code).toBe('frame');
    expect((await line.bye())?.reason).toMatch(why);
    await line.closed;
    const again = await registered(port, token);
    again.send(verb(2, server, 'self'));
    expect(await again.heard(2)).toBe(`ok\n${server.device}\n`);
  });

  it('ends its line when it is binary, too large or no text', async () => {
    const { port } = await workerDoors();
    const ends = async (send: (line: Awaited<ReturnType<typeof lineTo>>) => void) => {
      const line = await lineTo(port);
      send(line);
      return [await line.closed, line.said()[0]?.bye?.reason];
    };
    expect(await ends(({ socket }) => socket.send(Buffer.from('[]')))).toEqual([
      1000,
      'this server cannot read a frame of it: it is binary, and not JSON text',
    ]);
    const large = `["${'x'.repeat(WORKER_FRAME_BYTES_MAX)}"]`;
    expect(await ends(({ socket }) => socket.send(large))).toEqual([1009, undefined]);
    const noText = Buffer.from([0xff, 0xfe]);
    expect(await ends(({ socket }) => socket.send(noText, { binary: false }))).toEqual([
      1007,
      undefined,
    ]);
  });

  it('ends its line when it comes before the hello, or asks with a number that is open', async () => {
    const { port, token, engine } = await workerDoors();
    const early = await lineTo(port);
    early.send({ n: 1, ask: 'register', boards: pandas(3) });
    expect((await early.bye())?.reason).toMatch(/the first one is no hello/);
    const line = await registered(port, token);
    const { job, client: device } = await pair(engine);
    line.send(verb(2, { job, device }, 'wait', 'x'), verb(2, { job, device }, 'wait', 'y'));
    expect((await line.bye())?.reason).toMatch(/question 2 is open already/);
  });
});

describe('an answer to a board', () => {
  it('is one when its verb is none, its words are no UTF-8, or its key is none', async () => {
    const { line, server } = await lined();
    const { key: _, ...keyless } = verb(2, server, 'send', 'x');
    line.send(
      keyless,
      verb(3, { ...server, key: 'short' }, 'send', 'x'),
      verb(4, server, 'sing'),
      { ...verb(5, server, 'send'), body: { base64: '//4K' } },
      { ...verb(6, server, 'send'), url: '/nowhere', method: 'DELETE' },
    );
    expect(await line.heard(2)).toMatch(/^refused .*key/);
    expect(await line.heard(3)).toMatch(/^refused .*key/);
    expect(await line.heard(4)).toMatch(/^refused .*no verb/);
    expect(await line.heard(5)).toMatch(/^refused .*UTF-8/);
    expect((await line.answer(6)).ok?.status).toBe(404);
  });
});

describe('a worker that does not read', () => {
  it('is not read on, so that its answers do not pile up, until it reads again', async () => {
    const { engine } = await doors({}, 3, { line: { line: 'x', instance: 'one', version: '0' } });
    const { job, server, client } = await pair(engine);
    let taken = 0;
    const counted = engineBut(engine, {
      call: (...call) => {
        taken += 1;
        return engine.call(...call);
      },
    });
    const { port, token } = await workerDoors({ engine: counted });
    const line = await registered(port, token);
    const words = Array.from({ length: 300 }, (_, i) => `k${i}=${'v'.repeat(200)}`);
    line.send(verb(2, { job, device: server }, 'send', 'big', ...words));
    await line.answer(2);
    line.socket.pause();
    const asks = 300;
    const ask = (from: number) => {
      for (let n = from; n < from + asks; n++)
        line.send(verb(n, { job, device: client }, 'wait-all', 'big', 'server'));
    };
    ask(3);
    await until(() => (taken === asks + 1 ? true : undefined));
    const turns = async () => {
      const health = `http://127.0.0.1:${port}/api/health`;
      for (let turn = 0; turn < 20; turn++) await (await fetch(health)).text();
    };
    await turns();
    ask(asks + 3);
    await turns();
    expect(taken).toBe(asks + 1);
    line.socket.resume();
    await line.answer(2 * asks + 2);
    expect(line.said()).toHaveLength(2 * asks + 1);
  });
});

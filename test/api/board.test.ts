import { describe, expect, it } from 'vitest';
import { WORDS_CONTENT_TYPE } from '../../api/board-words.ts';
import { memberToken } from '../../api/tokens.ts';
import type { RecordedEvent } from '../../machines/events.ts';
import { StoreUnavailable } from '../../store/port.ts';
import { doors, engineBut, finish, newKey, pair, said, say, secret, until } from './bench.ts';

async function eventsOf(
  engine: { jobEvents(id: number): AsyncIterable<RecordedEvent> },
  id: number,
) {
  const events: RecordedEvent[] = [];
  for await (const event of engine.jobEvents(id)) events.push(event);
  return events;
}

describe('the shell dialect', () => {
  it('tells a board its own name, its role and its group', async () => {
    const { app, engine } = await doors();
    const { job, server, client } = await pair(engine);
    const me = { job, device: client };
    expect(await say(app, me, 'self')).toBe(`ok\n${client}\n`);
    expect(await say(app, me, 'role')).toBe('ok\nclient\n');
    expect(await say(app, me, 'role', 'list')).toBe('ok\nserver\nclient\n');
    expect(await say(app, me, 'group')).toBe(`ok\n${server}\tserver\n${client}\tclient\n`);
    expect(await say(app, me, 'group', 'server')).toBe(`ok\n${server}\n`);
  });

  it('says nothing at all of a role that nobody has', async () => {
    const { app, engine } = await doors();
    const { job, client } = await pair(engine);
    expect(await say(app, { job, device: client }, 'group', 'nobody')).toBe('fail \n');
  });

  it('refuses words that a question does not take', async () => {
    const { app, engine } = await doors();
    const { job, client } = await pair(engine);
    const me = { job, device: client };
    expect(await say(app, me, 'self', 'x')).toMatch(/^refused /);
    expect(await say(app, me, 'role', 'x')).toMatch(/^refused /);
    expect(await say(app, me, 'group', 'a', 'b')).toMatch(/^refused /);
  });

  it('carries data from a send to a wait, whatever is in the values', async () => {
    const { app, engine } = await doors();
    const { job, server, client } = await pair(engine);
    const words = ['url=http://x/?a=b', 'text=100% "quoted" > ü 日本', 'empty='];
    expect(await say(app, { job, device: server }, 'send', 'ip', ...words)).toBe('ok\n');
    expect(await say(app, { job, device: client }, 'wait', 'ip')).toBe(`ok\n${words.join('\n')}\n`);
    expect(await say(app, { job, device: client }, 'wait-all', 'ip', 'server')).toBe(
      `ok\n${words.map((word) => `${server}:${word}`).join('\n')}\n`,
    );
  });

  it('lets the rules refuse and record a newline in a value and a message of 65 KiB', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    const me = { job, device: server };
    expect(await say(app, me, 'send', 'x', 'k=a\nb')).toMatch(/^refused .*newline/);
    expect(await say(app, me, 'send', 'x', `k=${'v'.repeat(65 * 1024)}`)).toMatch(
      /^refused .*65536/,
    );
    const refused = (await eventsOf(engine, job)).filter((e) => e.type === 'RequestRefused');
    expect(refused.map((e) => e.data.code)).toEqual(['bad-value', 'too-large']);
  });

  it('answers a body that is too large even to be read as a refusal', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    const answer = await say(
      app,
      { job, device: server },
      'send',
      'x',
      'v'.repeat(3 * 1024 * 1024),
    );
    expect(answer).toMatch(/^refused too large/);
  });

  it('refuses a wait for a role that the job does not have, and names those it has', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    const answer = await say(app, { job, device: server }, 'wait-all', 'x', 'nobody');
    expect(answer).toMatch(/^refused .*server, client/);
  });

  it('refuses an empty role, which is a word too', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    expect(await say(app, { job, device: server }, 'wait-all', 'x', '')).toMatch(/^refused .*""/);
  });

  it('refuses words that are not UTF-8, and records nothing', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    const before = (await eventsOf(engine, job)).length;
    const call = said('send', ['x'], { token: memberToken(secret, job, server) });
    const response = await app.inject({ ...call, payload: Buffer.from('x\nk=\xff\n', 'latin1') });
    expect(response.body).toMatch(/^refused .*UTF-8/);
    expect((await eventsOf(engine, job)).length).toBe(before);
  });

  it('counts a send once, however often it comes with its key', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    const key = newKey();
    for (let i = 0; i < 3; i++) await say(app, { job, device: server, key }, 'send', 'x');
    expect((await eventsOf(engine, job)).filter((e) => e.type === 'MessageSent')).toHaveLength(1);
  });

  it('refuses a change without a usable key', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    for (const key of ['short', 'with blank 123', 'x'.repeat(65)])
      expect(await say(app, { job, device: server, key }, 'send', 'x')).toMatch(
        /^refused .*Muster-Key/,
      );
  });

  it('says wait when a wait was held for long enough, and goes on with it when its key comes again', async () => {
    const { app, engine } = await doors({ heldMsMax: 20 });
    const { job, server, client } = await pair(engine);
    const key = newKey();
    expect(await say(app, { job, device: client, key }, 'sync', 'x')).toBe('wait\n');
    expect(await say(app, { job, device: server }, 'sync', 'x')).toBe('ok\n');
    expect(await say(app, { job, device: client, key }, 'sync', 'x')).toBe('ok\n');
    const sent = (await eventsOf(engine, job)).filter((e) => e.type === 'MessageSent');
    expect(sent).toHaveLength(2);
  });

  it('ends a wait that is given up, and answers whoever is on the line for it', async () => {
    const { app, engine } = await doors();
    const { job, client } = await pair(engine);
    const key = newKey();
    const held = say(app, { job, device: client, key }, 'wait', 'x');
    await until(() => (engine.heldWaits === 1 ? true : undefined));
    expect(await say(app, { job, device: client }, 'abandon', key)).toBe('ok\n');
    expect(await held).toMatch(/^fail /);
  });

  it('records suites and results of the board that says so', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    const me = { job, device: server };
    expect(await say(app, me, 'suite', 'start', '0_smoke', 'smoke')).toBe('ok\n');
    const words = [
      'case=boot',
      'result=pass',
      'measurement=1.5',
      'units=s',
      'note=two\nlines',
      'set=',
    ];
    expect(await say(app, me, 'result', ...words)).toBe('ok\n');
    expect(await say(app, me, 'suite', 'end', '0_smoke')).toBe('ok\n');
    const recorded = (await eventsOf(engine, job)).find((e) => e.type === 'ResultRecorded');
    expect(recorded?.data).toEqual({
      member: server,
      suite: '0_smoke',
      case: 'boot',
      result: 'pass',
      measurement: '1.5',
      units: 's',
      note: 'two lines',
    });
    expect(recorded?.meta).toMatchObject({ actor: `board:${server}`, console: 7 });
  });

  it.each([
    ['a result without a case', 'result', ['result=pass']],
    ['a result that is none', 'result', ['case=x', 'result=maybe']],
    ['a result of another board', 'result', ['case=x', 'result=pass', 'member=panda02']],
    [
      'a result that is too large',
      'result',
      ['case=x', 'result=pass', `note=${'x'.repeat(70_000)}`],
    ],
    ['a suite that does neither start nor end', 'suite', ['begin', 'x']],
    ['a suite without a name', 'suite', ['start']],
    ['a raise without a message', 'raise', []],
    ['the end of a wait without its key', 'abandon', []],
    ['a verb that there is not', 'frobnicate', []],
  ])('refuses %s', async (_, verb, words) => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    expect(await say(app, { job, device: server }, verb, ...words)).toMatch(/^refused /);
  });

  it('ends a member that raises: it hears nothing until its board is off, and is denied everything then', async () => {
    const { app, engine, boardsAreOff } = await doors({ heldMsMax: 20 });
    const { job, server } = await pair(engine);
    const me = { job, device: server };
    expect(await say(app, me, 'raise', 'no\nnetwork')).toBe('ok\n');
    const member = (await engine.job(job))?.members.find((m) => m.device === server);
    expect(member?.ended?.reason).toContain('no network');
    const verbs = ['self', 'role', 'group', 'send', 'sync'];
    for (const verb of verbs) expect(await say(app, me, verb)).toBe('wait\n');
    boardsAreOff();
    for (const verb of verbs) expect(await say(app, me, verb)).toMatch(/^denied /);
    expect(await say(app, me, 'result', 'case=x', 'result=pass')).toMatch(/^denied /);
  });

  it('tells a board that has not booted yet to come again', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    await engine.member(job, { type: 'StartBoot', member: server }, { actor: 'worker:here' });
    expect(await say(app, { job, device: server }, 'send', 'x')).toMatch(/^retry /);
  });

  it('tells a board to come again while the log cannot be written, and logs that once', async () => {
    const { engine } = await doors();
    const { job, server } = await pair(engine);
    const broken = engineBut(engine, {
      call: () => Promise.reject(new StoreUnavailable('disk full at /secret/place')),
    });
    const second = await doors({ engine: broken });
    const me = { job, device: server };
    for (let i = 0; i < 3; i++) {
      const answer = await say(second.app, me, 'send', 'x');
      expect(answer).toMatch(/^retry /);
      expect(answer).not.toContain('secret');
    }
    expect(second.lines).toHaveLength(1);
  });
});

describe('tokens', () => {
  it('denies a board without a token, with a forged one, and with the token of another board', async () => {
    const { app, engine } = await doors();
    const { job, server, client } = await pair(engine);
    const good = memberToken(secret, job, server);
    const mac = good.slice(good.lastIndexOf('.') + 1);
    const others = memberToken(Buffer.from('another secret'), job, server);
    for (const token of [
      undefined,
      '',
      'x',
      others,
      `mb1.${job}.${client}.${mac}`,
      `mb1.${job + 1}.${server}.${mac}`,
    ]) {
      const response = await app.inject(said('send', ['x'], token === undefined ? {} : { token }));
      expect(response.statusCode).toBe(200);
      expect(response.body).toMatch(/^denied /);
    }
    expect((await eventsOf(engine, job)).some((e) => e.type === 'MessageSent')).toBe(false);
  });

  it('denies a board with its own token of another job', async () => {
    const { app, engine, boardsAreOff } = await doors();
    const first = await pair(engine);
    for (const device of [first.server, first.client]) await finish(engine, first.job, device);
    boardsAreOff();
    const idle = () => engine.devices().every((device) => device.state.state === 'idle');
    await until(() => (idle() ? true : undefined));
    const second = await pair(engine);
    const devices = [first.server, first.client].filter(
      (device) => device === second.server || device === second.client,
    );
    expect(devices).not.toHaveLength(0);
    for (const device of devices) {
      const old = memberToken(secret, first.job, device);
      const altered = old.replace(`mb1.${first.job}.`, `mb1.${second.job}.`);
      for (const token of [old, altered])
        expect((await app.inject(said('self', [], { token }))).body).toMatch(/^denied /);
    }
  });

  it('denies a board in a job that it is no member of, though its token is well made', async () => {
    const { app, engine } = await doors();
    const { job } = await pair(engine);
    for (const device of ['panda03', 'nobody'])
      for (const verb of ['self', 'send'])
        expect(await say(app, { job, device }, verb)).toMatch(/^denied /);
    expect(await say(app, { job: 99, device: 'panda01' }, 'self')).toMatch(/^denied /);
    expect(await say(app, { job: 99, device: 'panda01' }, 'send', 'x')).toMatch(/^denied /);
  });

  it('denies the token of a job that has finished', async () => {
    const { app, engine, boardsAreOff } = await doors();
    const { job, server, client } = await pair(engine);
    for (const device of [server, client]) await finish(engine, job, device);
    expect((await engine.job(job))?.state).toBe('complete');
    boardsAreOff();
    for (const verb of ['self', 'send', 'wait', 'raise'])
      expect(
        await say(app, { job, device: server }, verb, ...(verb === 'self' ? [] : ['x'])),
      ).toMatch(/^denied .*ended/);
  });

  it('speaks only for the board of its token, in its own job', async () => {
    const { app, engine } = await doors({}, 6);
    const first = await pair(engine);
    const second = await pair(engine);
    await say(app, { job: first.job, device: first.server }, 'send', 'x', 'k=1');
    const sent = (await eventsOf(engine, first.job)).find((e) => e.type === 'MessageSent');
    expect(sent?.data).toMatchObject({ member: first.server });
    expect((await eventsOf(engine, second.job)).some((e) => e.type === 'MessageSent')).toBe(false);
  });
});

describe('the JSON dialect', () => {
  const json = (job: number, device: string) => ({
    authorization: `Bearer ${memberToken(secret, job, device)}`,
    'content-type': 'application/json',
    'muster-key': newKey(),
  });

  it('answers with a status, lines and a reason', async () => {
    const { app, engine } = await doors();
    const { job, server, client } = await pair(engine);
    const post = async (device: string, verb: string, words: unknown) => {
      const headers = json(job, device);
      const url = `/board/v1/${verb}`;
      return (await app.inject({ method: 'POST', url, headers, payload: { words } })).json();
    };
    expect(await post(server, 'send', ['x', 'a=1'])).toEqual({ status: 'ok', lines: [] });
    expect(await post(client, 'wait', ['x'])).toEqual({ status: 'ok', lines: ['a=1'] });
    expect(await post(client, 'wait', ['x', 'y'])).toMatchObject({ status: 'refused', lines: [] });
  });

  it('answers questions by GET, and changes by POST alone', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    const { authorization } = json(job, server);
    const get = (url: string) => app.inject({ url, headers: { authorization } });
    expect((await get('/board/v1/self')).json()).toEqual({ status: 'ok', lines: [server] });
    expect((await get('/board/v1/group?word=server')).json().lines).toEqual([server]);
    const refused = await get('/board/v1/send?word=x');
    expect(refused.statusCode).toBe(405);
    expect(refused.headers.allow).toBe('POST');
  });

  it('says wait when a wait was held for long enough', async () => {
    const { app, engine } = await doors({ heldMsMax: 20 });
    const { job, server } = await pair(engine);
    const response = await app.inject({
      method: 'POST',
      url: '/board/v1/wait',
      headers: json(job, server),
      payload: { words: ['x'] },
    });
    expect(response.json()).toEqual({ status: 'wait', lines: [] });
  });

  it('has problems for tokens, for members that have ended, and for bodies that are not right', async () => {
    const { app, engine, boardsAreOff } = await doors();
    const { job, server } = await pair(engine);
    const post = async (
      headers: Record<string, string>,
      payload: unknown,
      url = '/board/v1/send',
    ) => {
      const response = await app.inject({
        method: 'POST',
        url,
        headers,
        payload: payload as object,
      });
      expect(response.headers['content-type']).toContain('application/problem+json');
      return [response.statusCode, response.json().code];
    };
    const { authorization, ...without } = json(job, server);
    expect(await post(without, {})).toEqual([401, 'token-missing']);
    expect(await post({ ...without, authorization: `${authorization}x` }, {})).toEqual([
      403,
      'token-refused',
    ]);
    const mine = json(job, server);
    expect(await post(mine, '{"words": [')).toEqual([400, 'invalid-request']);
    expect(await post(mine, { words: 'x' })).toEqual([400, 'invalid-request']);
    expect(await post(mine, { words: ['x'], device: 'panda02' })).toEqual([400, 'invalid-request']);
    expect(await post(mine, { words: ['x'.repeat(3_000_000)] })).toEqual([413, 'too-large']);
    expect(await post(mine, {}, '/board/v1/frobnicate')).toEqual([404, 'not-found']);
    expect(await post({ ...mine, 'content-type': 'text/html' }, 'x')).toEqual([415, 'media-type']);
    await say(app, { job, device: server }, 'raise', 'over');
    boardsAreOff();
    expect(await post(mine, { words: ['x'] })).toEqual([409, 'member-ended']);
  });
});

describe('the word lines', () => {
  it('decode any byte, and leave a lone per cent sign as it is', async () => {
    const { app, engine } = await doors();
    const { job, server, client } = await pair(engine);
    const headers = {
      'content-type': WORDS_CONTENT_TYPE,
      'muster-key': newKey(),
      authorization: `Bearer ${memberToken(secret, job, server)}`,
    };
    const payload = 'x\nk=%C3%a9 100% %zz %2\nlast=unended';
    await app.inject({ method: 'POST', url: '/board/v1/send', headers, payload });
    expect(await say(app, { job, device: client }, 'wait', 'x')).toBe(
      'ok\nk=é 100% %zz %2\nlast=unended\n',
    );
  });
});

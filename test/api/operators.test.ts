/** Operators at the power and the console of a board: who may, what is recorded, and that the board always comes back. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { giveBackLeft } from '../../api/operator-consoles.ts';
import { SessionRecords } from '../../api/session-records.ts';
import { type BoardHands, HandsRefused, type OperatorEnd } from '../../wire/board-hands.ts';
import { allocated, jobOf, logOf, WORKER } from '../engine/bench.ts';
import { doors, until } from './bench.ts';

/** Boards that do as they are told, at once. */
class Hands implements BoardHands {
  readonly switched: string[] = [];
  readonly typed: string[] = [];
  operator: OperatorEnd | undefined;
  /** What it says instead. */
  refusal: HandsRefused | undefined;
  isSlow = false;
  isOpening = false;
  onOpen: () => Promise<void> = async () => {};

  async power(device: string, power: string, signal: AbortSignal): Promise<void> {
    if (this.isSlow) await once(signal, 'abort');
    if (this.refusal !== undefined) throw this.refusal;
    this.switched.push(`${device} ${power}`);
  }

  async openConsole(_device: string, _user: string, operator: OperatorEnd) {
    this.isOpening = true;
    await this.onOpen();
    if (this.refusal !== undefined) throw this.refusal;
    this.operator = operator;
    return {
      type: async (bytes: Uint8Array) => {
        this.typed.push(Buffer.from(bytes).toString('latin1'));
        await operator.printed(bytes);
      },
      leave: async () => operator.ended('it was left'),
    };
  }
}

async function lab(hands = new Hands(), options: Parameters<typeof doors>[0] = {}) {
  const reload = async () => ({ boards: 0, added: [], changed: [], removed: [], later: [] });
  const ownLab = { worker: WORKER, reload, hands: () => hands };
  const is = await doors({ ownLab, ...options });
  const url = await is.app.listen({ host: '127.0.0.1', port: 0 });
  const power = async (how: string, device = 'panda01') => {
    const answer = await is.app.inject({
      ...{ method: 'POST', url: `/api/devices/${device}/power`, payload: { power: how } },
    });
    return { status: answer.statusCode, body: answer.json() };
  };
  const socketUrl = `${url.replace('http', 'ws')}/api/devices`;
  const offline = (device = 'panda01') => is.engine.device(device)?.offline;
  const events = async () =>
    (await logOf(is)).filter(({ stream }) => stream === 'device-panda01').slice(1);
  /** Resolves when the board is given back, and anybody may have its console. */
  const over = (number = 1, device = 'panda01') =>
    until(async () => {
      const { consoles } = (await is.app.inject(`/api/devices/${device}/consoles`)).json();
      return consoles[number - 1]?.endedAt === undefined ? undefined : true;
    });
  return { ...is, over, hands, url, socketUrl, power, offline, events };
}

/** A client of a console. */
class Client {
  readonly socket: WebSocket;
  printed = '';
  said: object[] = [];
  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url, { headers });
    this.socket.on('message', (bytes: Buffer, isBinary) => {
      if (isBinary) this.printed += bytes.toString('latin1');
      else this.said.push(JSON.parse(bytes.toString()));
    });
    this.socket.on('error', () => {});
  }
  async opened(): Promise<this> {
    await until(() => (this.said.length > 0 ? true : undefined));
    return this;
  }
  async closed(): Promise<this> {
    await until(() => (this.socket.readyState === WebSocket.CLOSED ? true : undefined));
    return this;
  }
  /** What it is answered instead. */
  async refused(): Promise<{ status: number; detail: string; code: string }> {
    const [, response] = await once(this.socket, 'unexpected-response');
    let body = '';
    for await (const part of response) body += part;
    const { detail, code } = JSON.parse(body);
    return { status: response.statusCode, detail, code };
  }
}

describe('the power of a board', () => {
  test('is switched by whoever drives it, each time, and recorded with who asked', async () => {
    const { power, hands, events } = await lab();
    for (const how of ['on', 'reset', 'off', 'off'])
      expect(await power(how)).toMatchObject({ status: 200, body: { name: 'panda01' } });
    const switches = ['panda01 on', 'panda01 reset', 'panda01 off', 'panda01 off'];
    expect(hands.switched).toEqual(switches);
    const recorded = await events();
    expect(recorded.map(({ data }) => data)).toEqual(
      ['on', 'reset', 'off', 'off'].map((how) => ({ power: how, outcome: 'done' })),
    );
    expect(recorded[0]?.meta.actor).toBe('user:api');
  });

  test('that could not be switched is said and recorded with the reason', async () => {
    const { power, hands, events } = await lab();
    hands.refusal = new HandsRefused('power-failed', "the lab's power_on did not end within 1 s");
    expect(await power('on')).toMatchObject({
      ...{ status: 409, body: { code: 'power-failed', detail: hands.refusal.message } },
    });
    const reason = hands.refusal.message;
    expect((await events()).map(({ data }) => data)).toEqual([
      { power: 'on', outcome: 'failed', reason },
    ]);
  });

  test.each(['not-possible', 'not-idle'] as const)(
    'that nobody tried to switch is refused and not recorded: %s',
    async (code) => {
      const { power, hands, events } = await lab();
      hands.refusal = new HandsRefused(code, 'this cannot be');
      expect(await power('on')).toMatchObject({ status: 409, body: { code } });
      expect(await events()).toEqual([]);
    },
  );

  test('is a job’s as long as it has the board: the job is named', async () => {
    const { power, hands, engine } = await lab();
    const job = await allocated(engine, jobOf({ peer: 3 }));
    const detail = `job ${job} has panda01: cancel it first`;
    expect(await power('off')).toMatchObject({
      ...{ status: 409, body: { code: 'not-idle', detail, job } },
    });
    expect(hands.switched).toEqual([]);
  });

  test('of a board that there is not, or that nobody drives, is refused in words', async () => {
    const { power, engine } = await lab();
    expect(await power('off', 'panda99')).toMatchObject({ status: 404 });
    await engine.loseWorkersBut([], 'silence');
    expect(await power('off')).toMatchObject({ status: 409, body: { code: 'worker-away' } });
  });

  test('is on, off or reset and nothing else', async () => {
    const { power } = await lab();
    for (const how of ['', 'ON', 'cycle', 'off;reboot'])
      expect(await power(how)).toMatchObject({ status: 400 });
  });

  test('is broken off by a stop of the server, and that is recorded', async () => {
    const { power, hands, app, events } = await lab();
    hands.isSlow = true;
    hands.refusal = new HandsRefused('worker-away', 'it was broken off: it may be half done');
    const asked = power('reset');
    await new Promise((resolve) => setImmediate(resolve));
    await app.close();
    await asked;
    expect((await events()).map(({ data }) => data)).toMatchObject([{ outcome: 'failed' }]);
  });
});

describe('the console of a board', () => {
  test('takes it out of the queue, carries bytes both ways, keeps them, and gives it back', async () => {
    const { socketUrl, hands, offline, events, app } = await lab();
    const client = await new Client(`${socketUrl}/panda01/console?user=alice@lab`).opened();
    expect(client.said).toEqual([{ opened: { number: 1 } }]);
    expect(offline()).toBe('console of alice@lab');
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
    client.socket.send(bytes);
    await until(() => (client.printed.length === 256 ? true : undefined));
    expect(client.printed).toBe(bytes.toString('latin1'));
    client.socket.send('{"leave":true}');
    await client.closed();
    expect(client.said.at(-1)).toEqual({ ended: 'it was left' });
    expect(offline()).toBeNull();
    expect((await events()).map(({ type, data }) => [type, data])).toEqual([
      ['DeviceWentOffline', { reason: 'console of alice@lab' }],
      ['DeviceCameOnline', {}],
    ]);
    expect(hands.typed.join('')).toBe(bytes.toString('latin1'));
    const list = (await app.inject('/api/devices/panda01/consoles')).json();
    expect(list.consoles).toMatchObject([
      { number: 1, user: 'alice@lab', reason: 'it was left', bytes: 256 },
    ]);
    const kept = await app.inject('/api/devices/panda01/consoles/1');
    expect(kept.rawPayload).toEqual(bytes);
    expect((await app.inject('/api/devices/panda01/consoles/2')).statusCode).toBe(404);
  });

  test('is one operator’s: a second is told who has it', async () => {
    const { socketUrl } = await lab();
    await new Client(`${socketUrl}/panda01/console?user=alice`).opened();
    expect(await new Client(`${socketUrl}/panda01/console?user=bob`).refused()).toMatchObject({
      ...{ status: 409, code: 'console-taken', detail: 'alice has the console of panda01' },
    });
    await new Client(`${socketUrl}/panda02/console?user=bob`).opened();
  });

  test('is refused with the number of the job that has the board', async () => {
    const { socketUrl, engine, offline } = await lab();
    const job = await allocated(engine, jobOf({ peer: 3 }));
    expect(await new Client(`${socketUrl}/panda01/console`).refused()).toMatchObject({
      ...{ status: 409, code: 'not-idle', detail: `job ${job} has panda01: cancel it first` },
    });
    expect(offline()).toBeNull();
  });

  test('that whoever drives the board refuses leaves the board as it was', async () => {
    const { socketUrl, hands, offline } = await lab();
    hands.refusal = new HandsRefused('not-possible', 'a shell has no console');
    expect(await new Client(`${socketUrl}/panda01/console`).refused()).toMatchObject({
      ...{ status: 409, code: 'not-possible', detail: 'a shell has no console' },
    });
    expect(offline()).toBeNull();
    hands.refusal = undefined;
    await new Client(`${socketUrl}/panda01/console`).opened();
  });

  test('of a board that was offline leaves it offline', async () => {
    const { socketUrl, engine, offline } = await lab();
    await engine.setOffline('panda01', 'the SD card is worn out', { actor: 'user:test' });
    const client = await new Client(`${socketUrl}/panda01/console`).opened();
    client.socket.send('{"leave":true}');
    await client.closed();
    expect(offline()).toBe('the SD card is worn out');
  });

  test('of a board that somebody took out meanwhile leaves it so', async () => {
    const { socketUrl, engine, offline } = await lab();
    const client = await new Client(`${socketUrl}/panda01/console`).opened();
    await engine.setOffline('panda01', 'it smokes', { actor: 'user:test' });
    client.socket.close();
    await until(() => (client.socket.readyState === WebSocket.CLOSED ? true : undefined));
    expect(offline()).toBe('it smokes');
  });

  test('is over when its client is gone without a word', async () => {
    const { socketUrl, offline } = await lab();
    const client = await new Client(`${socketUrl}/panda01/console`).opened();
    client.socket.terminate();
    await until(() => (offline() === null ? true : undefined));
  });

  test('is over when its client goes while the board is still being opened', async () => {
    const { socketUrl, hands, offline, over } = await lab();
    const client = new Client(`${socketUrl}/panda01/console`);
    let open = () => {};
    hands.onOpen = () =>
      new Promise((resolve) => {
        open = resolve;
      });
    await until(() => (offline() === null ? undefined : true));
    client.socket.terminate();
    await client.closed();
    open();
    await over();
    expect(offline()).toBeNull();
  });

  test('that the board’s side ends is said with the reason', async () => {
    const { socketUrl, hands, offline } = await lab();
    const client = await new Client(`${socketUrl}/panda01/console`).opened();
    await hands.operator?.printed(Buffer.from('last words'));
    hands.operator?.ended('the line to the board was closed');
    await client.closed();
    expect(client.printed).toBe('last words');
    expect(client.said.at(-1)).toEqual({ ended: 'the line to the board was closed' });
    expect(offline()).toBeNull();
  });

  test('is no reason for a server not to stop while it is being opened', async () => {
    const { socketUrl, hands, app } = await lab();
    hands.onOpen = () => new Promise(() => {});
    const client = new Client(`${socketUrl}/panda01/console`);
    await until(() => (hands.isOpening ? true : undefined));
    await app.close();
    await client.closed();
  });

  test('is ended by a stop of the server, and the board given back', async () => {
    const { socketUrl, app, offline } = await lab();
    const client = await new Client(`${socketUrl}/panda01/console`).opened();
    await app.close();
    await client.closed();
    expect(offline()).toBeNull();
  });

  test('says when somebody switches the power meanwhile', async () => {
    const { socketUrl, power, hands } = await lab();
    const client = await new Client(`${socketUrl}/panda01/console`).opened();
    await power('reset');
    hands.refusal = new HandsRefused('power-failed', 'the outlet does not answer');
    await power('on');
    await until(() => (client.printed.includes('outlet') ? true : undefined));
    const lines = client.printed.split('\r\n').filter((line) => line !== '');
    expect(lines).toEqual([
      'muster: power reset',
      'muster: power reset: done',
      'muster: power on',
      'muster: power on: the outlet does not answer',
    ]);
  });

  test('needs the token, and a WebSocket', async () => {
    const { socketUrl, app } = await lab(new Hands(), { apiToken: 'secret' });
    const url = `${socketUrl}/panda01/console`;
    expect(await new Client(url).refused()).toMatchObject({ status: 401 });
    const wrong = new Client(url, { authorization: 'Bearer other' });
    expect(await wrong.refused()).toMatchObject({ status: 403 });
    const headers = { authorization: 'Bearer secret' };
    await new Client(url, headers).opened();
    const plain = await app.inject({ url: '/api/devices/panda02/console', headers });
    expect(plain.statusCode).toBe(426);
    const unknown = new Client(`${socketUrl}/panda99/console`, headers);
    expect(await unknown.refused()).toMatchObject({ status: 404 });
    const odd = new Client(`${socketUrl}/panda02/console?usr=x`, headers);
    expect(await odd.refused()).toMatchObject({ status: 400 });
  });

  test('is closed to words that are none of its own, and the board given back', async () => {
    const { socketUrl, offline, over } = await lab();
    const client = await new Client(`${socketUrl}/panda01/console`).opened();
    client.socket.send('ls -l');
    await client.closed();
    await over();
    expect(offline()).toBeNull();
    const large = await new Client(`${socketUrl}/panda01/console`).opened();
    large.socket.send(Buffer.alloc(2 * 1024 * 1024));
    await large.closed();
    await over(2);
    expect(offline()).toBeNull();
  });
});

test('the start of a server gives back the boards that an earlier life was killed with', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-records-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { engine } = await lab();
  const by = { actor: 'user:test' };
  const records = new SessionRecords(folder);
  const of = (device: string) => ({ device, user: 'alice', startedAt: 1 });
  const first = await records.begin({ ...of('panda01'), offline: 'console of alice' });
  await first.append(Buffer.from('half a wor'));
  await records.begin({ ...of('panda02'), offline: 'console of alice' });
  await records.begin(of('panda03'));
  await engine.setOffline('panda01', 'console of alice', by);
  await engine.setOffline('panda02', 'it smokes', by);
  await engine.setOffline('panda03', 'worn out', by);
  await giveBackLeft(new SessionRecords(folder), engine);
  expect(['panda01', 'panda02', 'panda03'].map((name) => engine.device(name)?.offline)).toEqual([
    ...[null, 'it smokes', 'worn out'],
  ]);
  expect(await records.list('panda01')).toMatchObject([{ reason: 'the server was killed' }]);
  expect(readFileSync(records.file('panda01', 1), 'utf8')).toBe('half a wor');
  expect(await records.open()).toEqual([]);
  expect((await records.begin(of('panda01'))).session.number).toBe(2);
});

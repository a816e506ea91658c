import { describe, expect, it } from 'vitest';
import { type NewEvent, UnreadableEvent } from '../../machines/events.ts';
import type { EventStore } from '../../store/port.ts';
import {
  allocated,
  booted,
  call,
  countsOf,
  finish,
  jobOf,
  startEngine,
  until,
  user,
  WORKER,
} from './bench.ts';
import { VirtualClock } from './virtual-clock.ts';

describe('the engine', () => {
  it('allocates a whole group, carries a barrier, and gives every board back', async () => {
    const { engine, store } = await startEngine();
    const id = await allocated(engine, jobOf({ server: 1, client: 2 }));
    const devices = await booted(engine, id);
    expect(devices).toHaveLength(3);
    const ends = await Promise.all(devices.map((d) => call(engine, id, d, 'sync ready')));
    expect(ends).toEqual(devices.map(() => ({ status: 'ok', lines: [] })));
    for (const device of devices) await finish(engine, id, device);
    expect((await engine.job(id))?.state).toBe('complete');
    await until(() => (engine.devices().every((d) => d.state.heldBy === null) ? true : undefined));
    const types: string[] = [];
    for await (const event of store.readAll()) types.push(event.type);
    expect(types.filter((t) => t === 'WaitReleased')).toHaveLength(3);
    await engine.stop();
  });

  it('runs the other jobs when the events of one cannot be read', async () => {
    const first = await startEngine();
    const damaged = await allocated(first.engine, jobOf({ one: 1 }));
    const sound = await allocated(first.engine, jobOf({ one: 1 }));
    await first.engine.stop();
    const read: EventStore['read'] = (stream, after) => {
      if (stream !== `job-${damaged}`) return first.store.read(stream, after);
      throw new UnreadableEvent({ stream, version: 2, type: 'JobAllocated' }, 'damaged');
    };
    const store = new Proxy(first.store, {
      get: (is, name: keyof EventStore) => {
        const own: unknown = name === 'read' ? read : is[name];
        return typeof own === 'function' ? own.bind(is) : own;
      },
    });
    const told: string[] = [];
    const options = { store, warn: (what: string) => void told.push(what) };
    const { engine } = await startEngine({ ...options, checkpoints: first.checkpoints });
    expect(told.join()).toContain(`job-${damaged} cannot be read`);
    expect((await engine.owed(WORKER)).map(({ job }) => job)).toEqual([sound]);
    await engine.stop();
  });

  it('answers a waiter when its message comes, with the data of that moment', async () => {
    const { engine } = await startEngine();
    const id = await allocated(engine, jobOf({ server: 1, client: 1 }));
    const [server = '', client = ''] = await booted(engine, id);
    const waiting = call(engine, id, client, 'wait ip', 'key-of-the-wait');
    await call(engine, id, server, 'send ip a=1 b=2');
    expect(await waiting).toEqual({ status: 'ok', lines: ['a=1', 'b=2'] });
    await call(engine, id, server, 'send ip a=9');
    expect(await call(engine, id, client, 'wait ip', 'key-of-the-wait')).toEqual({
      status: 'ok',
      lines: ['a=1', 'b=2'],
    });
    expect(await call(engine, id, client, 'wait ip')).toEqual({
      status: 'ok',
      lines: ['a=9', 'b=2'],
    });
    await engine.stop();
  });

  it('counts a send once however often its key is repeated', async () => {
    const { engine } = await startEngine();
    const id = await allocated(engine, jobOf({ server: 1, client: 1 }));
    const [server = ''] = await booted(engine, id);
    await Promise.all([1, 2, 3].map(() => call(engine, id, server, 'send x', 'same-key')));
    await call(engine, id, server, 'send x', 'same-key');
    expect(countsOf(await engine.job(id), 'x')).toEqual([1, 0]);
    await engine.stop();
  });

  it('keeps one board from answering with the key of another', async () => {
    const { engine } = await startEngine();
    const id = await allocated(engine, jobOf({ server: 1, client: 1 }));
    const [server = '', client = ''] = await booted(engine, id);
    await call(engine, id, server, 'send x', 'one-key');
    await call(engine, id, client, 'send x', 'one-key');
    expect(countsOf(await engine.job(id), 'x')).toEqual([1, 1]);
    await engine.stop();
  });

  it('gives the same job for the same key', async () => {
    const { engine } = await startEngine();
    const by = { actor: 'user:test', key: 'submit-once' };
    const job = { definition: jobOf({ a: 1 }), document: '{}' };
    const first = await engine.submit(job, by);
    expect((await engine.submit(job, by)).id).toBe(first.id);
    expect(engine.jobCount).toBe(1);
    await engine.stop();
  });

  it('gives no number that an imported job has, and the same one for the same key', async () => {
    const from = await startEngine();
    const job = { definition: jobOf({ a: 1 }), document: '{}' };
    for (const _ of [1, 2]) await from.engine.submit(job, user);
    await from.engine.stop();
    const { engine, store } = await startEngine();
    for (const stream of ['job-1', 'job-2'])
      for await (const { id, type, data, meta, version } of from.store.read(stream))
        await store.append(stream, version - 1, [{ id, type, data, meta } as NewEvent]);
    const by = { ...user, key: 'submit-once' };
    const mine = { ...job, document: '{"mine":true}' };
    const submitted = await Promise.all([engine.submit(mine, by), engine.submit(mine, by)]);
    expect(submitted.map(({ id }) => id)).toEqual([3, 3]);
    for await (const event of store.read('job-3'))
      if (event.type === 'JobSubmitted') expect(event.data.document).toBe(mine.document);
    await engine.stop();
  });

  it('records a job that can never have its boards as rejected', async () => {
    const { engine } = await startEngine();
    const job = { definition: jobOf({ a: 4 }), document: '{}' };
    const { id, state, short } = await engine.submit(job, { actor: 'user:test' });
    expect(state).toBe('rejected');
    expect(short).toHaveLength(1);
    expect((await engine.job(id))?.state).toBe('rejected');
    await engine.stop();
  });

  it('gives a wait up once nobody has been on the line for the grace, and not before', async () => {
    const time = new VirtualClock();
    const { engine } = await startEngine({ clock: time.clock });
    const id = await allocated(engine, jobOf({ server: 1, client: 1 }));
    const [server = '', client = ''] = await booted(engine, id);
    const gone = new AbortController();
    const first = call(engine, id, client, 'sync x', 'k1', gone.signal);
    await until(async () =>
      (await engine.job(id))?.conversation.waits.flat().length ? true : undefined,
    );
    gone.abort();
    expect(await first).toBeUndefined();
    await time.pass(9_000);
    const back = new AbortController();
    const second = call(engine, id, client, 'sync x', 'k1', back.signal);
    await until(() => (engine.heldWaits === 1 ? true : undefined));
    await time.pass(9_000);
    expect((await engine.job(id))?.conversation.waits.flat()).toHaveLength(1);
    back.abort();
    await second;
    await time.pass(10_000);
    await until(async () =>
      (await engine.job(id))?.conversation.waits.flat().length ? undefined : true,
    );
    // The retry is the same round: the server's one sync meets it.
    const again = call(engine, id, client, 'sync x', 'k2');
    expect(await call(engine, id, server, 'sync x')).toEqual({ status: 'ok', lines: [] });
    expect(await again).toEqual({ status: 'ok', lines: [] });
    await engine.stop();
  });

  it('takes up waits, deadlines and reservations from the log after a restart', async () => {
    const first = await startEngine();
    const id = await allocated(first.engine, jobOf({ server: 1, client: 1 }));
    const [server = '', client = ''] = await booted(first.engine, id);
    const cut = new AbortController();
    const waiting = call(first.engine, id, client, 'wait x', 'the-key', cut.signal);
    await until(async () =>
      (await first.engine.job(id))?.conversation.waits.flat().length ? true : undefined,
    );
    await first.engine.stop();
    cut.abort();
    await waiting;
    const { engine } = await startEngine(first);
    const resumed = call(engine, id, client, 'wait x', 'the-key');
    await call(engine, id, server, 'send x v=1');
    expect(await resumed).toEqual({ status: 'ok', lines: ['v=1'] });
    expect((await engine.job(id))?.conversation.waitCount).toBe(1);
    await engine.stop();
  });

  it('holds ten thousand waiters, and releases them all by one send', {
    timeout: 120_000,
  }, async () => {
    const { engine } = await startEngine();
    const id = await allocated(engine, jobOf({ server: 1, client: 1 }));
    const [server = '', client = ''] = await booted(engine, id);
    const waits = Array.from({ length: 10_000 }, () => call(engine, id, client, 'wait go'));
    await until(async () =>
      (await engine.job(id))?.conversation.waits.flat().length === 10_000 ? true : undefined,
    );
    await call(engine, id, server, 'send go n=1');
    const ends = await Promise.all(waits);
    expect(ends.filter((end) => end?.status === 'ok')).toHaveLength(10_000);
    await engine.stop();
  });
});

/** Two servers on one log: any of them takes any command, and no restart or break between them changes an outcome. */
import { describe, expect, it } from 'vitest';
import { type EventStore, StoreUnavailable } from '../../store/port.ts';
import { booted, call, finish, jobOf, pandas, stateOf, submit, until, user } from './bench.ts';
import { Cluster } from './cluster.ts';
import { quiet } from './virtual-clock.ts';

/** A job of one client and one server on four boards, booted; told by server a. */
async function running(cluster: Cluster) {
  const a = await cluster.start('a');
  const b = await cluster.start('b');
  const id = await submit(a.engine, jobOf({ server: 1, client: 1 }));
  await quiet();
  const [server = '', client = ''] = await booted(a.engine, id);
  await quiet();
  return { a, b, id, server, client };
}

/** A job on the boards of server b alone. */
const ON_BEAGLES = ['beagle01', 'beagle02'].map((device) => ({
  role: device,
  count: 1,
  device,
  tags: [],
}));

describe('two servers on one log', () => {
  it('take any command each: a job goes through both', async () => {
    const cluster = new Cluster();
    const { a, b, id, server, client } = await running(cluster);
    expect(await stateOf(b.engine, id)).toBe('allocated');
    await call(b.engine, id, server, 'send ip v=1');
    expect(await call(a.engine, id, client, 'wait ip')).toEqual({ status: 'ok', lines: ['v=1'] });
    await finish(b.engine, id, server);
    await finish(a.engine, id, client);
    await quiet();
    for (const { engine } of [a, b]) {
      expect(await stateOf(engine, id)).toBe('complete');
      expect(engine.devices().every((d) => d.state.heldBy === null)).toBe(true);
    }
    await cluster.check(true);
  });

  it('give jobs numbers one after another, and no number twice', async () => {
    const cluster = new Cluster();
    const [a, b] = [await cluster.start('a'), await cluster.start('b')];
    const all = Array.from({ length: 20 }, (_, i) =>
      submit(i % 2 === 0 ? a.engine : b.engine, jobOf({ r: 1 })),
    );
    expect((await Promise.all(all)).sort((x, y) => x - y)).toEqual(all.map((_, i) => i + 1));
  });

  it('give the same job for the same key', async () => {
    const cluster = new Cluster();
    const [a, b] = [await cluster.start('a'), await cluster.start('b')];
    const job = { definition: jobOf({ r: 1 }), document: '{}' };
    const by = { ...user, key: 'submit-once' };
    const [first, second] = await Promise.all([a.engine.submit(job, by), b.engine.submit(job, by)]);
    expect(second.id).toBe(first.id);
    expect(await cluster.streamsWith('JobSubmitted')).toHaveLength(1);
  });

  it('release a wait that one of them holds by an arrival at the other', async () => {
    const cluster = new Cluster();
    const { a, b, id, server, client } = await running(cluster);
    const held = call(a.engine, id, client, 'sync ready');
    await quiet();
    expect(a.engine.heldWaits).toBe(1);
    expect(await call(b.engine, id, server, 'sync ready')).toEqual({ status: 'ok', lines: [] });
    expect(await held).toEqual({ status: 'ok', lines: [] });
    expect(a.engine.heldWaits + b.engine.heldWaits).toBe(0);
  });

  it('allocate no board twice, and start every job, when both have the same plan', async () => {
    const cluster = new Cluster();
    const [a, b] = [await cluster.start('a'), await cluster.start('b')];
    const ids = await Promise.all(
      [a, b, a, b].map(({ engine }) => submit(engine, jobOf({ x: 2 }, { timeoutSeconds: 60 }))),
    );
    await cluster.time.pass(300_000);
    for (const id of ids) expect(await stateOf(a.engine, id)).toBe('timedOut');
    expect(await cluster.streamsWith('JobAllocated')).toHaveLength(4);
    await cluster.check(true);
  });
});

describe("a worker's limit", () => {
  it('holds when each server gives out another of its boards at the same time', async () => {
    const cluster = new Cluster();
    let letThrough = () => {};
    const held = new Promise<void>((resolve) => {
      letThrough = resolve;
    });
    const slow = (store: EventStore): EventStore => ({
      ...store,
      append: async (stream, version, events) => {
        if (stream === 'device-panda01' && events.some((e) => e.type === 'DeviceReserved'))
          await held;
        return store.append(stream, version, events);
      },
    });
    const a = await cluster.start('a', slow, { jobLimit: 1 });
    const on = (device: string, priority: number) => {
      const roles = [{ role: 'r', count: 1, device, tags: [] }];
      return jobOf({}, { roles, priority, timeoutSeconds: 60 });
    };
    const one = await submit(a.engine, on('panda01', 50));
    await quiet();
    const two = await submit(a.engine, on('panda02', 100));
    await cluster.start('b');
    await quiet();
    letThrough();
    await quiet();
    expect(await stateOf(a.engine, one)).toBe('submitted');
    expect(await stateOf(a.engine, two)).toBe('allocated');
    await cluster.time.pass(300_000);
    for (const id of [one, two]) expect(await stateOf(a.engine, id)).toBe('timedOut');
    await cluster.check(true);
  });
});

describe('a board whose line to one server broke', () => {
  /** Its wait is open at a, and nobody is on the line. */
  async function broken() {
    const cluster = new Cluster();
    const is = await running(cluster);
    const cut = new AbortController();
    const first = call(is.a.engine, is.id, is.client, 'wait go', 'its-key', cut.signal);
    await quiet();
    cut.abort();
    expect(await first).toBeUndefined();
    return { cluster, ...is };
  }

  it('comes back at the other with its key, and the first does not give it up', async () => {
    const { cluster, b, id, server, client } = await broken();
    await cluster.time.pass(5_000);
    const again = call(b.engine, id, client, 'wait go', 'its-key');
    await cluster.time.pass(60_000);
    expect(await cluster.streamsWith('WaitResumed')).toEqual([`job-${id}`]);
    expect(await cluster.streamsWith('WaitAbandoned')).toEqual([]);
    await call(b.engine, id, server, 'send go v=1');
    expect(await again).toEqual({ status: 'ok', lines: ['v=1'] });
  });

  it('is not given up by the first in the moment in which it comes back at the other', async () => {
    const cluster = new Cluster();
    let letThrough = () => {};
    const held = new Promise<void>((resolve) => {
      letThrough = resolve;
    });
    const a = await cluster.start('a', (store) => ({
      ...store,
      append: async (stream, version, events) => {
        if (events.some((e) => e.type === 'WaitAbandoned')) await held;
        return store.append(stream, version, events);
      },
    }));
    const b = await cluster.start('b');
    const id = await submit(a.engine, jobOf({ server: 1, client: 1 }));
    await quiet();
    const [server = '', client = ''] = await booted(a.engine, id);
    const cut = new AbortController();
    const first = call(a.engine, id, client, 'wait go', 'its-key', cut.signal);
    await quiet();
    cut.abort();
    await first;
    await cluster.time.pass(10_000);
    const again = call(b.engine, id, client, 'wait go', 'its-key');
    await quiet();
    letThrough();
    await quiet();
    expect(await cluster.streamsWith('WaitAbandoned')).toEqual([]);
    await call(b.engine, id, server, 'send go v=1');
    expect(await again).toEqual({ status: 'ok', lines: ['v=1'] });
  });

  it('is given up once when it comes back nowhere', async () => {
    const { cluster, b, id } = await broken();
    await cluster.time.pass(60_000);
    expect(await cluster.streamsWith('WaitAbandoned')).toEqual([`job-${id}`]);
    expect((await b.engine.job(id))?.conversation.waits.flat()).toEqual([]);
  });

  it('may go to and fro: each server lets go when it comes back at the other', async () => {
    const { cluster, a, b, id, server, client } = await broken();
    for (const { engine } of [b, a, b]) {
      const cut = new AbortController();
      const held = call(engine, id, client, 'wait go', 'its-key', cut.signal);
      await cluster.time.pass(9_000);
      cut.abort();
      await held;
    }
    const last = call(a.engine, id, client, 'wait go', 'its-key');
    await cluster.time.pass(60_000);
    expect(await cluster.streamsWith('WaitAbandoned')).toEqual([]);
    await call(b.engine, id, server, 'send go');
    expect(await last).toEqual({ status: 'ok', lines: [] });
  });

  it('hears at the other how its wait ended meanwhile', async () => {
    const { b, id, server, client } = await broken();
    await call(b.engine, id, server, 'send go v=1');
    expect(await call(b.engine, id, client, 'wait go', 'its-key')).toEqual({
      status: 'ok',
      lines: ['v=1'],
    });
  });

  it('hears at the other that its job was cancelled meanwhile', async () => {
    const { b, id, client } = await broken();
    await b.engine.cancel(id, 'enough', user);
    expect(await call(b.engine, id, client, 'wait go', 'its-key')).toEqual({
      status: 'fail',
      reason: expect.stringContaining('its board ended'),
    });
  });
});

describe('deadlines', () => {
  it('fire once, whichever server sees them first', async () => {
    const cluster = new Cluster();
    const { a, b, id } = await running(cluster);
    await cluster.time.pass(3_600_000);
    for (const { engine } of [a, b]) expect(await stateOf(engine, id)).not.toBe('allocated');
    expect(await cluster.streamsWith('MemberTimedOut')).toHaveLength(2);
    await cluster.check(true);
  });

  it('fire on the one that is left', async () => {
    const cluster = new Cluster();
    const { a, b, id } = await running(cluster);
    a.kill();
    await cluster.time.pass(3_700_000);
    expect(await stateOf(b.engine, id)).not.toBe('allocated');
    await cluster.check(true);
  });
});

describe('a server that is killed', () => {
  it('leaves its jobs to the other: a barrier goes on, and new jobs are started', async () => {
    const cluster = new Cluster();
    const a = await cluster.start('a');
    const b = await cluster.start('b');
    const definition = jobOf({}, { roles: ON_BEAGLES });
    const id = await submit(a.engine, definition);
    await quiet();
    const [one = '', two = ''] = await booted(a.engine, id);
    void call(a.engine, id, one, 'sync x', 'key-one');
    await quiet();
    a.kill();
    const again = call(b.engine, id, one, 'sync x', 'key-one');
    expect(await call(b.engine, id, two, 'sync x')).toEqual({ status: 'ok', lines: [] });
    expect(await again).toEqual({ status: 'ok', lines: [] });
    await finish(b.engine, id, one);
    await finish(b.engine, id, two);
    await quiet();
    const next = await submit(b.engine, definition);
    await quiet();
    expect(await stateOf(b.engine, next)).toBe('allocated');
    await cluster.check(false);
  });

  it('loses its worker when its word has run out: members on its boards fail by its fault', async () => {
    const cluster = new Cluster();
    const { a, b, id } = await running(cluster);
    a.kill();
    await cluster.time.pass(30_000);
    expect(await cluster.streamsWith('WorkerLost')).toEqual([]);
    await cluster.time.pass(90_000);
    expect(await cluster.streamsWith('WorkerLost')).toEqual(['worker-a']);
    const job = await b.engine.job(id);
    for (const member of job?.members ?? []) {
      const isOfA = member.device.startsWith('panda');
      if (isOfA) expect(member).toMatchObject({ state: 'failed', ended: { fault: 'worker' } });
      else expect(member.state).toBe('booted');
    }
    expect(b.engine.undriven('panda01')).toMatch(/worker a is lost/);
  });

  it('comes back and has its boards again', async () => {
    const cluster = new Cluster();
    const { a, b } = await running(cluster);
    a.kill();
    await cluster.time.pass(120_000);
    await cluster.start('a');
    await quiet();
    expect(b.engine.undriven('panda01')).toBeNull();
  });
});

describe('a log that tells of an append later than it answers', () => {
  it('still lets a worker know of the job that its boards were given', async () => {
    const cluster = new Cluster();
    const late = (store: EventStore): EventStore => ({
      ...store,
      subscribeAll: (after, onEvents) =>
        store.subscribeAll(after, (events) => setImmediate(() => onEvents(events))),
    });
    const { engine } = await cluster.start('a', late);
    const owed: number[] = [];
    engine.onChange(() => void engine.owed('a').then((entries) => owed.push(entries.length)));
    const id = await submit(engine, jobOf({ server: 1, client: 1 }));
    await until(async () => ((await stateOf(engine, id)) === 'allocated' ? true : undefined));
    await until(() => (owed.at(-1) === 2 ? true : undefined));
  });
});

describe('a log that goes away while a server reads what another one wrote', () => {
  /** Server b holds a wait of the client; the log goes away from it as it is about to read the message of the server. */
  async function reading() {
    const cluster = new Cluster();
    let isAway = false;
    let fail = () => {};
    const around = (store: EventStore): EventStore => ({
      ...store,
      async *read(...is) {
        if (isAway)
          await new Promise<never>((_, reject) => {
            fail = () => reject(new StoreUnavailable('away'));
          });
        yield* store.read(...is);
      },
    });
    const a = await cluster.start('a');
    const b = await cluster.start('b', around);
    const id = await submit(a.engine, jobOf({ server: 1, client: 1 }));
    await quiet();
    const [server = '', client = ''] = await booted(a.engine, id);
    const held = call(b.engine, id, client, 'wait go');
    await quiet();
    isAway = true;
    await call(a.engine, id, server, 'send go v=1');
    await quiet();
    const fails = async () => {
      fail();
      await quiet();
    };
    const comesBack = () => {
      isAway = false;
      return fails();
    };
    return { cluster, b, id, server, held, fails, comesBack };
  }
  const released = { status: 'ok', lines: ['v=1'] };

  it('keeps no command that comes meanwhile for ever', async () => {
    const { b, id, server, held, comesBack } = await reading();
    const sent = call(b.engine, id, server, 'send more');
    await comesBack();
    expect(await sent).toEqual({ status: 'ok', lines: [] });
    expect(await held).toEqual(released);
  });

  it('hears of it when it is back, though nothing more happens', async () => {
    const { cluster, held, fails, comesBack } = await reading();
    for (let round = 0; round < 3; round++) {
      await fails();
      await cluster.time.pass(1_000);
    }
    await comesBack();
    await cluster.time.pass(1_000);
    expect(await held).toEqual(released);
  });

  it('watches over a job that it could not read as the job got its boards', async () => {
    const cluster = new Cluster();
    let isAway = false;
    const around = (store: EventStore): EventStore => ({
      ...store,
      async *read(...is) {
        if (isAway) throw new StoreUnavailable('away');
        yield* store.read(...is);
      },
    });
    const a = await cluster.start('a');
    const b = await cluster.start('b', around);
    isAway = true;
    const id = await submit(a.engine, jobOf({}, { roles: ON_BEAGLES, timeoutSeconds: 600 }));
    await cluster.time.pass(5_000);
    isAway = false;
    await cluster.time.pass(1_000);
    a.kill();
    await cluster.time.pass(700_000);
    expect(await stateOf(b.engine, id)).toBe('timedOut');
  });

  it('asks no more once it was stopped', async () => {
    const { cluster, b, held, fails, comesBack } = await reading();
    await fails();
    await b.engine.stop();
    await cluster.time.pass(10_000);
    await comesBack();
    expect(await Promise.race([held, Promise.resolve('nothing')])).toBe('nothing');
  });
});

describe('workers', () => {
  it('that are here keep their word, and are never lost', async () => {
    const cluster = new Cluster();
    const { a, b } = await running(cluster);
    await cluster.time.pass(1_000_000);
    expect(await cluster.streamsWith('WorkerLost')).toEqual([]);
    for (const { engine } of [a, b]) expect(engine.undriven('panda01')).toBeNull();
  });

  it('whose word has run out are not here, though nobody was there to say so', async () => {
    const cluster = new Cluster();
    const a = await cluster.start('a', undefined, { tokenKey: 'key', boardUrl: 'http://a' });
    const isHere = async () => {
      const { engine, kill } = await cluster.start('b');
      const all = engine.otherServers().map((other) => other.isHere);
      kill();
      return all;
    };
    expect(await isHere()).toEqual([true]);
    a.kill();
    await cluster.time.pass(91_000);
    expect(await isHere()).toEqual([false]);
  });

  it('are not lost to a server whose clock is ahead', async () => {
    const cluster = new Cluster();
    const { a } = await running(cluster);
    await cluster.start('c', undefined, { aheadMs: 600_000 });
    await cluster.time.pass(1_000_000);
    expect(await cluster.streamsWith('WorkerLost')).toEqual([]);
    a.kill();
    await cluster.time.pass(120_000);
    expect(await cluster.streamsWith('WorkerLost')).toEqual(['worker-a']);
  });

  it('are not lost by a log that is away for longer than their word holds', async () => {
    const cluster = new Cluster();
    const without = new Set<string>();
    const around = (name: string) => (store: EventStore) => ({
      ...store,
      append: (...is: Parameters<EventStore['append']>) =>
        without.has(name) ? Promise.reject(new StoreUnavailable('away')) : store.append(...is),
    });
    await cluster.start('a', around('a'));
    await cluster.start('b', around('b'));
    without.add('a').add('b');
    await cluster.time.pass(200_000);
    // One of them reaches it a little earlier than the other.
    without.delete('a');
    await cluster.time.pass(5_000);
    without.delete('b');
    await cluster.time.pass(200_000);
    expect(await cluster.streamsWith('WorkerLost')).toEqual([]);
  });

  it('cannot take a board of another one that is here', async () => {
    const cluster = new Cluster();
    const { b } = await running(cluster);
    await expect(b.engine.connectWorker('b', pandas(1))).rejects.toMatchObject({
      code: 'board-taken',
      message: expect.stringMatching(/panda01 is a board of worker a/),
    });
  });

  it('may take a board of another one that is lost', async () => {
    const cluster = new Cluster();
    const { a, b } = await running(cluster);
    a.kill();
    await cluster.time.pass(120_000);
    await b.engine.connectWorker('b', pandas(1));
    expect(b.engine.undriven('panda01')).toBeNull();
  });
});

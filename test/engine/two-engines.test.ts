/** Two servers on one log: any of them takes any command, and no restart or break between them changes an outcome. */
import { describe, expect, it } from 'vitest';
import { LEASE_MS } from '../../engine/allocator.ts';
import type { EventStore } from '../../store/port.ts';
import { booted, call, finish, jobOf, stateOf, submit, user } from './bench.ts';
import { Cluster, ON_BEAGLES, running } from './cluster.ts';
import { quiet } from './virtual-clock.ts';

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

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

  it('give no board back whose job was allocated while they were about to: the log was slow', async () => {
    const cluster = new Cluster();
    const gates = { JobAllocated: gate(), AllocationVoided: gate() };
    const slow = (store: EventStore): EventStore => ({
      ...store,
      append: async (stream, version, events) => {
        for (const { type } of events)
          if (type === 'JobAllocated' || type === 'AllocationVoided') await gates[type].opened;
        return store.append(stream, version, events);
      },
    });
    const a = await cluster.start('a', slow);
    const b = await cluster.start('b', slow);
    const id = await submit(a.engine, jobOf({}, { roles: ON_BEAGLES }));
    // The reservations lapse, and the other server is about to give the boards back.
    await cluster.time.pass(LEASE_MS + 1_000);
    gates.JobAllocated.open();
    await cluster.time.pass(1_000);
    gates.AllocationVoided.open();
    await cluster.time.pass(1_000);
    expect(await cluster.streamsWith('DeviceReleased')).toEqual([]);
    expect(await stateOf(b.engine, id)).toBe('allocated');
    await cluster.check(false);
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

  it('hears nothing at the other when its job was cancelled meanwhile', async () => {
    const { b, id, client } = await broken();
    await b.engine.cancel(id, 'enough', user);
    const retry = call(b.engine, id, client, 'wait go', 'its-key');
    await expect(retry).rejects.toMatchObject({ code: 'member-ended' });
    expect(await b.engine.isSilenced(id, client)).toBe(true);
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

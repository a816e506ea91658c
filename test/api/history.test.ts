import { setMaxListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { History } from '../../api/history/history.ts';
import { PAGE_EVENTS_MAX } from '../../api/history/pages.ts';
import { Reads } from '../../api/history/reads.ts';
import { Shared } from '../../api/history/shared.ts';
import { Turns } from '../../api/history/turns.ts';
import { Unsent } from '../../api/history/unsent.ts';
import type { RecordedEvent } from '../../machines/events.ts';
import { doors, engineBut, listening, pair, say, until } from './bench.ts';

const forever = new AbortController().signal;
setMaxListeners(0, forever);
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A promise that somebody else resolves. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}

describe('reads of the past', () => {
  it('are few at once, and each begins in the order in which it was asked for', async () => {
    const reads = new Reads();
    const begun: number[] = [];
    const gates = Array.from({ length: 10 }, gate);
    const all = gates.map(({ opened }, at) =>
      reads.run('stream', forever, async () => {
        begun.push(at);
        await opened;
      }),
    );
    await turn();
    expect(begun).toEqual([0, 1]);
    gates[1]?.open();
    await until(() => (begun.length > 2 ? true : undefined));
    expect(begun).toEqual([0, 1, 2]);
    for (const { open } of gates) open();
    await Promise.all(all);
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('of a request come in between those of however many streams', async () => {
    const reads = new Reads();
    const begun: string[] = [];
    const read = (name: 'request' | 'stream') =>
      reads.run(name, forever, async () => void begun.push(name));
    await Promise.all([...Array.from({ length: 6 }, () => read('stream')), read('request')]);
    expect(begun.indexOf('request')).toBeLessThan(4);
  });

  it('are given up with whoever waits for them, and what failed keeps no place', async () => {
    const reads = new Reads();
    const held = [gate(), gate()];
    const running = held.map(({ opened }) => reads.run('stream', forever, () => opened));
    const gone = new AbortController();
    const begun: string[] = [];
    const left = reads.run('stream', gone.signal, async () => begun.push('left'));
    const failing = reads.run('stream', forever, () => Promise.reject(new Error('torn')));
    const last = reads.run('stream', forever, async () => begun.push('last'));
    gone.abort();
    await expect(left).rejects.toMatchObject({ code: 'stopping' });
    for (const { open } of held) open();
    await expect(failing).rejects.toThrow('torn');
    await Promise.all([...running, last]);
    expect(begun).toEqual(['last']);
  });
});

describe('a part that many want', () => {
  const part = (isLast: boolean) => ({ bytes: 1, isLast });

  it('is read once, and later too, when nothing can be added to it', async () => {
    const shared = new Shared();
    let reads = 0;
    const get = (generation?: number) =>
      shared.get('a', { generation, signal: forever }, async () => {
        reads++;
        return part(false);
      });
    await Promise.all([get(1), get(2), get()]);
    await get();
    expect(reads).toBe(1);
  });

  it('that is open is read anew by whoever has heard of more', async () => {
    const shared = new Shared();
    let reads = 0;
    const get = (generation?: number) =>
      shared.get('a', { generation, signal: forever }, async () => {
        reads++;
        return part(true);
      });
    for (const [generation, expected] of [
      [1, 1],
      [1, 1],
      [2, 2],
      [1, 2],
      [undefined, 3],
      [undefined, 4],
      [2, 5],
    ] as const) {
      await get(generation);
      expect([generation, reads]).toEqual([generation, expected]);
    }
  });

  it('that was begun before somebody heard of more is no answer for them', async () => {
    const shared = new Shared<{ bytes: number; isLast: boolean; version: number }>();
    const first = gate();
    let version = 0;
    const read = async () => {
      version++;
      const is = { ...part(true), version };
      if (version === 1) await first.opened;
      return is;
    };
    const early = shared.get('a', { generation: 1, signal: forever }, read);
    const late = shared.get('a', { generation: 2, signal: forever }, read);
    first.open();
    expect([(await early).version, (await late).version]).toEqual([1, 2]);
  });

  it('is read for as long as one of them is there', async () => {
    const shared = new Shared();
    const clients = [new AbortController(), new AbortController()];
    const held = gate();
    let signal = forever;
    const asked = clients.map((client) =>
      shared.get('a', { generation: 1, signal: client.signal }, async (wanted) => {
        signal = wanted;
        await held.opened;
        return part(false);
      }),
    );
    const gone = asked.map((each) => expect(each).rejects.toMatchObject({ code: 'stopping' }));
    clients[0]?.abort();
    expect(signal.aborted).toBe(false);
    clients[1]?.abort();
    expect(signal.aborted).toBe(true);
    await Promise.all(gone);
    held.open();
    const again = shared.get('a', { generation: 1, signal: forever }, async () => part(false));
    expect(await again).toEqual(part(false));
  });

  it('is forgotten, the longest unused first, when there are too many', async () => {
    const shared = new Shared();
    const read: string[] = [];
    const get = (name: string) =>
      shared.get(name, { generation: 1, signal: forever }, async () => {
        read.push(name);
        return { bytes: 12 * 1024 * 1024, isLast: false };
      });
    for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) await get(name);
    expect(read).toEqual(['a', 'b', 'c', 'b']);
  });
});

describe('work that may wait', () => {
  it('lets everything else have its turn between two slices', async () => {
    const turns = new Turns();
    const slow = () => {
      const end = performance.now() + 3;
      while (performance.now() < end);
    };
    let done = 0;
    const all = Array.from({ length: 20 }, () =>
      turns.run(forever, () => {
        slow();
        done++;
      }),
    );
    const seen: number[] = [];
    while (done < 20) {
      await turn();
      seen.push(done);
    }
    await Promise.all(all);
    expect(Math.max(...seen.map((now, at) => now - (seen[at - 1] ?? 0)))).toBe(1);
  });

  it('is not done for whoever has gone', async () => {
    const turns = new Turns();
    const gone = new AbortController();
    const done: string[] = [];
    const left = turns.run(gone.signal, () => done.push('left'));
    const stayed = turns.run(forever, () => done.push('stayed'));
    gone.abort();
    expect([await left, await stayed]).toEqual([undefined, 1]);
    expect(await turns.run(gone.signal, () => done.push('late'))).toBeUndefined();
    expect(done).toEqual(['stayed']);
  });
});

describe('what clients have not taken', () => {
  it('counts once where many share it, and drops who stood still the longest', () => {
    const unsent = new Unsent(100);
    const dropped: string[] = [];
    const shared = new Uint8Array(60);
    const hold = (name: string, chunk: Uint8Array) => unsent.hold(chunk, () => dropped.push(name));
    hold('a', shared);
    const free = hold('b', shared);
    hold('c', new Uint8Array(40));
    expect(dropped).toEqual([]);
    free();
    hold('d', new Uint8Array(1));
    expect(dropped).toEqual(['a']);
    hold('e', new Uint8Array(60));
    expect(dropped).toEqual(['a', 'c']);
  });
});

describe('many who follow', () => {
  const sse = 'accept: text/event-stream\r\n';

  /** A client that reads as a stream comes, and counts. */
  function follower(port: number, path: string, headers = sse) {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => {});
    socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n`);
    onTestFinished(() => void socket.destroy());
    return { socket, text: () => text };
  }

  /** A log of so many events that is never read faster than one page a turn. */
  async function longLog(events: number) {
    const lab = await doors();
    const { job, server } = await pair(lab.engine);
    const [first] = (await lab.app.inject(`/api/jobs/${job}/events?limit=1`)).json().events;
    const reads: [number, number][] = [];
    let open = 0;
    let openMax = 0;
    const engine = engineBut(lab.engine, {
      async *allEvents(after = 0, limit = events) {
        reads.push([after, limit]);
        openMax = Math.max(openMax, ++open);
        try {
          await turn();
          for (let at = after + 1; at <= Math.min(events, after + limit); at++)
            yield { ...first, position: at } as RecordedEvent;
        } finally {
          open--;
        }
      },
    });
    const { app } = await doors({ engine });
    return { app, engine, job, server, reads, openMax: () => openMax, port: await listening(app) };
  }

  it('share their pages, wherever they began, and few are read at once', async () => {
    const { port, reads, openMax } = await longLog(3_000);
    const all = Array.from({ length: 40 }, (_, at) => {
      const after = at < 20 ? 0 : at * 10;
      return { after, ...follower(port, `/api/events?after=${after}`) };
    });
    for (const { after, text } of all) {
      await until(() => (text().includes('\nid: 3000\n') ? true : undefined));
      const ids = [...text().matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
      expect(ids).toEqual(Array.from({ length: 3_000 - after }, (_, i) => after + 1 + i));
    }
    expect(openMax()).toBeLessThanOrEqual(2);
    // Each page of the log once, and one more for each place between two pages; the end of it again and again.
    const past = reads.filter(([after]) => after < 3_000);
    expect(past.length).toBeLessThanOrEqual(3_000 / PAGE_EVENTS_MAX + 20);
  });

  it('are read for no more once they have gone', async () => {
    const { port, reads } = await longLog(1_000_000);
    const all = Array.from({ length: 30 }, () => follower(port, '/api/events'));
    await until(() => (reads.length > 3 ? true : undefined));
    const ended = all.map(
      ({ socket }) => new Promise((resolve) => (socket as Socket).once('close', resolve).destroy()),
    );
    await Promise.all(ended);
    await until(async () => {
      const before = reads.length;
      for (let i = 0; i < 50; i++) await turn();
      return reads.length === before ? true : undefined;
    });
    expect(reads.length).toBeLessThan(500);
  });

  it('leave boards and the health their time, and live events come to each of them', async () => {
    const { app, port, job, server } = await longLog(100_000);
    const all = Array.from({ length: 100 }, () => follower(port, '/api/events'));
    await until(() => (all.every(({ text }) => text() !== '') ? true : undefined));
    for (let i = 0; i < 20; i++) {
      const from = performance.now();
      expect((await app.inject('/api/health')).statusCode).toBe(200);
      await say(app, { job, device: server }, 'self');
      // Thirty-four seconds, where nobody was rationed.
      expect(performance.now() - from).toBeLessThan(2_000);
    }
  });

  it('of a job that was followed before hear what happened while nobody did', async () => {
    const { app, engine } = await doors();
    const { job } = await pair(engine);
    const port = await listening(app);
    const path = `/api/jobs/${job}/events`;
    const before = follower(port, path);
    await until(() => (before.text().includes('\nevent: JobAllocated\n') ? true : undefined));
    before.socket.destroy();
    const open = () => new Promise<number>((done) => app.server.getConnections((_, n) => done(n)));
    await until(async () => ((await open()) === 0 ? true : undefined));
    await engine.cancel(job, 'no longer wanted', { actor: 'user:test' });
    const { text } = follower(port, path);
    await until(() => (text().includes('\nevent: end\n') ? true : undefined));
    expect(text()).toContain('\nevent: JobCancelled\n');
  });

  it('of one console look at it and read it as one', async () => {
    const { app, engine, consoleFile } = await doors();
    const { job, server } = await pair(engine);
    const bytes = Buffer.alloc(700_000, 'a line of a console\n');
    writeFileSync(consoleFile(job, server), bytes);
    const port = await listening(app);
    const path = `/api/jobs/${job}/members/${server}/console?follow=true`;
    const all = Array.from({ length: 50 }, () => follower(port, path, ''));
    for (const { text } of all)
      await until(() => (text().length > bytes.length ? true : undefined));
    writeFileSync(consoleFile(job, server), 'the end', { flag: 'a' });
    for (const { text } of all) await until(() => (text().includes('the end') ? true : undefined));
  });
});

describe('a page of the past', () => {
  it('is cut where its reader asks, wherever pages end', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    await Promise.all(
      Array.from({ length: 450 }, (_, i) => say(app, { job, device: server }, 'send', `m${i}`)),
    );
    const recorded: RecordedEvent[] = [];
    for await (const event of engine.jobEvents(job)) recorded.push(event);
    for (const [after, limit] of [
      [0, 1],
      [0, 200],
      [0, 201],
      [150, 100],
      [199, 2],
      [200, 200],
      [3, 1000],
    ] as const) {
      const { events, next } = (
        await app.inject(`/api/jobs/${job}/events?after=${after}&limit=${limit}`)
      ).json();
      expect(events).toEqual(recorded.slice(after, after + limit));
      expect(next).toBe(after + limit < recorded.length ? after + limit : undefined);
    }
  });

  it('of a job that is over is read in its turn, of one that lives at once', async () => {
    const { engine } = await doors();
    const { job } = await pair(engine);
    const history = new History(engine);
    const gone = AbortSignal.abort();
    expect(await history.job(job, gone)).toMatchObject({ state: 'allocated' });
    await expect(history.job(99, gone)).rejects.toMatchObject({ code: 'stopping' });
  });
});

/** A key stands for one request: a repeat is answered the same, anything else under it is refused (SEMANTICS 2.4). */
import { describe, expect, it } from 'vitest';
import { allocated, booted, call, countsOf, jobOf, startEngine, user } from './bench.ts';
import { quiet, VirtualClock } from './virtual-clock.ts';

async function pair() {
  const time = new VirtualClock();
  const { engine } = await startEngine({ clock: time.clock });
  const id = await allocated(engine, jobOf({ server: 1, client: 1 }));
  const [server = '', client = ''] = await booted(engine, id);
  return { engine, id, server, client };
}

const reused = { code: 'key-reused', message: expect.stringContaining('a key of its own') };

describe('a key that is known', () => {
  it.each([
    ['send x a=1', 'send x a=2'],
    ['send x', 'send y'],
    ['send x', 'wait x'],
    ['send x', 'sync x'],
    ['sync x', 'send x'],
    ['send x word', 'send x k=v'],
    ['wait-all x server', 'wait-all x'],
  ])('of "%s" is refused to "%s", and nothing is recorded', async (first, second) => {
    const { engine, id, client } = await pair();
    const gone = new AbortController();
    const before = call(engine, id, client, first, 'the-one-key', gone.signal);
    await quiet();
    gone.abort();
    await before;
    const counts = countsOf(await engine.job(id), 'x');
    await expect(call(engine, id, client, second, 'the-one-key')).rejects.toMatchObject(reused);
    expect(countsOf(await engine.job(id), 'x')).toEqual(counts);
    await engine.stop();
  });

  it('is answered the same when the same request comes again, a refused one too', async () => {
    const { engine, id, client } = await pair();
    for (const words of ['send x a=1', 'send x word', 'send']) {
      const key = `key of ${words}`;
      const first = await call(engine, id, client, words, key);
      expect(await call(engine, id, client, words, key)).toEqual(first);
    }
    await engine.stop();
  });

  it('of another board is a key of its own', async () => {
    const { engine, id, server, client } = await pair();
    await call(engine, id, client, 'send x', 'the-one-key');
    expect(await call(engine, id, server, 'send y', 'the-one-key')).toMatchObject({ status: 'ok' });
    await engine.stop();
  });

  it('of a result is refused to another result', async () => {
    const { engine, id, client } = await pair();
    const by = { actor: `board:${client}`, key: 'the-one-key' };
    const result = { type: 'RecordResult', member: client, case: 'ping', result: 'pass' } as const;
    await engine.member(id, result, by);
    await engine.member(id, result, by);
    await expect(engine.member(id, { ...result, result: 'fail' }, by)).rejects.toMatchObject(
      reused,
    );
    await engine.stop();
  });

  it('of a submission is refused to another document, and gives the same job for the same one', async () => {
    const { engine } = await pair();
    const by = { ...user, key: 'submit-once' };
    const job = { definition: jobOf({ r: 1 }), document: '{"a": 1}' };
    const { id } = await engine.submit(job, by);
    expect((await engine.submit(job, by)).id).toBe(id);
    await expect(engine.submit({ ...job, document: '{"a": 2}' }, by)).rejects.toMatchObject(reused);
    expect(engine.jobCount).toBe(id);
    await engine.stop();
  });
});

/** Servers of several versions on one log: what each of them reads is what all of them write. */
import { describe, expect, it } from 'vitest';
import { Engine } from '../../engine/engine.ts';
import type { DataOf, NewEvent } from '../../machines/events.ts';
import { VOCABULARY } from '../../machines/versions.ts';
import { memoryCheckpoints } from '../../store/checkpoints.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { allocated, booted, jobOf, logOf, startEngine } from './bench.ts';
import { quiet, VirtualClock } from './virtual-clock.ts';

/** A server of another version says what it reads and writes, as it connects. */
async function logWith(vocabulary: DataOf<'WorkerConnected'>['vocabulary'], until: number) {
  const store = openMemoryStore();
  const event = {
    type: 'WorkerConnected',
    id: '01a210ec-0000-7000-8000-000000000001',
    data: { boards: [], until, vocabulary },
    meta: {
      at: until - 90_000,
      actor: 'worker:other',
      causationId: 'its-start',
      correlationId: 'worker-other',
      schema: 2,
    },
  } as unknown as NewEvent;
  await store.append('worker-other', 0, [event]);
  return store;
}

const file = { name: 'dmesg', bytes: 3, digest: 'd'.repeat(64) };

describe('a log that servers of two versions share', () => {
  it('is written in what both read, and in all that is new once the older one has gone', async () => {
    const time = new VirtualClock();
    const store = await logWith({ reads: 1, writes: 1 }, time.now() + 90_000);
    const { engine } = await startEngine({ store, shared: true, clock: time.clock });
    const id = await allocated(engine, jobOf({ r: 1 }));
    const [member = ''] = await booted(engine, id);
    const by = { actor: 'worker:here' };
    const keep = () => engine.member(id, { type: 'KeepAttachment', member, ...file }, by);
    await expect(keep()).rejects.toMatchObject({ code: 'too-new' });
    await engine.member(id, { type: 'NoteGarbledSignal', member, text: '<LAVA' }, by);
    const types = async () => (await logOf({ store })).map(({ type }) => type);
    expect(await types()).not.toContain('SignalGarbled');
    // Its word runs out; this server keeps its own.
    await time.pass(120_000);
    await quiet();
    expect(engine.directory.workers.get('other')?.state.state).toBe('lost');
    await keep();
    expect(await types()).toContain('AttachmentKept');
    const said = (await logOf({ store })).filter(
      ({ type, stream }) => type === 'WorkerConnected' && stream === 'worker-here',
    );
    expect(said.map(({ data }) => 'vocabulary' in data && data.vocabulary)).toEqual([
      false,
      { reads: VOCABULARY, writes: VOCABULARY },
    ]);
    await engine.stop();
  });
});

describe('a log in which a newer version writes what this one cannot read', () => {
  it('is refused at the start, with what to do', async () => {
    const newer = { reads: VOCABULARY + 1, writes: VOCABULARY + 1 };
    const store = await logWith(newer, 1_700_000_090_000);
    const engine = new Engine({ store, checkpoints: memoryCheckpoints(), shared: true });
    await expect(engine.start()).rejects.toMatchObject({
      code: 'store-refused',
      message: expect.stringContaining('Start that version here too, or restore a backup'),
    });
    await engine.stop();
  });

  it('is taken while that version still writes what this one reads', async () => {
    const newer = { reads: VOCABULARY + 1, writes: VOCABULARY };
    const store = await logWith(newer, 1_700_000_090_000);
    const engine = new Engine({ store, checkpoints: memoryCheckpoints(), shared: true });
    await engine.start();
    await engine.stop();
  });
});

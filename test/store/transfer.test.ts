/** Export and import: the same events in another log, in the same order, once. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { openMemoryStore } from '../../store/memory.ts';
import type { EventStore } from '../../store/port.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite.ts';
import { exportText, importEvents } from '../../store/transfer.ts';
import { asNew, collect, many, sent, type Undo, undoAll } from './events.ts';

const undo: Undo = [];
afterEach(() => undoAll(undo));

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'muster-transfer-'));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function sqlite(): Promise<EventStore> {
  const store = await openSqliteStore({ file: join(newFolder(), 'log.db') });
  undo.push(() => store.close());
  return store;
}

async function exported(store: EventStore): Promise<string> {
  const file = join(newFolder(), 'log.jsonl');
  writeFileSync(file, (await collect(exportText(store.readAll(), () => {}))).join(''));
  return file;
}

/** Streams that take turns, with every part that an event can have. */
async function filled(store: EventStore): Promise<EventStore> {
  await store.append('job-1', 0, many(3));
  await store.append('device-a', 0, [sent('\u2028 "\\ \ud83d\udc3c', [['k', 'ü']])]);
  const full = {
    ...sent(),
    meta: { ...sent().meta, key: 'k', console: 7, causationId: sent().id },
  };
  await store.append('job-1', 3, [full]);
  await store.append('device-a', 1, many(2_500));
  await store.append('job-2', 0, [sent()]);
  return store;
}

const contentOf = async (store: EventStore) =>
  (await collect(store.readAll())).map((event) => ({
    stream: event.stream,
    version: event.version,
    ...asNew(event),
  }));

it('carries a log from one adapter to another and back: the same events in the same order', async () => {
  const from = await filled(await sqlite());
  const between = openMemoryStore();
  const back = await sqlite();
  await importEvents(between, await exported(from), 1, () => {});
  const done = await importEvents(back, await exported(between), 256, () => {});
  expect(await contentOf(back)).toEqual(await contentOf(from));
  expect(done).toEqual({ events: 2_506, known: 0, streams: 3 });
});

it('changes nothing when it is imported again, and adds what is new', async () => {
  const from = await filled(await sqlite());
  const into = await sqlite();
  const first = await exported(from);
  await importEvents(into, first, 256, () => {});
  const again = await importEvents(into, first, 256, () => {});
  expect(again).toEqual({ events: 2_506, known: 2_506, streams: 3 });
  await from.append('job-2', 1, many(2));
  await from.append('job-1', 4, many(2));
  const more = await importEvents(into, await exported(from), 256, () => {});
  expect(more).toEqual({ events: 2_510, known: 2_506, streams: 3 });
  expect(await contentOf(into)).toEqual(await contentOf(from));
});

it('goes on where an import was broken off, and keeps the order', async () => {
  const from = await filled(await sqlite());
  const file = await exported(from);
  const into = await sqlite();
  let left = 2;
  const failing: EventStore = Object.assign(Object.create(into), {
    head: () => into.head(),
    read: into.read.bind(into),
    append: (...is: Parameters<EventStore['append']>) => {
      left -= 1;
      return left < 0 ? Promise.reject(new Error('broken off')) : into.append(...is);
    },
  });
  await expect(importEvents(failing, file, 1, () => {})).rejects.toThrow('broken off');
  await importEvents(into, file, 256, () => {});
  expect(await contentOf(into)).toEqual(await contentOf(from));
});

it('names the stream and the line when the log has other events', async () => {
  const file = await exported(await filled(await sqlite()));
  const into = await sqlite();
  await into.append('device-a', 0, [sent()]);
  await expect(importEvents(into, file, 1, () => {})).rejects.toMatchObject({
    code: 'transfer-refused',
    message: expect.stringMatching(/line 4: device-a has another event 1/),
  });
});

it('refuses a job whose beginning is missing, in words', async () => {
  const from = await sqlite();
  await from.append('job-1', 0, many(3));
  const file = join(newFolder(), 'end.jsonl');
  const tail = exportText(from.read('job-1', 1), () => {});
  writeFileSync(file, (await collect(tail)).join(''));
  await expect(importEvents(await sqlite(), file, 1, () => {})).rejects.toMatchObject({
    message: expect.stringMatching(/line 1: job-1 does not go on with event 2/),
  });
});

it('notices a file that was cut off at any byte', async () => {
  const from = await sqlite();
  await from.append('job-1', 0, many(3));
  const whole = readFileSync(await exported(from));
  const file = join(newFolder(), 'cut.jsonl');
  // Without its last line feed the last line is whole.
  for (let bytes = 0; bytes < whole.length - 1; bytes += 1) {
    writeFileSync(file, whole.subarray(0, bytes));
    const cut = importEvents(openMemoryStore(), file, 1, () => {});
    await expect(cut, `${bytes} bytes`).rejects.toMatchObject({ code: 'transfer-refused' });
  }
});

it.each([
  ['no JSON', 'plain text', /line 2: no JSON/],
  ['something else', '{"hello":1}', /line 2: no event/],
  ['a line that is missing', '', /line 3: 3 events were written and 2 are here/],
  [
    'an unknown event',
    '{"stream":"job-1","version":2,"id":"x","type":"New","data":{},"meta":{}}',
    /line 2: job-1 event 2 \(New\)/,
  ],
])('says which line has %s', async (_, line, says) => {
  const from = await sqlite();
  await from.append('job-1', 0, many(3));
  const file = await exported(from);
  const lines = readFileSync(file, 'utf8').split('\n');
  lines.splice(1, 1, ...(line === '' ? [] : [line]));
  writeFileSync(file, lines.join('\n'));
  await expect(importEvents(openMemoryStore(), file, 1, () => {})).rejects.toMatchObject({
    code: 'transfer-refused',
    message: expect.stringMatching(says),
  });
});

/** A process of its own for the tests that kill, trace or lock one. What it says is one JSON line each. */
import { mkdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { lockFolder } from '../../store/lock.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite.ts';
import { many, sent } from './events.ts';
import { everyPlacing } from './placings.ts';

const LANES = 8;

/** Written at once, so that a line that was read is a line that was said before the kill. */
const say = (what: unknown): void => {
  writeSync(1, `${JSON.stringify(what)}\n`);
};

/** Appends in lanes until it is killed; says every event when it is acknowledged, and when it is heard. */
async function append(file: string, round: string, where: string): Promise<void> {
  const store = await openSqliteStore({ file, placing: everyPlacing[where]?.() });
  store.subscribeAll(await store.head(), (events) => {
    for (const { id, stream, version } of events) say({ id, stream, version });
  });
  const lane = async (stream: string) => {
    for (let version = 0; ; version += 2) {
      const events = many(2);
      await store.append(stream, version, events);
      for (const [index, { id }] of events.entries())
        say({ id, stream, version: version + index + 1 });
    }
  };
  await Promise.all(
    Array.from({ length: LANES }, (_, index) => lane(`round-${round}-lane-${index}`)),
  );
}

/** Appends one by one, then all at once, with folders as marks for whoever traces its calls. */
async function syncs(dir: string, count: number): Promise<void> {
  const store = await openSqliteStore({ file: join(dir, 'log.db') });
  await store.append('first', 0, [sent()]);
  const mark = (name: string) => mkdirSync(join(dir, `mark-${name}`));
  mark('sequential');
  for (let version = 0; version < count; version += 1)
    await store.append('sequential', version, [sent()]);
  mark('concurrent');
  await Promise.all(
    Array.from({ length: count }, (_, index) => store.append(`stream-${index}`, 0, [sent()])),
  );
  mark('end');
  await store.close();
}

/** Takes the lock and holds it until stdin ends, or says why it was refused. */
async function lock(dir: string): Promise<void> {
  try {
    const held = await lockFolder(dir);
    say({ pid: process.pid });
    process.stdin.resume().on('end', () => held.release());
  } catch (error) {
    say({ refused: error instanceof Error ? error.message : String(error) });
  }
}

const [mode, target = '', more = '', where = ''] = process.argv.slice(2);
if (mode === 'append') await append(target, more, where);
else if (mode === 'syncs') await syncs(target, Number(more));
else if (mode === 'lock') await lock(target);
else throw new Error(`unknown mode ${mode}`);

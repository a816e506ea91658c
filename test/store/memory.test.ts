/** The memory adapter: the contract, and what only it promises. */
import { expect, it } from 'vitest';
import { openMemoryStore } from '../../store/memory.ts';
import { ConcurrencyConflict } from '../../store/port.ts';
import { describeEventStore } from './contract.ts';
import { collect, many, sent } from './events.ts';

describeEventStore('memory', async () => ({
  store: openMemoryStore(),
  reopen: 'memory keeps nothing',
  dispose: async () => {},
}));

it('leaves gaps between positions, so that nobody counts on them', async () => {
  const store = openMemoryStore();
  await store.append('job-1', 0, many(2));
  const [first, second] = await collect(store.readAll());
  expect(second!.position - first!.position).toBeGreaterThan(1);
});

it('refuses an id that is anywhere in the log', async () => {
  const store = openMemoryStore();
  const event = sent();
  await store.append('job-1', 0, [event]);
  await expect(store.append('job-2', 0, [event])).rejects.toBeInstanceOf(ConcurrencyConflict);
  await expect(store.append('job-1', 1, [event])).rejects.toBeInstanceOf(ConcurrencyConflict);
});

it('answers in a later microtask, never in the call itself', async () => {
  const store = openMemoryStore();
  let isHeard = false;
  await store.subscribeAll(0, () => {
    isHeard = true;
  }).caughtUp;
  const appended = store.append('job-1', 0, [sent()]);
  expect(isHeard).toBe(false);
  await appended;
  expect(isHeard).toBe(true);
});

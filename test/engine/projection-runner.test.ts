/** What a server that starts says of a log that it reads for long. */
import { expect, it } from 'vitest';
import { type Projection, ProjectionRunner } from '../../engine/projection-runner.ts';
import { memoryCheckpoints } from '../../store/checkpoints.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { many } from '../store/events.ts';

const counting: Projection<{ events: number }> = {
  name: 'directory',
  version: 1,
  needless: new Set(),
  empty: () => ({ events: 0 }),
  apply: (state) => void state.events++,
  toJson: (state) => state,
  fromJson: () => ({ events: 0 }),
};
const APPEND_EVENTS = 15_000;

/** All that it said, of a log of so many events at its start and so many later. */
async function saidOf(before: number, after: number): Promise<string[]> {
  const store = openMemoryStore();
  const append = async (from: number, to: number) => {
    let position = 0;
    for (let version = from; version < to; version += APPEND_EVENTS)
      ({ position } = await store.append('job-1', version, many(APPEND_EVENTS)));
    return position;
  };
  const said: string[] = [];
  const runner = new ProjectionRunner(
    counting,
    store,
    memoryCheckpoints(),
    () => {},
    (what) => said.push(what),
  );
  await append(0, before);
  await runner.start();
  await runner.reached(await append(before, before + after));
  expect(runner.state.events).toBe(before + after);
  return said;
}

it('is said once of a long log, and not of a short one', async () => {
  const long = /^the log is long since the last checkpoint of the directory/;
  expect(await saidOf(120_000, 0)).toEqual([expect.stringMatching(long)]);
  expect(await saidOf(90_000, 0)).toEqual([]);
});

it('is not said of what comes while it runs', async () => {
  expect(await saidOf(0, 120_000)).toEqual([]);
});

/** Reports on their way to a server, on the worker's own disk. */
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type Report, Spool } from '../../worker/spool.ts';

async function place(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-spool-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'reports.jsonl');
}

const report = (n: number): Report => ({
  job: 1,
  command: { type: 'StartAction', member: 'panda01', action: n },
  key: `key ${n}`,
});

const keysOf = (left: readonly { report: Report }[]) => left.map((each) => each.report.key);

it('what has no answer comes back in a later life, in order, and what has one does not', async () => {
  const file = await place();
  const { spool } = await Spool.open(file);
  const ids = [];
  for (let n = 1; n <= 5; n++) ids.push(await spool.add(report(n)));
  spool.done(ids[0]);
  spool.done(ids[3]);
  await spool.synced();
  // Its file is not written anew for each answer: what was answered may be reported again, with its key.
  const crashed = await Spool.open(file);
  expect(keysOf(crashed.left)).toEqual(['key 1', 'key 2', 'key 3', 'key 4', 'key 5']);
  for (const { id, report } of crashed.left) if (report.key < 'key 3') crashed.spool.done(id);
  await crashed.spool.close();
  const again = await Spool.open(file);
  expect(keysOf(again.left)).toContain('key 5');
  for (const { id } of again.left) again.spool.done(id);
  await again.spool.close();
  expect(await readFile(file, 'utf8')).toBe('');
  await spool.close();
});

it('a line that a crash tore is none, and what comes behind it is there', async () => {
  const file = await place();
  const first = await Spool.open(file);
  await first.spool.add(report(1));
  await first.spool.close();
  const [line = ''] = (await readFile(file, 'utf8')).split('\n');
  for (let cut = 0; cut < line.length; cut++) {
    await rm(file);
    await appendFile(file, `${line}\n${line.slice(0, cut)}`);
    const { spool, left } = await Spool.open(file);
    expect(keysOf(left)).toEqual(['key 1']);
    await spool.add(report(2));
    await spool.close();
    const again = await Spool.open(file);
    expect(keysOf(again.left)).toEqual(['key 1', 'key 2']);
    await again.spool.close();
  }
});

it('beyond its room nothing is taken, until something has its answer', async () => {
  const bytesMax = JSON.stringify(report(1)).length * 2;
  const { spool } = await Spool.open(await place(), bytesMax);
  const first = await spool.add(report(1));
  expect(await spool.add(report(2))).toBeDefined();
  expect(await spool.add(report(3))).toBeUndefined();
  spool.done(first);
  expect(await spool.add(report(3))).toBeDefined();
  await spool.close();
});

it('the file shrinks as answers come, however long the worker runs', async () => {
  const file = await place();
  const { spool } = await Spool.open(file);
  const large = { ...report(1), key: 'k'.repeat(100_000) };
  const stays = await spool.add(report(7));
  for (let n = 0; n < 30; n++) spool.done(await spool.add(large));
  await spool.synced();
  expect((await readFile(file, 'utf8')).length).toBeLessThan(2_000_000);
  await spool.close();
  expect(keysOf((await Spool.open(file)).left)).toContain('key 7');
  spool.done(stays);
});

it('where it cannot be written nothing is taken, and whoever reports waits for the server', async () => {
  // Takes a file to be opened, and not a byte.
  const { spool } = await Spool.open(await place());
  await spool.close();
  expect(await spool.add(report(1))).toBeUndefined();
});

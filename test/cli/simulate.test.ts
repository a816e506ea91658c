/** `muster simulate` on logs and on made-up labs: its page, its JSON, its picture, and what it refuses. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLog } from '../../cli/trace-file.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite.ts';
import { board, job, needs, play, trace } from '../simulation/labs.ts';
import { logOf } from '../simulation/logs.ts';
import { here, widest } from './fake-server.ts';

/** An untagged role that takes the only tagged board: upstream deadlocks on it in two orders of three. */
const told = trace(
  [board('panda01', 'panda', 'wifi'), board('panda02', 'panda'), board('panda03', 'panda')],
  [
    job(1, [needs('any', 2, 'panda'), needs('wifi', 1, 'panda', 'wifi')]),
    job(2, [needs('single', 1, 'panda', 'wifi')], { submittedAt: 1_000 }),
  ],
);
const events = logOf(told, play(told, 'gang+backfill'));

let dir = '';
let log = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-simulate-'));
  log = join(dir, 'week.jsonl');
  await writeFile(log, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
});
afterAll(() => rm(dir, { recursive: true }));

const muster = (...args: string[]) => here(['simulate', ...args]);

test('plays a log under every policy: one deadlocks, ours do not; the page fits 80 columns', async () => {
  const { exit, out, err } = await muster('--trace', log, '--seed', '2');
  expect([exit, err]).toEqual([0, '']);
  expect(widest(out)).toBeLessThanOrEqual(80);
  const text = out.replace(/\s+/g, ' ');
  expect(text).toContain('2 jobs on 3 boards');
  expect(text).toMatch(/gang\+backfill 2 complete, in 20 min\. Nobody starved\. No deadlock\./);
  expect(text).toMatch(
    /greedy 2 never started.*DEADLOCK, for ever: job 1 holds panda01, panda0\d and lacks 1 more; 1 job waits behind/,
  );
});

test('the same seed prints the same', async () => {
  const args = ['--generate', 'boards=10,jobs=50', '--seed', '4'];
  expect(await muster(...args)).toEqual(await muster(...args));
});

test('reads a data folder, and the database in it, while it is there to be written', async () => {
  const file = join(dir, 'muster.db');
  const store = await openSqliteStore({ file });
  const streams = new Map<string, number>();
  for (const event of events) {
    const version = streams.get(event.stream) ?? 0;
    await store.append(event.stream, version, [event]);
    streams.set(event.stream, version + 1);
  }
  const fromLines = await muster('--trace', log);
  expect(await muster('--trace', dir)).toEqual(fromLines);
  expect(await muster('--trace', file)).toEqual(fromLines);
  await store.close();
});

test('takes boards away and adds others', async () => {
  const policy = ['--policy', 'gang', '--json'];
  const without = await muster('--trace', log, '--without', 'panda03', ...policy);
  expect(JSON.parse(without.out).policies[0].ends).toMatchObject({ rejected: 1, complete: 1 });
  const more = await muster('--trace', log, '--with', 'panda:3:wifi', ...policy);
  expect(JSON.parse(more.out)).toMatchObject({
    trace: { boards: 6, jobs: 2 },
    policies: [{ policy: 'gang', waits: [{ maxSeconds: 0 }, { maxSeconds: 0 }] }],
  });
});

test('draws a picture', async () => {
  const svg = join(dir, 'plot.svg');
  expect((await muster('--trace', log, '--seed', '2', '--svg', svg)).exit).toBe(0);
  const drawn = await readFile(svg, 'utf8');
  expect(drawn).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[\s\S]*<\/svg>\n$/);
  expect(drawn).toContain('DEADLOCK of 1 job, 1 behind');
  expect(drawn).not.toMatch(/NaN|undefined|Infinity/);
});

test.each([
  [['--trace', 'LOG', '--without', 'panda30'], /no such board; did you mean "panda03"\?/],
  [['--trace', 'LOG', '--without', 'x'], /there are panda01, panda02, panda03/],
  [['--trace', 'LOG', '--with', 'panda'], /Expected TYPE:COUNT or TYPE:COUNT:TAG/],
  [['--trace', 'LOG', '--with', 'panda:0'], /count from 1/],
  [['--trace', 'LOG', '--policy', 'gang,gredy'], /no policy "gredy"; did you mean "greedy"\?/],
  [['--generate', 'boards=1'], /boards: expected a whole number from 2 to/],
  [['--generate', 'jobs=5'], /has to say how many boards/],
  [['--generate', 'boards=5,hats=2'], /no wish "hats"; there are boards, jobs/],
  [['--trace', 'LOG', '--generate', 'boards=5'], /either --trace LOG or --generate/],
  [[], /either --trace LOG or --generate/],
  [['--trace', '/nowhere.jsonl'], /there is no such log/],
  [
    ['--trace', 'LOG', '--svg', '/nowhere/plot.svg'],
    /--svg \/nowhere\/plot\.svg cannot be written/,
  ],
])('%j is refused with what to do, and exit 2', async (args, message) => {
  const { exit, out, err } = await muster(...args.map((arg) => (arg === 'LOG' ? log : arg)));
  expect([exit, out]).toEqual([2, '']);
  expect(err.replace(/\s+/g, ' ')).toMatch(message);
});

test.each([
  ['{"type":', /bad\.jsonl:2: not JSON .*one event a line/],
  ['{"type":"JobSubmitted"}', /bad\.jsonl:2: not an event/],
  [
    JSON.stringify({ ...events[0], data: {} }),
    /bad\.jsonl:2: device-panda01 event 1 \(DeviceRegistered\)/,
  ],
])('a line %j of a log is refused with its number', async (line, message) => {
  const bad = join(dir, 'bad.jsonl');
  await writeFile(bad, `${JSON.stringify(events[0])}\n${line}\n`);
  const { exit, err } = await muster('--trace', bad);
  expect(exit).toBe(2);
  expect(err.replace(/\s+/g, ' ')).toMatch(message);
});

test('a log without a job is refused', async () => {
  const empty = join(dir, 'empty.jsonl');
  await writeFile(empty, '');
  const { exit, err } = await muster('--trace', empty);
  expect(exit).toBe(2);
  expect(err.replace(/\s+/g, ' ')).toContain('no job was submitted in this log');
});

test('a trace may be a file that muster export wrote', async () => {
  const file = new URL('../histories/0.1.0-seed-examples.jsonl', import.meta.url).pathname;
  const { exit, out } = await muster('--trace', file);
  expect(exit).toBe(0);
  expect(out).toMatch(/gang\+backfill/);
});

test('reads a log event by event: one of years does not fit into memory', async () => {
  const file = join(dir, 'broken-at-its-end.jsonl');
  await writeFile(file, `${await readFile(log, 'utf8')}torn`);
  const read: string[] = [];
  const reading = async () => {
    for await (const { id } of readLog(file)) read.push(id);
  };
  await expect(reading()).rejects.toThrow(`:${events.length + 1}: not JSON`);
  expect(read).toEqual(events.map(({ id }) => id));
});

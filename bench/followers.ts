/**
 * Boards beside many who follow: what a verb and the health take while some hundreds read all of the past, with
 * thousands of waits held.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { ms, perSecond, quantile, table } from './figures.ts';
import type { Follow, Followed } from './follower-process.ts';
import { type MusterProcess, startMuster } from './muster-process.ts';
import { boardsOf, type Say } from './peers/muster.ts';

const FOLLOWERS = 500;
const GROUPS = 20;
/** Members of each group that wait; one more speaks. */
const WAITING = 100;
const PAST_EVENTS = 20_000;
const CONSOLE_BYTES = 8 * 1024 * 1024;
const SHAPE_MS_MAX = 60_000;
/** A speaker says something so often. */
const SPEAK_EVERY_MS = 10;
const HEALTH_EVERY_MS = 20;
const QUIET_MS = 5_000;
const MIB = 1024 * 1024;

type Shape = [name: string, follow: Omit<Follow, 'port' | 'followers'> | undefined];

export async function followersTable(
  newFolder: () => Promise<string>,
  say: (line: string) => void,
): Promise<string> {
  const sizes = Array.from({ length: GROUPS }, () => WAITING + 1);
  const consoleBytes = CONSOLE_BYTES;
  const muster = await startMuster({ folder: await newFolder(), sizes, consoleBytes });
  const undo: (() => unknown)[] = [() => muster.stop()];
  const rows: string[][] = [];
  try {
    const speakers = await heldLab(muster, undo);
    const head = await past(speakers);
    const shapes: Shape[] = [
      ['nobody', undefined],
      ['the whole log, streams', { path: '/api/events', until: { place: head, in: 'stream' } }],
      ['the whole log, pages', { path: '/api/events', until: { place: head, in: 'pages' } }],
      [
        "a job's events, streams",
        {
          path: '/api/jobs/1/events',
          until: { place: Math.floor(PAST_EVENTS / GROUPS), in: 'stream' },
        },
      ],
      ['a console, followed', { path: muster.consolePath, until: { bytes: CONSOLE_BYTES } }],
    ];
    for (const [name, follow] of shapes) {
      const row = await measured(muster, speakers, follow);
      say(`${name}: ${row.join(', ')}`);
      rows.push([name, ...row]);
    }
  } finally {
    for (const step of undo.reverse()) await step();
  }
  return table(
    [
      `${FOLLOWERS} read`,
      'all have read it after, s',
      'MiB/s',
      'verbs/s',
      'verb, median ms',
      'p99 ms',
      'longest ms',
      'health, p99 ms',
      'memory of the server, MiB',
    ],
    rows,
  );
}

/** All members but one of each group wait for a message that never comes; gives those that speak. */
async function heldLab(muster: MusterProcess, undo: (() => unknown)[]): Promise<Say[]> {
  const { says, close } = await boardsOf(muster);
  undo.push(close);
  const groups = muster.groups.map((group, at) => {
    const from = muster.groups.slice(0, at).flat().length;
    return says.slice(from, from + group.length);
  });
  for (const [, ...waiting] of groups)
    for (const say of waiting) say('wait', 'never').catch(() => {});
  while ((await muster.held()) < GROUPS * WAITING);
  return groups.flatMap(([speaker]) => speaker ?? []);
}

/** Says so much that there is a past; about how many events the log has then. */
async function past(speakers: readonly Say[]): Promise<number> {
  for (let said = 0; said < PAST_EVENTS; said += speakers.length * 50)
    await Promise.all(
      speakers.flatMap((say) =>
        Array.from({ length: 50 }, () => say('send', 'ready', 'ip=10.1.2.3')),
      ),
    );
  return PAST_EVENTS;
}

async function measured(
  muster: MusterProcess,
  speakers: readonly Say[],
  follow: Shape[1],
): Promise<string[]> {
  const end = new AbortController();
  const verbs = Promise.all(
    speakers.map((say) => paced(end.signal, SPEAK_EVERY_MS, () => say('send', 'now'))),
  );
  const health = paced(end.signal, HEALTH_EVERY_MS, () =>
    fetch(`http://localhost:${muster.apiPort}/api/health`).then((answer) => answer.text()),
  );
  const memory: number[] = [];
  const memoryLook = paced(end.signal, 200, async () => memory.push(await muster.memoryBytes()));
  const from = performance.now();
  const { done, bytes } = await followed(muster.apiPort, follow);
  const seconds = (performance.now() - from) / 1000;
  end.abort();
  const taken = (await verbs).flat();
  const healthTaken = await health;
  await memoryLook;
  const isRead = follow === undefined || done === FOLLOWERS;
  return [
    follow === undefined ? '-' : isRead ? seconds.toFixed(1) : `${done} of ${FOLLOWERS}`,
    follow === undefined ? '-' : perSecond(bytes / MIB / seconds),
    perSecond(taken.length / seconds),
    ms(quantile(taken, 0.5)),
    ms(quantile(taken, 0.99)),
    ms(Math.max(...taken)),
    ms(quantile(healthTaken, 0.99)),
    perSecond(Math.max(...memory) / MIB),
  ];
}

/** Does something again and again, some time after it was done; how long each took. */
async function paced(
  signal: AbortSignal,
  everyMs: number,
  act: () => Promise<unknown>,
): Promise<number[]> {
  const taken: number[] = [];
  while (!signal.aborted) {
    const from = performance.now();
    await act();
    taken.push(performance.now() - from);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  return taken;
}

/** Lets a process follow until all in it have read all, or the time is over. */
async function followed(port: number, follow: Shape[1]): Promise<Followed> {
  const end = performance.now() + (follow === undefined ? QUIET_MS : SHAPE_MS_MAX);
  const pause = () => new Promise((resolve) => setTimeout(resolve, 100));
  if (follow === undefined) {
    while (performance.now() < end) await pause();
    return { done: 0, bytes: 0 };
  }
  const asked: Follow = { ...follow, port, followers: FOLLOWERS };
  const child = fork(new URL('./follower-process.js', import.meta.url), [JSON.stringify(asked)]);
  const ended = once(child, 'exit');
  let last: Followed = { done: 0, bytes: 0 };
  child.on('message', (is) => {
    last = is as Followed;
  });
  while (last.done < FOLLOWERS && performance.now() < end) {
    await pause();
    child.send('how far');
  }
  child.kill();
  await ended;
  return last;
}

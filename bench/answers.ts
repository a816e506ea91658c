/** What answers take: a job at an event, two runs beside one another, why one failed; on logs of a thousand to a million events. */
import { join } from 'node:path';
import { diffOf } from '../answers/diff-view.ts';
import { explain } from '../answers/explain/explain.ts';
import { explore } from '../answers/interleave.ts';
import { recordingOf } from '../answers/recorded-steps.ts';
import { stateOf } from '../answers/state-at.ts';
import { traceOf } from '../answers/trace.ts';
import { type EvidenceParts, evidenceOf } from '../api/evidence.ts';
import { History } from '../api/history/history.ts';
import { JobPast } from '../api/job-past.ts';
import { LabPast } from '../api/lab-past.ts';
import type { ApiEngine } from '../api/parts.ts';
import { PastRuns } from '../api/past-runs.ts';
import { eventIds } from '../engine/event-ids.ts';
import type { JobCommand } from '../machines/commands.ts';
import { Rejected } from '../machines/deciding.ts';
import type { JobDefinition } from '../machines/definition.ts';
import type { JobEvent, NewEvent } from '../machines/events.ts';
import { decideJob } from '../machines/job/decide.ts';
import { evolveJob, initialJob, memberOf } from '../machines/job/job.ts';
import { jobStream } from '../machines/names.ts';
import type { EventStore } from '../store/port.ts';
import { openSqliteStore } from '../store/sqlite/sqlite.ts';
import { median, ms, perSecond, table } from './figures.ts';

const MEMBERS = 4;
const ROUNDS_OF_A_JOB = 4;
const SIZES = [1_000, 100_000, 1_000_000];
const RUNS = 5;
const APPENDS_AT_ONCE = 64;
const START = 1_700_000_000_000;

/** Three tables: a log of many jobs, one job that is as long as a log, and two of those, one of which failed. */
export async function answersTable(newFolder: () => Promise<string>): Promise<string> {
  const rows: string[][] = [];
  for (const size of SIZES) rows.push(await manyJobs(await newFolder(), size));
  const long: string[][] = [];
  for (const size of SIZES) long.push(await oneJob(await newFolder(), size));
  const failed: string[][] = [];
  for (const size of SIZES) failed.push(await failedJob(await newFolder(), size));
  const head = [
    'events in the log',
    'state at an event, first, ms',
    'any other, ms',
    'trace, ms',
    'diff with the last run that passed, ms',
    'explain, ms',
  ];
  const longHead = [
    'events of the one job',
    'state in the middle, first, ms',
    'any other, ms',
    'longest turn meanwhile, ms',
    'read whole, ms',
    'diff with itself, ms',
    'explain, ms',
  ];
  const failedHead = [
    'events of each of them',
    'both read whole, ms',
    'diff, ms',
    'explain, ms',
    'trace of the end, ms',
  ];
  return [
    `Jobs of ${MEMBERS} boards; read from the log each time:`,
    table(head, rows),
    'One job that has all of the events; of its states the first reads it, bit by bit:',
    table(longHead, long),
    'Two such jobs, one of which loses a board before the last of its rounds:',
    table(failedHead, failed),
    `Orders of a conversation: ${perSecond(statesPerSecond())} states a second.`,
  ].join('\n\n');
}

async function manyJobs(folder: string, size: number): Promise<string[]> {
  const { store, jobs, events } = await written(folder, size, ROUNDS_OF_A_JOB);
  const parts = partsOf(store, jobs);
  const { signal } = new AbortController();
  const job = Math.max(2, jobs >> 1);
  const read = (more: object) => evidenceOf(parts, job, signal, { sources: false, ...more });
  const past = new JobPast(parts);
  const state = async (id: number) => {
    const told = await past.told(id, '20', signal);
    stateOf(id, told, await past.lab(id, told, signal));
  };
  const figures = [
    await timed(() => state(job)),
    await taken(() => state(1 + Math.floor(Math.random() * jobs))),
    await taken(async () => void traceOf(await read({ related: true }), 10)),
    await taken(async () => {
      const bad = await read({ past: true });
      const good = await evidenceOf(parts, bad.past?.[0]?.job ?? job, signal, { sources: false });
      diffOf(good, bad, true);
    }),
    await taken(async () => void (await explain(await read({})))),
  ];
  await store.close();
  return [perSecond(events), ...figures.map(ms)];
}

async function oneJob(folder: string, size: number): Promise<string[]> {
  const rounds = Math.ceil(size / (MEMBERS * 3));
  const { store, events } = await written(folder, size, rounds);
  const parts = partsOf(store, 1);
  const past = new JobPast(parts);
  const { signal } = new AbortController();
  const turns = longestTurn();
  const state = async (at: number) => {
    const told = await past.told(1, String(at), signal);
    stateOf(1, told, await past.lab(1, told, signal));
  };
  const first = await timed(() => state(events >> 1));
  const next = await taken(() => state(1 + Math.floor(Math.random() * events)));
  const stateTurn = turns.stop();
  let evidence = await evidenceOf(parts, 1, signal, { sources: false });
  const read = await timed(async () => {
    evidence = await evidenceOf(parts, 1, signal, { sources: false });
  });
  const compared = await timed(async () => void diffOf(evidence, evidence, false));
  const explained = await timed(async () => void (await explain(evidence)));
  await store.close();
  return [perSecond(events), ...[first, next, stateTurn, read, compared, explained].map(ms)];
}

async function failedJob(folder: string, size: number): Promise<string[]> {
  const rounds = Math.ceil(size / (MEMBERS * 3));
  const store = await openSqliteStore({ file: join(folder, 'muster.db') });
  await appendJob(store, 1, jobOf(rounds));
  await appendJob(store, 2, jobOf(rounds, true));
  const parts = partsOf(store, 2);
  const { signal } = new AbortController();
  const read = (job: number) => evidenceOf(parts, job, signal, { sources: false });
  let [good, bad] = [await read(1), await read(2)];
  const figures = [
    await timed(async () => {
      [good, bad] = [await read(1), await read(2)];
    }),
    await timed(async () => void diffOf(good, bad, false)),
    await timed(async () => void (await explain(bad))),
    await timed(async () => void traceOf(bad, bad.events.length)),
  ];
  await store.close();
  return [perSecond(bad.events.length), ...figures.map(ms)];
}

/** The longest time for which nothing else had its turn. */
function longestTurn(): { stop(): number } {
  let [longest, last] = [0, performance.now()];
  const look = () => {
    const now = performance.now();
    [longest, last] = [Math.max(longest, now - last), now];
    next = setImmediate(look);
  };
  let next = setImmediate(look);
  return {
    stop() {
      clearImmediate(next);
      return longest;
    },
  };
}

async function timed(run: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await run();
  return performance.now() - from;
}

async function taken(run: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) times.push(await timed(run));
  return median(times);
}

/** As a server hands them over, without boards. */
function partsOf(store: EventStore, jobs: number): EvidenceParts {
  const engine = {
    directory: { jobs: new Map(), uncounted: new Set() },
    jobCount: jobs,
    job: async () => undefined,
    jobEvents: (id: number, after = 0) => store.read(jobStream(id), after),
    allEvents: (after = 0, limit?: number) => store.readAll(after, limit),
  } as unknown as ApiEngine;
  const history = new History(engine);
  return {
    engine,
    history,
    past: new PastRuns({ engine, history }),
    labPast: new LabPast(),
    answerEventsMax: Number.POSITIVE_INFINITY,
    attachments: { get: async () => undefined },
    consoleFile: (job, device) => join('/nonexistent', String(job), device),
  };
}

// the logs

async function written(folder: string, size: number, rounds: number) {
  const store = await openSqliteStore({ file: join(folder, 'muster.db') });
  let [events, jobs] = [0, 0];
  let underWay: Promise<unknown>[] = [];
  while (events < size) {
    const all = jobOf(rounds);
    jobs++;
    underWay.push(appendJob(store, jobs, all));
    events += all.length;
    if (underWay.length < APPENDS_AT_ONCE && rounds === ROUNDS_OF_A_JOB) continue;
    await Promise.all(underWay);
    underWay = [];
  }
  await Promise.all(underWay);
  return { store, events, jobs };
}

async function appendJob(store: EventStore, job: number, all: readonly NewEvent<JobEvent>[]) {
  const parts: Promise<unknown>[] = [];
  for (let at = 0; at < all.length; at += 10_000)
    parts.push(store.append(jobStream(job), at, all.slice(at, at + 10_000)));
  await Promise.all(parts);
}

const newId = eventIds();

/** A job in which all boards meet again and again; or all but one, the last time. */
function jobOf(rounds: number, losesBoard = false): NewEvent<JobEvent>[] {
  const members = Array.from({ length: MEMBERS }, (_, m) => ({ device: `panda0${m}`, role: 'r' }));
  const out: NewEvent<JobEvent>[] = [];
  let state = initialJob;
  let now = START;
  const act = (command: JobCommand) => {
    now += 10;
    const request = { id: newId(), actor: 'bench', correlationId: 'job-1' };
    const decided = decideJob(command, state, { now, newId, request });
    if (decided instanceof Rejected) throw new Error(decided.reason);
    for (const event of decided) {
      out.push(event);
      state = evolveJob(state, event);
    }
  };
  act({ type: 'SubmitJob', definition, document: '{}', short: [] });
  act({ type: 'AllocateJob', lease: newId(), members });
  for (const { device: member } of members) {
    act({ type: 'StartBoot', member });
    act({ type: 'ConfirmBoot', member });
    act({ type: 'StartAction', member, action: 0 });
  }
  for (let round = 0; round < rounds; round++)
    for (const [at, { device: member }] of members.entries())
      if (losesBoard && round === rounds - 1 && at === MEMBERS - 1)
        act({ type: 'FailMember', member, reason: 'its worker is gone' });
      else act({ type: 'CallVerb', member, verb: 'sync', words: [`round-${round % 16}`] });
  for (const { device: member } of members)
    if (memberOf(state, member)?.ended === null)
      act({ type: 'EndAction', member, action: 0, outcome: 'ok' });
  return out;
}

const definition: JobDefinition = {
  name: 'bench',
  form: 'json',
  countsSelf: false,
  priority: 50,
  timeoutSeconds: 31_536_000,
  onUnreachable: 'fail',
  unreachableGraceSeconds: 30,
  roles: [{ role: 'r', count: MEMBERS, deviceType: 'panda', tags: [] }],
  actions: [
    {
      command: 'lava_command_run',
      roles: null,
      timeoutSeconds: 31_536_000,
      parameters: { commands: ['./run.sh'] },
    },
  ],
};

/** Of a conversation in which every order can be told apart. */
function statesPerSecond(): number {
  const events = jobOf(3).map((event, at) => ({
    ...event,
    stream: 'job-1',
    version: at + 1,
    position: at + 1,
  }));
  const recording = recordingOf(events as Parameters<typeof recordingOf>[0]);
  if (recording === undefined) return Number.NaN;
  const from = performance.now();
  const { states } = explore(recording, { statesMax: 20_000, isFull: true });
  return (states / (performance.now() - from)) * 1000;
}

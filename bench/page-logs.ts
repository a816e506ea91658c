/** Logs that take minutes to run, made by their events: a job of very many, and a lab of very many boards and jobs that wait. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataOf, EventType, NewEvent } from '../machines/events.ts';
import { deviceStream, jobStream, SUBMISSIONS, workerStream } from '../machines/names.ts';
import { openSqliteStore } from '../store/sqlite/sqlite.ts';
import { event, type PastAppend } from './past-jobs.ts';

const APPEND_EVENTS = 2_000;
const WORKER = 'lab-1';

/** Writes these into a new data folder. */
export async function writeLog(dataDir: string, appends: Iterable<PastAppend>): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  const store = await openSqliteStore({ file: join(dataDir, 'muster.db') });
  for (const { stream, expectedVersion, events } of appends)
    for (let at = 0; at < events.length; at += APPEND_EVENTS)
      await store.append(stream, expectedVersion + at, events.slice(at, at + APPEND_EVENTS));
  await store.close();
}

type Of = <T extends EventType>(type: T, data: DataOf<T>) => NewEvent;

const definitionOf = (name: string, count: number): DataOf<'JobSubmitted'>['definition'] => ({
  name,
  form: 'json',
  countsSelf: false,
  priority: 50,
  timeoutSeconds: 86_400,
  onUnreachable: 'fail',
  unreachableGraceSeconds: 30,
  roles: [{ role: 'peer', count, deviceType: 'panda', tags: [] }],
  actions: [
    {
      command: 'lava_command_run' as const,
      roles: null,
      timeoutSeconds: 86_400,
      parameters: { commands: ['./test.sh'] },
    },
  ],
});

/** One job that completed: its members send, sync and record, round after round, until it has so many events. */
export function* largeJob(members: number, eventsMin: number): Iterable<PastAppend> {
  let at = Date.now() - 3_600_000;
  const stream = jobStream(1);
  const of: Of = (type, data) => event(type, data, at++, stream);
  const names = Array.from({ length: members }, (_, n) => `board${String(n).padStart(4, '0')}`);
  const definition = definitionOf('a large job', members);
  yield {
    stream: SUBMISSIONS,
    expectedVersion: 0,
    events: [of('SubmissionReceived', { name: definition.name })],
  };
  const all: NewEvent[] = [
    of('JobSubmitted', { definition, document: JSON.stringify(definition) }),
    of('JobAllocated', { lease: 'l', members: names.map((device) => ({ device, role: 'peer' })) }),
  ];
  for (const member of names) {
    all.push(of('MemberBooting', { member }), of('MemberBooted', { member, address: '10.1.2.3' }));
    all.push(of('ActionStarted', { member, action: 0, command: 'lava_command_run' }));
  }
  for (let round = 1; all.length < eventsMin; round++) all.push(...roundOf(names, round, of));
  for (const member of names) {
    all.push(of('ActionEnded', { member, action: 0, outcome: 'ok' }));
    all.push(of('MemberCompleted', { member }));
  }
  all.push(of('JobCompleted', {}));
  yield { stream, expectedVersion: 0, events: all };
}

/** A message, a result and a barrier of each. */
function roundOf(names: readonly string[], round: number, of: Of): NewEvent[] {
  const events: NewEvent[] = [];
  const sync = { verb: 'sync' as const, message: 'ready' };
  const last = names.at(-1) ?? '';
  for (const member of names) {
    const pairs: [string, string][] = [['round', String(round)]];
    events.push(of('MessageSent', { member, verb: 'send', message: 'done', count: round, pairs }));
    events.push(
      of('ResultRecorded', { member, suite: 'lava', case: `case-${round}`, result: 'pass' }),
    );
  }
  for (const [n, member] of names.entries()) {
    events.push(of('MessageSent', { member, ...sync, count: round, pairs: [] }));
    const wait = (round - 1) * names.length + n + 1;
    const missing = names.slice(n + 1);
    events.push(
      of('WaitStarted', {
        ...{ wait, member, ...sync, round },
        ...{ missingCount: missing.length, missing: missing.slice(0, 20) },
      }),
    );
  }
  for (const [n, member] of names.entries()) {
    const wait = (round - 1) * names.length + n + 1;
    events.push(of('WaitReleased', { wait, member, by: last }));
  }
  return events;
}

/** Boards whose worker is not there, and jobs that wait for them. */
export function* fullLab(boards: number, jobs: number): Iterable<PastAppend> {
  const now = Date.now() - 3_600_000;
  const names = Array.from({ length: boards }, (_, n) => `board${String(n + 1).padStart(5, '0')}`);
  const workers = workerStream(WORKER);
  yield {
    stream: workers,
    expectedVersion: 0,
    events: [
      event('WorkerConnected', { boards: names }, now, workers),
      // Else a server that starts on it gives them to jobs.
      event('WorkerLost', { reason: 'its machine is off' }, now + 1, workers),
    ],
  };
  const registered = { deviceType: 'panda', tags: ['usb'], worker: WORKER, driver: 'local' };
  for (const name of names) {
    const stream = deviceStream(name);
    const events = [event('DeviceRegistered', registered, now, stream)];
    yield { stream, expectedVersion: 0, events };
  }
  const received = Array.from({ length: jobs }, () =>
    event('SubmissionReceived', { name: 'waits' }, now, SUBMISSIONS),
  );
  yield { stream: SUBMISSIONS, expectedVersion: 0, events: received };
  for (let id = 1; id <= jobs; id++) {
    const stream = jobStream(id);
    const definition = definitionOf(`waits ${id}`, 2 + (id % 5));
    const document = JSON.stringify(definition);
    const events = [event('JobSubmitted', { definition, document }, now + id, stream)];
    yield { stream, expectedVersion: 0, events };
  }
}

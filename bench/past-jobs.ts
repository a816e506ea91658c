/** Jobs as they lie in a log long after: what two boards did from their submission to their end, event by event. */
import { randomUUID } from 'node:crypto';
import type { AnyEvent, DataOf, EventType, NewEvent } from '../machines/events.ts';
import { deviceStream, jobStream, SUBMISSIONS } from '../machines/names.ts';

/** Some events of one stream that were appended together. */
export interface PastAppend {
  stream: string;
  expectedVersion: number;
  events: NewEvent[];
}

const ROUNDS = 5;
const ACTIONS = [
  {
    command: 'lava_command_run' as const,
    roles: null,
    timeoutSeconds: 3600,
    parameters: { commands: ['./test.sh --rounds 5'] },
  },
];

/** Makes the events of one job at a time; versions of the boards' and the counter's streams go on from job to job. */
export class PastLab {
  readonly #versions = new Map<string, number>();
  readonly #boards: readonly [string, string];

  constructor(boards: readonly [string, string]) {
    this.#boards = boards;
  }

  /** Both boards are registered. */
  register(at: number): PastAppend[] {
    return this.#boards.map((board) =>
      this.#next(deviceStream(board), [
        event('DeviceRegistered', registered, at, deviceStream(board)),
      ]),
    );
  }

  /** A job that completed, with all that it left in other streams: 50 events. */
  finished(id: number, at: number): PastAppend[] {
    const stream = jobStream(id);
    const lease = randomUUID();
    const of = <T extends EventType>(type: T, data: DataOf<T>) => event(type, data, at, stream);
    const onBoards = (make: (board: string) => NewEvent) =>
      this.#boards.map((board) => this.#next(deviceStream(board), [make(board)]));
    return [
      this.#next(SUBMISSIONS, [of('SubmissionReceived', { name: 'smoke' })]),
      ...onBoards(() => of('DeviceReserved', { job: id, lease, until: at + 60_000 })),
      this.#next(stream, jobEvents(this.#boards, lease, of)),
      ...onBoards(() => of('DeviceReleased', { job: id, lease, reason: 'the job is over' })),
    ];
  }

  #next(stream: string, events: NewEvent[]): PastAppend {
    const expectedVersion = this.#versions.get(stream) ?? 0;
    this.#versions.set(stream, expectedVersion + events.length);
    return { stream, expectedVersion, events };
  }
}

const registered = {
  deviceType: 'panda',
  tags: ['usb'],
  worker: 'lab-1',
  driver: 'local',
};

type Of = <T extends EventType>(type: T, data: DataOf<T>) => NewEvent;

function jobEvents(boards: readonly [string, string], lease: string, of: Of): NewEvent[] {
  const [first, second] = boards;
  const members = boards.map((device) => ({ device, role: 'peer' }));
  const forBoth = (make: (member: string) => NewEvent[]) => boards.flatMap(make);
  return [
    of('JobSubmitted', { definition, document: JSON.stringify(definition) }),
    of('JobAllocated', { lease, members }),
    ...forBoth((member) => [
      of('ActionStarted', { member, action: 0, command: 'lava_command_run' }),
      of('MemberBooting', { member }),
      of('MemberBooted', { member, address: '10.1.2.3' }),
    ]),
    ...Array.from({ length: ROUNDS }, (_, at) => round(first, second, at + 1, of)).flat(),
    ...forBoth((member) => [
      of('ResultRecorded', { member, suite: 'lava', case: 'smoke', result: 'pass' }),
      of('ActionEnded', { member, action: 0, outcome: 'ok' }),
      of('MemberCompleted', { member }),
    ]),
    of('JobCompleted', {}),
  ];
}

/** One `lava-sync ready` of both. */
function round(first: string, second: string, count: number, of: Of): NewEvent[] {
  const sync = { verb: 'sync' as const, message: 'ready' };
  const waits = [2 * count - 1, 2 * count] as const;
  return [
    of('MessageSent', { member: first, ...sync, count, pairs: [] }),
    of('WaitStarted', {
      wait: waits[0],
      member: first,
      ...sync,
      round: count,
      missingCount: 1,
      missing: [second],
    }),
    of('MessageSent', { member: second, ...sync, count, pairs: [] }),
    of('WaitStarted', {
      wait: waits[1],
      member: second,
      ...sync,
      round: count,
      missingCount: 0,
      missing: [],
    }),
    of('WaitReleased', { wait: waits[0], member: first, by: second }),
    of('WaitReleased', { wait: waits[1], member: second, by: second }),
  ];
}

const definition: DataOf<'JobSubmitted'>['definition'] = {
  name: 'smoke',
  form: 'json',
  countsSelf: false,
  priority: 50,
  timeoutSeconds: 3600,
  onUnreachable: 'fail',
  unreachableGraceSeconds: 30,
  roles: [{ role: 'peer', count: 2, deviceType: 'panda', tags: [] }],
  actions: ACTIONS,
};

export function event<T extends EventType>(
  type: T,
  data: DataOf<T>,
  at: number,
  correlationId: string,
): NewEvent {
  const meta = { at, actor: 'worker:lab-1', causationId: randomUUID(), correlationId };
  return { id: randomUUID(), meta, ...({ type, data } as unknown as AnyEvent) };
}

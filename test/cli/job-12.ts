/** One job as the server would tell of it: two boards that meet at a barrier. */
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { barriersOf } from '../../projections/barriers.ts';
import { resultsOf } from '../../projections/results.ts';
import type { JobView } from '../../projections/views.ts';

const AT = Date.UTC(2026, 7, 1, 12, 0, 0);
const iso = (s: number) => new Date(AT + s * 1000).toISOString();

export function recorded(
  events: readonly JobEvent[],
  job = 12,
  firstPosition = 100,
): RecordedEvent[] {
  return events.map((event, at) => ({
    ...event,
    id: `event-${at}`,
    meta: {
      at: AT + at * 1000,
      actor: 'engine:test',
      causationId: 'c',
      correlationId: `job-${job}`,
    },
    stream: `job-${job}`,
    version: at + 1,
    position: firstPosition + at,
  }));
}

const document = '{ "job_name": "meeting" }';

export const submitted: JobEvent = {
  type: 'JobSubmitted',
  data: {
    document,
    definition: {
      name: 'meeting',
      form: 'json',
      countsSelf: false,
      priority: 50,
      timeoutSeconds: 900,
      onUnreachable: 'fail',
      unreachableGraceSeconds: 30,
      roles: [
        { role: 'client', count: 1, deviceType: 'panda', tags: [] },
        { role: 'server', count: 1, deviceType: 'panda', tags: ['usb3'] },
      ],
      actions: [],
    },
  },
};

export const story: JobEvent[] = [
  submitted,
  {
    type: 'JobAllocated',
    data: {
      lease: 'l1',
      members: [
        { device: 'panda01', role: 'client' },
        { device: 'panda02', role: 'server' },
      ],
    },
  },
  { type: 'MemberBooting', data: { member: 'panda01' } },
  { type: 'MemberBooting', data: { member: 'panda02' } },
  { type: 'MemberBooted', data: { member: 'panda01', address: '10.0.0.2' } },
  { type: 'MemberBooted', data: { member: 'panda02' } },
  { type: 'ActionStarted', data: { member: 'panda01', action: 2, command: 'lava_test_shell' } },
  { type: 'SuiteStarted', data: { member: 'panda01', suite: '0_meet', definition: 'meet' } },
  {
    type: 'MessageSent',
    data: { member: 'panda01', verb: 'sync', message: 'ready', count: 1, pairs: [] },
  },
  {
    type: 'WaitStarted',
    data: {
      wait: 1,
      member: 'panda01',
      verb: 'sync',
      message: 'ready',
      round: 1,
      missingCount: 1,
      missing: ['panda02'],
    },
  },
  {
    type: 'MessageSent',
    data: { member: 'panda02', verb: 'sync', message: 'ready', count: 1, pairs: [] },
  },
  {
    type: 'WaitStarted',
    data: {
      wait: 2,
      member: 'panda02',
      verb: 'sync',
      message: 'ready',
      round: 1,
      missingCount: 0,
      missing: [],
    },
  },
  { type: 'WaitReleased', data: { wait: 1, member: 'panda01', by: 'panda02' } },
  { type: 'WaitReleased', data: { wait: 2, member: 'panda02' } },
  {
    type: 'ResultRecorded',
    data: {
      member: 'panda01',
      suite: '0_meet',
      case: 'speed',
      result: 'pass',
      measurement: '93.5',
      units: 'Mbit/s',
    },
  },
  { type: 'MemberCompleted', data: { member: 'panda01' } },
  { type: 'MemberCompleted', data: { member: 'panda02' } },
  { type: 'JobCompleted', data: {} },
];

export const events = recorded(story);

export const view: JobView = {
  id: 12,
  name: 'meeting',
  state: 'complete',
  priority: 50,
  submittedAt: iso(0),
  allocatedAt: iso(1),
  endedAt: iso(17),
  timeoutSeconds: 900,
  roles: [
    { role: 'client', count: 1, deviceType: 'panda', tags: [] },
    { role: 'server', count: 1, deviceType: 'panda', tags: ['usb3'] },
  ],
  members: [
    { device: 'panda01', role: 'client', state: 'complete', doing: 'ended complete 3 s ago' },
    { device: 'panda02', role: 'server', state: 'complete', doing: 'ended complete 3 s ago' },
  ],
};

export const results = { job: 12, state: 'complete', ...resultsOf(events) };
export const barriers = { job: 12, barriers: barriersOf(events) };

export const device = {
  name: 'panda01',
  type: 'panda',
  tags: ['usb3', 'wifi'],
  worker: 'worker1',
  driver: 'local',
  state: 'reserved',
  online: true,
  health: 'good',
  job: 12,
  idleSince: iso(0),
};

/**
 * Every command in every state: the cell says what is decided. Lower case words are event types in short, `-`
 * is "already so", and a code in brackets is a rejection. A new state or command has no cell and fails.
 */
import { describe, expect, it } from 'vitest';
import type { DeviceCommand, JobCommand, WorkerCommand } from '../../machines/commands.ts';
import { type Env, Rejected } from '../../machines/deciding.ts';
import {
  type DeviceStateName,
  decideDevice,
  deviceTable,
  evolveDevice,
  initialDevice,
} from '../../machines/device.ts';
import type { AnyEvent, NewEvent } from '../../machines/events.ts';
import { decideJob } from '../../machines/job/decide.ts';
import {
  evolveJob,
  initialJob,
  type JobState,
  type JobStateName,
  jobTable,
} from '../../machines/job/job.ts';
import { type MemberStateName, memberTable } from '../../machines/job/member.ts';
import {
  decideWorker,
  evolveWorker,
  initialWorker,
  type WorkerState,
  type WorkerStateName,
  workerTable,
} from '../../machines/worker.ts';
import { allocateOf, bootOf, definitionOf, Lab, submitOf } from './lab.ts';
import { assertStorable, counter, envAt, START } from './spec.ts';

const GROUP = 'a:r b:r';
/** Long after every deadline. */
const env = (): Env => envAt(START + 10_000_000, counter());

/** What is decided, in one cell; checks that it is storable and legal on the way. */
function cell<S, E extends AnyEvent>(
  decision: NewEvent<E>[] | Rejected,
  state: S,
  evolve: (state: S, event: NewEvent<E>) => S,
): string {
  if (decision instanceof Rejected) {
    expect(decision.reason).not.toBe('');
    return `(${decision.code})`;
  }
  assertStorable(decision);
  decision.reduce(evolve, state);
  return decision.map(({ type }) => type).join(' ') || '-';
}

/** One row a command, one column a state. */
function tableOf<S, C extends { type: string }, E extends AnyEvent>(
  commands: readonly C[],
  states: Record<string, S>,
  decider: {
    decide: (command: C, state: S, env: Env) => NewEvent<E>[] | Rejected;
    evolve: (state: S, event: NewEvent<E>) => S;
  },
): Record<string, Record<string, string>> {
  return Object.fromEntries(
    commands.map((command) => [
      command.type,
      Object.fromEntries(
        Object.entries(states).map(([name, state]) => [
          name,
          cell(decider.decide(command, state, env()), state, decider.evolve),
        ]),
      ),
    ]),
  );
}

/** The same answer in all these states. */
const across = (states: readonly string[], answer: string) =>
  Object.fromEntries(states.map((state) => [state, answer]));

const jobCommands: { [T in JobCommand['type']]: Extract<JobCommand, { type: T }> } = {
  SubmitJob: submitOf(definitionOf(GROUP)) as Extract<JobCommand, { type: 'SubmitJob' }>,
  AllocateJob: allocateOf(GROUP, 'lease-2') as Extract<JobCommand, { type: 'AllocateJob' }>,
  ChangeJobPriority: { type: 'ChangeJobPriority', priority: 70 },
  VoidAllocation: { type: 'VoidAllocation', lease: 'lease-2', reason: 'it lapsed' },
  CancelJob: { type: 'CancelJob', reason: 'enough' },
  TimeOutJob: { type: 'TimeOutJob', limit: 'job' },
  TimeOutAction: { type: 'TimeOutAction', member: 'a', action: 0 },
  EndUnreachable: { type: 'EndUnreachable' },
  CallVerb: { type: 'CallVerb', member: 'a', verb: 'send', words: ['x'] },
  ResumeWait: { type: 'ResumeWait', member: 'a', wait: 1 },
  AbandonWait: { type: 'AbandonWait', member: 'a', wait: 1, why: 'verb-ended' },
  StartAction: { type: 'StartAction', member: 'a', action: 0 },
  EndAction: { type: 'EndAction', member: 'a', action: 0, outcome: 'ok' },
  StartBoot: { type: 'StartBoot', member: 'a' },
  ConfirmBoot: { type: 'ConfirmBoot', member: 'a' },
  FailMember: { type: 'FailMember', member: 'a', reason: 'burned' },
  StartSuite: { type: 'StartSuite', member: 'a', suite: 's' },
  EndScript: { type: 'EndScript', member: 'a', suite: 's', script: 'run.sh', status: 1 },
  EndSuite: { type: 'EndSuite', member: 'a', suite: 's' },
  RecordResult: { type: 'RecordResult', member: 'a', case: 'c', result: 'pass' },
  PrepareSuite: {
    type: 'PrepareSuite',
    member: 'a',
    action: 0,
    suite: 's',
    source: { from: 'inline' },
    parameters: [],
  },
  NoteGarbledSignal: { type: 'NoteGarbledSignal', member: 'a', text: '<LAVA_SIGNAL_TESTCA' },
  KeepAttachment: {
    type: 'KeepAttachment',
    member: 'a',
    name: 'dmesg.txt',
    bytes: 3,
    digest: 'a'.repeat(64),
  },
  RaiseMember: { type: 'RaiseMember', member: 'a', reason: 'no disk' },
};
const job = { decide: decideJob, evolve: evolveJob };

/** The state of a job after some commands on a new lab. */
function jobIn(play: (lab: Lab) => void = () => undefined): JobState {
  const lab = new Lab(GROUP, { unbooted: true });
  play(lab);
  return lab.state;
}

function stateAfter(...commands: JobCommand[]): JobState {
  let state = initialJob;
  for (const command of commands) {
    const decision = decideJob(command, state, envAt(START, counter()));
    if (decision instanceof Rejected) throw new Error(decision.reason);
    state = decision.reduce(evolveJob, state);
  }
  return state;
}

const { SubmitJob: submit, CancelJob: cancel } = jobCommands;
const short = [{ role: 'r', wanted: 2, found: 1, lacking: 'one panda' }];

const jobStates: Record<JobStateName, JobState> = {
  none: initialJob,
  submitted: stateAfter(submit),
  rejected: stateAfter({ ...submit, short }),
  allocated: jobIn(),
  complete: jobIn((lab) => {
    for (const m of ['a', 'b']) for (const step of bootOf(m)) lab.do(step);
    for (const m of ['a', 'b']) lab.endAction(m);
  }),
  failed: jobIn((lab) => {
    for (const m of ['a', 'b']) lab.fail(m);
  }),
  timedOut: jobIn((lab) => {
    lab.pass(3600);
    lab.do({ type: 'TimeOutJob', limit: 'job' });
  }),
  cancelled: jobIn((lab) => lab.do(cancel)),
};

describe('every job command in every job state', () => {
  const over = ['rejected', 'complete', 'failed', 'timedOut', 'cancelled'];
  const onMembers = (allocated: string) => ({
    none: '(no-such-job)',
    submitted: '(no-such-member)',
    allocated,
    ...across(over, '(job-ended)'),
  });
  const expected: Record<JobCommand['type'], Record<string, string>> = {
    SubmitJob: {
      none: 'JobSubmitted',
      ...across(['submitted', 'allocated', ...over], '(job-exists)'),
    },
    AllocateJob: {
      none: '(no-such-job)',
      submitted: 'JobAllocated',
      allocated: '(lease-void)',
      ...across(over, '(job-ended)'),
    },
    ChangeJobPriority: {
      none: '(no-such-job)',
      submitted: 'JobPriorityChanged',
      allocated: '(not-waiting)',
      ...across(over, '(job-ended)'),
    },
    VoidAllocation: {
      none: '(no-such-job)',
      submitted: 'AllocationVoided',
      ...across(['allocated', ...over], '-'),
    },
    CancelJob: {
      none: '(no-such-job)',
      submitted: 'JobCancelled',
      allocated: 'MemberCancelled MemberCancelled JobCancelled',
      ...across(over, '-'),
    },
    TimeOutJob: {
      none: '(no-such-job)',
      submitted: '-',
      allocated: 'MemberTimedOut MemberTimedOut JobTimedOut',
      ...across(over, '-'),
    },
    EndUnreachable: { none: '(no-such-job)', ...across(['submitted', 'allocated', ...over], '-') },
    TimeOutAction: onMembers('-'),
    CallVerb: onMembers('(member-not-booted)'),
    ResumeWait: onMembers('-'),
    AbandonWait: onMembers('-'),
    StartAction: onMembers('(not-owed)'),
    EndAction: onMembers('(not-owed)'),
    StartBoot: onMembers('MemberBooting'),
    ConfirmBoot: onMembers('(not-owed)'),
    FailMember: onMembers('MemberFailed'),
    StartSuite: onMembers('(member-not-booted)'),
    EndScript: onMembers('(member-not-booted)'),
    EndSuite: onMembers('(member-not-booted)'),
    RecordResult: onMembers('(member-not-booted)'),
    PrepareSuite: onMembers('SuitePrepared'),
    NoteGarbledSignal: onMembers('(member-not-booted)'),
    KeepAttachment: onMembers('(member-not-booted)'),
    RaiseMember: onMembers('MemberFailed'),
  };

  it('gives events, nothing or a rejection, and never throws', () => {
    expect(tableOf(Object.values(jobCommands), jobStates, job)).toEqual(expected);
  });

  it('is looked at in states that are what they say', () => {
    expect(Object.keys(jobStates).sort()).toEqual([...jobTable.states].sort());
    for (const [name, { state }] of Object.entries(jobStates)) expect(state).toBe(name);
  });
});

/** Member a, in the middle of its first action unless said otherwise; b waits for nothing. */
const memberStates: Record<Exclude<MemberStateName, 'cancelled'>, JobState> = {
  allocated: jobIn(),
  booting: jobIn((lab) => lab.do({ type: 'StartBoot', member: 'a' })),
  booted: new Lab(GROUP).state,
  waiting: jobIn((lab) => {
    for (const step of bootOf('a')) lab.do(step);
    lab.wait('a', 'y');
  }),
  synced: jobIn((lab) => {
    for (const m of ['a', 'b']) for (const step of bootOf(m)) lab.do(step);
    lab.send('b', 'y');
    lab.wait('a', 'y');
  }),
  complete: jobIn((lab) => {
    for (const step of bootOf('a')) lab.do(step);
    lab.endAction('a');
  }),
  failed: jobIn((lab) => lab.fail('a')),
  timedOut: jobIn((lab) => {
    for (const step of bootOf('a')) lab.do(step);
    lab.pass(600);
    lab.do({ type: 'TimeOutAction', member: 'a', action: 0 });
  }),
};

describe('every command on a member in every state of the member', () => {
  const ended = across(['complete', 'failed', 'timedOut'], '(member-ended)');
  const onShell = (events: string) => ({
    ...across(['allocated', 'booting'], '(member-not-booted)'),
    ...across(['booted', 'waiting', 'synced'], events),
    ...ended,
  });
  const expected = {
    TimeOutAction: {
      ...across(['allocated', 'booting'], '-'),
      ...across(['booted', 'synced'], 'ActionEnded MemberTimedOut'),
      waiting: 'WaitTimedOut ActionEnded MemberTimedOut',
      ...ended,
    },
    CallVerb: onShell('MessageSent'),
    ResumeWait: {
      ...across(['allocated', 'booting', 'booted', 'synced'], '-'),
      waiting: 'WaitResumed',
      ...ended,
    },
    AbandonWait: {
      ...across(['allocated', 'booting', 'booted', 'synced'], '-'),
      waiting: 'WaitAbandoned',
      ...ended,
    },
    StartAction: {
      ...across(['allocated', 'booting'], '(not-owed)'),
      ...across(['booted', 'waiting', 'synced'], '-'),
      ...ended,
    },
    EndAction: {
      ...across(['allocated', 'booting'], '(not-owed)'),
      ...across(['booted', 'synced'], 'ActionEnded MemberCompleted'),
      waiting: 'ActionEnded WaitAbandoned MemberCompleted',
      ...ended,
    },
    StartBoot: {
      ...across(['allocated', 'booted', 'synced'], 'MemberBooting'),
      booting: '-',
      waiting: 'WaitAbandoned MemberBooting',
      ...ended,
    },
    ConfirmBoot: {
      allocated: '(not-owed)',
      booting: 'MemberBooted',
      ...across(['booted', 'waiting', 'synced'], '-'),
      ...ended,
    },
    ...Object.fromEntries(
      ['FailMember', 'RaiseMember'].map((type) => [
        type,
        {
          ...across(['allocated', 'booting', 'booted', 'synced'], 'MemberFailed'),
          waiting: 'WaitAbandoned MemberFailed',
          ...ended,
        },
      ]),
    ),
    StartSuite: onShell('SuiteStarted'),
    EndScript: onShell('ScriptEnded'),
    EndSuite: onShell('SuiteEnded'),
    RecordResult: onShell('ResultRecorded'),
    NoteGarbledSignal: onShell('SignalGarbled'),
    KeepAttachment: onShell('AttachmentKept'),
    PrepareSuite: {
      ...across(['allocated', 'booting', 'booted', 'waiting', 'synced'], 'SuitePrepared'),
      ...ended,
    },
  };

  it('gives events, nothing or a rejection, and never throws', () => {
    const commands = Object.values(jobCommands).filter((command) => 'member' in command);
    expect(tableOf<JobState, JobCommand, never>(commands, memberStates, job as never)).toEqual(
      expected,
    );
  });

  it('is looked at in states that are what they say', () => {
    // A member is cancelled with its whole group only: the job commands above are its column.
    const names = memberTable.states.filter((state) => state !== 'cancelled');
    expect(Object.keys(memberStates)).toEqual(names);
    for (const [name, state] of Object.entries(memberStates))
      expect(state.members[0]?.state).toBe(name);
  });
});

describe('every device command in every device state', () => {
  const facts = { deviceType: 'panda', tags: [], worker: 'w', driver: 'local' };
  const commands: DeviceCommand[] = [
    { type: 'RegisterDevice', ...facts },
    { type: 'ReserveDevice', job: 2, lease: 'lease-2', until: START },
    { type: 'ReleaseDevice', lease: 'lease-2', reason: 'over' },
    { type: 'TakeDeviceOffline', reason: 'cable' },
    { type: 'BringDeviceOnline' },
    { type: 'ChangeDeviceHealth', to: 'bad', reason: 'check' },
    { type: 'RetireDevice', reason: 'broken' },
    { type: 'RestoreDevice', reason: 'repaired' },
    { type: 'NotePowerSwitch', power: 'off', outcome: 'done' },
  ];
  const meta = { at: START };
  const idle = evolveDevice(initialDevice, { type: 'DeviceRegistered', data: facts, meta });
  const held = { job: 1, lease: 'lease-1', until: START };
  const states: Record<DeviceStateName, typeof idle> = {
    none: initialDevice,
    idle,
    reserved: evolveDevice(idle, { type: 'DeviceReserved', data: held, meta }),
    retired: evolveDevice(idle, { type: 'DeviceRetired', data: { reason: 'broken' }, meta }),
  };
  const row = (idle: string, reserved: string) => ({
    none: '(no-such-device)',
    idle,
    reserved,
    retired: '(retired)',
  });

  it('gives events, nothing or a rejection, and never throws', () => {
    expect(Object.keys(states)).toEqual(deviceTable.states);
    const decider = { decide: decideDevice, evolve: evolveDevice };
    expect(tableOf(commands, states, decider)).toEqual({
      RegisterDevice: { none: 'DeviceRegistered', idle: '-', reserved: '-', retired: '(retired)' },
      ReserveDevice: row('DeviceReserved', '(not-idle)'),
      ReleaseDevice: row('-', '(not-holder)'),
      TakeDeviceOffline: row('DeviceWentOffline', 'DeviceWentOffline'),
      BringDeviceOnline: row('-', '-'),
      ChangeDeviceHealth: row('DeviceHealthChanged', 'DeviceHealthChanged'),
      RetireDevice: { ...row('DeviceRetired', '(not-idle)'), retired: '-' },
      RestoreDevice: { ...row('-', '-'), retired: 'DeviceRestored' },
      NotePowerSwitch: {
        ...row('DevicePowerSwitched', 'DevicePowerSwitched'),
        retired: 'DevicePowerSwitched',
      },
    });
  });
});

describe('every worker command in every worker state', () => {
  const line = { line: 'line-1', instance: 'folder-1', version: '0.2.0' };
  const until = START + 20_000_000;
  const commands: WorkerCommand[] = [
    { type: 'ConnectWorker', boards: ['a'] },
    { type: 'RenewWorker', until },
    { type: 'DisconnectWorker', line: 'line-1', reason: 'it broke', until },
    { type: 'LoseWorker', reason: 'silence' },
    { type: 'DrainWorker', reason: 'power' },
    { type: 'UndrainWorker' },
    { type: 'MakeWorkerToken', digest: 'new' },
    { type: 'RevokeWorkerToken', reason: 'leaked' },
  ];
  const meta = { at: START };
  const evolve = (state: WorkerState, type: string, data: object) =>
    evolveWorker(state, { type, data, meta } as Parameters<typeof evolveWorker>[1]);
  const expected = evolve(initialWorker, 'WorkerTokenMade', { digest: 'old' });
  const connected = evolve(expected, 'WorkerConnected', { boards: ['a'], line });
  const away = evolve(connected, 'WorkerDisconnected', { reason: 'it broke', until: START });
  const states: Record<WorkerStateName, WorkerState> = {
    none: initialWorker,
    expected,
    connected,
    away,
    lost: evolve(away, 'WorkerLost', { reason: 'silence' }),
  };
  const decider = { decide: decideWorker, evolve: evolveWorker };
  const everywhere = (what: string) => ({
    none: '(no-such-worker)',
    expected: what,
    connected: what,
    away: what,
    lost: what,
  });

  it('gives events, nothing or a rejection, and never throws', () => {
    expect(Object.keys(states)).toEqual(workerTable.states);
    expect(tableOf(commands, states, decider)).toEqual({
      ConnectWorker: { ...everywhere('WorkerConnected'), none: 'WorkerConnected' },
      RenewWorker: { ...everywhere('(worker-lost)'), connected: 'WorkerRenewed' },
      DisconnectWorker: { ...everywhere('-'), connected: 'WorkerDisconnected' },
      LoseWorker: { ...everywhere('-'), connected: 'WorkerLost', away: 'WorkerLost' },
      DrainWorker: everywhere('WorkerDrained'),
      UndrainWorker: everywhere('-'),
      MakeWorkerToken: { ...everywhere('WorkerTokenMade'), none: 'WorkerTokenMade' },
      RevokeWorkerToken: everywhere('WorkerTokenRevoked'),
    });
  });
});

/** From submission to a shell on every board: what the job's own commands decide (SEMANTICS 1.3, 2.3). */
import { describe, expect, it } from 'vitest';
import type { JobCommand } from '../../machines/commands.ts';
import { decideJob } from '../../machines/job/decide.ts';
import { evolveJob, initialJob } from '../../machines/job/job.ts';
import { deadlinesOf, nextStep } from '../../machines/job/next.ts';
import { allocateOf, boot, bootOf, definitionOf, deploy, Lab, submitOf, testShell } from './lab.ts';
import { givenOf, later, START } from './spec.ts';

const given = givenOf({ initial: initialJob, evolve: evolveJob, decide: decideJob });
const GROUP = 'a:client b:server';
const definition = definitionOf(GROUP);
const submitted = submitOf(definition);
const queued = submitOf({ ...definition, queueTimeoutSeconds: 60 });
const allocated = allocateOf(GROUP);
const queueTimeout: JobCommand = { type: 'TimeOutJob', limit: 'queue' };
const cancel: JobCommand = { type: 'CancelJob', reason: 'enough' };
const voided: JobCommand = { type: 'VoidAllocation', lease: 'lease-1', reason: 'it lapsed' };

describe('a submission', () => {
  it('is recorded with the document as it was handed in', () => {
    given()
      .when({ ...submitted, document: '{ "a": 1 } ' } as JobCommand)
      .gives(['JobSubmitted', { definition, document: '{ "a": 1 } ' }]);
  });

  it('that the boards can never satisfy is recorded, and rejected in the same decision', () => {
    const short = [{ role: 'server', wanted: 2, found: 1, lacking: 'server: 1 of 2 panda' }];
    const state = given()
      .when({ ...submitted, short } as JobCommand)
      .gives(['JobSubmitted'], ['JobRejected', { short }]);
    expect(state).toMatchObject({ state: 'rejected', reason: 'server: 1 of 2 panda' });
  });

  it('happens once in a stream', () => {
    given(submitted).when(submitted).rejectsWith('job-exists');
  });
});

describe('an allocation', () => {
  it('is of the whole group, in its order, under one lease', () => {
    const state = given(submitted)
      .when(allocated)
      .gives([
        'JobAllocated',
        {
          lease: 'lease-1',
          members: [
            { device: 'a', role: 'client' },
            { device: 'b', role: 'server' },
          ],
        },
      ]);
    expect(state).toMatchObject({ state: 'allocated', lease: 'lease-1', allocatedAt: START });
    expect(state.members.map((m) => m.state)).toEqual(['allocated', 'allocated']);
  });

  it('again under the same lease changes nothing: its answer was lost', () => {
    given(submitted, allocated).when(allocated).changesNothing();
  });

  it('under another lease is refused: the job has its boards', () => {
    given(submitted, allocated).when(allocateOf(GROUP, 'lease-2')).rejectsWith('lease-void');
  });

  it('under a lease that was given back is refused', () => {
    given(submitted, voided).when(allocated).rejectsWith('lease-void');
  });

  it('under a new lease is taken after another one was given back', () => {
    given(submitted, voided).when(allocateOf(GROUP, 'lease-2')).gives(['JobAllocated']);
  });

  it('of a job that has ended is refused', () => {
    given(submitted, cancel).when(allocated).rejectsWith('job-ended');
  });

  it('of no job is refused', () => {
    given().when(allocated).rejectsWith('no-such-job');
  });
});

describe('a lease that is given back', () => {
  it('is recorded while the job is queued', () => {
    given(submitted)
      .when(voided)
      .gives(['AllocationVoided', { lease: 'lease-1' }]);
  });

  it('is recorded once', () => {
    given(submitted, voided).when(voided).changesNothing();
  });

  it('changes nothing once it was committed', () => {
    given(submitted, allocated).when(voided).changesNothing();
  });
});

describe('the queue timeout', () => {
  it('times the job out, counted from its submission', () => {
    const state = given(queued, later(60))
      .when(queueTimeout)
      .gives(['JobTimedOut', { limit: 'queue' }]);
    expect(state).toMatchObject({
      state: 'timedOut',
      reason: 'not allocated within its queue timeout of 1 min',
    });
  });

  it('that comes early changes nothing', () => {
    given(queued, later(59.999)).when(queueTimeout).changesNothing();
  });

  it('that comes after the allocation changes nothing', () => {
    given(queued, allocated, later(60)).when(queueTimeout).changesNothing();
  });

  it('is not there unless the job asks for it', () => {
    given(submitted, later(1e6)).when(queueTimeout).changesNothing();
  });

  it('is the only deadline of a queued job', () => {
    const state = given(queued).when(voided).gives(['AllocationVoided']);
    expect(deadlinesOf(state)).toEqual([
      { id: 'queue', due: START + 60_000, command: queueTimeout },
    ]);
  });

  it('leaves the job its own timeout only once it is allocated', () => {
    given(submitted, later(1e6)).when({ type: 'TimeOutJob', limit: 'job' }).changesNothing();
  });
});

describe('the priority of a job', () => {
  const priority = (to: number): JobCommand => ({ type: 'ChangeJobPriority', priority: to });

  it('changes while it waits for boards, and says from what to what', () => {
    const job = given(submitted)
      .when(priority(80))
      .gives(['JobPriorityChanged', { from: 50, to: 80 }]);
    expect(job).toMatchObject({ state: 'submitted', definition: { priority: 80 } });
    given(submitted, priority(80))
      .when(priority(10))
      .gives(['JobPriorityChanged', { from: 80, to: 10 }]);
  });

  it('that it has already changes nothing', () => {
    given(submitted).when(priority(50)).changesNothing();
    given(submitted, priority(80)).when(priority(80)).changesNothing();
  });

  it('is of no use to a job that has its boards, or has ended, or is not there', () => {
    given(submitted, allocated)
      .when(priority(80))
      .rejectsWith('not-waiting', /boards already/);
    given(submitted, cancel)
      .when(priority(80))
      .rejectsWith('job-ended', /cancelled/);
    given().when(priority(80)).rejectsWith('no-such-job');
  });
});

describe('cancel of a queued job', () => {
  it('ends it', () => {
    given(submitted)
      .when(cancel)
      .gives(['JobCancelled', { reason: 'enough' }]);
  });

  it('that was cancelled changes nothing', () => {
    given(submitted, cancel).when(cancel).changesNothing();
  });

  it('that is not there is refused', () => {
    given().when(cancel).rejectsWith('no-such-job');
  });
});

describe('actions', () => {
  const actions = [
    deploy({ roles: ['server'] }),
    deploy({ roles: ['client'] }),
    boot(),
    testShell(),
  ];
  const job = submitOf({ ...definition, actions });
  const start = (member: string, action: number): JobCommand => ({
    type: 'StartAction',
    member,
    action,
  });
  const end = (member: string, action: number): JobCommand => ({
    type: 'EndAction',
    member,
    action,
    outcome: 'ok',
  });

  it('run in the order of the list, each member those of its role', () => {
    given(job, allocated)
      .when(start('a', 1))
      .gives(['ActionStarted', { member: 'a', action: 1, command: 'deploy_linaro_image' }]);
    given(job, allocated).when(start('a', 0)).rejectsWith('not-owed');
    given(job, allocated, start('a', 1), end('a', 1)).when(start('a', 3)).rejectsWith('not-owed');
    given(job, allocated, start('a', 1), end('a', 1)).when(start('a', 2)).gives(['ActionStarted']);
  });

  it('start once and end once: the second word changes nothing', () => {
    given(job, allocated, start('a', 1)).when(start('a', 1)).changesNothing();
    given(job, allocated, start('a', 1), end('a', 1)).when(end('a', 1)).changesNothing();
  });

  it('that do not run cannot end', () => {
    given(job, allocated).when(end('a', 1)).rejectsWith('not-owed');
    given(job, allocated, start('a', 1)).when(end('a', 3)).rejectsWith('not-owed');
  });

  it('that need a shell wait for a booted board', () => {
    const shell = submitOf({ ...definition, actions: [testShell()] });
    given(shell, allocated).when(start('a', 0)).rejectsWith('not-owed');
    given(shell, allocated, ...bootOf('a').slice(0, 2))
      .when(start('a', 0))
      .gives(['ActionStarted']);
  });

  it('make the member complete with the last one', () => {
    const shell = submitOf({ ...definition, actions: [testShell()] });
    given(shell, allocated, ...bootOf('a'))
      .when(end('a', 0))
      .gives(['ActionEnded', { outcome: 'ok' }], ['MemberCompleted', { member: 'a' }]);
  });

  it('need a new boot after a deploy', () => {
    const lab = new Lab('a:r', { unbooted: true, actions: [testShell(), deploy(), testShell()] });
    for (const step of bootOf('a')) lab.do(step);
    lab.endAction('a');
    lab.do(start('a', 1));
    lab.endAction('a', 'ok', 1);
    expect(nextStep(lab.state, lab.member('a'))).toEqual({ do: 'boot', begun: false });
    lab.do({ type: 'StartBoot', member: 'a' });
    expect(nextStep(lab.state, lab.member('a'))).toEqual({ do: 'boot', begun: true });
    lab.do({ type: 'ConfirmBoot', member: 'a' });
    expect(nextStep(lab.state, lab.member('a'))).toMatchObject({
      do: 'run',
      index: 2,
      begun: false,
    });
    lab.do(start('a', 2));
    expect(nextStep(lab.state, lab.member('a'))).toMatchObject({
      do: 'run',
      index: 2,
      begun: true,
    });
  });

  it('remember the image of the last deploy that succeeded', () => {
    const lab = new Lab('a:r', {
      unbooted: true,
      actions: [deploy({ parameters: { image: 'file:one' } }), boot()],
    });
    lab.do(start('a', 0));
    expect(lab.member('a').image).toBeNull();
    lab.endAction('a');
    expect(lab.member('a').image).toBe('file:one');
  });
});

describe('booting', () => {
  const [startBoot, confirmBoot] = bootOf('a') as [JobCommand, JobCommand, JobCommand];

  it('is started and confirmed once each', () => {
    given(submitted, allocated)
      .when(startBoot)
      .gives(['MemberBooting', { member: 'a' }]);
    given(submitted, allocated, startBoot).when(startBoot).changesNothing();
    given(submitted, allocated, startBoot).when(confirmBoot).gives(['MemberBooted']);
    given(submitted, allocated, startBoot, confirmBoot).when(confirmBoot).changesNothing();
  });

  it('that nobody started cannot be confirmed', () => {
    given(submitted, allocated).when(confirmBoot).rejectsWith('not-owed');
  });

  it('says where the board can be reached', () => {
    given(submitted, allocated, startBoot)
      .when({ type: 'ConfirmBoot', member: 'a', address: '10.1.0.2' })
      .gives(['MemberBooted', { member: 'a', address: '10.1.0.2' }]);
  });
});

describe('whose fault a failure was', () => {
  it.each(['board', 'worker'] as const)('is said where it was the %s and not the test', (fault) => {
    const lab = new Lab('a:r b:r');
    lab.do({ type: 'FailMember', member: 'a', reason: 'no power', fault });
    expect(lab.only('MemberFailed')).toEqual({ member: 'a', reason: 'no power', fault });
    expect(lab.member('a').ended).toMatchObject({ reason: 'no power', fault });
  });

  it('is carried from an action that failed to its member', () => {
    const lab = new Lab('a:r b:r');
    const failed = { action: 0, outcome: 'failed', reason: 'the line is dead' } as const;
    lab.do({ type: 'EndAction', member: 'a', ...failed, fault: 'board' });
    expect(lab.only('MemberFailed')).toMatchObject({ fault: 'board' });
    expect(lab.only('ActionEnded')).not.toHaveProperty('fault');
  });

  it('is nobody’s where it was the test', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.endAction('a', 'failed', 0, 'exit 1');
    lab.do({ type: 'RaiseMember', member: 'b', reason: 'no disk' });
    for (const failed of lab.all('MemberFailed')) expect(failed).not.toHaveProperty('fault');
    expect(lab.member('a').ended?.fault).toBeNull();
  });
});

describe('suites and results', () => {
  const [startBoot, confirmBoot] = bootOf('a') as [JobCommand, JobCommand, JobCommand];
  const booted = [submitted, allocated, startBoot, confirmBoot];
  const suite: JobCommand = { type: 'StartSuite', member: 'a', suite: '0_smoke' };
  const result: JobCommand = { type: 'RecordResult', member: 'a', case: 'ping', result: 'pass' };

  it('a result goes to the suite that it names, else to the last one that the member started, else to lava', () => {
    given(...booted)
      .when(result)
      .gives(['ResultRecorded', { suite: 'lava', case: 'ping' }]);
    given(...booted, suite)
      .when(result)
      .gives(['ResultRecorded', { suite: '0_smoke' }]);
    given(...booted, suite)
      .when({ ...result, suite: '1_iperf' } as JobCommand)
      .gives(['ResultRecorded', { suite: '1_iperf' }]);
  });

  it('a case that is recorded twice is recorded twice', () => {
    given(...booted, result)
      .when(result)
      .gives(['ResultRecorded']);
  });

  it('need a booted board', () => {
    given(submitted, allocated).when(suite).rejectsWith('member-not-booted');
    given(submitted, allocated).when(result).rejectsWith('member-not-booted');
  });

  it('keep measurement, units, set and note as they came', () => {
    const measured = { measurement: '93.5', units: 'Mbit/s', set: 'net', note: 'status 0' };
    given(...booted)
      .when({ ...result, ...measured } as JobCommand)
      .gives(['ResultRecorded', measured]);
  });

  it('are recorded without a measurement that is no number, which their note says', () => {
    const is = { measurement: '9.8MB/s', units: 's', note: 'status 0' };
    const lab = new Lab(GROUP);
    lab.do({ type: 'RecordResult', member: 'a', case: 'rate', result: 'pass', ...is });
    expect(lab.only('ResultRecorded')).toEqual({
      member: 'a',
      suite: 'lava',
      case: 'rate',
      result: 'pass',
      note: 'status 0; the measurement "9.8MB/s s" is no number',
    });
  });
});

describe('what a request leaves in its events', () => {
  it('its key stands on the first event alone, its console offset on those that it caused directly', () => {
    const lab = new Lab(GROUP);
    lab.sync('a', 'x');
    const events = decideJob(
      { type: 'CallVerb', member: 'b', verb: 'sync', words: ['x'] },
      lab.state,
      {
        now: lab.now,
        newId: () => 'id',
        request: { id: 'r', actor: 'board:b', correlationId: 'job-1', key: 'k1', console: 42 },
      },
    );
    expect(events).toMatchObject([
      { type: 'MessageSent', meta: { key: 'k1', console: 42, causationId: 'r', actor: 'board:b' } },
      { type: 'WaitStarted', meta: { console: 42, causationId: 'r' } },
      { type: 'WaitReleased', meta: { causationId: 'id' } },
      { type: 'WaitReleased', meta: { causationId: 'id' } },
    ]);
    const metas = (events as { meta: object }[]).map(({ meta }) => meta);
    expect(metas.filter((meta) => 'key' in meta)).toHaveLength(1);
    expect(metas.filter((meta) => 'console' in meta)).toHaveLength(2);
  });
});

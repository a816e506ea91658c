/** A job as people see it. */
import { describe, expect, it } from 'vitest';
import { initialJob } from '../../machines/job/job.ts';
import { jobView } from '../../projections/job-view.ts';
import { iso, JobView } from '../../projections/views.ts';
import { anyHistory, labOf, play } from '../machines/history.ts';
import { Lab } from '../machines/lab.ts';
import { assertHolds } from '../machines/runs.ts';
import { START } from '../machines/spec.ts';

const view = (lab: Lab) => jobView(7, lab.state, lab.now);

describe('the view of a job', () => {
  it('says who plays which role, in what state, and what each does now', () => {
    const lab = new Lab('a:client b:server');
    lab.do({ type: 'StartSuite', member: 'a', suite: '0_iperf' });
    lab.wait('a', 'ready');
    lab.pass(5);
    expect(view(lab)).toEqual({
      id: 7,
      name: 'a job',
      state: 'allocated',
      priority: 50,
      submittedAt: iso(START),
      allocatedAt: iso(START),
      timeoutSeconds: 3600,
      roles: [
        { role: 'client', count: 1, deviceType: 'panda', tags: [] },
        { role: 'server', count: 1, deviceType: 'panda', tags: [] },
      ],
      members: [
        {
          device: 'a',
          role: 'client',
          state: 'waiting',
          doing: 'waits in lava-wait ready for 5 s',
          action: { index: 0, command: 'lava_test_shell', since: iso(START) },
          suite: '0_iperf',
        },
        {
          device: 'b',
          role: 'server',
          state: 'booted',
          doing: 'runs action 0 lava_test_shell for 5 s, last: action 0 lava_test_shell 5 s ago',
          action: { index: 0, command: 'lava_test_shell', since: iso(START) },
        },
      ],
    });
  });

  it('says how and why it ended, the job and each member', () => {
    const lab = new Lab('a:r b:r');
    lab.endAction('a');
    lab.pass(5);
    lab.fail('b', 'no power');
    expect(view(lab)).toMatchObject({
      state: 'failed',
      reason: 'b: no power',
      endedAt: iso(START + 5000),
      members: [
        { state: 'complete', endedAt: iso(START), doing: 'ended complete 5 s ago' },
        { state: 'failed', endedAt: iso(START + 5000), reason: 'no power' },
      ],
    });
    expect(view(lab).members[0]).not.toHaveProperty('reason');
  });

  it('shows no running action of a member that has ended', () => {
    const lab = new Lab('a:r b:r');
    lab.fail('a', 'no power');
    expect(view(lab).members[0]).not.toHaveProperty('action');
  });

  it('is not there for a job that was never submitted', () => {
    expect(() => jobView(7, initialJob, START)).toThrow('job 7 was never submitted');
  });

  it('is of the published shape, whatever the history', () =>
    assertHolds(
      anyHistory,
      ([group, ops]) => {
        play(labOf(group), ops, (lab) => expect(JobView.parse(view(lab))).toEqual(view(lab)));
      },
      50,
    ));
});

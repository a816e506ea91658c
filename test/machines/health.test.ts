/** The health of a board (SEMANTICS 4.5): what the end of a job says of it, who may have it, when a check is due. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceCommand } from '../../machines/commands.ts';
import { Rejected } from '../../machines/deciding.ts';
import {
  type DeviceState,
  decideDevice,
  evolveDevice,
  initialDevice,
  isFitFor,
} from '../../machines/device.ts';
import { Fault, Health, type HealthCheck, MemberEnd } from '../../machines/events.ts';
import { checkDue, nextCheckAt, openByHealth } from '../../scheduler/health.ts';
import { definitionOf } from './lab.ts';
import { assertHolds, isCaught } from './runs.ts';
import { counter, envAt, givenOf, later, START } from './spec.ts';

const given = givenOf({ initial: initialDevice, evolve: evolveDevice, decide: decideDevice });
type Release = Extract<DeviceCommand, { type: 'ReleaseDevice' }>;

const check: HealthCheck = {
  everyHours: 24,
  everyJobs: 2,
  definition: definitionOf('any:default'),
  document: '{}',
};
const registered: DeviceCommand = {
  type: 'RegisterDevice',
  deviceType: 'panda',
  tags: [],
  worker: 'w',
  driver: 'local',
  healthCheck: check,
};
const reserved: DeviceCommand = { type: 'ReserveDevice', job: 7, lease: 'l', until: START + 5000 };
const reservedForCheck: DeviceCommand = { ...reserved, healthCheck: true };
const released = (is: Partial<Release>): DeviceCommand => ({
  type: 'ReleaseDevice',
  lease: 'l',
  reason: 'job-7 has ended',
  ...is,
});
const health = (to: Health): DeviceCommand => ({
  type: 'ChangeDeviceHealth',
  to,
  reason: 'an operator says so',
});
const passed = [reservedForCheck, released({ ended: 'complete' })];
const oneJob = [reserved, released({ ended: 'complete' })];

describe('a health check', () => {
  it('that passed makes the board good', () => {
    given(registered, reservedForCheck)
      .when(released({ ended: 'complete' }))
      .gives(
        ['DeviceReleased', { ended: 'complete' }],
        [
          'DeviceHealthChanged',
          { from: 'unknown', to: 'good', reason: 'health check passed in job 7' },
        ],
      );
  });

  it.each(['failed', 'timedOut'] as const)('that ended %s makes it bad', (ended) => {
    const device = given(registered, health('good'), reservedForCheck)
      .when(released({ ended }))
      .gives(['DeviceReleased'], ['DeviceHealthChanged', { from: 'good', to: 'bad' }]);
    expect(device.healthReason).toBe(`health check ${ended} in job 7`);
  });

  it('that failed by the fault of the board itself makes it bad too', () => {
    given(registered, reservedForCheck)
      .when(released({ ended: 'failed', fault: 'board' }))
      .gives(['DeviceReleased'], ['DeviceHealthChanged', { to: 'bad' }]);
  });

  it('whose worker was lost is no verdict: its health is unknown', () => {
    given(registered, health('good'), reservedForCheck)
      .when(released({ ended: 'failed', fault: 'worker' }))
      .gives(['DeviceReleased'], ['DeviceHealthChanged', { to: 'unknown' }]);
    given(registered, reservedForCheck)
      .when(released({ ended: 'failed', fault: 'worker' }))
      .gives(['DeviceReleased']);
  });

  it('that was cancelled is no verdict, and neither is one that was never allocated', () => {
    for (const is of [{ ended: 'cancelled' }, {}] as const)
      given(registered, health('good'), reservedForCheck)
        .when(released(is))
        .gives(['DeviceReleased', is]);
  });

  it('that passes on a good board records no change', () => {
    given(registered, ...passed, reservedForCheck)
      .when(released({ ended: 'complete' }))
      .gives(['DeviceReleased']);
  });

  it.each(['looping', 'maintenance', 'bad'] as const)(
    'does not overrule an operator who has said %s meanwhile',
    (to) => {
      for (const ended of ['complete', 'failed'] as const) {
        const device = given(registered, reservedForCheck, health(to))
          .when(released({ ended }))
          .gives(['DeviceReleased']);
        expect(device).toMatchObject({ health: to, healthReason: 'an operator says so' });
      }
    },
  );
});

describe('a job that is no check', () => {
  it.each(MemberEnd.options)(
    'and ended %s by nobody’s fault says nothing of the board',
    (ended) => {
      given(registered, ...passed, reserved)
        .when(released({ ended }))
        .gives(['DeviceReleased']);
    },
  );

  it.each([
    ['board', 'the board failed in job 7'],
    ['worker', 'its worker was lost in job 7'],
  ] as const)('and failed by the fault of its %s makes its health unknown', (fault, reason) => {
    given(registered, ...passed, reserved)
      .when(released({ ended: 'failed', fault }))
      .gives(
        ['DeviceReleased', { fault }],
        ['DeviceHealthChanged', { from: 'good', to: 'unknown', reason }],
      );
  });

  it('and is the third in a row that the board itself fails makes it bad', () => {
    const failed = [reserved, released({ ended: 'failed', fault: 'board' })];
    const unchecked = { ...registered, healthCheck: undefined } as DeviceCommand;
    const device = given(unchecked, ...failed, ...failed, reserved)
      .when(released({ ended: 'failed', fault: 'board' }))
      .gives(['DeviceReleased'], ['DeviceHealthChanged', { from: 'unknown', to: 'bad' }]);
    expect(device.healthReason).toMatch(
      /^the board failed 3 times in a row, the last time in job 7$/,
    );
  });

  it('breaks the row when it completes, and so does an operator who says how the board is', () => {
    const failed = [reserved, released({ ended: 'failed', fault: 'board' })];
    const neutral = [reserved, released({ ended: 'failed' })];
    const unchecked = { ...registered, healthCheck: undefined } as DeviceCommand;
    for (const between of [oneJob, [health('good')]])
      given(unchecked, ...failed, ...failed, ...between, reserved)
        .when(released({ ended: 'failed', fault: 'board' }))
        .gives(
          ['DeviceReleased'],
          ...(between === oneJob ? [] : [['DeviceHealthChanged', { to: 'unknown' }] as const]),
        );
    given(unchecked, ...failed, ...failed, ...neutral, reserved)
      .when(released({ ended: 'failed', fault: 'board' }))
      .gives(['DeviceReleased'], ['DeviceHealthChanged', { to: 'bad' }]);
  });

  it('leaves what an operator has said', () => {
    given(registered, ...passed, reserved, health('maintenance'))
      .when(released({ ended: 'failed', fault: 'board' }))
      .gives(['DeviceReleased']);
  });

  /** SEMANTICS 4.5 as a table, of every end of every kind of job on a board of every health. */
  const verdict = (before: Health, isCheck: boolean, ended?: MemberEnd, fault?: Fault): Health => {
    const operatorSaid = before === 'looping' || before === 'bad' || before === 'maintenance';
    if (operatorSaid || ended === undefined || ended === 'cancelled') return before;
    if (fault === 'worker' || (fault === 'board' && !isCheck)) return 'unknown';
    if (!isCheck) return before;
    return ended === 'complete' ? 'good' : 'bad';
  };
  type Decide = typeof decideDevice;
  const endsAsTheTableSays =
    (decide: Decide) =>
    ([before, isCheck, ended, fault]: [Health, boolean, MemberEnd | null, Fault | null]): void => {
      const held = {
        job: 7,
        lease: 'l',
        until: START,
        ...(isCheck && { healthCheck: true as const }),
      };
      const board: DeviceState = {
        ...initialDevice,
        state: 'reserved',
        health: before,
        heldBy: held,
      };
      const is = { ...(ended && { ended }), ...(fault && { fault }) };
      const decision = decide(released(is), board, envAt(START, counter()));
      expect(decision).not.toBeInstanceOf(Rejected);
      if (decision instanceof Rejected) return;
      const after = decision.reduce(evolveDevice, board);
      expect(after.health).toBe(verdict(before, isCheck, ended ?? undefined, fault ?? undefined));
    };
  const anyEnd = fc.tuple(
    fc.constantFrom(...Health.options),
    fc.boolean(),
    fc.constantFrom(null, ...MemberEnd.options),
    fc.constantFrom(null, ...Fault.options),
  );

  it('or is one: every end on every health is as SEMANTICS 4.5 has it', () =>
    assertHolds(anyEnd, endsAsTheTableSays(decideDevice)));

  it('is caught when a lost worker makes a board bad, or a cancelled check a good one', () => {
    const change =
      (is: Partial<Release>): Decide =>
      (command, state, env) =>
        decideDevice(
          command.type === 'ReleaseDevice' ? { ...command, ...is } : command,
          state,
          env,
        );
    isCaught(anyEnd, endsAsTheTableSays(change({ fault: undefined })));
    isCaught(anyEnd, endsAsTheTableSays(change({ ended: 'complete' })));
  });
});

describe('the check that a board is registered with', () => {
  it('is the same whatever the order of its words', () => {
    const { definition, document, everyHours, everyJobs } = check;
    const healthCheck = { document, definition, everyJobs, everyHours };
    given(registered)
      .when({ ...registered, healthCheck } as DeviceCommand)
      .changesNothing();
  });

  it('is recorded anew when it changes, or goes', () => {
    given(registered)
      .when({ ...registered, healthCheck: { ...check, everyJobs: 3 } } as DeviceCommand)
      .gives(['DeviceRegistered', { healthCheck: { ...check, everyJobs: 3 } }]);
    const device = given(registered)
      .when({ ...registered, healthCheck: undefined } as DeviceCommand)
      .gives(['DeviceRegistered']);
    expect(device.healthCheck).toBeNull();
  });
});

describe('the count of jobs since the last check', () => {
  const boardAfter = (...history: Parameters<typeof given>) =>
    given(...history)
      .when(reserved)
      .gives(['DeviceReserved']);

  it('grows with every job that had the board, however it ended', () => {
    expect(boardAfter(registered, health('good'), ...oneJob)).toMatchObject({
      jobsSinceCheck: 1,
      checkedAt: null,
    });
    const cancelled = [reserved, released({ ended: 'cancelled' })];
    expect(boardAfter(registered, health('good'), ...oneJob, ...cancelled).jobsSinceCheck).toBe(2);
  });

  it('does not grow with a reservation that came to nothing', () => {
    expect(boardAfter(registered, health('good'), reserved, released({})).jobsSinceCheck).toBe(0);
  });

  it('starts anew with a check that came to a verdict, at its end', () => {
    expect(boardAfter(registered, health('good'), ...oneJob, later(60), ...passed)).toMatchObject({
      jobsSinceCheck: 0,
      checkedAt: START + 60_000,
    });
  });

  it('goes on over a check that was cancelled', () => {
    const cancelled = [reservedForCheck, released({ ended: 'cancelled' })];
    expect(boardAfter(registered, health('good'), ...oneJob, ...cancelled)).toMatchObject({
      jobsSinceCheck: 1,
      checkedAt: null,
    });
  });

  it('is kept when the lab says something new of the board', () => {
    const other: DeviceCommand = { ...registered, tags: ['usb'] } as DeviceCommand;
    expect(boardAfter(registered, ...passed, ...oneJob, other)).toMatchObject({
      jobsSinceCheck: 1,
      checkedAt: START,
    });
  });
});

describe('a board is given', () => {
  it.each(['bad', 'maintenance'] as const)('to nobody while its health is %s', (to) => {
    for (const command of [reserved, reservedForCheck])
      given(registered, health(to)).when(command).rejectsWith('not-idle', new RegExp(to));
  });

  it('to its own check alone while it is looping', () => {
    given(registered, health('looping'))
      .when(reserved)
      .rejectsWith('not-idle', /looping/);
    given(registered, health('looping'))
      .when(reservedForCheck)
      .gives(['DeviceReserved', { healthCheck: true }]);
  });

  it('to its own check alone while its health is unknown, where it has one', () => {
    given(registered, health('unknown'))
      .when(reserved)
      .rejectsWith('not-idle', /health unknown: its health check comes first/);
    for (const healthCheck of [check, null])
      expect(isFitFor({ health: 'unknown', healthCheck }, true)).toBe(true);
    expect(isFitFor({ health: 'unknown', healthCheck: null }, false)).toBe(true);
  });

  it('to both while it is good', () => {
    for (const isCheck of [true, false])
      expect(isFitFor({ health: 'good', healthCheck: check }, isCheck)).toBe(true);
  });

  it('as a check that is remembered for as long as it is held, and no longer', () => {
    const device = given(registered).when(reservedForCheck).gives(['DeviceReserved']);
    expect(device.heldBy?.healthCheck).toBe(true);
    given(registered, ...passed, reserved)
      .when(released({ ended: 'failed' }))
      .gives(['DeviceReleased']);
  });
});

describe('a check is due', () => {
  const HOUR = 3_600_000;
  const board = (is: Partial<DeviceState>): DeviceState => ({
    ...initialDevice,
    health: 'good',
    healthCheck: check,
    checkedAt: START,
    ...is,
  });

  it('never on a board without one', () => {
    for (const each of Health.options)
      expect(
        checkDue(board({ health: each, healthCheck: null, checkedAt: null }), START),
      ).toBeNull();
  });

  it('always while its health is unknown or it is looping', () => {
    expect(checkDue(board({ health: 'unknown' }), START)).toBe('its health is unknown');
    expect(checkDue(board({ health: 'looping' }), START)).toBe('it is looping');
  });

  it('never while it is bad or in maintenance', () => {
    for (const is of ['bad', 'maintenance'] as const)
      expect(checkDue(board({ health: is, checkedAt: null, jobsSinceCheck: 9 }), START)).toBeNull();
  });

  it('on a good board that was never checked', () => {
    expect(checkDue(board({ checkedAt: null }), START)).toBe('it was never checked');
  });

  it('after so many jobs, and not before', () => {
    expect(checkDue(board({ jobsSinceCheck: 1 }), START)).toBeNull();
    expect(checkDue(board({ jobsSinceCheck: 2 }), START)).toBe(
      '2 jobs since the last check, one is due every 2',
    );
  });

  it('after so many hours, to the millisecond', () => {
    expect(checkDue(board({}), START + 24 * HOUR - 1)).toBeNull();
    expect(checkDue(board({}), START + 24 * HOUR)).toBe(
      '24 h since the last check, one is due every 24 h',
    );
  });

  it('by neither on a board that says neither', () => {
    const once: HealthCheck = { definition: check.definition, document: check.document };
    const is = board({ healthCheck: once, jobsSinceCheck: 1000 });
    expect(checkDue(is, START + 1000 * HOUR)).toBeNull();
    expect(nextCheckAt(is)).toBeNull();
  });

  it('by the hours alone at a time that is known before', () => {
    expect(nextCheckAt(board({}))).toBe(START + 24 * HOUR);
    expect(nextCheckAt(board({ checkedAt: null }))).toBeNull();
    for (const is of ['unknown', 'looping', 'bad', 'maintenance'] as const)
      expect(nextCheckAt(board({ health: is }))).toBeNull();
  });

  it('and opens the board to checks alone, with the reason', () => {
    expect(openByHealth(board({ jobsSinceCheck: 2 }), START)).toEqual({
      open: 'checks',
      closed: 'a health check comes first: 2 jobs since the last check, one is due every 2',
    });
    expect(openByHealth(board({ health: 'looping' }), START).open).toBe('checks');
    expect(openByHealth(board({}), START)).toEqual({ open: 'jobs' });
  });

  it('of no board that nobody can check: unknown is open to jobs, looping to nothing', () => {
    const unchecked = { healthCheck: null, checkedAt: null };
    expect(openByHealth(board({ ...unchecked, health: 'unknown' }), START)).toEqual({
      open: 'jobs',
    });
    expect(openByHealth(board({ ...unchecked, health: 'looping' }), START).open).toBe('nothing');
  });

  it('or not: what an operator closed stays closed, and says why', () => {
    const reason = 'new cable';
    for (const is of ['bad', 'maintenance'] as const)
      expect(openByHealth(board({ health: is, healthReason: reason }), START)).toEqual({
        open: 'nothing',
        closed: expect.stringMatching(new RegExp(`^health ${is}.*: ${reason}$`)),
      });
  });
});

/** A member: one device's part in a job. Its machine, and what is remembered of it. */
import { createMachine } from 'xstate';
import type { Fault } from '../events.ts';
import { all, tableOf } from '../table.ts';

export type MemberStateName =
  | 'allocated'
  | 'booting'
  | 'booted'
  | 'waiting'
  | 'synced'
  | 'complete'
  | 'failed'
  | 'timedOut'
  | 'cancelled';

const steps = ['ActionStarted', 'ActionEnded', 'SuitePrepared'] as const;
const talk = [
  'MessageSent',
  'RequestRefused',
  'SuiteStarted',
  'ScriptEnded',
  'SuiteEnded',
  'ResultRecorded',
  'SignalGarbled',
  'AttachmentKept',
] as const;
const unreleased = ['WaitTimedOut', 'WaitUnreachable', 'WaitAbandoned'] as const;
const ends = {
  MemberCompleted: 'complete',
  MemberFailed: 'failed',
  MemberTimedOut: 'timedOut',
  MemberCancelled: 'cancelled',
} as const;
const final = { type: 'final' } as const;

/**
 * `allocated -> booting -> booted -> (waiting <-> synced) -> complete | failed | timedOut | cancelled`.
 *
 * A member is `waiting` while it has an open wait: evolve hands on the end of a wait only when it was the last
 * open one. `synced`: its last wait was released; one that failed or was given up leads back to `booted`.
 */
export const memberMachine = createMachine({
  id: 'member',
  initial: 'allocated',
  states: {
    allocated: { on: { ...all(steps, 'allocated'), MemberBooting: 'booting', ...ends } },
    booting: {
      on: { ...all(steps, 'booting'), MemberBooting: 'booting', MemberBooted: 'booted', ...ends },
    },
    booted: {
      on: {
        ...all([...steps, ...talk], 'booted'),
        WaitStarted: 'waiting',
        MemberBooting: 'booting',
        ...ends,
      },
    },
    waiting: {
      on: {
        ...all([...steps, ...talk, 'WaitResumed', 'WaitStuck', 'WaitUnstuck'], 'waiting'),
        WaitStarted: 'waiting',
        WaitReleased: 'synced',
        ...all(unreleased, 'booted'),
      },
    },
    synced: {
      on: {
        ...all([...steps, ...talk], 'synced'),
        WaitStarted: 'waiting',
        MemberBooting: 'booting',
        ...ends,
      },
    },
    complete: final,
    failed: final,
    timedOut: final,
    cancelled: final,
  },
});

export const memberTable = tableOf<MemberStateName>(memberMachine);

/** Plain JSON: what the events say of one member. Times in milliseconds since the epoch. */
export interface Member {
  readonly device: string;
  readonly role: string;
  readonly state: MemberStateName;
  /** How many of its own actions have ended. */
  readonly actionsDone: number;
  /** The action that runs now. */
  readonly action: {
    readonly index: number;
    readonly command: string;
    readonly since: number;
  } | null;
  /** The image of its last deploy that succeeded. */
  readonly image: string | null;
  /** Whether the board was booted since its last deploy. */
  readonly up: boolean;
  readonly bootingSince: number | null;
  readonly address: string | null;
  /** The suite that runs, or ran last: results of verbs go there. */
  readonly suite: string | null;
  /** Whether it runs still. */
  readonly suiteRuns: boolean;
  /** Syncs from which it was not released, by id: the round that its next `lava-sync` of the id takes up again. */
  readonly unreleasedSyncs: Readonly<Record<string, number>>;
  /** How many of its waits are open. */
  readonly openWaits: number;
  /** Why it can no longer end complete: a wait of its own failed (SEMANTICS 2.3). */
  readonly failing: string | null;
  /** What it was last seen doing. */
  readonly last: { readonly what: string; readonly at: number };
  /** `fault`: whose fault it was, where it was not the test's. */
  readonly ended: {
    readonly at: number;
    readonly reason: string | null;
    readonly fault: Fault | null;
  } | null;
}

export function newMember(device: string, role: string, at: number): Member {
  return {
    device,
    role,
    state: memberTable.initial,
    actionsDone: 0,
    action: null,
    image: null,
    up: false,
    bootingSince: null,
    address: null,
    suite: null,
    suiteRuns: false,
    unreleasedSyncs: {},
    openWaits: 0,
    failing: null,
    last: { what: 'was allocated', at },
    ended: null,
  };
}

/** The member that was seen doing something. Key by key: it comes with every message, and a spread takes longer. */
export const lastSeen = (member: Member, what: string, at: number): Member => ({
  device: member.device,
  role: member.role,
  state: member.state,
  actionsDone: member.actionsDone,
  action: member.action,
  image: member.image,
  up: member.up,
  bootingSince: member.bootingSince,
  address: member.address,
  suite: member.suite,
  suiteRuns: member.suiteRuns,
  unreleasedSyncs: member.unreleasedSyncs,
  openWaits: member.openWaits,
  failing: member.failing,
  last: { what, at },
  ended: member.ended,
});

/** A terminal member never sends again; what it has sent stays (SEMANTICS 2.1). */
export const isTerminal = (member: Member): boolean => member.ended !== null;

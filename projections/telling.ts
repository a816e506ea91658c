/**
 * What each event says, in words: once, in one table. The timeline, the progress of a job, the notes of results, the
 * reasons of barriers and what a board hears at the end of its wait are views of it. Pure.
 *
 * Words: a wait is released, timed out (at a limit), can never be released (with a proof), or was given up (nobody is
 * there for it any more). No view has another word for one of these.
 */
import type {
  DataOf,
  EventType,
  MissingMember,
  StreamEvent,
  WaitVerb,
} from '../machines/events.ts';
import { jobStream, type StreamKind, streamOf } from '../machines/names.ts';
import {
  HOW_WAITS_FAIL,
  lackText,
  nameList,
  seenLines,
  shortText,
  verbOf,
} from '../machines/wording.ts';

/** What it is about: a view leaves out what its reader did not ask for. */
export type Kind =
  | 'job'
  | 'job-end'
  | 'member'
  | 'member-end'
  | 'action'
  | 'suite'
  | 'result'
  | 'message'
  | 'refusal'
  | 'wait'
  | 'wait-end'
  | 'device'
  | 'worker'
  | 'submission';

/** How it goes for the job. */
export type Tone = 'plain' | 'good' | 'bad' | 'quiet';

/** `subject verb object rest: because`, as in `b | timed out in | lava-sync x | (limit of the action): a is missing`. */
export interface Telling {
  readonly kind: Kind;
  /** Who did it, or to whom it happened: a board, a worker, the job. */
  readonly subject: string;
  readonly verb: string;
  /** The verb where the object is the subject: `lava-sync x` `timed out`. Waits only. */
  readonly passive: string;
  readonly object: string;
  readonly rest: string;
  /** A clause that ends the sentence, then lines that stand under it: a line a missing member. */
  readonly because: readonly string[];
  /** Who was missing; empty where that is no question. */
  readonly missing: readonly (string | MissingMember)[];
  readonly missingCount: number;
  /** The members that wait for one another. */
  readonly cycle: readonly string[];
  readonly tone: Tone;
}

// what is remembered

type Started = DataOf<'WaitStarted'>;

/** What later events refer to by a number: the waits that are open, by stream and wait. */
export type Memory = Map<string, Map<number, Started>>;

export const newMemory = (): Memory => new Map();

/** An event as it is told: also one that was decided and has no place in the log yet. */
export type Tellable = Pick<StreamEvent, 'stream'> & { type: EventType; data: unknown };

/** What an event says. `memory` takes it in: hand on the events of a stream in their order. */
export function tell(event: Tellable, memory: Memory): Telling {
  const stream = streamOf(event.stream);
  const waits = memory.get(event.stream) ?? new Map<number, Started>();
  if (event.type === 'WaitStarted') {
    const started = event.data as Started;
    memory.set(event.stream, waits.set(started.wait, started));
  }
  const { wait: number } = event.data as { wait?: number };
  const wait = number === undefined ? undefined : waits.get(number);
  const who = SUBJECTS[stream?.kind ?? 'job'](stream?.id ?? '');
  const teller = tellers[event.type] as (data: unknown, context: Context) => Telling;
  const telling = teller(event.data, { who, wait: waitText(wait, number), verb: wait?.verb });
  if (telling.kind === 'wait-end' && number !== undefined) waits.delete(number);
  if (telling.kind === 'job-end' || waits.size === 0) memory.delete(event.stream);
  return telling;
}

/** How a wait ended, told from its beginning alone; by its number where that is not known either. */
export function tellEnd(event: Omit<Tellable, 'stream'>, started: Started | undefined): Telling {
  const stream = jobStream(1);
  const waits = new Map(started === undefined ? [] : [[started.wait, started]]);
  return tell({ stream, ...event }, new Map([[stream, waits]]));
}

const SUBJECTS: Readonly<Record<StreamKind, (id: string) => string>> = {
  submissions: () => 'the job',
  job: () => 'the job',
  device: (id) => id,
  worker: (id) => `worker ${id}`,
};

/** A wait by what its board typed; by its number where its beginning is not known. */
function waitText(wait: Started | undefined, number = 0): string {
  if (wait === undefined) return `wait ${number}`;
  return `${verbOf(wait)}${roundText(wait.verb === 'sync' ? wait.round : 1)}`;
}

const roundText = (round: number): string => (round > 1 ? ` (round ${round})` : '');

// the table

interface Context {
  /** Whose stream it is. */
  who: string;
  /** The wait that the event is about. */
  wait: string;
  verb: WaitVerb | undefined;
}

type Tellers = { [T in EventType]: (data: DataOf<T>, context: Context) => Telling };

function telling(
  kind: Kind,
  subject: string,
  verb: string,
  more: Partial<Omit<Telling, 'kind' | 'subject' | 'verb'>> = {},
): Telling {
  return {
    kind,
    subject,
    verb,
    passive: '',
    object: '',
    rest: '',
    because: [],
    missing: [],
    missingCount: 0,
    cycle: [],
    tone: 'plain',
    ...more,
  };
}

/** A reason as it was recorded: the clause, and the lines under it. */
const lines = (reason: string | undefined): string[] =>
  reason === undefined || reason === '' ? [] : reason.split(/\r?\n/).filter((line) => line !== '');

/** A wait that was not released, or as it seems never will be: who is missing, and what each was last seen doing. */
function unheard(
  kind: 'wait' | 'wait-end',
  verb: string,
  passive: string,
  is: DataOf<'WaitTimedOut' | 'WaitStuck' | 'WaitUnreachable'>,
  { wait, verb: asked }: Context,
  rest = '',
): Telling {
  const { missing, missingCount } = is;
  const cycle = 'cycle' in is ? is.cycle : [];
  const because = [lackText(asked, is), ...seenLines(is)];
  const who = { missing, missingCount, cycle };
  return telling(kind, is.member, verb, {
    passive,
    object: wait,
    rest,
    because,
    ...who,
    tone: 'bad',
  });
}

const memberEnd = (
  { member, reason }: { member: string; reason?: string },
  verb: string,
): Telling =>
  telling('member-end', member, verb, {
    because: lines(reason),
    tone: reason === undefined ? 'good' : 'bad',
  });

const VALUE_CHARACTERS_MAX = 40;
const PAIRS_TOLD_MAX = 8;

function pairText(pairs: DataOf<'MessageSent'>['pairs']): string {
  const words = pairs
    .slice(0, PAIRS_TOLD_MAX)
    .map(
      ([key, value]) =>
        ` ${key}=${value.length > VALUE_CHARACTERS_MAX ? `${value.slice(0, VALUE_CHARACTERS_MAX - 3)}...` : value}`,
    );
  const more = pairs.length - PAIRS_TOLD_MAX;
  return words.join('') + (more > 0 ? ` and ${more} more` : '');
}

const GIVEN_UP: Record<DataOf<'WaitAbandoned'>['why'], string> = {
  'verb-ended': 'the verb was ended before its wait was over',
  'connection-lost': 'its connection broke and did not come back',
  'member-ended': 'its member ended',
};

function sourceText(source: DataOf<'SuitePrepared'>['source']): string[] {
  switch (source.from) {
    case 'git':
      return [`${source.path} of ${source.repository} at ${source.commit.slice(0, COMMIT_SHOWN)}`];
    case 'url':
      return [source.url];
    default:
      return [];
  }
}
const COMMIT_SHOWN = 12;

const OUTCOMES = {
  ok: 'ends',
  failed: 'failed in',
  timedOut: 'ran out of time in',
} as const satisfies Record<DataOf<'ActionEnded'>['outcome'], string>;

const POWERED: Record<DataOf<'DevicePowerSwitched'>['power'], string> = {
  on: 'switched on',
  off: 'switched off',
  reset: 'reset',
};

const RESULT_TONES: Record<DataOf<'ResultRecorded'>['result'], Tone> = {
  pass: 'good',
  fail: 'bad',
  skip: 'plain',
  unknown: 'plain',
};

/** A new type of event does not compile until it is told here. */
const tellers: Tellers = {
  SubmissionReceived: ({ name }) =>
    telling('submission', 'a job', 'is counted', { because: [name], tone: 'quiet' }),

  JobSubmitted: ({ definition: { name, roles } }, { who }) => {
    const wanted = roles.map(({ role, count }) => `${count} x ${role}`);
    return telling('job', who, 'is submitted', { because: [`${name} (${nameList(wanted)})`] });
  },
  JobRejected: ({ short }, { who }) =>
    telling('job-end', who, 'is rejected', {
      because: lines(shortText(short)),
      tone: 'bad',
    }),
  JobAllocated: ({ members }, { who }) =>
    telling('job', who, 'has its boards', {
      because: [
        nameList(
          members.map(({ device, role }) => `${device} (${role})`),
          members.length,
          MEMBERS_TOLD_MAX,
        ),
      ],
    }),
  JobPriorityChanged: ({ from, to }, { who }) =>
    telling('job', who, 'goes from priority', { object: `${from} to ${to}` }),
  AllocationVoided: ({ reason }, { who }) =>
    telling('job', who, 'lost its boards before it had them', {
      because: lines(reason),
      tone: 'quiet',
    }),

  ActionStarted: ({ member, action, command }) =>
    telling('action', member, 'starts', { object: `action ${action} ${command}` }),
  ActionEnded: ({ member, action, outcome, reason }) =>
    telling('action', member, OUTCOMES[outcome], {
      object: `action ${action}`,
      because: lines(reason),
      tone: outcome === 'ok' ? 'plain' : 'bad',
    }),
  MemberBooting: ({ member }) => telling('member', member, 'boots'),
  MemberBooted: ({ member, address }) =>
    telling('member', member, 'is up', { rest: address === undefined ? '' : ` at ${address}` }),

  MessageSent: ({ member, verb, message, pairs, count }) =>
    verb === 'sync'
      ? telling('message', member, 'arrives at', {
          object: `lava-sync ${message}${roundText(count)}`,
          tone: 'quiet',
        })
      : telling('message', member, 'sends', {
          object: message,
          rest: pairText(pairs),
          tone: 'quiet',
        }),
  RequestRefused: ({ member, reason }) =>
    telling('refusal', member, 'is refused', { because: lines(reason), tone: 'bad' }),

  WaitStarted: ({ member, missing, missingCount }, { wait, verb }) => {
    if (missingCount === 0)
      return telling('wait', member, 'calls', {
        object: wait,
        because: ['nobody is missing'],
        tone: 'quiet',
      });
    const one = verb === 'wait' && missingCount > 1 ? 'one of ' : '';
    const rest = ` for ${one}${nameList(missing, missingCount)}`;
    return telling('wait', member, 'waits in', { object: wait, rest, missing, missingCount });
  },
  WaitReleased: ({ member, by }, { wait, verb }) => {
    const how = verb === 'sync' ? 'came last' : 'sent it';
    return telling('wait-end', member, 'is released from', {
      passive: 'is released',
      object: wait,
      because: [by === undefined ? 'nobody was missing' : `${by} ${how}`],
      tone: by === undefined ? 'quiet' : 'good',
    });
  },
  WaitResumed: ({ member }, { wait }) =>
    telling('wait', member, 'comes back to', {
      object: wait,
      rest: ' on another server',
      tone: 'quiet',
    }),
  WaitTimedOut: (data, context) =>
    unheard(
      'wait-end',
      'timed out in',
      HOW_WAITS_FAIL.WaitTimedOut,
      data,
      context,
      ` (limit of the ${data.limit})`,
    ),
  WaitStuck: (data, context) => unheard('wait', 'is stuck in', 'is stuck', data, context),
  WaitUnstuck: ({ member }, { wait }) =>
    telling('wait', member, 'is no longer stuck in', { object: wait }),
  WaitUnreachable: (data, context) =>
    unheard(
      'wait-end',
      'can never be released from',
      HOW_WAITS_FAIL.WaitUnreachable,
      data,
      context,
    ),
  WaitAbandoned: ({ member, why }, { wait }) =>
    telling('wait-end', member, 'gave up', {
      passive: 'was given up',
      object: wait,
      because: [GIVEN_UP[why]],
      tone: 'quiet',
    }),

  SuitePrepared: ({ member, suite, source }) =>
    telling('suite', member, 'has its definition of', {
      object: `suite ${suite}`,
      because: sourceText(source),
      tone: 'quiet',
    }),
  SuiteStarted: ({ member, suite, definition }) =>
    telling('suite', member, 'starts', {
      object: `suite ${suite}`,
      // A suite is called by its number and its definition.
      because: definition === undefined || suite.endsWith(definition) ? [] : [definition],
    }),
  ScriptEnded: ({ member, suite, script, status, signal, command, outOfMemory }) =>
    telling('suite', member, 'is thrown out of', {
      object: `${script} of suite ${suite}`,
      rest: ` (status ${status}${signal === undefined ? '' : `, ${signal}`})`,
      because: [
        ...(command === undefined ? [] : [`the last command was ${command}`]),
        ...(outOfMemory === true ? ['the kernel killed it for want of memory'] : []),
      ],
      tone: 'bad',
    }),
  SuiteEnded: ({ member, suite }) =>
    telling('suite', member, 'ends', { object: `suite ${suite}`, tone: 'quiet' }),
  ResultRecorded: ({ member, set, case: id, result, measurement, units, note }) => {
    const measured = [measurement, measurement && units].filter((part) => part !== undefined);
    const name = set === undefined ? id : `${set}/${id}`;
    const aside = note === undefined ? '' : ` (${note})`;
    return telling('result', member, 'records', {
      object: name,
      because: [`${[result, ...measured].join(' ')}${aside}`],
      tone: RESULT_TONES[result],
    });
  },

  SignalGarbled: ({ member, text }) =>
    telling('result', member, 'printed a signal that cannot be read', {
      because: lines(text),
      tone: 'bad',
    }),
  AttachmentKept: ({ member, name, bytes }) =>
    telling('result', member, 'handed in', { object: name, rest: ` (${bytes} bytes)` }),

  MemberCompleted: (data) => memberEnd(data, 'is complete'),
  MemberFailed: (data) => memberEnd(data, 'failed'),
  MemberTimedOut: (data) => memberEnd(data, 'timed out'),
  MemberCancelled: (data) => memberEnd(data, 'is cancelled'),

  JobCompleted: (_, { who }) => telling('job-end', who, 'is complete', { tone: 'good' }),
  JobFailed: ({ member, reason }, { who }) =>
    telling('job-end', who, 'failed', {
      rest: `, first by ${member}`,
      because: lines(reason),
      tone: 'bad',
    }),
  JobTimedOut: ({ reason }, { who }) =>
    telling('job-end', who, 'timed out', { because: lines(reason), tone: 'bad' }),
  JobCancelled: ({ reason }, { who }) =>
    telling('job-end', who, 'is cancelled', { because: lines(reason), tone: 'bad' }),

  DeviceRegistered: ({ deviceType, tags, worker }, { who }) =>
    telling('device', who, 'is registered', {
      rest: ` by worker ${worker}`,
      because: [`type ${deviceType}${tags.length > 0 ? `, tags ${tags.join(' ')}` : ''}`],
    }),
  DeviceReserved: ({ job, healthCheck }, { who }) =>
    telling('device', who, 'is reserved for', {
      object: `job ${job}`,
      rest: healthCheck === true ? ', its health check' : '',
      tone: 'quiet',
    }),
  DeviceReleased: ({ job, reason }, { who }) =>
    telling('device', who, 'is given back by', {
      object: `job ${job}`,
      because: lines(reason),
      tone: 'quiet',
    }),
  DeviceWentOffline: ({ reason }, { who }) =>
    telling('device', who, 'goes offline', { because: lines(reason), tone: 'bad' }),
  DeviceCameOnline: (_, { who }) => telling('device', who, 'is online'),
  DeviceHealthChanged: ({ from, to, reason }, { who }) =>
    telling('device', who, 'goes from health', {
      object: `${from} to ${to}`,
      because: lines(reason),
      tone: to === 'bad' ? 'bad' : 'plain',
    }),
  DeviceRetired: ({ reason }, { who }) =>
    telling('device', who, 'is retired', { because: lines(reason) }),
  DeviceRestored: ({ reason }, { who }) =>
    telling('device', who, 'is restored', { because: lines(reason) }),
  DevicePowerSwitched: ({ power, outcome, reason }, { who }) =>
    telling('device', who, `${outcome === 'done' ? 'is' : 'could not be'} ${POWERED[power]}`, {
      because: lines(reason),
      tone: outcome === 'done' ? 'plain' : 'bad',
    }),

  WorkerConnected: ({ boards }, { who }) =>
    telling('worker', who, 'is connected', {
      rest: ` with ${boards.length} ${boards.length === 1 ? 'board' : 'boards'}`,
    }),
  WorkerRenewed: ({ until }, { who }) =>
    telling('worker', who, 'is here', {
      rest: ` until ${new Date(until).toISOString()} at least`,
      tone: 'quiet',
    }),
  WorkerDisconnected: ({ reason, until }, { who }) =>
    telling('worker', who, 'is away', {
      rest: `, and lost unless it is back by ${new Date(until).toISOString()}`,
      because: lines(reason),
      tone: 'bad',
    }),
  WorkerLost: ({ reason }, { who }) =>
    telling('worker', who, 'is lost', { because: lines(reason), tone: 'bad' }),
  WorkerDrained: ({ reason }, { who }) =>
    telling('worker', who, 'takes no new jobs', { because: lines(reason) }),
  WorkerUndrained: (_, { who }) => telling('worker', who, 'takes jobs again'),
  WorkerTokenMade: (_, { who }) => telling('worker', who, 'has a new token'),
  WorkerTokenRevoked: ({ reason }, { who }) =>
    telling('worker', who, 'has no token any more', { because: lines(reason) }),
};
const MEMBERS_TOLD_MAX = 8;

// views

/** A sentence without its subject: `timed out in lava-sync x (limit of the action): a is missing`. */
export function predicate({ verb, object, rest, because: [clause] }: Telling): string {
  const said = object === '' ? verb : `${verb} ${object}`;
  return `${said}${rest}${clause === undefined ? '' : `: ${clause}`}`;
}

/** The whole, in one sentence: `b timed out in lava-sync x (limit of the action): a is missing`. */
export const sentence = (told: Telling): string => `${told.subject} ${predicate(told)}`;

/** What stands under the sentence: a line a missing member, or what else a reason says in lines. */
export const details = ({ because }: Telling): readonly string[] => because.slice(1);

/** How a wait stands, without naming it: a sentence and the lines under it. */
export const standing = ({ passive, rest, because }: Telling): string[] => {
  const [clause, ...under] = because;
  return [`${passive}${rest}${clause === undefined ? '' : `: ${clause}`}`, ...under];
};

/**
 * Every event that Muster will ever write, as zod schemas: the schema is the type.
 *
 * Events are for ever. A field that is here says who, what, why or when; what can be derived from earlier
 * events is not recorded. What is new here is written into `versions.ts`; a changed shape gets an upcast there.
 */
import { z } from 'zod';
import { JobDefinition } from './definition.ts';
import { DeviceName, Instant, JobId, PRIORITY_MAX, RoleName } from './names.ts';
import { IllegalTransition } from './table.ts';

const Member = DeviceName;
const Priority = z.int().min(0).max(PRIORITY_MAX);
/** Ordinal of a wait within its job, from 1: what people and events call it by. */
const Wait = z.int().positive();
const Reason = z.string();
const Pairs = z.array(z.tuple([z.string(), z.string()]));

export const Verb = z.enum(['send', 'wait', 'wait-all', 'sync']);
export type Verb = z.infer<typeof Verb>;
export const WaitVerb = z.enum(['wait', 'wait-all', 'sync']);
export type WaitVerb = z.infer<typeof WaitVerb>;

/** A member that a wait lacked: its state, and in words what it was last seen doing. */
export const MissingMember = z.strictObject({
  member: Member,
  role: RoleName,
  state: z.string(),
  doing: z.string(),
});
export type MissingMember = z.infer<typeof MissingMember>;

/** Which timeout cut a wait off. */
export const WaitLimit = z.enum(['action', 'job', 'protocol']);
export type WaitLimit = z.infer<typeof WaitLimit>;
export const StuckForm = z.enum(['certain', 'deadlocked']);
export type StuckForm = z.infer<typeof StuckForm>;

/** Why a board's request changed nothing (SEMANTICS 2.3, "Refused"). */
export const RefusalCode = z.enum([
  'bad-id',
  'bad-word',
  'bad-key',
  'bad-value',
  'too-many-words',
  'too-large',
  'unknown-role',
]);
export type RefusalCode = z.infer<typeof RefusalCode>;

export const CaseResult = z.enum(['pass', 'fail', 'skip', 'unknown']);
export type CaseResult = z.infer<typeof CaseResult>;

export const ActionOutcome = z.enum(['ok', 'failed', 'timedOut']);
export type ActionOutcome = z.infer<typeof ActionOutcome>;

/** One program on the way to a request, as the board's kernel tells it. */
export const Caller = z.strictObject({
  /** What it was started with, its own name first; long words and long lists are cut. */
  argv: z.array(z.string()).min(1),
  /** How many bytes of its script a shell had read by then: the call stands before them. */
  read: z.int().nonnegative().optional(),
});
export type Caller = z.infer<typeof Caller>;

/** Who called, the nearest program first, up to the runner of the suites. A board that cannot tell says nothing. */
export const Callers = z.array(Caller).min(1);
export type Callers = z.infer<typeof Callers>;
const from = { from: Callers.optional() };

const lacking = {
  missingCount: z.int().nonnegative(),
  /** Who was missing, in group order, with what each was last seen doing; the first of them where there are many. */
  missing: z.array(MissingMember),
};

const proof = {
  form: StuckForm,
  ...lacking,
  /** The members that wait for one another, in group order; empty when a terminal member is proof enough. */
  cycle: z.array(Member),
};

const ends = { member: Member, reason: Reason };

/** What a board's power is switched to. */
export const Power = z.enum(['on', 'off', 'reset']);
export type Power = z.infer<typeof Power>;
export const PowerOutcome = z.enum(['done', 'failed']);

/** Whose fault a failure was, where it was not the test's. */
export const Fault = z.enum(['board', 'worker']);
export type Fault = z.infer<typeof Fault>;

/** `submissions`: one small event a job; its version is the job's number. */
export const submissionEvents = {
  SubmissionReceived: z.strictObject({ name: z.string() }),
};

/** `job-<id>`: the group and its whole conversation. */
export const jobEvents = {
  JobSubmitted: z.strictObject({
    definition: JobDefinition,
    /** The document as it was handed in, byte for byte. */
    document: z.string(),
  }),
  /** The boards that exist can never satisfy all roles together. */
  JobRejected: z.strictObject({
    short: z.array(
      z.strictObject({ role: RoleName, wanted: z.int(), found: z.int(), lacking: z.string() }),
    ),
  }),
  /** The group, in `lava-group` order, under one lease. */
  JobAllocated: z.strictObject({
    lease: z.string(),
    members: z.array(z.strictObject({ device: Member, role: RoleName })),
  }),
  /** Of the whole group, while it waits for boards. */
  JobPriorityChanged: z.strictObject({ from: Priority, to: Priority }),
  /** The boards reserved under this lease were given back: it can never be committed any more. */
  AllocationVoided: z.strictObject({ lease: z.string(), reason: Reason }),

  /** `action`: index in the job's list of actions. */
  ActionStarted: z.strictObject({
    member: Member,
    action: z.int().nonnegative(),
    command: z.string(),
  }),
  ActionEnded: z.strictObject({
    member: Member,
    action: z.int().nonnegative(),
    outcome: ActionOutcome,
    reason: Reason.optional(),
  }),
  /** The board is being started, by `boot_linaro_image` or because an action needs a shell. */
  MemberBooting: z.strictObject({ member: Member }),
  /** A shell answers on the board's console. `address`: where its group reaches it, when it has one. */
  MemberBooted: z.strictObject({ member: Member, address: z.string().optional() }),

  /** `count`: how often this member has now sent this id (a sync is a send too). */
  MessageSent: z.strictObject({
    member: Member,
    verb: z.enum(['send', 'sync']),
    message: z.string(),
    count: z.int().positive(),
    pairs: Pairs,
    ...from,
  }),
  RequestRefused: z.strictObject({
    member: Member,
    verb: Verb,
    /** Absent when the request had no usable id. */
    message: z.string().optional(),
    code: RefusalCode,
    reason: Reason,
    ...from,
  }),
  WaitStarted: z.strictObject({
    wait: Wait,
    member: Member,
    verb: WaitVerb,
    message: z.string(),
    role: RoleName.optional(),
    /** The count that every awaited member must reach: 1, or the round of a sync. */
    round: z.int().positive(),
    /** How many were missing, and the first of them in group order. */
    missingCount: z.int().nonnegative(),
    missing: z.array(Member),
    ...from,
  }),
  /** `by`: the member whose arrival was the last one needed; absent when nobody was missing. */
  WaitReleased: z.strictObject({ wait: Wait, member: Member, by: Member.optional() }),
  /** Its board came back to it on another server than the one that held its connection. */
  WaitResumed: z.strictObject({ wait: Wait, member: Member }),
  WaitTimedOut: z.strictObject({
    wait: Wait,
    member: Member,
    limit: WaitLimit,
    ...lacking,
  }),
  /** It can never be released; shown from this moment on. It has not ended: `WaitUnreachable` ends it. */
  WaitStuck: z.strictObject({ wait: Wait, member: Member, ...proof }),
  /** A member in the cycle moved after all. */
  WaitUnstuck: z.strictObject({ wait: Wait, member: Member }),
  WaitUnreachable: z.strictObject({ wait: Wait, member: Member, ...proof }),
  WaitAbandoned: z.strictObject({
    wait: Wait,
    member: Member,
    why: z.enum(['verb-ended', 'connection-lost', 'member-ended']),
  }),

  /**
   * What a member is about to run as one suite: told when it was fetched, before it runs. Addresses are without secrets.
   * `commit`: what the revision asked for came to. `parameters`: as the scripts see them. `expected`: the cases that are to
   * come; one that does not is a failed one.
   */
  SuitePrepared: z.strictObject({
    member: Member,
    action: z.int().nonnegative(),
    suite: z.string(),
    definition: z.string().optional(),
    source: z.discriminatedUnion('from', [
      z.strictObject({
        from: z.literal('git'),
        repository: z.string(),
        revision: z.string().optional(),
        commit: z.string(),
        path: z.string(),
      }),
      z.strictObject({ from: z.literal('url'), url: z.string() }),
      z.strictObject({ from: z.literal('inline') }),
      z.strictObject({ from: z.literal('commands') }),
    ]),
    parameters: Pairs,
    expected: z.array(z.string()).optional(),
    /** What ran, kept beside the log: the digest (SHA-256, lower-case hex) of its list of files. */
    sources: z.string().optional(),
  }),
  SuiteStarted: z.strictObject({
    member: Member,
    suite: z.string(),
    /** The definition's own name, where it says one. */
    definition: z.string().optional(),
  }),
  /**
   * A script of a suite ended other than well. `status`: as its shell says it. `signal`: that killed it, as `SIGKILL`.
   * `command`: the last one that the shell said it runs (`set -x`). `outOfMemory`: the kernel said that it killed for want of it.
   */
  ScriptEnded: z.strictObject({
    member: Member,
    suite: z.string(),
    script: z.enum(['install.sh', 'run.sh']),
    status: z.int(),
    signal: z.string().optional(),
    command: z.string().optional(),
    outOfMemory: z.literal(true).optional(),
  }),
  SuiteEnded: z.strictObject({ member: Member, suite: z.string() }),
  ResultRecorded: z.strictObject({
    member: Member,
    suite: z.string(),
    set: z.string().optional(),
    case: z.string(),
    result: CaseResult,
    measurement: z.string().optional(),
    units: z.string().optional(),
    /** What a reader would want beside the result, such as an exit status. */
    note: z.string().optional(),
    ...from,
  }),

  /** Its console said something that looks like a signal of a test and cannot be read. `suite`: that ran then. */
  SignalGarbled: z.strictObject({ member: Member, suite: z.string().optional(), text: z.string() }),
  /** A file that a test handed in; its bytes lie beside the log under their digest (SHA-256, lower-case hex). */
  AttachmentKept: z.strictObject({
    member: Member,
    suite: z.string(),
    name: z.string(),
    bytes: z.int().nonnegative(),
    digest: z.string(),
  }),

  MemberCompleted: z.strictObject({ member: Member }),
  MemberFailed: z.strictObject({ ...ends, fault: Fault.optional() }),
  MemberTimedOut: z.strictObject(ends),
  MemberCancelled: z.strictObject(ends),

  JobCompleted: z.strictObject({}),
  /** `member`: whose end was the first cause. */
  JobFailed: z.strictObject({ member: Member, reason: Reason }),
  JobTimedOut: z.strictObject({ limit: z.enum(['job', 'queue']), reason: Reason }),
  JobCancelled: z.strictObject({ reason: Reason }),
};

export const Health = z.enum(['good', 'unknown', 'looping', 'bad', 'maintenance']);
export type Health = z.infer<typeof Health>;

/** How the health of a device type's boards is checked (SEMANTICS 4.5). */
export const HealthCheck = z.strictObject({
  /** Due again after so many hours, or so many jobs; neither: only while the health is unknown or looping. */
  everyHours: z.int().positive().optional(),
  everyJobs: z.int().positive().optional(),
  /** A job for one board of any name: each check asks for the board that it is of. */
  definition: JobDefinition,
  document: z.string(),
});
export type HealthCheck = z.infer<typeof HealthCheck>;

/** How the part that a board had in a job ended. */
export const MemberEnd = z.enum(['complete', 'failed', 'timedOut', 'cancelled']);
export type MemberEnd = z.infer<typeof MemberEnd>;

/** `device-<name>`: possession and health. */
export const deviceEvents = {
  /** Also recorded again when the lab's file says something new of a board. */
  DeviceRegistered: z.strictObject({
    deviceType: z.string(),
    tags: z.array(z.string()),
    worker: z.string(),
    driver: z.string(),
    healthCheck: HealthCheck.optional(),
  }),
  /**
   * `until`: when the reservation lapses unless the job was allocated under this lease. `healthCheck`: the job
   * checks the health of this board.
   */
  DeviceReserved: z.strictObject({
    job: JobId,
    lease: z.string(),
    until: Instant,
    healthCheck: z.literal(true).optional(),
  }),
  /** `ended`: how its member ended, and whose fault that was; absent: the job was never allocated. */
  DeviceReleased: z.strictObject({
    job: JobId,
    lease: z.string(),
    reason: Reason,
    ended: MemberEnd.optional(),
    fault: Fault.optional(),
  }),
  DeviceWentOffline: z.strictObject({ reason: Reason }),
  DeviceCameOnline: z.strictObject({}),
  DeviceHealthChanged: z.strictObject({ from: Health, to: Health, reason: Reason }),
  DeviceRetired: z.strictObject({ reason: Reason }),
  /** Somebody took its retirement back: its health is unknown from here on. */
  DeviceRestored: z.strictObject({ reason: Reason }),
  /** Somebody had its power switched, whoever had it. `reason`: why that failed; what the power is then nobody knows. */
  DevicePowerSwitched: z.strictObject({
    power: Power,
    outcome: PowerOutcome,
    reason: Reason.optional(),
  }),
};

/** `worker-<name>`. */
export const workerEvents = {
  /**
   * `jobLimit`: how many of its boards may be held at once; absent: all. `until`: when it counts as lost unless it
   * was renewed; absent: it lives in the process of the only server that this log has, or has a line to that one.
   * `tokenKey`: the public key that verifies the tokens of its boards. `boardUrl`: where boards reach the server that it
   * lives in.
   */
  WorkerConnected: z.strictObject({
    boards: z.array(DeviceName),
    jobLimit: z.int().positive().optional(),
    until: Instant.optional(),
    tokenKey: z.string().optional(),
    boardUrl: z.string().optional(),
    /** Which events its server reads, and in which it writes now (`versions.ts`); absent: the first, in both. */
    vocabulary: z
      .strictObject({ reads: z.int().positive(), writes: z.int().positive() })
      .optional(),
    /**
     * Of a worker on a line of its own; absent: it lives in a server. `line`: another one each time. `instance`: the
     * same as long as it works in the same folder. `version`: of its Muster.
     */
    line: z
      .strictObject({ line: z.string(), instance: z.string(), version: z.string() })
      .optional(),
  }),
  WorkerRenewed: z.strictObject({ until: Instant }),
  /** It has no line to a server now, and may come back. `until`: when it counts as lost. */
  WorkerDisconnected: z.strictObject({ reason: Reason, until: Instant }),
  WorkerLost: z.strictObject({ reason: Reason }),
  /** Its boards are given to no new job; those that run go on. */
  WorkerDrained: z.strictObject({ reason: Reason }),
  WorkerUndrained: z.strictObject({}),
  /** `digest`: SHA-256 of its token, lower-case hex. An earlier token of this worker is worth nothing from here on. */
  WorkerTokenMade: z.strictObject({ digest: z.string() }),
  WorkerTokenRevoked: z.strictObject({ reason: Reason }),
};

/** What every event says of itself, beside its data. */
export const Meta = z.strictObject({
  /** The engine's clock, read once when the command was decided. */
  at: Instant,
  /** `user:NAME`, `board:NAME`, `worker:NAME` or `engine:LOOP`. */
  actor: z.string(),
  /** The id of the request or of the event that directly caused this one. */
  causationId: z.string(),
  /** The stream of the job that it belongs to, where it belongs to one. */
  correlationId: z.string(),
  /** The idempotency key of the request, on the first event that it caused. */
  key: z.string().optional(),
  /** What a board caused: how many bytes its console had printed by then. */
  console: z.int().nonnegative().optional(),
  /** The vocabulary that a reader needs (`versions.ts`); absent: 1. */
  schema: z.int().min(2).optional(),
});
export type Meta = z.infer<typeof Meta>;

export const schemas = { ...submissionEvents, ...jobEvents, ...deviceEvents, ...workerEvents };

type EventsOf<T extends Record<string, z.ZodType>> = {
  [K in keyof T & string]: { type: K; data: z.infer<T[K]> };
}[keyof T & string];

export type SubmissionEvent = EventsOf<typeof submissionEvents>;
export type JobEvent = EventsOf<typeof jobEvents>;
export type DeviceEvent = EventsOf<typeof deviceEvents>;
export type WorkerEvent = EventsOf<typeof workerEvents>;
export type AnyEvent = SubmissionEvent | JobEvent | DeviceEvent | WorkerEvent;
export type EventType = AnyEvent['type'];
export type DataOf<T extends EventType> = z.infer<(typeof schemas)[T]>;

/** An event that was decided and not yet stored. `id` is a UUID, and makes the append idempotent. */
export type NewEvent<E extends AnyEvent = AnyEvent> = E & { id: string; meta: Meta };
/** An event in its stream: `version` counts from 1. */
export type StreamEvent<E extends AnyEvent = AnyEvent> = NewEvent<E> & {
  stream: string;
  version: number;
};
/** An event in the log: `position` only grows over all streams, with gaps. */
export type RecordedEvent<E extends AnyEvent = AnyEvent> = StreamEvent<E> & { position: number };

export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent';
  readonly code = 'unreadable-event';
  readonly stream: string;
  readonly version: number;
  constructor(where: { stream: string; version: number; type: string }, cause: string) {
    super(`${where.stream} event ${where.version} (${where.type}): ${cause}`);
    this.stream = where.stream;
    this.version = where.version;
  }
}

/** What a fold threw at an event that was stored: one that its stream's machine does not take has its place too. */
export const notTaken = (
  event: { stream: string; version: number; type: string },
  error: unknown,
): unknown =>
  error instanceof IllegalTransition ? new UnreadableEvent(event, error.message) : error;

/** Every command: what somebody wants to be so. `decide` answers with events, with nothing (already so), or refuses. */
import { z } from 'zod';
import { JobDefinition } from './definition.ts';
import {
  ActionOutcome,
  Callers,
  CaseResult,
  deviceEvents,
  Fault,
  Health,
  jobEvents,
  MemberEnd,
  Verb,
  workerEvents,
} from './events.ts';
import { DeviceName, Instant, PRIORITY_MAX, RoleName } from './names.ts';

const Member = DeviceName;
const command = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  z.strictObject({ type: z.literal(type), ...shape });
const ofAction = { member: Member, action: z.int().nonnegative() };

export const SubmissionCommand = command('CountSubmission', { name: z.string() });
export type SubmissionCommand = z.infer<typeof SubmissionCommand>;

/** What a worker reports of a member that it drives. */
export const MemberCommand = z.discriminatedUnion('type', [
  command('StartAction', ofAction),
  command('EndAction', {
    ...ofAction,
    outcome: ActionOutcome.exclude(['timedOut']),
    reason: z.string().optional(),
    /** Of a failure that was not the test's. */
    fault: Fault.optional(),
  }),
  command('StartBoot', { member: Member }),
  command('ConfirmBoot', { member: Member, address: z.string().optional() }),
  /** `fault`: the board or its worker failed, not the test. */
  command('FailMember', { member: Member, reason: z.string(), fault: Fault.optional() }),
  /** What it is about to run as one suite, once it was fetched. */
  command('PrepareSuite', jobEvents.SuitePrepared.shape),
  command('NoteGarbledSignal', jobEvents.SignalGarbled.shape),
  /** The bytes are kept by then. `suite` absent: the suite that the member runs now. */
  command('KeepAttachment', {
    ...jobEvents.AttachmentKept.shape,
    suite: z.string().optional(),
  }),
  command('StartSuite', { member: Member, suite: z.string(), definition: z.string().optional() }),
  command('EndSuite', { member: Member, suite: z.string() }),
  command('RecordResult', {
    member: Member,
    /** Absent: the suite that the member runs now. */
    suite: z.string().optional(),
    set: z.string().optional(),
    case: z.string(),
    result: CaseResult,
    measurement: z.string().optional(),
    units: z.string().optional(),
    note: z.string().optional(),
    from: Callers.optional(),
  }),
  command('EndScript', jobEvents.ScriptEnded.shape),
  /** `lava-test-raise`: ends the member as failed at once. */
  command('RaiseMember', { member: Member, reason: z.string() }),
]);
export type MemberCommand = z.infer<typeof MemberCommand>;

export const JobCommand = z.discriminatedUnion('type', [
  command('SubmitJob', {
    definition: JobDefinition,
    document: z.string(),
    /** What admission found lacking; empty: admitted. */
    short: jobEvents.JobRejected.shape.short,
  }),
  command('AllocateJob', {
    lease: z.string(),
    members: z.array(z.strictObject({ device: Member, role: RoleName })).min(1),
  }),
  command('ChangeJobPriority', { priority: z.int().min(0).max(PRIORITY_MAX) }),
  command('VoidAllocation', { lease: z.string(), reason: z.string() }),
  command('CancelJob', { reason: z.string() }),
  /** The job's own limit, or the queue's. */
  command('TimeOutJob', { limit: z.enum(['job', 'queue']) }),
  command('TimeOutAction', ofAction),
  /** The grace of the waits that are stuck in a cycle may be over. */
  command('EndUnreachable', {}),
  /** A board's `lava-send`, `lava-wait`, `lava-wait-all` or `lava-sync`, its words as the board gave them. */
  command('CallVerb', {
    member: Member,
    verb: Verb,
    words: z.array(z.string()),
    from: Callers.optional(),
  }),
  command('ResumeWait', { member: Member, wait: z.int().positive() }),
  command('AbandonWait', {
    member: Member,
    wait: z.int().positive(),
    why: z.enum(['verb-ended', 'connection-lost']),
    /** How often it had been resumed when the connection was lost: one that was resumed since is not abandoned. */
    resumed: z.int().nonnegative().optional(),
  }),
  ...MemberCommand.options,
]);
export type JobCommand = z.infer<typeof JobCommand>;

export const DeviceCommand = z.discriminatedUnion('type', [
  command('RegisterDevice', deviceEvents.DeviceRegistered.shape),
  command('ReserveDevice', deviceEvents.DeviceReserved.shape),
  /** `ended`: how its member ended; absent: the job was never allocated under this lease. */
  command('ReleaseDevice', {
    lease: z.string(),
    reason: z.string(),
    ended: MemberEnd.optional(),
    fault: Fault.optional(),
  }),
  command('TakeDeviceOffline', { reason: z.string() }),
  command('BringDeviceOnline', {}),
  command('ChangeDeviceHealth', { to: Health, reason: z.string() }),
  command('RetireDevice', { reason: z.string() }),
  command('RestoreDevice', { reason: z.string() }),
  /** It was tried by then. */
  command('NotePowerSwitch', deviceEvents.DevicePowerSwitched.shape),
]);
export type DeviceCommand = z.infer<typeof DeviceCommand>;

export const WorkerCommand = z.discriminatedUnion('type', [
  command('ConnectWorker', workerEvents.WorkerConnected.shape),
  command('RenewWorker', { until: Instant }),
  /** `line`: the one that broke; where it has another by now, nothing happened. */
  command('DisconnectWorker', { line: z.string(), ...workerEvents.WorkerDisconnected.shape }),
  /** Refused while its last word still holds: it may have been renewed meanwhile. */
  command('LoseWorker', { reason: z.string() }),
  command('DrainWorker', { reason: z.string() }),
  command('UndrainWorker', {}),
  command('MakeWorkerToken', workerEvents.WorkerTokenMade.shape),
  command('RevokeWorkerToken', { reason: z.string() }),
]);
export type WorkerCommand = z.infer<typeof WorkerCommand>;

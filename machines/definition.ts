/**
 * What was asked: one normalised job, whichever form it was written in.
 *
 * Terminology: a *role* asks for `count` devices of one type (or one named device); a *member* is one
 * device's part in the group; an *action* is one step that every member of its roles runs, in order.
 */
import { z } from 'zod';
import {
  DeviceName,
  GROUP_MEMBERS_MAX,
  PRIORITY_MAX,
  RoleName,
  TIMEOUT_SECONDS_MAX,
} from './names.ts';

const Seconds = z.int().positive().max(TIMEOUT_SECONDS_MAX);
const Variables = z.array(z.tuple([z.string(), z.string()]));

/** What of `install` a job may leave out: upstream's words. */
export const SKIPPABLE = ['keys', 'sources', 'deps', 'steps', 'git-repos', 'all'] as const;
export type Skippable = (typeof SKIPPABLE)[number];
const skipInstall = z.array(z.enum(SKIPPABLE)).min(1).optional();

/** Where one test definition comes from, and what of its `install` is left out. */
export const TestSource = z.discriminatedUnion('from', [
  z.strictObject({
    from: z.literal('git'),
    repository: z.string(),
    /** Path of the definition inside the repository. */
    path: z.string(),
    revision: z.string().optional(),
    parameters: Variables,
    skipInstall,
  }),
  z.strictObject({ from: z.literal('url'), url: z.string(), parameters: Variables, skipInstall }),
]);
export type TestSource = z.infer<typeof TestSource>;

const ofAction = {
  /** `null`: every role runs it (seed: "if no role is specified, all roles use the action"). */
  roles: z.array(RoleName).nullable(),
  /** The limit of this action, in seconds; never longer than the job's. */
  timeoutSeconds: Seconds,
};

export const Action = z.discriminatedUnion('command', [
  z.strictObject({
    command: z.literal('deploy_linaro_image'),
    ...ofAction,
    parameters: z.strictObject({ image: z.string() }),
  }),
  z.strictObject({
    command: z.literal('boot_linaro_image'),
    ...ofAction,
    parameters: z.strictObject({}),
  }),
  z.strictObject({
    command: z.literal('lava_test_shell'),
    ...ofAction,
    parameters: z.strictObject({ definitions: z.array(TestSource).min(1) }),
  }),
  z.strictObject({
    command: z.literal('lava_command_run'),
    ...ofAction,
    parameters: z.strictObject({ commands: z.array(z.string()).min(1) }),
  }),
  z.strictObject({
    command: z.literal('submit_results'),
    ...ofAction,
    parameters: z.strictObject({ server: z.string().optional(), stream: z.string().optional() }),
  }),
]);
export type Action = z.infer<typeof Action>;

export const RoleRequest = z
  .strictObject({
    role: RoleName,
    count: z.int().nonnegative().max(GROUP_MEMBERS_MAX),
    /** Exactly one of `deviceType` and `device`; with `device` the count is one. */
    deviceType: z.string().optional(),
    device: DeviceName.optional(),
    tags: z.array(z.string()),
    /** When a member of it ends other than complete, the group's other members are cancelled (SEMANTICS 2.2). */
    essential: z.literal(true).optional(),
  })
  .refine((r) => (r.deviceType === undefined) !== (r.device === undefined));
export type RoleRequest = z.infer<typeof RoleRequest>;

export const JobDefinition = z.strictObject({
  name: z.string(),
  form: z.enum(['json', 'yaml']),
  /** Whether a wait counts the caller itself: `false` in the seed's form, `true` in upstream's (SEMANTICS 2). */
  countsSelf: z.boolean(),
  priority: z.int().min(0).max(PRIORITY_MAX),
  /** For the whole job, counted from its allocation. */
  timeoutSeconds: Seconds,
  /** For the queue, counted from the submission; absent: it waits for as long as it takes. */
  queueTimeoutSeconds: Seconds.optional(),
  onUnreachable: z.enum(['fail', 'wait']),
  unreachableGraceSeconds: z.int().nonnegative().max(TIMEOUT_SECONDS_MAX),
  /** The board whose health this job checks: a group of that board alone. Only the engine asks for it. */
  healthCheckOf: DeviceName.optional(),
  roles: z.array(RoleRequest).min(1),
  actions: z.array(Action),
});
export type JobDefinition = z.infer<typeof JobDefinition>;

/** The actions of one role with their place in the job's list, in order. */
export function actionsOf(
  definition: JobDefinition,
  role: string,
): { index: number; action: Action }[] {
  return definition.actions
    .map((action, index) => ({ index, action }))
    .filter(({ action }) => action.roles === null || action.roles.includes(role));
}

/** Whether an action needs a booted board with a shell on it. */
export function needsShell(action: Action): boolean {
  return action.command === 'lava_test_shell' || action.command === 'lava_command_run';
}

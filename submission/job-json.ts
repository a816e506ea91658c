/**
 * The JSON form of a job, the seed's own (SEMANTICS 1.1), to one JobDefinition: all problems at once, or the
 * definition and what its author may want to know.
 */
import { z } from 'zod';
import {
  type Action,
  type JobDefinition,
  type RoleRequest,
  SKIPPABLE,
  type Skippable,
  type TestSource,
} from '../machines/definition.ts';
import {
  DeviceName,
  GROUP_MEMBERS_MAX,
  PRIORITY_DEFAULT,
  PRIORITY_MAX,
  RoleName,
  TIMEOUT_SECONDS_MAX,
  UNREACHABLE_GRACE_SECONDS_DEFAULT,
} from '../machines/names.ts';
import { check, readDocument } from './document.ts';
import { jobRules, jobWarnings, ROLE_OF_ONE } from './job-rules.ts';
import {
  isForeignCommand,
  isForeignFetch,
  isForeignImage,
  withoutOldFields,
} from './old-fields.ts';
import { list, quote } from './quoting.ts';
import * as sources from './sources.ts';
import { type Finding, locate, type Path, type Problem, settle, type Tree } from './tree.ts';

export const JOB_NAME_CHARACTERS_MAX = 200;
export const JOB_ACTIONS_MAX = 1_000;
const PRIORITY = `a whole number from 0 to ${PRIORITY_MAX}, "high", "medium" or "low"`;
export type ParsedJob =
  | { definition: JobDefinition; warnings: Problem[] }
  | { problems: Problem[] };

/** What the names of priorities stand for. */
export const PRIORITIES = { high: PRIORITY_MAX, medium: PRIORITY_DEFAULT, low: 0 } as const;

const wholeNumber = (min: number, max: number) => {
  const atLeast = `a whole number of at least ${min}`;
  return z.int(atLeast).min(min, atLeast).max(max, `a whole number of at most ${max}`);
};
const seconds = (min: number) => {
  const atLeast = `a whole number of seconds, at least ${min}`;
  return z
    .int(atLeast)
    .min(min, atLeast)
    .max(TIMEOUT_SECONDS_MAX, `at most ${TIMEOUT_SECONDS_MAX} seconds (a year)`);
};
const Seconds = seconds(1);
const Word = z
  .string()
  .regex(/^[^\s\p{Cc}]{1,128}$/u, 'a word of 1 to 128 characters without blanks');
const Line = z
  .string()
  .refine((text) => text.trim() !== '' && !/\p{Cc}/u.test(text), 'one line that is not blank');
/** The board's runner takes one command a line. */
const Command = z
  .string()
  .refine((text) => text.trim() !== '' && !/[\0\r\n]/.test(text), 'a command on one line');
const Text = z.string().refine((text) => !text.includes('\0'), 'a text without NUL');
const role = z.string('the name of one role; repeat the action for each role that runs it');

const Group = z.array(
  z.strictObject({
    role: RoleName,
    count: wholeNumber(1, GROUP_MEMBERS_MAX).optional(),
    device_type: Word.optional(),
    device: DeviceName.optional(),
    tags: z.array(Word).optional(),
    essential: z.boolean().optional(),
  }),
);

const SKIPPED = `${list(SKIPPABLE)}, or a list of them`;
const Skipped = z.union(
  [z.enum(SKIPPABLE), z.array(z.enum(SKIPPABLE, SKIPPED)).min(1, SKIPPED)],
  SKIPPED,
);

const GitSource = z.strictObject({
  'git-repo': z.string().refine(sources.isGitRepository, sources.GIT_REPOSITORY),
  testdef: z.string().refine(sources.isTestdefPath, sources.TESTDEF_PATH),
  revision: z.string().refine(sources.isRevision, sources.REVISION).optional(),
  /** What `revision` was called by some; of the two `revision` counts. */
  branch: z.string().refine(sources.isRevision, sources.REVISION).optional(),
  skip_install: Skipped.optional(),
  parameters: z
    .record(
      z.string().refine(sources.isVariable, sources.VARIABLE),
      z.union([Text, z.number(), z.boolean()], 'a text without NUL, a number, true or false'),
    )
    .optional(),
});

const parameters = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject({ ...shape, role: role.optional(), timeout: Seconds.optional() });
const Results = parameters({ server: Line.optional(), stream: Line.optional() });

const JsonAction = z.discriminatedUnion('command', [
  z.strictObject({
    command: z.literal('deploy_linaro_image'),
    parameters: parameters({ image: z.string().refine(sources.isImage, sources.IMAGE) }),
  }),
  z.strictObject({
    command: z.literal('boot_linaro_image'),
    parameters: parameters({}).optional(),
  }),
  z.strictObject({
    command: z.literal('lava_test_shell'),
    parameters: parameters({
      testdef_repos: z.array(GitSource).optional(),
      testdef_urls: z.array(z.string().refine(sources.isFetchable, sources.FETCHABLE)).optional(),
      /** Of all definitions; one may have more of its own. */
      skip_install: Skipped.optional(),
    }),
  }),
  z.strictObject({
    command: z.literal('lava_command_run'),
    parameters: parameters({ commands: z.array(Command).min(1, 'at least one command') }),
  }),
  z.strictObject({
    command: z.literal('submit_results_on_host'),
    parameters: Results.optional(),
  }),
  z.strictObject({ command: z.literal('submit_results'), parameters: Results.optional() }),
]);
type JsonAction = z.infer<typeof JsonAction>;

/** Which of the fields go together is in job-rules.ts: zod would look there only when all else is right. */
const JsonJob = z.strictObject({
  timeout: Seconds,
  job_name: Line.max(JOB_NAME_CHARACTERS_MAX, `at most ${JOB_NAME_CHARACTERS_MAX} characters`),
  logging_level: z.enum(['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL']).optional(),
  priority: z
    .union(
      [z.int().min(0, PRIORITY).max(PRIORITY_MAX, PRIORITY), z.enum(['high', 'medium', 'low'])],
      PRIORITY,
    )
    .optional(),
  device_group: Group.optional(),
  device_type: Word.optional(),
  device: DeviceName.optional(),
  /** What `device` was called before there were groups. */
  target: DeviceName.optional(),
  tags: z.array(Word).optional(),
  actions: z.array(JsonAction).min(1, 'at least one action').max(JOB_ACTIONS_MAX),
  countsSelf: z.boolean().optional(),
  unreachable_grace_seconds: seconds(0).optional(),
  on_unreachable: z.enum(['fail', 'wait']).optional(),
  queue_timeout: Seconds.optional(),
});
type JsonJob = z.infer<typeof JsonJob>;

/**
 * Reads a job in the JSON form. Never throws, whatever the text.
 *
 * @returns the normalised job and its warnings, or every problem of the document, in document order.
 */
export function parseJsonJob(text: string): ParsedJob {
  const document = readDocument(text, 'json');
  if (document.tree === undefined) return { problems: settle(document.text, document.findings) };
  const { tree, warnings } = withoutOldFields(document.tree);
  const checked = check(JsonJob, tree);
  const schemaFindings = checked.findings.map((finding) => ofForeignWord(finding, tree));
  const findings = [...document.findings, ...schemaFindings, ...jobRules(tree)];
  if (findings.length > 0 || checked.value === undefined)
    return { problems: settle(document.text, findings) };
  const definition = normalise(checked.value, tree, document.text);
  const said = [...warnings, ...jobWarnings(tree, definition)];
  return { definition, warnings: settle(document.text, said) };
}

/** What LAVA had is no misspelt word: it is named as what it is. */
function ofForeignWord(finding: Finding, tree: Tree): Finding {
  const last = String(finding.path.at(-1));
  if (isForeignFetch(last))
    return { ...finding, message: `no worker here can fetch from a ${quote(last)}; use git-repo` };
  if (isForeignImage(last))
    return {
      ...finding,
      message: `no driver here can make an image of a ${quote(last)}; use image`,
    };
  if (last !== 'command') return finding;
  const at = locate(tree, finding.path).tree;
  const word = at?.kind === 'scalar' && typeof at.value === 'string' ? at.value : '';
  if (!isForeignCommand(word)) return finding;
  const there = list(JsonAction.options.map(({ shape }) => shape.command.value));
  return {
    ...finding,
    message: `no driver here can do ${quote(word)}, a command of LAVA; there are ${there}`,
  };
}

function normalise(job: JsonJob, tree: Tree, text: string): JobDefinition {
  const priority = job.priority ?? PRIORITY_DEFAULT;
  return {
    name: job.job_name,
    form: 'json',
    countsSelf: job.countsSelf ?? false,
    priority: typeof priority === 'number' ? priority : PRIORITIES[priority],
    timeoutSeconds: job.timeout,
    ...(job.queue_timeout === undefined ? {} : { queueTimeoutSeconds: job.queue_timeout }),
    onUnreachable: job.on_unreachable ?? 'fail',
    unreachableGraceSeconds: job.unreachable_grace_seconds ?? UNREACHABLE_GRACE_SECONDS_DEFAULT,
    roles: rolesOf(job),
    actions: job.actions.map((action, index) =>
      actionOf(action, job.timeout, (path) => asWritten(tree, text, ['actions', index, ...path])),
    ),
  };
}

function rolesOf(job: JsonJob): RoleRequest[] {
  const device = job.device ?? job.target;
  const group: z.infer<typeof Group> = job.device_group ?? [
    {
      role: ROLE_OF_ONE,
      count: 1,
      ...(job.device_type === undefined ? {} : { device_type: job.device_type }),
      ...(device === undefined ? {} : { device }),
      ...(job.tags === undefined ? {} : { tags: job.tags }),
    },
  ];
  return group.map((asked) => ({
    role: asked.role,
    count: asked.count ?? 1,
    ...(asked.device_type === undefined ? {} : { deviceType: asked.device_type }),
    ...(asked.device === undefined ? {} : { device: asked.device }),
    tags: [...new Set(asked.tags)],
    ...(asked.essential === true && { essential: true as const }),
  }));
}

type Written = (path: Path) => string;

function actionOf(action: JsonAction, jobSeconds: number, written: Written): Action {
  const timeoutSeconds = Math.min(action.parameters?.timeout ?? jobSeconds, jobSeconds);
  const role = action.parameters?.role;
  const ofAction = { roles: role === undefined ? null : [role], timeoutSeconds };
  switch (action.command) {
    case 'deploy_linaro_image': {
      const { image } = action.parameters;
      return { command: action.command, ...ofAction, parameters: { image } };
    }
    case 'boot_linaro_image':
      return { command: action.command, ...ofAction, parameters: {} };
    case 'lava_test_shell': {
      const { testdef_repos = [], testdef_urls = [], skip_install: skip } = action.parameters;
      const repos = testdef_repos.map((repo, index) => ({
        ...gitSource(repo, (path) => written(['parameters', 'testdef_repos', index, ...path])),
        ...skipping(skip, repo.skip_install),
      }));
      const urls = testdef_urls.map(
        (url): TestSource => ({ from: 'url', url, parameters: [], ...skipping(skip) }),
      );
      return {
        command: action.command,
        ...ofAction,
        parameters: { definitions: [...repos, ...urls] },
      };
    }
    case 'lava_command_run': {
      const { commands } = action.parameters;
      return { command: action.command, ...ofAction, parameters: { commands } };
    }
    case 'submit_results':
    case 'submit_results_on_host': {
      const { server, stream } = action.parameters ?? {};
      const parameters = {
        ...(server === undefined ? {} : { server }),
        ...(stream === undefined ? {} : { stream }),
      };
      return { command: 'submit_results', ...ofAction, parameters };
    }
  }
}

/** What the action and its definition leave out together. */
function skipping(...given: (z.infer<typeof Skipped> | undefined)[]): {
  skipInstall?: Skippable[];
} {
  const skipInstall = [...new Set(given.flatMap((skip) => skip ?? []))];
  return skipInstall.length === 0 ? {} : { skipInstall };
}

function gitSource(repo: z.infer<typeof GitSource>, written: Written): TestSource {
  const revision = repo.revision ?? repo.branch;
  return {
    from: 'git',
    repository: repo['git-repo'],
    path: repo.testdef,
    ...(revision === undefined ? {} : { revision }),
    parameters: Object.entries(repo.parameters ?? {}).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : written(['parameters', name]),
    ]),
  };
}

/** A number or a boolean as the document spells it: `1.10` stays `1.10`, and long digits keep them all. */
function asWritten(tree: Tree, text: string, path: Path): string {
  const at = locate(tree, path).tree;
  return at === undefined ? '' : text.slice(at.start, at.end);
}

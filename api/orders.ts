/**
 * What may be ordered of jobs and of boards: `(engine, order, by)`, the same from whichever door it comes. What was
 * refused says what is so and what to do.
 */
import { boardOf } from '../engine/boards.ts';
import { CommandRefused } from '../engine/live-stream.ts';
import type { By } from '../engine/stream-commands.ts';
import type { WorkerCommand } from '../machines/commands.ts';
import type { JobDefinition } from '../machines/definition.ts';
import type { DeviceState } from '../machines/device.ts';
import type { Health } from '../machines/events.ts';
import type { JobState, JobStateName } from '../machines/job/job.ts';
import type { WorkerState } from '../machines/worker.ts';
import { admit } from '../scheduler/admission.ts';
import { fitsRequest, isOpenTo } from '../scheduler/fit.ts';
import type { Shortfall } from '../scheduler/types.ts';
import { withSecretsKept } from '../submission/addresses.ts';
import { type ParsedJob, parseJob } from '../submission/job.ts';
import {
  type OpenDefinition,
  type SaidAtSubmission,
  saidAtSubmission,
} from '../submission/lint/at-submission.ts';
import { labFactsOf } from '../submission/lint/lint.ts';
import type { Problem } from '../submission/tree.ts';
import type { LabMemory } from './lab-facts.ts';
import { type ApiEngine, oneLine } from './parts.ts';
import { ApiProblem } from './problems.ts';

export type { By };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export interface SubmitOrder {
  /** As it came, byte for byte. */
  document: Uint8Array;
  /** Whether a wait counts its own caller; absent: as the form of the job has it. */
  countsSelf?: boolean;
  /** Whether a job that lint warns of is refused. */
  strict?: boolean;
}

export interface SubmitParts {
  engine: Pick<ApiEngine, 'submit'>;
  /** Keeps an address with a secret out of the log; says under which name (`withSecretsKept`). */
  keepSecret(address: string): string;
  /** Reads definitions that lie on this machine; absent: none is read. */
  openDefinition?: OpenDefinition | undefined;
  /** What lint is told of the lab. */
  memory?: Pick<LabMemory, 'facts'> | undefined;
}

/** So long lint may read, before a job is handed in without. */
const LINT_READS_MS_MAX = 1_500;

export interface Submission {
  id: number;
  state: JobStateName;
  warnings: Problem[];
  /** One line: what lint did not read. */
  unread?: string;
  /** The roles that the boards there are can never satisfy together. */
  short: Awaited<ReturnType<ApiEngine['submit']>>['short'];
}

/**
 * Submits a job; the same key gives the same job.
 *
 * @throws ApiProblem `invalid-job`; CommandRefused `key-reused` for another document
 */
export async function submit(parts: SubmitParts, order: SubmitOrder, by: By): Promise<Submission> {
  const document = textOf(order.document);
  const parsed = parseJob(document);
  if ('problems' in parsed) throw invalidJob(parsed.problems);
  const { countsSelf = parsed.definition.countsSelf } = order;
  const definition = { ...parsed.definition, countsSelf };
  const { warnings: found, ...said } = await linted(parts, definition, document);
  if (order.strict === true && found.length > 0) throw invalidJob(found);
  const job = withSecretsKept({ definition, document }, parts.keepSecret);
  const warnings = [...parsed.warnings, ...found];
  return { ...(await parts.engine.submit(job, by)), warnings, ...said };
}

async function linted(
  { openDefinition, memory }: Pick<SubmitParts, 'openDefinition' | 'memory'>,
  definition: JobDefinition,
  document: string,
): Promise<SaidAtSubmission> {
  const signal = AbortSignal.timeout(LINT_READS_MS_MAX);
  const facts = await memory?.facts(signal).catch(() => undefined);
  const lab = facts && labFactsOf(facts);
  return saidAtSubmission(definition, document, openDefinition, { ...(lab && { lab }), signal });
}

/** What a document asks for, and which boards there are for it. */
export interface Checked {
  definition: JobDefinition;
  warnings: Problem[];
  /** One line: what lint did not read. */
  unread?: string;
  /** Of each role, in the job's order: how many boards fit it, and how many of them are free now. */
  fitting: { fit: number; free: number }[];
  short: Shortfall[];
}

/** All that submitting would say, without submitting: nothing is recorded. @throws ApiProblem `invalid-job` */
export async function checkJob(
  parts: Pick<SubmitParts, 'openDefinition' | 'memory'> & {
    engine: Pick<ApiEngine, 'directory' | 'now'>;
  },
  given: Uint8Array,
): Promise<Checked> {
  const document = textOf(given);
  const parsed = parseJob(document);
  if ('problems' in parsed) throw invalidJob(parsed.problems);
  const { definition } = parsed;
  const { warnings: found, ...said } = await linted(parts, definition, document);
  const warnings = [...parsed.warnings, ...found];
  const { directory } = parts.engine;
  const now = parts.engine.now();
  const boards = [...directory.devices.keys()].flatMap(
    (name) => boardOf(directory, name, now) ?? [],
  );
  const fitting = definition.roles.map((role) => {
    const fit = boards.filter((board) => fitsRequest(board, role));
    const free = fit.filter((board) => board.state === 'idle' && isOpenTo(board, undefined));
    return { fit: fit.length, free: free.length };
  });
  return { definition, warnings, ...said, fitting, short: admit(definition.roles, boards) };
}

/** @throws ApiProblem `invalid-job` */
function textOf(document: Uint8Array): string {
  try {
    return utf8.decode(document);
  } catch {
    const message = 'the document is not UTF-8';
    throw invalidJob([{ path: '', line: 1, column: 1, message, expected: 'UTF-8 text' }]);
  }
}

function invalidJob(problems: Extract<ParsedJob, { problems: unknown }>['problems']): ApiProblem {
  const detail = problems
    .slice(0, 3)
    .map(({ line, column, message }) => `line ${line}, column ${column}: ${message}`);
  if (problems.length > detail.length) detail.push(`and ${problems.length - detail.length} more`);
  return new ApiProblem('invalid-job', detail.join('; '), { extras: { problems } });
}

/** Ends a whole group; one that has ended stays as it is. */
export function cancel(
  engine: Pick<ApiEngine, 'cancel'>,
  { job, reason = '' }: { job: number; reason?: string | undefined },
  by: By,
): Promise<JobState> {
  return engine.cancel(job, oneLine(reason) || 'cancelled by a user', by);
}

/** Of a whole group, while it waits for its boards. @throws ApiProblem `not-waiting`, `no-such-job` */
export async function setPriority(
  engine: Pick<ApiEngine, 'setPriority' | 'job'>,
  { job, priority }: { job: number; priority: number },
  by: By,
): Promise<JobState> {
  try {
    return await engine.setPriority(job, priority, by);
  } catch (error) {
    throw error instanceof CommandRefused ? await notWaiting(engine, job, error) : error;
  }
}

async function notWaiting(
  engine: Pick<ApiEngine, 'job'>,
  id: number,
  refused: CommandRefused,
): Promise<Error> {
  const job = await engine.job(id);
  return job === undefined || refused.code === 'key-reused' ? refused : jobIsNotWaiting(id, job);
}

/** For whoever asks of a job that waits what cannot be asked of one that does not. */
export function jobIsNotWaiting(id: number, { state, reason }: JobState): ApiProblem {
  const why = reason === null ? '' : `: ${reason}`;
  const detail = `job ${id} does not wait for boards: it is ${state}${why}`;
  return new ApiProblem('not-waiting', detail, { extras: { state } });
}

/** An order to a board, with its reason where it needs one. Each is idempotent. */
export type DeviceOrder = { device: string } & (
  | { order: 'offline' | 'retire' | 'restore'; reason: string }
  | { order: 'online' }
  | { order: 'health'; health: Health; reason: string; force: boolean }
);

/** @throws ApiProblem as the rules refuse, with the way out */
export async function orderDevice(
  engine: Pick<ApiEngine, 'setOffline' | 'setOnline' | 'setHealth' | 'retire' | 'restore'>,
  is: DeviceOrder,
  by: By,
): Promise<DeviceState> {
  const { device } = is;
  try {
    switch (is.order) {
      case 'offline':
        return await engine.setOffline(device, is.reason, by);
      case 'online':
        return await engine.setOnline(device, by);
      case 'retire':
        return await engine.retire(device, is.reason, by);
      case 'restore':
        return await engine.restore(device, is.reason, by);
      case 'health': {
        const { health: to, reason, force } = is;
        return await engine.setHealth(device, { to, reason, force }, by);
      }
    }
  } catch (error) {
    throw error instanceof CommandRefused ? refusal(device, error) : error;
  }
}

export const noSuchDevice = (name: string) =>
  new ApiProblem('no-such-device', `there is no device ${name}`);

/** What the rules refuse, said of this device, with the way out. */
function refusal(name: string, { code, message }: CommandRefused): ApiProblem {
  if (code === 'no-such-device') return noSuchDevice(name);
  if (code === 'retired') return new ApiProblem(code, `${name} is retired; restore it first`);
  if (code !== 'not-idle') return new ApiProblem(code, message);
  return new ApiProblem(
    code,
    `${name} is ${message}; cancel that job or wait for its end, then ask again. Taken offline, the device gets no other job meanwhile`,
  );
}

/** An order to a worker. Each is idempotent, but that of a new token. */
export type WorkerOrder = { worker: string } & (
  | { order: 'token'; digest: string }
  | { order: 'revoke' | 'drain'; reason: string }
  | { order: 'undrain' }
);

/** @throws ApiProblem `no-such-worker` */
export async function orderWorker(
  engine: Pick<ApiEngine, 'changeWorker'>,
  is: WorkerOrder,
  by: By,
): Promise<WorkerState> {
  try {
    return await engine.changeWorker(is.worker, workerCommand(is), by);
  } catch (error) {
    if (error instanceof CommandRefused && error.code === 'no-such-worker')
      throw new ApiProblem(error.code, `there is no worker ${is.worker}`);
    throw error;
  }
}

function workerCommand(is: WorkerOrder): WorkerCommand {
  switch (is.order) {
    case 'token':
      return { type: 'MakeWorkerToken', digest: is.digest };
    case 'revoke':
      return { type: 'RevokeWorkerToken', reason: is.reason };
    case 'drain':
      return { type: 'DrainWorker', reason: is.reason };
    case 'undrain':
      return { type: 'UndrainWorker' };
  }
}

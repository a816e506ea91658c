/** Commands of the lab's file, run on the worker: bounded in time, and what they say is on the member's console. */

import { settingsOf } from '../../submission/lab-drivers.ts';
import { codeOf, messageOf, StepFailure } from '../failure.ts';
import { lastLine, runProgram } from '../programs.ts';
import type { DriverContext, LabBoard } from './driver.ts';

const LINES_SHOWN_MAX = 20;

export interface CommandAt {
  device: string;
  job?: number | undefined;
  /** More variables for it. */
  variables?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  note?(line: string): Promise<void>;
}

/**
 * Runs one to its end. None given: nothing to do.
 *
 * @param name what the lab's file calls it
 * @throws StepFailure `command-failed` when it does not end well, or not in time; StepAborted
 */
export async function runLabCommand(
  context: Pick<DriverContext, 'fetchMark'>,
  name: string,
  command: string | undefined,
  seconds: number,
  at: CommandAt,
): Promise<void> {
  if (command === undefined) return;
  const { device, job, variables, signal, note } = at;
  const end = await runProgram('sh', ['-c', command], {
    timeoutMs: seconds * 1_000,
    ...(signal === undefined ? {} : { signal }),
    env: {
      ...process.env,
      ...context.fetchMark,
      ...variables,
      MUSTER_DEVICE: device,
      ...(job === undefined ? {} : { MUSTER_JOB: String(job) }),
    },
  });
  const lines = `${end.stdout}\n${end.stderr}`.split('\n').filter((line) => line.trim() !== '');
  for (const line of lines.slice(-LINES_SHOWN_MAX)) await note?.(`${name}: ${line}`);
  if (end.timedOut)
    throw new StepFailure('command-failed', `the lab's ${name} did not end within ${seconds} s`);
  if (end.status === 0) return;
  const said = lastLine(end.stderr) || lastLine(end.stdout);
  throw new StepFailure(
    'command-failed',
    `the lab's ${name} ended with status ${end.status}${said === '' ? '' : `: ${said}`}`,
  );
}

/** `pre_boot`, `post_boot` and `cleanup` of a board of any kind. */
export async function aroundBoard(
  context: Pick<DriverContext, 'boards' | 'fetchMark'>,
  name: 'pre_boot' | 'post_boot' | 'cleanup',
  at: CommandAt,
): Promise<void> {
  const { commands } = settings(context.boards.find((board) => board.name === at.device));
  try {
    await runLabCommand(context, name, commands[name], commands.seconds, at);
  } catch (error) {
    if (name === 'cleanup' || codeOf(error) !== 'command-failed') throw error;
    throw new StepFailure('boot-failed', `the board did not boot: ${messageOf(error)}`);
  }
}

export const settings = (board: LabBoard | undefined) => board?.settings ?? settingsOf();

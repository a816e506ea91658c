/**
 * Starts what a board is on the worker: a launcher with the console's appender, and in it the one process whose end is
 * the board's end. It is detached from the worker, and survives its `kill -9`.
 */
import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { messageOf, StepAborted, StepFailure, throwIfAborted } from '../failure.ts';
import { killGroup } from '../programs.ts';
import type { BoardState } from './board-folder.ts';
import type { Seat } from './driver.ts';
import type { Holdings } from './holdings.ts';
import {
  isAlive,
  kill,
  killUntilNone,
  MARK_VARIABLE,
  markedProcesses,
  markOf,
  processId,
} from './processes.ts';

/** How a board is started. File descriptor 3 of the script: it says its pid there, and waits for a line. */
export interface Launch {
  /** A script for `sh -c`, and its arguments. */
  script: string;
  args: string[];
  environment: Record<string, string>;
}

const FIRST_WORD_TIMEOUT_MS = 30_000;

/** Starts the launcher, takes the board's first word (its pid), has it connected and lets it go on. */
export async function startBoard(
  holdings: Holdings,
  seat: Seat,
  launch: Launch,
  is: { signal: AbortSignal; connect(pid: number): Promise<void> },
): Promise<void> {
  throwIfAborted(is.signal);
  const child = spawn('sh', ['-c', launch.script, 'sh', ...launch.args], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    env: launch.environment,
    cwd: '/',
  });
  child.unref();
  child.on('error', () => undefined);
  const line = child.stdio[3] as Duplex;
  try {
    const launcher = child.pid === undefined ? undefined : processId(child.pid);
    const state = holdings.stateOf(seat);
    if (state === undefined) throw new StepAborted();
    if (launcher !== undefined) await holdings.save(seat.device, { ...state, launcher });
    const pid = await firstWord(line, is.signal);
    const process = processId(pid);
    if (process === undefined) throw new StepFailure('board-gone', 'it ended at once');
    await holdings.save(seat.device, { ...state, ...(launcher ? { launcher } : {}), process });
    await is.connect(pid);
    await new Promise((written) => line.write('go\n', written));
  } finally {
    line.on('error', () => undefined);
    line.destroy();
  }
}

/** The pid that the board says of itself. */
function firstWord(line: Duplex, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    const settle = (act: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      line.removeAllListeners('data');
      act();
    };
    const fail = (why: string) => settle(() => reject(new StepFailure('board-gone', why)));
    const onAbort = () => settle(() => reject(new StepAborted()));
    const timer = setTimeout(() => fail('it did not start'), FIRST_WORD_TIMEOUT_MS);
    signal.addEventListener('abort', onAbort, { once: true });
    line.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const match = /^(\d+)\n/.exec(text);
      if (match?.[1] !== undefined) settle(() => resolve(Number(match[1])));
    });
    line.once('close', () => fail('it ended before it started'));
    line.once('error', (error) => fail(messageOf(error)));
  });
}

/**
 * Ends every process of a board that is known or carries its mark; resolves when they are gone.
 *
 * The launcher's group first: the end of `unshare` there is the end of pid 1, without a word on the console. pid 1 takes
 * its whole namespace along, a fork bomb too: the kernel forks for nobody in it any more.
 */
export async function endBoard(
  hash: string,
  device: string,
  state: BoardState | undefined,
): Promise<void> {
  const mark = markOf(hash, device);
  const known = [state?.process, state?.launcher].flatMap((id) => id ?? []);
  if (state?.launcher !== undefined && isAlive(state.launcher)) killGroup(state.launcher.pid);
  if (state?.process !== undefined) kill(state.process);
  await killUntilNone(`board ${device}`, async () => {
    const marked = await markedProcesses(MARK_VARIABLE, mark);
    const pids = marked.filter(({ value }) => value === mark).map(({ pid }) => pid);
    for (const id of known) if (isAlive(id)) pids.push(id.pid);
    return pids;
  });
}

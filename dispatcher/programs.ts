/** Runs a program of the worker to its end: bounded in time and output, killed with all of its children. */
import { spawn } from 'node:child_process';
import { StepAborted } from './failure.ts';

/** Of each of stdout and stderr, the end of it is kept. */
const PROGRAM_OUTPUT_BYTES_MAX = 1_048_576;

export interface ProgramEnd {
  /** Exit status; 128 + n when signal n ended it; 127 when there is no such program. */
  status: number;
  stdout: string;
  stderr: string;
  timedOut: boolean;
}

export interface ProgramOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
}

const PROGRAM_TIMEOUT_MS_DEFAULT = 30_000;

/**
 * Resolves with how the program ended, also when it failed, was not there or ran into its limit.
 *
 * @throws StepAborted when `signal` fired; the program and its children are dead then
 */
export function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramEnd> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) {
      reject(new StepAborted());
      return;
    }
    const child = spawn(program, [...args], {
      detached: true,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    const stdout = new Tail();
    const stderr = new Tail();
    child.stdout?.on('data', (chunk: Buffer) => stdout.add(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input);

    let timedOut = false;
    const kill = () => {
      if (child.pid !== undefined) killGroup(child.pid);
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, options.timeoutMs ?? PROGRAM_TIMEOUT_MS_DEFAULT);
    options.signal?.addEventListener('abort', kill, { once: true });
    const finish = (status: number, note = '') => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', kill);
      if (options.signal?.aborted) reject(new StepAborted());
      else resolve({ status, stdout: stdout.text(), stderr: stderr.text() + note, timedOut });
    };
    child.once('error', (error) => finish(127, `${error.message}\n`));
    child.once('close', (code, signal) => finish(code ?? (signal === 'SIGKILL' ? 137 : 128)));
  });
}

/** The end of what was written, in bounded memory. */
class Tail {
  #chunks: Buffer[] = [];
  #bytes = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes <= 2 * PROGRAM_OUTPUT_BYTES_MAX) return;
    const kept = Buffer.concat(this.#chunks).subarray(-PROGRAM_OUTPUT_BYTES_MAX);
    this.#chunks = [kept];
    this.#bytes = kept.length;
  }

  text(): string {
    return Buffer.concat(this.#chunks).subarray(-PROGRAM_OUTPUT_BYTES_MAX).toString('utf8');
  }
}

/** SIGKILL for a process group; one that is gone is fine. */
export function killGroup(pgid: number): void {
  try {
    process.kill(-pgid, 'SIGKILL');
  } catch {
    // Nobody of it is left.
  }
}

/** The last line with something on it. */
export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.trim() ?? '';
}

/** A word that `sh` reads back as exactly this text. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** `name='value'` lines for the head of a script. */
export function assignments(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${shellQuoted(value)}\n`)
    .join('');
}

/** The programs of the worker that have a board's lines: detached from it, marked as the board's, each with an appender. */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { assignments } from '../programs.ts';
import { consoleBlocks, PUMP } from './console-pump.ts';
import type { DriverContext } from './driver.ts';
import type { Launch } from './launch.ts';
import { MARK_VARIABLE, markOf } from './processes.ts';

/** In the folder of the volume. $@: the program with the console. */
const LINE_LAUNCH = `
cd "$volume" || exit 1
${PUMP}`;
const LINE_INIT = `
printf '%s\\n' "$$" >&3
read -r go <&3 || exit 1
exec 3>&-
exec <>in
exec "$@"
`;
const RECORD_INIT = `
exec <>in
exec "$@"
`;
type Context = Pick<DriverContext, 'hash' | 'limits'>;

export interface LineOrder {
  device: string;
  /** Where what is typed is read. */
  volume: string;
  /** The file of what is printed. */
  console: string;
  program: readonly string[];
}

/** A board's console; it waits for the word to go on. */
export const lineLaunch = (context: Context, order: LineOrder): Launch => ({
  script: pump(context, order),
  args: ['setsid', 'sh', '-c', LINE_INIT, 'sh', ...order.program],
  environment: environmentOf(context, order.device),
});

/** A line beside the console: it ends with the board. */
export async function recordLine(context: Context, order: LineOrder): Promise<void> {
  await mkdir(order.volume, { recursive: true });
  const words = ['sh', '-c', RECORD_INIT, 'sh', ...order.program];
  const child = spawn('sh', ['-c', pump(context, order), 'sh', ...words], {
    ...{ detached: true, stdio: 'ignore', cwd: '/' },
    env: environmentOf(context, order.device),
  });
  child.on('error', () => undefined);
  child.unref();
}

function pump({ limits }: Context, { volume, console }: LineOrder): string {
  const blocks = consoleBlocks(limits.consoleBytes);
  return assignments({ volume, console, blocks }) + LINE_LAUNCH;
}

const environmentOf = ({ hash }: Context, device: string): Record<string, string> => ({
  PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: process.env.HOME ?? '/',
  TERM: 'dumb',
  [MARK_VARIABLE]: markOf(hash, device),
});

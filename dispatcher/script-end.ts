/** How a script ended, from what stands on the console before the mark of its end: the last command that `set -x` showed. */
import { constants } from 'node:os';
import type { MemberCommand } from '../machines/commands.ts';
import { plainText } from '../submission/quoting.ts';
import { tracesOf } from '../submission/traces.ts';
import { consoleTail } from './console.ts';

/** What is looked at before the mark. */
const TAIL_BYTES = 65_536;
const COMMAND_CHARACTERS_MAX = 400;
const OUT_OF_MEMORY = /\bOut of memory: Kill(?:ed)? process\b|\boom-kill:/;
/** A shell says 128 and the number of the signal that ended its command. */
const KILLED = 128;

type Ended = Pick<
  Extract<MemberCommand, { type: 'EndScript' }>,
  'status' | 'signal' | 'command' | 'outOfMemory'
>;

/** @param place where the suite and the mark begin on the console */
export async function scriptEnd(
  console: string,
  { from, to }: { from: number; to: number },
  status: number,
): Promise<Ended> {
  const text = await consoleTail(console, from, { bytes: TAIL_BYTES, to });
  // An empty line is one, too: of a diff it counts.
  const lines = text.split(/\r*\n|\r/).map(plainText);
  const command = tracesOf(lines).findLast((trace) => trace !== undefined);
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - KILLED);
  return {
    status,
    ...(signal !== undefined && { signal: signal[0] }),
    ...(command !== undefined && { command: command.slice(0, COMMAND_CHARACTERS_MAX) }),
    ...(lines.some((line) => OUT_OF_MEMORY.test(line)) && { outOfMemory: true as const }),
  };
}

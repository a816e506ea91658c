/** What boards printed shortly before something ended: read by offset, because a console may have a hundred megabytes. */
import type { Evidence } from '../evidence.ts';
import type { Group, Mark, Member } from './facts.ts';

export interface ConsoleLine {
  readonly offset: number;
  readonly text: string;
}

const TAIL_BYTES_MAX = 32_768;
const MEMBERS_READ_MAX = 256;

/** Of each member the lines before its last script or it itself ended, the latest last. */
export async function consoleTails(
  evidence: Pick<Evidence, 'console'>,
  group: Group,
): Promise<Map<string, readonly ConsoleLine[]>> {
  const tails = new Map<string, readonly ConsoleLine[]>();
  for (const member of group.members.slice(0, MEMBERS_READ_MAX)) {
    const console = evidence.console(member.device);
    const to = Math.min(endOf(member)?.console ?? console.bytes, console.bytes);
    const from = Math.max(0, to - TAIL_BYTES_MAX);
    const bytes = await console.read(from, to).catch(() => Buffer.alloc(0));
    tails.set(member.device, linesOf(bytes, from));
  }
  return tails;
}

/** The first end that matters: what is printed after it is of no interest. */
function endOf(member: Member): Mark | undefined {
  const [script] = member.scripts;
  if (script !== undefined) return script;
  const exit = member.results.find(
    (one) => /^(?:exit|install)$/.test(one.case) && one.result === 'fail',
  );
  return exit ?? (member.end?.console === undefined ? undefined : member.end);
}

/** Whole lines with their offsets; the first one may have begun before. */
export function linesOf(bytes: Buffer, from: number): ConsoleLine[] {
  const lines: ConsoleLine[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(10, at);
    const to = end === -1 ? bytes.length : end;
    const text = bytes.subarray(at, to).toString('utf8').replace(/\r+$/, '');
    if (text.trim() !== '') lines.push({ offset: from + at, text });
    at = to + 1;
  }
  return lines;
}

const OURS = /<(?:LAVA_|MUSTER_)|^muster: |^\[muster\]|^\+* ?lava-/;

/** The last line that a test or its shell printed, and not Muster. */
export const lastSaid = (lines: readonly ConsoleLine[] | undefined): ConsoleLine | undefined =>
  lines?.findLast(({ text }) => !OURS.test(text));

/** What boards printed last, beside what is said of them: a job's members, and those whom a barrier misses. */
import type { ConsoleReader } from '../answers/evidence.ts';
import { lastLine } from '../answers/last-line.ts';
import { type BarrierView, iso, type JobView, type LastLineView } from '../projections/views.ts';

/** A group may have thousands of members: of so many of them it is looked up. */
const MEMBERS_MAX = 16;

/** What came is in the index a little later. Lines of ours, that tell of the end itself, are passed over. */
const INDEX_LAG_MS = 200;

type OpenConsole = (device: string) => ConsoleReader;

/** A job with the last line of each member that is not complete. */
export async function withLastLines(job: JobView, console: OpenConsole): Promise<JobView> {
  let left = MEMBERS_MAX;
  const members: JobView['members'] = [];
  for (const member of job.members) {
    const isAsked = member.state !== 'complete' && left-- > 0;
    const seen = isAsked ? await lineAt(console(member.device), member.endedAt) : undefined;
    members.push(seen === undefined ? member : { ...member, lastLine: seen });
  }
  return { ...job, members };
}

/** Barriers with the last lines of those who are missing. */
export async function withMissingLines(
  barriers: readonly BarrierView[],
  console: OpenConsole,
): Promise<BarrierView[]> {
  const known = new Map<string, Promise<LastLineView | undefined>>();
  const seen = (member: string, until: string | undefined) => {
    const key = `${member} ${until ?? ''}`;
    const line = known.get(key) ?? lineAt(console(member), until);
    known.set(key, line);
    return line;
  };
  const out: BarrierView[] = [];
  for (const barrier of barriers) {
    const until = barrier.waits.some(({ outcome }) => outcome === 'open')
      ? undefined
      : barrier.waits.at(-1)?.endedAt;
    const lastLines: BarrierView['lastLines'] = [];
    for (const member of barrier.released ? [] : barrier.missing.slice(0, MEMBERS_MAX)) {
      const line = await seen(member, until);
      if (line !== undefined) lastLines.push({ member, ...line });
    }
    out.push(lastLines.length === 0 ? barrier : { ...barrier, lastLines });
  }
  return out;
}

async function lineAt(
  console: ConsoleReader,
  until: string | undefined,
): Promise<LastLineView | undefined> {
  const to =
    until === undefined ? undefined : await console.offsetAt(Date.parse(until) + INDEX_LAG_MS);
  const line = await lastLine(console, to);
  if (line === undefined) return undefined;
  return { text: line.text, ...(line.at !== undefined && { at: iso(line.at) }) };
}

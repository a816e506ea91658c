/** What a real run left, as one file: events, what ran and what was printed; read back as the evidence that it was. */
import type { ConsoleReader, Evidence, RanSource } from '../../answers/evidence.ts';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { SourceList } from '../../wire/sources.ts';

interface Head {
  job: number;
  sources: { member: string; suite: string; list?: SourceList }[];
  texts: Record<string, string>;
  consoles: Record<string, string>;
}

/** JSON lines: what is beside the log first, then an event a line. */
export async function writeRecorded(evidence: Evidence): Promise<string> {
  const texts: Head['texts'] = {};
  for (const { list, text } of evidence.sources)
    for (const { digest } of [...(list?.files ?? []), ...(list?.scripts ?? [])]) {
      const kept = text(digest);
      if (kept !== undefined) texts[digest] = kept;
    }
  const consoles: Head['consoles'] = {};
  for (const event of evidence.events)
    if (event.type === 'JobAllocated')
      for (const { device } of event.data.members) {
        const reader = evidence.console(device);
        consoles[device] = (await reader.read(0, reader.bytes)).toString('utf8');
      }
  const sources = evidence.sources.map(({ member, suite, list }) => ({
    member,
    suite,
    ...(list && { list }),
  }));
  const head: Head = { job: evidence.job, sources, texts, consoles };
  return [head, ...evidence.events].map((line) => `${JSON.stringify(line)}\n`).join('');
}

export function readRecorded(text: string): Evidence {
  const [first = '', ...lines] = text.trimEnd().split('\n');
  const head = JSON.parse(first) as Head;
  const sources: RanSource[] = head.sources.map(({ member, suite, list }) => ({
    member,
    suite,
    list: list === undefined ? undefined : SourceList.parse(list),
    text: (digest) => head.texts[digest],
  }));
  return {
    job: head.job,
    events: lines.map((line) => JSON.parse(line) as RecordedEvent<JobEvent>),
    sources,
    console: (device) => consoleOf(head.consoles[device] ?? ''),
  };
}

export function consoleOf(text: string): ConsoleReader {
  const bytes = Buffer.from(text, 'utf8');
  return {
    bytes: bytes.length,
    read: async (from, to) => bytes.subarray(from, to),
    timeAt: async () => undefined,
    offsetAt: async () => undefined,
  };
}

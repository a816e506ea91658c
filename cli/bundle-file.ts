/** Reads a job from the file that `muster bundle` wrote, and believes it only when all of it is what was written. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { z } from 'zod';
import { BUNDLE_FORMAT, EndPart, LabPart, Manifest, PART, SuitesPart } from '../answers/bundle.ts';
import { ConsoleTimes } from '../answers/console-times.ts';
import type { ConsoleReader, Evidence } from '../answers/evidence.ts';
import { RunFacts } from '../answers/run-facts.ts';
import { type JobEvent, type RecordedEvent, UnreadableEvent } from '../machines/events.ts';
import { jobStream } from '../machines/names.ts';
import { parseEvent } from '../machines/versions.ts';
import { CliFailure, EXIT } from './exit.ts';

/** Of all parts of a bundle, unpacked. */
const BUNDLE_BYTES_MAX = 2 * 1024 * 1024 * 1024;

export interface Bundle {
  manifest: Manifest;
  evidence: Evidence;
}

type Parts = Map<string, Buffer>;

/** @throws CliFailure `bad-bundle`: it cannot be read, was cut off or edited, or is of a newer version */
export async function readBundle(file: string): Promise<Bundle> {
  const refused = (why: string) =>
    new CliFailure({ code: 'bad-bundle', exit: EXIT.usage, message: `${file}: ${why}` });
  const parts = await unpack(file, refused);
  checkEnd(parts, refused);
  const json = <T extends z.ZodType>(name: string, shape: T): z.infer<T> => {
    const is = shape.safeParse(parsed(textOf(parts, name)));
    if (is.success) return is.data;
    throw refused(`its part ${name} is not one that this version of muster reads`);
  };
  const { bundle } = parsed(textOf(parts, PART.manifest)) as { bundle?: unknown };
  if (typeof bundle === 'number' && bundle > BUNDLE_FORMAT)
    throw refused('a newer version of muster wrote it: read it with that one');
  const manifest = json(PART.manifest, Manifest);
  const events = eventsOfJob(eventsOf(parts.get(PART.events), refused), manifest.job, refused);
  const texts = sourceTexts(parts);
  const text = (digest: string) => texts.get(digest);
  return {
    manifest,
    evidence: {
      job: manifest.job,
      events,
      ...(parts.has(PART.related) && { related: eventsOf(parts.get(PART.related), refused) }),
      ...(parts.has(PART.past) && { past: json(PART.past, z.array(RunFacts)) }),
      ...(parts.has(PART.lab) && { lab: json(PART.lab, LabPart) }),
      sources: json(PART.suites, SuitesPart).map((suite) => ({ ...suite, list: suite.list, text })),
      console: (device) => consoleOf(parts, device),
    },
  };
}

type Refused = (why: string) => CliFailure;

async function unpack(file: string, refused: Refused): Promise<Parts> {
  const parts: Parts = new Map();
  let bytes = 0;
  const tar = extract();
  const input = createReadStream(file);
  const gunzip = createGunzip();
  const broken = (error: Error) => tar.destroy(error);
  input.on('error', broken).pipe(gunzip).on('error', broken).pipe(tar);
  try {
    for await (const entry of tar) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > BUNDLE_BYTES_MAX) throw refused('it is larger than 2 GiB when it is unpacked');
        chunks.push(chunk);
      }
      const { name } = entry.header;
      if (parts.has(name)) throw refused(`it was edited: it has two parts ${name}`);
      parts.set(name, Buffer.concat(chunks));
    }
  } catch (error) {
    if (error instanceof CliFailure) throw error;
    throw refused(whyBroken(error as NodeJS.ErrnoException, [...parts.keys()].at(-1)));
  } finally {
    input.destroy();
  }
  return parts;
}

function whyBroken(error: NodeJS.ErrnoException, last: string | undefined): string {
  if (error.code === 'ENOENT') return 'there is no such file';
  if (error.code === 'Z_BUF_ERROR' || /unexpected end/i.test(error.message))
    return `it was cut off${last === undefined ? '' : ` after its part ${last}`}`;
  if (error.code?.startsWith('Z_') && last === undefined)
    return 'it is no bundle: muster bundle ID FILE writes one';
  if (error.code?.startsWith('E')) return `it cannot be read: ${error.message}`;
  return `it is damaged${last === undefined ? '' : ` after its part ${last}`}: ${error.message}`;
}

/** The end says what came before it: each part, in its order, with its digest. */
function checkEnd(parts: Parts, refused: Refused): void {
  const names = [...parts.keys()];
  const last = names.pop();
  if (!parts.has(PART.manifest)) throw refused('it is no bundle: muster bundle ID FILE writes one');
  if (last !== PART.end)
    throw refused(`it was cut off or edited: its last part is ${last}, and not ${PART.end}`);
  const end = EndPart.safeParse(parsed(textOf(parts, PART.end)));
  if (!end.success) throw refused(`it was edited: its part ${PART.end} cannot be read`);
  for (const [at, { name, bytes, digest }] of end.data.parts.entries()) {
    if (names[at] !== name)
      throw refused(`it was edited: its part ${name} is ${parts.has(name) ? 'moved' : 'missing'}`);
    const part = parts.get(name);
    if (part === undefined || part.length !== bytes || sha256(part) !== digest)
      throw refused(`it was edited: its part ${name} is not what was written`);
  }
  const more = names[end.data.parts.length];
  if (more !== undefined) throw refused(`it was edited: its part ${more} was added`);
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const textOf = (parts: Parts, name: string): string => parts.get(name)?.toString('utf8') ?? '';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Each is checked as it is on its way out of a log. Line by line: all of them may be more than one text can hold. */
function eventsOf(bytes: Buffer = Buffer.alloc(0), refused: Refused): RecordedEvent[] {
  const events: RecordedEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(LF, at);
    const to = end < 0 ? bytes.length : end;
    if (to > at) events.push(eventOf(bytes.toString('utf8', at, to), refused));
    at = to + 1;
  }
  return events;
}
const LF = 0x0a;

function eventOf(line: string, refused: Refused): RecordedEvent {
  const raw = parsed(line) as RecordedEvent;
  try {
    const { event, meta } = parseEvent(raw);
    const { id, stream, version, position } = raw;
    return { ...event, id, meta, stream, version, position };
  } catch (error) {
    throw error instanceof UnreadableEvent ? refused(error.message) : error;
  }
}

/** @throws CliFailure: it has others than those of its job, or not all of them in their order */
function eventsOfJob(
  events: readonly RecordedEvent[],
  job: number,
  refused: Refused,
): RecordedEvent<JobEvent>[] {
  for (const [at, { stream, version }] of events.entries())
    if (stream !== jobStream(job) || version !== at + 1)
      throw refused(`event ${at + 1} of job ${job} is not where it should be`);
  return events as RecordedEvent<JobEvent>[];
}

function sourceTexts(parts: Parts): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [name, bytes] of parts)
    if (name.startsWith(PART.source))
      texts.set(name.slice(PART.source.length), bytes.toString('utf8'));
  return texts;
}

function consoleOf(parts: Parts, device: string): ConsoleReader {
  const bytes = parts.get(PART.console + device) ?? Buffer.alloc(0);
  const index = textOf(parts, PART.console + device + PART.times);
  const times = ConsoleTimes.of(index);
  return {
    bytes: bytes.length,
    read: async (from, to) => bytes.subarray(Math.max(0, from), Math.max(from, to, 0)),
    timeAt: async (offset) => times?.timeAt(offset),
    offsetAt: async (time) => times?.offsetAt(time),
    index: async () => index,
  };
}

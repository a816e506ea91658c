/** Writes a job into one file (`answers/bundle.ts`), bit by bit: a console may have a hundred megabytes. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { BUNDLE_FORMAT, type EndPart, type Manifest, PART } from '../answers/bundle.ts';
import type { ConsoleReader, Evidence } from '../answers/evidence.ts';
import type { RecordedEvent } from '../machines/events.ts';
import { VOCABULARY } from '../machines/versions.ts';

/** Of a console, read at once. */
const PIECE_BYTES = 256 * 1024;
/** Of text, handed on at once. */
const TEXT_CHARACTERS = 64 * 1024;

export interface BundleFacts {
  /** The version of Muster. */
  version: string;
  /** Milliseconds since the epoch. */
  now: number;
  imported?: Manifest['imported'];
}

interface Part {
  name: string;
  bytes: number;
  content(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** The bytes of the bundle. What is wrong with a part ends it, so that it has no end. */
export function bundleOf(evidence: Evidence, is: BundleFacts): Readable {
  const tar = pack();
  const gzip = createGzip();
  tar.pipe(gzip);
  tar.on('error', (error) => gzip.destroy(error));
  gzip.once('close', () => tar.destroy());
  write(tar, evidence, is).catch((error: Error) => tar.destroy(error));
  return gzip;
}

async function write(tar: ReturnType<typeof pack>, evidence: Evidence, is: BundleFacts) {
  const mtime = new Date(is.now);
  const end: EndPart = { parts: [] };
  const gone = new Promise<never>((_, reject) => tar.once('error', reject).once('close', reject));
  gone.catch(() => {});
  const put = (part: Part) => Promise.race([add(tar, part, mtime), gone]);
  for await (const part of partsOf(evidence, is)) end.parts.push(await put(part));
  await put(textPart(PART.end, `${JSON.stringify(end)}\n`));
  tar.finalize();
}

async function add(
  tar: ReturnType<typeof pack>,
  { name, bytes, content }: Part,
  mtime: Date,
): Promise<EndPart['parts'][number]> {
  const hash = createHash('sha256');
  await new Promise<void>((resolve, reject) => {
    const entry = tar.entry({ name, size: bytes, mtime }, (error) =>
      error == null ? resolve() : reject(error),
    );
    const chunks = async function* () {
      for await (const chunk of content()) {
        hash.update(chunk);
        yield chunk;
      }
    };
    Readable.from(chunks(), { objectMode: false }).once('error', reject).pipe(entry);
  });
  return { name, bytes, digest: hash.digest('hex') };
}

function textPart(name: string, text: string): Part {
  const bytes = Buffer.from(text);
  return { name, bytes: bytes.length, content: () => [bytes] };
}

async function* partsOf(evidence: Evidence, is: BundleFacts): AsyncGenerator<Part> {
  const { job, events, sources } = evidence;
  const manifest: Manifest = {
    bundle: BUNDLE_FORMAT,
    job,
    muster: is.version,
    vocabulary: VOCABULARY,
    madeAt: new Date(is.now).toISOString(),
    ...(is.imported && { imported: is.imported }),
  };
  yield textPart(PART.manifest, `${JSON.stringify(manifest, undefined, 2)}\n`);
  yield await eventsPart(PART.events, events);
  if (evidence.related !== undefined) yield await eventsPart(PART.related, evidence.related);
  if (evidence.past !== undefined) yield textPart(PART.past, `${JSON.stringify(evidence.past)}\n`);
  if (evidence.lab !== undefined) yield textPart(PART.lab, `${JSON.stringify(evidence.lab)}\n`);
  const [first] = events;
  if (first?.type === 'JobSubmitted') yield textPart(PART.document, first.data.document);
  const suites = sources.map(({ member, suite, list }) => ({ member, suite, list }));
  yield textPart(PART.suites, `${JSON.stringify(suites)}\n`);
  const written = new Set<string>();
  for (const { list, text } of sources)
    for (const { digest } of [...(list?.scripts ?? []), ...(list?.files ?? [])]) {
      const content = written.has(digest) ? undefined : text(digest);
      if (content === undefined) continue;
      written.add(digest);
      yield textPart(PART.source + digest, content);
    }
  for (const device of devicesOf(evidence)) {
    const console = evidence.console(device);
    if (console.bytes === 0) continue;
    yield consolePart(PART.console + device, console);
    const index = (await console.index?.()) ?? '';
    if (index !== '') yield textPart(PART.console + device + PART.times, index);
  }
}

/** In two passes, so that not all of the text is held at once: a tar says the size of a part first. */
async function eventsPart(name: string, events: readonly RecordedEvent[]): Promise<Part> {
  // Each chunk in a turn of its own: boards wait for this thread.
  const texts = async function* (): AsyncGenerator<Uint8Array> {
    let chunk = '';
    for (const event of events) {
      chunk += `${JSON.stringify(event)}\n`;
      if (chunk.length < TEXT_CHARACTERS) continue;
      yield Buffer.from(chunk);
      await turn();
      chunk = '';
    }
    yield Buffer.from(chunk);
  };
  let bytes = 0;
  for await (const chunk of texts()) bytes += chunk.length;
  return { name, bytes, content: texts };
}

const consolePart = (name: string, console: ConsoleReader): Part => ({
  name,
  bytes: console.bytes,
  async *content() {
    for (let at = 0; at < console.bytes; at += PIECE_BYTES)
      yield await console.read(at, Math.min(at + PIECE_BYTES, console.bytes));
  },
});

function devicesOf({ events }: Evidence): string[] {
  for (const { type, data } of events)
    if (type === 'JobAllocated') return data.members.map(({ device }) => device);
  return [];
}

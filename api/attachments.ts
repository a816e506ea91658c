/** Files that tests hand in: their bytes are kept once, by what is in them, and the job's log says whose they are. */
import type { RecordedEvent } from '../machines/events.ts';
import { iso } from '../projections/views.ts';
import type { BoardAnswer } from '../wire/board-answers.ts';
import { type BoardVerb, speaker } from './board-verbs.ts';
import { type BoardEngine, type BoardParts, oneLine } from './parts.ts';

export const ATTACHMENT_BYTES_MAX = 1024 * 1024;
const JOB_ATTACHMENTS_BYTES_MAX = 100 * 1024 * 1024;
const JOB_ATTACHMENTS_MAX = 1_000;
const NAME_BYTES_MAX = 255;
const MIB = 1024 * 1024;

/** Jobs whose sums are remembered. */
const SUMS_MAX = 1_000;

/** What a job's attachments come to, as far as its log was read; and what is being kept for it now. */
interface Sum {
  version: number;
  bytes: number;
  /** Of the requests that were answered: a repeat finds its file kept, however full the job is. */
  keys: Set<string>;
  pending: number;
  pendingBytes: number;
}

interface Handed {
  name: unknown;
  suite?: string;
  content: AsyncIterable<Uint8Array>;
  /** As the request says; absent: it does not. */
  bytes?: number;
}

const refused = (reason: string): BoardAnswer => ({ status: 'refused', reason });
const TOO_LARGE = `too large: an attachment has at most ${ATTACHMENT_BYTES_MAX} bytes`;

export class Attachments {
  readonly #parts: Pick<BoardParts, 'engine' | 'attachments'>;
  readonly #sums = new Map<number, Sum>();

  constructor(parts: Pick<BoardParts, 'engine' | 'attachments'>) {
    this.#parts = parts;
  }

  /** The verb that keeps a file. What is handed in is read only for a member that lives, and for a job with room. */
  verb({ name, suite, content, bytes = ATTACHMENT_BYTES_MAX }: Handed): BoardVerb {
    const isName = (is: unknown): is is string => nameProblem(is) === undefined;
    return {
      kind: 'change',
      run: async (engine, { member: { job, device }, key, console }) => {
        if (!isName(name)) return refused(nameProblem(name) ?? '');
        if (bytes > ATTACHMENT_BYTES_MAX) return refused(TOO_LARGE);
        await speaker(engine, { job, device });
        const sum = await this.#sumOf(job);
        const full = sum.keys.has(`${device}/${key}`) ? undefined : fullProblem(sum, bytes);
        if (full !== undefined) return refused(full);
        sum.pending++;
        sum.pendingBytes += bytes;
        try {
          const kept = await this.#parts.attachments.put(content, ATTACHMENT_BYTES_MAX);
          if (kept === 'too-large') return refused(TOO_LARGE);
          const command = { type: 'KeepAttachment', member: device, name, ...kept } as const;
          const by = { actor: `board:${device}`, key, console };
          await engine.member(job, { ...command, ...(suite && { suite }) }, by);
          return { status: 'ok', lines: [] };
        } finally {
          sum.pending--;
          sum.pendingBytes -= bytes;
        }
      },
    };
  }

  /** Reads on from where it was left. */
  async #sumOf(job: number): Promise<Sum> {
    const fresh: Sum = { version: 0, bytes: 0, keys: new Set(), pending: 0, pendingBytes: 0 };
    const sum = this.#sums.get(job) ?? fresh;
    this.#sums.delete(job);
    this.#sums.set(job, sum);
    for (const [oldest, { pending }] of this.#sums) {
      if (this.#sums.size <= SUMS_MAX) break;
      if (pending === 0) this.#sums.delete(oldest);
    }
    await addNew(sum, this.#parts.engine, job);
    return sum;
  }
}

async function addNew(sum: Sum, engine: BoardEngine, job: number): Promise<void> {
  for await (const event of engine.jobEvents(job, sum.version)) {
    // Two may read at once.
    if (event.version <= sum.version) continue;
    sum.version = event.version;
    if (event.type !== 'AttachmentKept') continue;
    sum.keys.add(event.meta.key ?? event.id);
    sum.bytes += event.data.bytes;
  }
}

function nameProblem(name: unknown): string | undefined {
  if (typeof name !== 'string' || name === '')
    return 'the name is missing: PUT /board/v1/attachment?name=NAME';
  if (Buffer.byteLength(name) > NAME_BYTES_MAX || oneLine(name) !== name)
    return `a name has at most ${NAME_BYTES_MAX} bytes on one line, without blanks around it`;
  return undefined;
}

/** Those that are being kept now count as they will. */
function fullProblem(sum: Sum, bytes: number): string | undefined {
  if (sum.keys.size + sum.pending >= JOB_ATTACHMENTS_MAX)
    return `the job has ${JOB_ATTACHMENTS_MAX} attachments, and can have no more`;
  if (sum.bytes + sum.pendingBytes + bytes > JOB_ATTACHMENTS_BYTES_MAX)
    return `the attachments of a job have at most ${JOB_ATTACHMENTS_BYTES_MAX / MIB} MiB together`;
  return undefined;
}

/** Those of a job, in the order in which they came. */
export const attachmentsOf = (events: readonly RecordedEvent[]) =>
  events.flatMap(({ type, data, meta }) =>
    type === 'AttachmentKept' ? [{ ...data, at: iso(meta.at) }] : [],
  );

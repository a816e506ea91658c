/**
 * Files that are kept beside the log by what is in them: `aa/<SHA-256>`, each once, whoever hands it in and however
 * often. A file is whole or not there; one that is damaged is noticed when it is read.
 */
import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, syncFolder } from './durable-file.ts';
import { StoreUnavailable } from './port.ts';

const DIGEST = /^[0-9a-f]{64}$/;
const READ_BYTES = 64 * 1024;
/** What is being written; a crash leaves it there, and the next start removes it. */
const ASIDE = 'new';

export interface Kept {
  /** SHA-256, lower-case hex. */
  digest: string;
  bytes: number;
}

export class ObjectDamaged extends Error {
  override readonly name = 'ObjectDamaged';
  readonly code = 'object-damaged';
}

export class Objects {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Opens the folder, or makes it. It is this process's alone: what an earlier one began there is removed. */
  static async open(dir: string): Promise<Objects> {
    try {
      await makeFolder(dir);
      await rm(join(dir, ASIDE), { recursive: true, force: true });
    } catch (error) {
      throw notKept(dir, error);
    }
    return new Objects(dir);
  }

  /**
   * Keeps what is handed in; durable when the promise resolves.
   *
   * @returns `too-large`, and nothing is kept, when it has more than `bytesMax`
   * @throws StoreUnavailable when it cannot be written; whatever `content` throws
   */
  async put(content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Kept | 'too-large'> {
    const aside = join(this.#dir, ASIDE, randomUUID());
    try {
      await mkdir(join(this.#dir, ASIDE), { recursive: true, mode: 0o700 });
      const kept = await writeAside(aside, fromOutside(content), bytesMax);
      if (kept !== 'too-large') await this.#putInPlace(aside, kept.digest);
      return kept;
    } catch (error) {
      throw notKept(this.#dir, error);
    } finally {
      await rm(aside, { force: true }).catch(() => {});
    }
  }

  /**
   * Keeps a content that is here whole; one that is kept already is not written again.
   *
   * @throws StoreUnavailable when it cannot be written
   */
  async keep(content: Uint8Array): Promise<void> {
    const digest = createHash('sha256').update(content).digest('hex');
    const file = join(this.#dir, digest.slice(0, 2), digest);
    const there = await stat(file).catch(() => undefined);
    if (there?.size === content.length) return;
    await this.put(only(content), content.length);
  }

  /** Whether something is kept under this digest. */
  async has(digest: string): Promise<boolean> {
    if (!DIGEST.test(digest)) return false;
    const file = join(this.#dir, digest.slice(0, 2), digest);
    return (await stat(file).catch(() => undefined)) !== undefined;
  }

  /** In the place of the same content, if that is there: it may be damaged. */
  async #putInPlace(aside: string, digest: string): Promise<void> {
    const folder = join(this.#dir, digest.slice(0, 2));
    const isNew = (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined;
    await rename(aside, join(folder, digest));
    await syncFolder(folder);
    if (isNew) await syncFolder(this.#dir);
  }

  /**
   * What has this digest; `undefined`: nothing is kept that has.
   *
   * @throws ObjectDamaged before the last of it was read, when it is not what was handed in; StoreUnavailable
   */
  async get(digest: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    if (!DIGEST.test(digest)) return undefined;
    const file = join(this.#dir, digest.slice(0, 2), digest);
    try {
      return checked(await open(file, 'r'), file, digest);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new StoreUnavailable(`${file} cannot be read (${messageOf(error)})`);
    }
  }
}

async function* only<T>(one: T): AsyncGenerator<T, void> {
  yield one;
}

async function writeAside(
  file: string,
  content: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<Kept | 'too-large'> {
  const hash = createHash('sha256');
  const handle = await open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    let bytes = 0;
    for await (const chunk of content) {
      bytes += chunk.length;
      if (bytes > bytesMax) return 'too-large';
      hash.update(chunk);
      await handle.writeFile(chunk);
    }
    await handle.sync();
    return { digest: hash.digest('hex'), bytes };
  } finally {
    await handle.close();
  }
}

/** Each block is handed out once the next one was read: the last one after the digest was compared. */
async function* checked(
  handle: FileHandle,
  file: string,
  digest: string,
): AsyncGenerator<Uint8Array, void> {
  try {
    const hash = createHash('sha256');
    let before: Uint8Array | undefined;
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES);
      if (bytesRead === 0) break;
      if (before !== undefined) yield before;
      before = buffer.subarray(0, bytesRead);
      hash.update(before);
    }
    if (hash.digest('hex') !== digest)
      throw new ObjectDamaged(
        `${file} is damaged: it is not what was kept; restore it from a backup`,
      );
    if (before !== undefined) yield before;
  } finally {
    await handle.close();
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** What the source of a content throws is no fault of the folder. */
class SourceFailed extends Error {}

async function* fromOutside<T>(content: AsyncIterable<T>): AsyncGenerator<T, void> {
  try {
    yield* content;
  } catch (cause) {
    throw new SourceFailed('', { cause });
  }
}

function notKept(dir: string, error: unknown): unknown {
  if (error instanceof SourceFailed) return error.cause;
  return new StoreUnavailable(
    `${dir}: a file could not be kept; make room, or make the folder writable (${messageOf(error)})`,
    { cause: error },
  );
}

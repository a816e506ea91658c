/**
 * Unpacks the root file system of a board: a tar archive, plain, gzip, xz or zstd, straight from where it comes.
 * The archive is not trusted: no member may leave the folder, by its name, by a hard link or through a symbolic link.
 */
import { constants } from 'node:fs';
import {
  chmod,
  type FileHandle,
  lchown,
  link,
  lstat,
  lutimes,
  mkdir,
  open,
  rm,
  symlink,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';
import { withoutSecrets } from '../submission/addresses.ts';
import { beginning, compressionOf, decompressor } from './compression.ts';
import { isDiskFull, messageOf, StepAborted, StepFailure, throwIfAborted } from './failure.ts';
import { openUrl } from './fetch.ts';

/** Unpacked. */
export const IMAGE_BYTES_MAX_DEFAULT = 16 * 1024 ** 3;
const IMAGE_MEMBERS_MAX = 2_000_000;
const SKIPPED_NAMES_SHOWN_MAX = 5;

export interface UnpackOptions {
  allowFiles: readonly string[];
  bytesMax: number;
  /** In the environment of helper programs, so that they are found after a crash. */
  mark: Record<string, string>;
  signal: AbortSignal;
  /** A line for the member's console. */
  note(line: string): Promise<void>;
}

const CODES = { refused: 'image-refused', unreachable: 'image-unreachable' } as const;

/**
 * Fetches `url` and unpacks it into `folder`, which is made anew.
 *
 * @throws StepFailure `image-refused` (may not be read, climbs out), `image-unreachable`, `image-broken` (no archive)
 *   or `image-too-large`; StepAborted. The folder holds half an image then.
 */
export async function unpackImage(
  url: string,
  folder: string,
  options: UnpackOptions,
): Promise<void> {
  const shown = withoutSecrets(url);
  const source = await openUrl('image', url, CODES, options.allowFiles, options.signal);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const unpacker = new Unpacker(folder, shown, options.bytesMax);
  try {
    await unpackStream(source, unpacker, shown, options);
  } catch (error) {
    source.destroy();
    if (options.signal.aborted) throw new StepAborted();
    if (error instanceof StepFailure) throw error;
    const full = isDiskFull(error);
    throw new StepFailure(
      full ? 'image-too-large' : 'image-broken',
      `image ${shown}: ${full ? "the worker's disk is full" : messageOf(error)}`,
      { cause: error },
    );
  }
  await unpacker.noteSkipped(options.note);
}

async function unpackStream(
  source: Readable,
  unpacker: Unpacker,
  shown: string,
  options: UnpackOptions,
): Promise<void> {
  const { head, whole } = await beginning(source, TAR_BLOCK_BYTES);
  const kind = compressionOf(head);
  if (kind === undefined && !isTarHeader(head))
    throw new StepFailure(
      'image-broken',
      `image ${shown} is not an archive: expected tar, tar.gz, tar.xz or tar.zst`,
    );
  const tar = extract();
  const end = tar as unknown as NodeJS.WritableStream;
  const steps = kind === undefined ? [] : [decompressor(kind, options.mark)];
  const reading = pipeline([whole, ...steps, end], { signal: options.signal });
  // Looked at below: a member that is refused makes the pipeline fail too, and is the first cause.
  reading.catch(() => undefined);
  try {
    for await (const entry of tar) {
      throwIfAborted(options.signal);
      await unpacker.take(entry.header, entry as unknown as Readable);
      entry.resume();
    }
  } catch (error) {
    whole.destroy();
    tar.destroy();
    if (error instanceof StepFailure) throw error;
    await reading;
    throw error;
  }
  await reading;
  if (unpacker.members === 0)
    throw new StepFailure('image-broken', `image ${shown} is an empty archive`);
}

const TAR_BLOCK_BYTES = 512;

/** By its checksum, which every kind of tar has. */
function isTarHeader(block: Buffer): boolean {
  if (block.length < TAR_BLOCK_BYTES) return false;
  const written = Number.parseInt(block.toString('latin1', 148, 156).trim(), 8);
  let sum = 8 * 32;
  for (let at = 0; at < TAR_BLOCK_BYTES; at += 1) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  // A block of zeros is the end of an archive: an empty one.
  return written === sum || block.every((byte) => byte === 0);
}

class Unpacker {
  members = 0;
  #bytes = 0;
  #skipped: string[] = [];
  readonly #folder: string;
  readonly #shown: string;
  readonly #bytesMax: number;
  readonly #asRoot = process.getuid?.() === 0;

  constructor(folder: string, shown: string, bytesMax: number) {
    this.#folder = folder;
    this.#shown = shown;
    this.#bytesMax = bytesMax;
  }

  async take(header: Header, body: Readable): Promise<void> {
    this.members += 1;
    if (this.members > IMAGE_MEMBERS_MAX)
      throw this.#failure('image-too-large', `more than ${IMAGE_MEMBERS_MAX} members`);
    const parts = this.#parts(header.name, header.name);
    if (parts.length === 0) return this.#takeRoot(header);
    await this.#realFolders(parts.slice(0, -1), header.name);
    const path = join(this.#folder, ...parts);
    switch (header.type) {
      case 'directory':
        return this.#takeFolder(path, header);
      case 'file':
      case 'contiguous-file':
        return this.#takeFile(path, header, body);
      case 'symlink':
        await this.#clear(path);
        await symlink(header.linkname, path);
        return this.#settle(path, header);
      case 'link':
        return this.#takeHardLink(path, header);
      default:
        this.#skipped.push(parts.join('/'));
    }
  }

  async #takeRoot(header: Header): Promise<void> {
    if (header.type !== 'directory')
      throw this.#failure('image-refused', `a ${header.type} in the place of the root`);
    await this.#settle(this.#folder, header);
  }

  async noteSkipped(note: (line: string) => Promise<void>): Promise<void> {
    const count = this.#skipped.length;
    if (count === 0) return;
    const some = this.#skipped.slice(0, SKIPPED_NAMES_SHOWN_MAX).join(', ');
    const more = count > SKIPPED_NAMES_SHOWN_MAX ? ', ...' : '';
    await note(`the image's ${count} device nodes and pipes were left out: ${some}${more}`);
  }

  /** The components of a member's name. Empty: the root itself. */
  #parts(name: string, member: string): string[] {
    if (name.includes('\0'))
      throw this.#failure('image-refused', 'a member with a NUL in its name');
    if (name.startsWith('/')) throw this.#climbs(member);
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) throw this.#climbs(member);
    return parts;
  }

  /** Makes the folders of a member that the archive did not name; refuses to go through a link. */
  async #realFolders(parts: readonly string[], member: string): Promise<void> {
    let path = this.#folder;
    for (const part of parts) {
      path = join(path, part);
      const there = await lstat(path).catch(() => undefined);
      if (there === undefined) await mkdir(path, { mode: 0o755 });
      else if (!there.isDirectory()) throw this.#climbs(member);
    }
  }

  async #takeFolder(path: string, header: Header): Promise<void> {
    const there = await lstat(path).catch(() => undefined);
    if (there !== undefined && !there.isDirectory()) await rm(path);
    if (there?.isDirectory() !== true) await mkdir(path);
    await this.#settle(path, header);
  }

  async #takeFile(path: string, header: Header, body: Readable): Promise<void> {
    await this.#clear(path);
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
    const file = await open(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o600);
    try {
      await this.#write(file, body);
    } finally {
      await file.close();
    }
    await this.#settle(path, header);
  }

  async #write(file: FileHandle, body: Readable): Promise<void> {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      this.#bytes += chunk.length;
      if (this.#bytes > this.#bytesMax)
        throw this.#failure('image-too-large', `more than ${this.#bytesMax} bytes unpacked`);
      await file.write(chunk);
    }
  }

  async #takeHardLink(path: string, header: Header): Promise<void> {
    const parts = this.#parts(header.linkname, header.name);
    await this.#realFolders(parts.slice(0, -1), header.name);
    const target = join(this.#folder, ...parts);
    const there = await lstat(target).catch(() => undefined);
    if (there === undefined || there.isDirectory())
      throw this.#failure(
        'image-broken',
        `member ${header.name} links to a file that is not there`,
      );
    if (target === path) return;
    await this.#clear(path);
    await link(target, path);
  }

  /** A later member of the same name takes the place of the earlier one. */
  async #clear(path: string): Promise<void> {
    const there = await lstat(path).catch(() => undefined);
    if (there !== undefined) await rm(path, { recursive: there.isDirectory() });
  }

  /** Owner first: a change of owner takes the set-user bit away. */
  async #settle(path: string, header: Header): Promise<void> {
    if (this.#asRoot) await lchown(path, header.uid, header.gid);
    if (header.type !== 'symlink') await chmod(path, header.mode & 0o7777);
    if (header.type === 'file') await lutimes(path, header.mtime, header.mtime);
  }

  #climbs(member: string): StepFailure {
    return this.#failure(
      'image-refused',
      `member ${JSON.stringify(member)} would climb out of the image (${dirname(member)})`,
    );
  }

  #failure(code: 'image-broken' | 'image-refused' | 'image-too-large', why: string): StepFailure {
    return new StepFailure(code, `image ${this.#shown}: ${why}`);
  }
}

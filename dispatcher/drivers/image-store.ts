/**
 * Images as files on the worker: fetched, checked by their digest, unpacked, and kept by it, the ones used last within a
 * size. A board that uses one has a link of its own to it, so that what is given up here stays as long as it needs it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { link, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { withoutSecrets } from '../../submission/addresses.ts';
import { beginning, compressionOf, decompressor } from '../compression.ts';
import { codeOf, isDiskFull, messageOf, StepAborted, StepFailure } from '../failure.ts';
import { openUrl } from '../fetch.ts';
import { IMAGE_BYTES_MAX_DEFAULT } from '../image.ts';
import type { DriverContext } from './driver.ts';

/** Of all that is kept, unpacked. The one that was fetched last is kept whatever its size. */
const STORE_BYTES_MAX = 32 * 1024 ** 3;
const HEAD_BYTES = 16;
const CODES = { refused: 'image-refused', unreachable: 'image-unreachable' } as const;
const DIGEST_IN_URL = /#sha256=([0-9a-f]{64})$/;

export interface ImageOrder {
  /** `#sha256=<hex>` at its end says what it must be. */
  url: string;
  sha256?: string | undefined;
  /** The lab itself names it: it may be any file of this machine. */
  isLabs?: boolean;
  /** Where the board's own link to it shall be. */
  to: string;
  signal: AbortSignal;
  note(line: string): Promise<void>;
}

export class ImageStore {
  readonly #folder: string;
  readonly #context: Pick<DriverContext, 'allowFiles' | 'fetchMark' | 'limits'>;
  readonly #bytesMax: number;

  constructor(
    context: Pick<DriverContext, 'allowFiles' | 'dataDir' | 'fetchMark' | 'limits'>,
    bytesMax = STORE_BYTES_MAX,
  ) {
    this.#folder = join(context.dataDir, 'images');
    this.#context = context;
    this.#bytesMax = bytesMax;
  }

  /**
   * Brings an image into a file, unpacked.
   *
   * @throws StepFailure `image-refused`, `image-unreachable`, `image-broken` (another digest, cannot be unpacked) or
   *   `image-too-large` (for the limit, or for the disk); StepAborted
   */
  async bring(order: ImageOrder): Promise<void> {
    const asked = order.sha256 ?? DIGEST_IN_URL.exec(order.url)?.[1];
    await mkdir(this.#folder, { recursive: true });
    await mkdir(dirname(order.to), { recursive: true });
    await rm(order.to, { force: true });
    if (asked !== undefined && (await this.#hand(asked, order.to))) {
      await order.note(`image ${withoutSecrets(order.url)} is here already`);
      return;
    }
    const part = join(this.#folder, `part-${randomBytes(6).toString('hex')}`);
    try {
      const digest = await this.#fetch(order, part);
      if (asked !== undefined && digest !== asked)
        throw new StepFailure(
          'image-broken',
          `image ${withoutSecrets(order.url)} has the sha256 ${digest}, expected ${asked}`,
        );
      // Its own, first: what is kept may be replaced by another board's in the middle of a link to it.
      await link(part, order.to);
      await rename(part, this.#place(digest));
    } finally {
      await rm(part, { force: true });
    }
    await this.#makeRoom();
  }

  /** Parts of images that an earlier life did not bring to an end. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => []))
      if (name.startsWith('part-')) await rm(join(this.#folder, name), { force: true });
  }

  #place(digest: string): string {
    return join(this.#folder, `sha256-${digest}`);
  }

  /** `false`: it is not here. */
  async #hand(digest: string, to: string): Promise<boolean> {
    const place = this.#place(digest);
    try {
      await link(place, to);
      const now = new Date();
      await utimes(place, now, now);
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** Its digest, as it was fetched. */
  async #fetch({ url, signal, isLabs }: ImageOrder, part: string): Promise<string> {
    const shown = withoutSecrets(url);
    const { fetchMark, limits } = this.#context;
    const allowFiles = isLabs === true ? ['/'] : this.#context.allowFiles;
    const source = await openUrl('image', url.replace(/#.*$/, ''), CODES, allowFiles, signal);
    const hash = createHash('sha256');
    try {
      const { head, whole } = await beginning(source, HEAD_BYTES);
      if (head.length === 0) throw new StepFailure('image-broken', `image ${shown} is empty`);
      const kind = compressionOf(head);
      const hashing = new Transform({
        transform(chunk: Buffer, _, done) {
          hash.update(chunk);
          done(null, chunk);
        },
      });
      const bytesMax = limits.imageBytes ?? IMAGE_BYTES_MAX_DEFAULT;
      const steps = [
        ...(kind === undefined ? [] : [decompressor(kind, { ...fetchMark })]),
        bounded(bytesMax, shown),
        createWriteStream(part, { mode: 0o600 }),
      ];
      await pipeline([whole as Readable, hashing, ...steps] as never, { signal });
      return hash.digest('hex');
    } catch (error) {
      source.destroy();
      if (signal.aborted) throw new StepAborted();
      if (error instanceof StepFailure) throw error;
      const full = `image ${shown}: the worker's disk is full`;
      if (isDiskFull(error)) throw new StepFailure('image-too-large', full, { cause: error });
      throw new StepFailure('image-broken', `image ${shown}: ${messageOf(error)}`);
    }
  }

  /** Gives up those that were used longest ago. */
  async #makeRoom(): Promise<void> {
    const kept: { file: string; bytes: number; usedAt: number }[] = [];
    for (const name of await readdir(this.#folder)) {
      if (!name.startsWith('sha256-')) continue;
      const file = join(this.#folder, name);
      const about = await stat(file).catch(() => undefined);
      if (about !== undefined)
        kept.push({ file, bytes: about.blocks * 512, usedAt: about.mtimeMs });
    }
    kept.sort((a, b) => b.usedAt - a.usedAt);
    let bytes = 0;
    for (const [index, image] of kept.entries()) {
      bytes += image.bytes;
      if (index > 0 && bytes > this.#bytesMax) await rm(image.file, { force: true });
    }
  }
}

function bounded(bytesMax: number, shown: string): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      if (bytes > bytesMax)
        done(
          new StepFailure(
            'image-too-large',
            `image ${shown}: more than ${bytesMax} bytes unpacked`,
          ),
        );
      else done(null, chunk);
    },
  });
}

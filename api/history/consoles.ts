/** Consoles that are followed: however many follow one, its file is looked at and read once. */
import { open, stat } from 'node:fs/promises';
import { Reads } from './reads.ts';
import { type Part, Shared } from './shared.ts';
import type { Streaming } from './streaming.ts';

/** How often a followed console is looked at for more. */
const LOOK_EVERY_MS = 200;
/** The last words come after the member's end: a followed console ends when it was quiet for so long. */
const QUIET_MS = 1_000;
/** Chunks end at multiples of it. */
const CHUNK_BYTES = 64 * 1024;

interface Chunk extends Part {
  data: Buffer;
}

export class Consoles {
  readonly #reads = new Reads();
  readonly #chunks = new Shared<Chunk>();
  readonly #sizes = new Map<string, Promise<number>>();

  /** Writes a file out from a byte on, and what is added to it, until `isEnded` and nothing more comes. */
  async follow(
    out: Streaming,
    file: string,
    from: number,
    isEnded: () => Promise<boolean>,
  ): Promise<void> {
    let at = from;
    let quietMs = 0;
    let hasEnded = false;
    while (out.isOpen) {
      const before = at;
      at = await this.#copy(out, file, at);
      hasEnded ||= await isEnded();
      quietMs = at > before || !hasEnded ? 0 : quietMs + LOOK_EVERY_MS;
      if (quietMs > QUIET_MS) return;
      await out.sleep(LOOK_EVERY_MS);
    }
  }

  /** Copies from a byte to the end as it is now; returns where that is. */
  async #copy(out: Streaming, file: string, from: number): Promise<number> {
    const { signal } = out;
    const generation = await this.#size(file);
    let at = from;
    while (at < generation && out.isOpen) {
      const name = `${at} ${file}`;
      const { data } = await this.#chunks.get(name, { generation, signal }, (wanted) =>
        this.#reads.run('stream', wanted, () => readChunk(file, at)),
      );
      if (data.length === 0) break;
      await out.write(data);
      at += data.length;
    }
    return at;
  }

  /** The same for all who ask within half a look. */
  #size(file: string): Promise<number> {
    const known = this.#sizes.get(file);
    if (known !== undefined) return known;
    const size = sizeOf(file);
    this.#sizes.set(file, size);
    setTimeout(() => this.#sizes.delete(file), LOOK_EVERY_MS / 2).unref();
    return size;
  }
}

async function readChunk(file: string, at: number): Promise<Chunk> {
  const bytesMax = CHUNK_BYTES - (at % CHUNK_BYTES);
  const handle = await open(file, 'r');
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(bytesMax), 0, bytesMax, at);
    const data = buffer.subarray(0, bytesRead);
    return { data, bytes: bytesMax, isLast: bytesRead < bytesMax };
  } finally {
    await handle.close();
  }
}

/** A console that was never written to is empty. */
export async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}

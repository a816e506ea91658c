/**
 * Reports on their way to a server, on the worker's own disk: what it was cut off with is reported in a later life too, in
 * the same order. Bounded: when there is no room, whoever reports waits for the server.
 */
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { z } from 'zod';
import { MemberCommand } from '../machines/commands.ts';

export const SPOOL_BYTES_MAX = 64 * 1024 * 1024;
/** The file is written anew when so much of it is done with. */
const SLACK_BYTES = 1024 * 1024;

const Report = z.object({
  job: z.int(),
  command: MemberCommand,
  key: z.string(),
  console: z.int().optional(),
});
export type Report = z.infer<typeof Report>;

export class Spool {
  readonly #path: string;
  readonly #bytesMax: number;
  /** What has no answer, by its number here. */
  readonly #waiting = new Map<number, string>();
  #waitingBytes = 0;
  #file: FileHandle;
  #fileBytes: number;
  #next = 1;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(path: string, file: FileHandle, bytesMax: number) {
    this.#path = path;
    this.#file = file;
    this.#fileBytes = 0;
    this.#bytesMax = bytesMax;
  }

  /** What an earlier life left comes back with it, in order; a line that a crash tore is none. */
  static async open(
    path: string,
    bytesMax = SPOOL_BYTES_MAX,
  ): Promise<{ spool: Spool; left: { id: number; report: Report }[] }> {
    const text = await readFile(path, 'utf8').catch(() => '');
    const spool = new Spool(path, await open(path, 'a', 0o600), bytesMax);
    spool.#fileBytes = Buffer.byteLength(text);
    const left = text.split('\n').flatMap((line) => {
      const report = readReport(line);
      return report === undefined ? [] : [{ id: spool.#remember(line), report }];
    });
    await spool.#shrink();
    return { spool, left };
  }

  /** `undefined`: there is no room, or it cannot be written. */
  async add(report: Report): Promise<number | undefined> {
    const line = JSON.stringify(report);
    if (this.#waitingBytes + line.length > this.#bytesMax) return undefined;
    const id = this.#remember(line);
    const written = this.#inTurn(async () => {
      await this.#file.appendFile(`${line}\n`);
      this.#fileBytes += Buffer.byteLength(line) + 1;
    });
    return written.then(
      () => id,
      () => {
        this.#forget(id);
        return undefined;
      },
    );
  }

  /** What was added before is on the disk itself. */
  synced(): Promise<void> {
    return this.#inTurn(() => this.#file.sync());
  }

  /** It has its answer. */
  done(id: number | undefined): void {
    if (id === undefined || !this.#forget(id)) return;
    if (this.#fileBytes > this.#waitingBytes + SLACK_BYTES || this.#waiting.size === 0)
      void this.#inTurn(() => this.#shrink()).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#inTurn(() => this.#file.close()).catch(() => undefined);
  }

  #remember(line: string): number {
    const id = this.#next++;
    this.#waiting.set(id, line);
    this.#waitingBytes += line.length;
    return id;
  }

  #forget(id: number): boolean {
    this.#waitingBytes -= this.#waiting.get(id)?.length ?? 0;
    return this.#waiting.delete(id);
  }

  async #shrink(): Promise<void> {
    if (this.#fileBytes === 0) return;
    if (this.#waiting.size === 0) {
      await this.#file.truncate(0);
      this.#fileBytes = 0;
      return;
    }
    const lines = [...this.#waiting.values()].map((line) => `${line}\n`).join('');
    const aside = await open(`${this.#path}.new`, 'w', 0o600);
    await aside.writeFile(lines);
    await aside.sync();
    await aside.close();
    await rename(`${this.#path}.new`, this.#path);
    await this.#file.close();
    this.#file = await open(this.#path, 'a', 0o600);
    this.#fileBytes = Buffer.byteLength(lines);
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#writing.then(act);
    this.#writing = done.catch(() => undefined);
    return done;
  }
}

function readReport(line: string): Report | undefined {
  try {
    return Report.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/**
 * What operators' consoles printed, kept as consoles of jobs are: `<device>/<number>.console`, beside each who had it, when,
 * and how it ended. One without an end is open, or its server was killed.
 */
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DeviceName } from '../machines/names.ts';

const Session = z.strictObject({
  device: DeviceName,
  number: z.int().positive(),
  user: z.string(),
  /** Milliseconds since the epoch. */
  startedAt: z.int(),
  /** Why the board is offline as long as it is open; absent: it was not in use before either. */
  offline: z.string().optional(),
  endedAt: z.int().optional(),
  /** Why it ended. */
  reason: z.string().optional(),
});
export type Session = z.infer<typeof Session>;

/** One that is open. */
export interface SessionRecord {
  readonly session: Session;
  append(bytes: Uint8Array): Promise<void>;
  end(endedAt: number, reason: string): Promise<void>;
}

export class SessionRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  file(device: string, number: number): string {
    return join(this.#folder, device, `${number}.console`);
  }

  async begin(is: Omit<Session, 'number'>): Promise<SessionRecord> {
    await mkdir(join(this.#folder, is.device), { recursive: true, mode: 0o700 });
    const last = (await this.#numbers(is.device)).at(-1) ?? 0;
    const session: Session = { ...is, number: last + 1 };
    const file = await open(this.file(is.device, session.number), 'a', 0o600);
    await this.#write(session).catch(async (error: unknown) => {
      await file.close();
      throw error;
    });
    return {
      session,
      append: (bytes) => appendAll(file, bytes),
      end: async (endedAt, reason) => {
        await file.close();
        await this.#write({ ...session, endedAt, reason });
      },
    };
  }

  /** Ends one that an earlier life left. */
  endLeft(session: Session, endedAt: number, reason: string): Promise<void> {
    return this.#write({ ...session, endedAt, reason });
  }

  /** Of a board, the first one first. */
  async list(device: string): Promise<Session[]> {
    const found = (await this.#numbers(device)).map((number) => this.#read(device, number));
    return (await Promise.all(found)).flatMap((session) => session ?? []);
  }

  /** Those without an end. */
  async open(): Promise<Session[]> {
    const devices = await readdir(this.#folder).catch(() => []);
    const all = await Promise.all(devices.map((device) => this.list(device)));
    return all.flat().filter(({ endedAt }) => endedAt === undefined);
  }

  async #numbers(device: string): Promise<number[]> {
    const names = await readdir(join(this.#folder, device)).catch(() => []);
    const numbers = names.flatMap((name) => /^([1-9]\d{0,8})\.json$/.exec(name)?.[1] ?? []);
    return numbers.map(Number).sort((a, b) => a - b);
  }

  /** `undefined`: it cannot be read. */
  async #read(device: string, number: number): Promise<Session | undefined> {
    try {
      return Session.parse(JSON.parse(await readFile(this.#about(device, number), 'utf8')));
    } catch {
      return undefined;
    }
  }

  async #write(session: Session): Promise<void> {
    const path = this.#about(session.device, session.number);
    await writeFile(`${path}.new`, `${JSON.stringify(session)}\n`, { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
  }

  #about(device: string, number: number): string {
    return join(this.#folder, device, `${number}.json`);
  }
}

async function appendAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; )
    at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
}

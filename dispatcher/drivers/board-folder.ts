/**
 * What the worker keeps of one board on its disk while a member has it: `boards/<device>/`.
 *
 *   state.json   whose it is, what it holds, which process it is; enough to take it over after a crash
 *   image/       an unpacked root file system (deploys of `file:` and `http:`)
 *   volume/      scratch: `share/` (MUSTER_HOME on the board), `staging/`, the console's input, the overlay's upper
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const ProcessIdSchema = z.strictObject({
  pid: z.int().positive(),
  startTicks: z.int().nonnegative(),
  machineBoot: z.string(),
});

/** In the place of a job's number: an operator has the board. */
export const OPERATOR = 0;

export const BoardState = z.strictObject({
  /** The kind of the board; states of the time in which there was one kind have none. */
  driver: z.string().default('local'),
  job: z.int().nonnegative(),
  lease: z.string(),
  /** The image that the board holds; absent: none, or a deploy was broken off. */
  image: z.string().optional(),
  /** The process whose end is the board's end; absent: the board is off. */
  process: ProcessIdSchema.optional(),
  /** What runs beside it: the launcher with the console's appender. */
  launcher: ProcessIdSchema.optional(),
  action: z
    .strictObject({
      index: z.int().nonnegative(),
      from: z.int().nonnegative(),
      nonce: z.string().optional(),
    })
    .optional(),
});
export type BoardState = z.infer<typeof BoardState>;

export class BoardFolder {
  readonly path: string;
  readonly device: string;

  constructor(boardsDir: string, device: string) {
    this.device = device;
    this.path = join(boardsDir, device);
  }

  get image(): string {
    return join(this.path, 'image');
  }
  get volume(): string {
    return join(this.path, 'volume');
  }
  get share(): string {
    return join(this.volume, 'share');
  }
  get staging(): string {
    return join(this.volume, 'staging');
  }
  /** What the board prints while an operator has it. */
  get operatorConsole(): string {
    return join(this.path, 'console');
  }
  get input(): string {
    return join(this.volume, 'in');
  }

  /** `undefined`: no state, or one that cannot be read; what lies there is nobody's then. */
  async read(): Promise<BoardState | undefined> {
    try {
      const text = await readFile(join(this.path, 'state.json'), 'utf8');
      const parsed = BoardState.safeParse(JSON.parse(text));
      return parsed.success ? parsed.data : undefined;
    } catch {
      return undefined;
    }
  }

  /** In one step: a crash leaves the old state or the new one. */
  async write(state: BoardState): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    const path = join(this.path, 'state.json');
    await writeFile(`${path}.new`, `${JSON.stringify(state)}\n`);
    await rename(`${path}.new`, path);
  }

  /** The parts of the volume that are there from the start. */
  async layOut(): Promise<void> {
    for (const folder of [this.share, this.staging]) await mkdir(folder, { recursive: true });
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

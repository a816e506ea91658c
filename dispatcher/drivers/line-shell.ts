/** The shell of a board at the far end of a line: what is typed there, run, and laid on the board. */
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { consoleBytes, note } from '../console.ts';
import { causeSaid, StepFailure } from '../failure.ts';
import { lastLine, runProgram, shellQuoted } from '../programs.ts';
import { markAnswer, markLine, placeScript, setupScript } from './board-shell.ts';
import { typeText } from './console-pump.ts';
import { Dialogue } from './dialogue.ts';
import type { LabBoard, Seat } from './driver.ts';
import type { LineSeat } from './line-kind.ts';
import type { LineParts } from './line-start.ts';
import { isAlive } from './processes.ts';
import { typeArchive } from './typed-archive.ts';

const HAND_MS = 600_000;

export class LineShell {
  readonly #parts: LineParts;
  /** Boards of an earlier life whose shell may still run an action: what is typed comes after it. */
  readonly #mayBeBusy = new Set<string>();

  constructor(parts: LineParts) {
    this.#parts = parts;
  }

  mayBeBusy(device: string): void {
    this.#mayBeBusy.add(device);
  }

  /** No action is left that could run there. */
  isFree(device: string): void {
    this.#mayBeBusy.delete(device);
  }

  /** Whether somebody has the line. */
  alive(seat: Seat): boolean {
    const process = this.#parts.holdings.stateOf(seat)?.process;
    return process !== undefined && isAlive(process);
  }

  home(seat: Seat): string {
    const { home = '' } = this.#parts.kind.login(this.board(seat.device));
    return `${home}/lava-${seat.job}`;
  }

  async staging(seat: Seat): Promise<string> {
    const folder = this.#parts.holdings.folder(seat.device);
    await folder.layOut();
    const path = join(folder.staging, randomBytes(6).toString('hex'));
    await mkdir(path);
    return path;
  }

  async hand(seat: Seat, made: string, name: string): Promise<void> {
    // A folder is handed for an action that begins: the one before it is through.
    if (name !== 'env') this.#mayBeBusy.delete(seat.device);
    const staging = await this.staging(seat);
    try {
      await rename(made, join(staging, name));
      await this.#carry(seat, staging, [name], new AbortController().signal);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  }

  async type(seat: Seat, line: string): Promise<void> {
    await this.press(seat, `${line}\n`);
  }

  /** As fast as the lab says that the line can take it. */
  async press(seat: Seat, text: string): Promise<void> {
    const { input } = this.#parts.holdings.folder(seat.device);
    const { character_delay_ms: delayMs = 0 } = this.#parts.kind.login(this.board(seat.device));
    for (const part of delayMs === 0 ? [text] : text) {
      if (!(await typeText(input, part, () => this.alive(seat))))
        throw new StepFailure('board-gone', `nobody reads the console of ${seat.device}`);
      if (delayMs > 0) await delay(delayMs);
    }
  }

  /** What every board has in MUSTER_HOME from its start, and its name and network. */
  async layOut(seat: Seat, environment: string, signal: AbortSignal): Promise<void> {
    const staging = await this.staging(seat);
    for (const name of ['bin', 'lib'])
      await cp(join(this.#parts.context.boardFiles, name), join(staging, name), {
        recursive: true,
        dereference: true,
      });
    await writeFile(join(staging, 'env'), environment, { mode: 0o600 });
    const setup = setupScript(seat.device, this.#parts.kind.network(seat));
    await writeFile(join(staging, 'setup'), setup);
    await this.#carry(seat, staging, ['bin', 'lib', 'env', 'setup'], signal);
    await rm(staging, { recursive: true, force: true });
    await this.#run(seat, `sh ${shellQuoted(`${this.home(seat)}/setup`)}`, signal);
  }

  /** Has the board take what lies in a folder of the worker, each name in the place of what had it before. */
  async #carry(seat: Seat, from: string, names: readonly string[], signal: AbortSignal) {
    const at = this.at(seat, signal);
    const archive = `${from}.tar`;
    try {
      const packed = await runProgram(
        'tar',
        ['--owner=0', '--group=0', '-C', from, '-cf', archive, '--', ...names],
        { timeoutMs: HAND_MS },
      );
      if (packed.status !== 0)
        throw new StepFailure(
          'install-failed',
          `cannot pack files: ${lastLine(packed.stderr)}`,
          causeSaid(packed.stderr),
        );
      const place = placeScript(this.home(seat), names);
      if (this.#parts.kind.deliver !== undefined)
        return await this.#parts.kind.deliver(at, archive, place);
      const carried = await this.#parts.kind.carry?.(at, archive);
      // Nothing can be typed at a board that is busy: it goes on with what it has.
      if (carried === undefined && this.#mayBeBusy.has(seat.device)) return;
      const command = carried ?? (await this.#typed(seat, archive, signal));
      const status = await this.#run(seat, `${command}|${place}`, signal);
      if (status !== 0)
        throw new StepFailure(
          'install-failed',
          `cannot lay ${names.map((name) => `${this.home(seat)}/${name}`).join(', ')} on the board: status ${status}`,
        );
    } finally {
      await rm(archive, { force: true });
    }
  }

  async #typed(seat: Seat, archive: string, signal: AbortSignal): Promise<string> {
    const talk = this.talk(seat, signal);
    const type = (line: string) => this.type(seat, line);
    const run = (line: string) => this.#run(seat, line, signal);
    return typeArchive({ talk, type, run }, this.home(seat), await readFile(archive));
  }

  /** Runs a line on the board's shell to its end. An action that runs already has the shell: then it comes after it. */
  async #run(seat: Seat, line: string, signal: AbortSignal): Promise<number> {
    const talk = this.talk(seat, signal);
    const word = randomBytes(6).toString('hex');
    await this.type(seat, `${line};${markLine(word)}`);
    if (this.#mayBeBusy.has(seat.device)) return 0;
    const said = await talk.expect([markAnswer(word)], HAND_MS);
    if (said === undefined)
      throw new StepFailure('install-failed', 'the board does not answer on its console');
    return Number(said.match[1]);
  }

  board(device: string): LabBoard | undefined {
    return this.#parts.context.boards.find(({ name }) => name === device);
  }

  consoleFile(seat: Seat): string {
    return this.#parts.holdings.consoleFile(seat);
  }

  at(seat: Seat, signal: AbortSignal): LineSeat {
    return {
      ...{ seat, signal, folder: this.#parts.holdings.folder(seat.device) },
      board: this.board(seat.device),
      note: (line) => note(this.consoleFile(seat), line),
    };
  }

  talk(seat: Seat, signal: AbortSignal): Dialogue {
    const file = this.consoleFile(seat);
    return new Dialogue(file, consoleBytes(file), {
      bytesMax: this.#parts.context.limits.consoleBytes,
      signal,
      isAlive: () => this.alive(seat),
    });
  }
}

/**
 * The `console` driver: hardware of a lab. The lab's commands open the serial line, switch the power and deploy; what
 * the board says on its line is all that is known of it.
 */
import { join } from 'node:path';
import type { Power } from '../../../machines/events.ts';
import type { ConsoleSettings } from '../../../submission/lab-drivers.ts';
import { StepFailure } from '../../failure.ts';
import type { Driver, DriverContext, LabBoard, Seat } from '../driver.ts';
import { ImageStore } from '../image-store.ts';
import { runLabCommand, settings } from '../lab-commands.ts';
import { LineDriver } from '../line-board.ts';
import { type LineKind, type LineSeat, onLineAlone, onTerminal } from '../line-kind.ts';

export async function openConsoleDriver(context: DriverContext): Promise<Driver> {
  return new LineDriver(context, new LabHardware(context));
}

class LabHardware implements LineKind {
  readonly boardsAre = 'hardware';
  readonly gateway = undefined;
  readonly isClosed = 'the line to the board was closed';
  readonly #context: DriverContext;
  readonly #images: ImageStore;

  constructor(context: DriverContext) {
    this.#context = context;
    this.#images = new ImageStore(context);
  }

  addressOf(device: string): string | undefined {
    return this.#board(device)?.address;
  }

  login(board: LabBoard | undefined) {
    return settings(board).login;
  }

  silentSeconds(board: LabBoard | undefined): number {
    return this.#console(board).silent_seconds;
  }

  /** A board of which the lab says no address has its line and nothing else: it speaks there. */
  variables({ device }: Seat): readonly (readonly [string, string])[] {
    const board = this.#board(device);
    const { server_url: url } = this.#console(board);
    if (this.login(board).verbs === 'line') return onLineAlone;
    if (url !== undefined) return [['MUSTER_URL', url]];
    return this.addressOf(device) === undefined ? onLineAlone : [];
  }

  async deploy(at: LineSeat, image: string): Promise<void> {
    const { deploy, images = {} } = this.#console(at.board);
    if (deploy === undefined && image !== 'host:')
      throw new StepFailure(
        'image-refused',
        `image ${image}: the lab gives no command that deploys an image on ${at.seat.device}`,
      );
    if (deploy === undefined) return;
    const named = Object.entries(images).map(([name, { url, sha256 }]) => ({
      name,
      url,
      sha256,
      isLabs: true,
    }));
    const own =
      image === 'host:' ? [] : [{ name: '', url: image, sha256: undefined, isLabs: false }];
    const variables: Record<string, string> = {};
    for (const { name, ...image } of [...own, ...named]) {
      const to = join(at.folder.path, 'images', name === '' ? 'image' : name);
      await this.#images.bring({ ...image, to, signal: at.signal, note: at.note });
      variables[name === '' ? 'MUSTER_IMAGE' : `MUSTER_IMAGE_${name.toUpperCase()}`] = to;
    }
    await this.#run('deploy', deploy, { at, variables });
  }

  async program(at: LineSeat): Promise<string[]> {
    const { connect } = this.#console(at.board);
    if (connect === undefined) throw new StepFailure('boot-failed', 'the lab gives no "connect"');
    return ['env', `MUSTER_DEVICE=${at.seat.device}`, ...onTerminal(connect)];
  }

  /** Lines beside the console: recorded, and nobody types there. */
  more({ board, seat }: LineSeat): { name: string; program: string[] }[] {
    return Object.entries(this.#console(board).consoles ?? {}).map(([name, command]) => ({
      name,
      program: ['env', `MUSTER_DEVICE=${seat.device}`, ...onTerminal(command)],
    }));
  }

  async connect(): Promise<void> {}

  async powerOn(at: LineSeat): Promise<void> {
    await this.#run('power_on', this.#console(at.board).power_on, { at });
  }

  async reset(at: LineSeat): Promise<boolean> {
    const { reset } = this.#console(at.board);
    if (reset === undefined) return false;
    await this.#run('reset', reset, { at });
    return true;
  }

  network(): undefined {
    return undefined;
  }

  async letReach(): Promise<void> {}

  async powerOff(device: string): Promise<void> {
    const board = this.#board(device);
    const { seconds } = settings(board).commands;
    const { power_off: command } = this.#console(board);
    await runLabCommand(this.#context, 'power_off', command, seconds, { device });
  }

  /** Without a `reset` of its own a board is switched off and on. */
  async power(device: string, power: Power, { signal }: { signal: AbortSignal }): Promise<void> {
    const board = this.#board(device);
    const { seconds } = settings(board).commands;
    const { power_on: on, power_off: off, reset } = this.#console(board);
    const run = (name: string, command: string | undefined) =>
      runLabCommand(this.#context, name, command, seconds, { device, signal });
    if (power === 'reset' && reset !== undefined) return run('reset', reset);
    if (power !== 'on') await run('power_off', off);
    if (power !== 'off') await run('power_on', on);
  }

  async takeOver(): Promise<void> {
    await this.#images.sweep();
  }

  async close(): Promise<void> {}

  #board(device: string): LabBoard | undefined {
    return this.#context.boards.find(({ name }) => name === device);
  }

  #console(board: LabBoard | undefined): ConsoleSettings {
    return settings(board).console;
  }

  async #run(
    name: string,
    command: string | undefined,
    { at, variables = {} }: { at: LineSeat; variables?: Record<string, string> },
  ): Promise<void> {
    const { seat, signal, note } = at;
    const { seconds } = settings(at.board).commands;
    await runLabCommand(this.#context, name, command, seconds, {
      ...{ device: seat.device, job: seat.job, variables, signal, note },
    });
  }
}

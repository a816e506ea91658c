/**
 * The `qemu` driver: boards with a kernel of their own, each a QEMU of the worker. Its serial console is QEMU's own
 * input and output, so that nothing it prints is lost while nobody listens.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DriverSettings } from '../../../submission/lab-drivers.ts';
import { StepFailure } from '../../failure.ts';
import { runProgram } from '../../programs.ts';
import type { BoardNetwork, OpenNetwork } from '../bridge.ts';
import type { Driver, DriverContext, Holding, LabBoard, Seat } from '../driver.ts';
import { settings } from '../lab-commands.ts';
import { LineDriver, type LineKind, type LineSeat } from '../line-board.ts';
import { type HostImage, hostImage } from './host-image.ts';
import { machineWords, programOf } from './machine.ts';
import { driveFile, layOnDrive, makeDrive } from './share-drive.ts';

/** Opens the network of the boards; nothing of QEMU is needed before a board boots. @throws StepFailure */
export async function openQemuDriver(
  context: DriverContext,
  { network }: { network: OpenNetwork },
): Promise<Driver> {
  return new LineDriver(context, new Qemu(context, await network(context)));
}

class Qemu implements LineKind {
  readonly boardsAre = 'qemu';
  readonly isClosed = 'the board ended';
  readonly #context: DriverContext;
  readonly #network: BoardNetwork;
  /** Images of this machine that are being made: boards that ask for the same one wait for it. */
  readonly #making = new Map<string, Promise<HostImage>>();

  constructor(context: DriverContext, network: BoardNetwork) {
    this.#context = context;
    this.#network = network;
  }

  get gateway(): { address: string } {
    return this.#network.gateway;
  }

  addressOf(device: string): string | undefined {
    return this.#network.addressOf(device);
  }

  login(board: LabBoard | undefined) {
    return this.#settings(board).login;
  }

  async deploy(at: LineSeat, image: string): Promise<void> {
    if (image !== 'host:') throw new StepFailure('image-refused', `image ${image}: expected host:`);
    await this.#hostImage(at.board);
  }

  async program(at: LineSeat, _image: string): Promise<string[]> {
    const { qemu } = this.#settings(at.board);
    const program = programOf(qemu.arch);
    const { status } = await runProgram(program, ['--version']);
    if (status !== 0)
      throw new StepFailure('boot-failed', `the program ${program} cannot be run on this machine`);
    await makeDrive(at.folder);
    const { kernel, initrd } = await this.#hostImage(at.board);
    const { link, mac } = this.#network.endOf(at.seat.device);
    return [
      program,
      ...machineWords(qemu, {
        ...{ kernel, initrd, append: qemu.append ?? '', drive: driveFile(at.folder) },
        network: { link, mac },
      }),
    ];
  }

  connect({ seat }: LineSeat): Promise<void> {
    return this.#network.plugIn(seat, 'tap');
  }

  network(seat: Seat) {
    return {
      end: this.#network.endOf(seat.device),
      hosts: this.#network.hostsFile(seat.group),
    };
  }

  carry({ folder }: LineSeat, archive: string): Promise<string | undefined> {
    return layOnDrive(folder, archive);
  }

  letReach(urls: readonly string[]): Promise<void> {
    return this.#network.open(urls);
  }

  powerOff(device: string): Promise<void> {
    return this.#network.unplug(device);
  }

  takeOver(kept: readonly Holding[]): Promise<void> {
    return this.#network.takeOver(kept);
  }

  close(): Promise<void> {
    return this.#network.close();
  }

  #settings(board: LabBoard | undefined): DriverSettings {
    return settings(board);
  }

  async #hostImage(board: LabBoard | undefined) {
    const folder = join(this.#context.dataDir, 'images');
    await mkdir(folder, { recursive: true });
    const { programs } = this.#settings(board).qemu;
    const key = JSON.stringify(programs);
    const making =
      this.#making.get(key) ??
      hostImage(folder, programs).finally(() => {
        this.#making.delete(key);
      });
    this.#making.set(key, making);
    return making;
  }
}

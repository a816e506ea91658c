/**
 * The `qemu` driver: boards with a kernel of their own, each a QEMU of the worker. Its serial console is QEMU's own
 * input and output, so that nothing it prints is lost while nobody listens.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Power } from '../../../machines/events.ts';
import { withoutSecrets } from '../../../submission/addresses.ts';
import { ARCH_OF_HOST, type Arch, findKernel } from '../../debian-kernel.ts';
import { StepFailure } from '../../failure.ts';
import { IMAGE_BYTES_MAX_DEFAULT } from '../../image.ts';
import { runProgram } from '../../programs.ts';
import type { BoardNetwork, OpenNetwork } from '../bridge.ts';
import type { Driver, DriverContext, Holding, LabBoard, Seat } from '../driver.ts';
import { ImageStore } from '../image-store.ts';
import { settings } from '../lab-commands.ts';
import { LineDriver } from '../line-board.ts';
import { type LineKind, type LineSeat, onLineAlone } from '../line-kind.ts';
import { switchMade } from '../operator-seat.ts';
import {
  type ImageFiles,
  imageFiles,
  isThere,
  kindOfImage,
  makeOverlay,
  unpackParts,
} from './disk-image.ts';
import { type HostImage, hostImage } from './host-image.ts';
import { type BootParts, machineWords, programOf } from './machine.ts';
import { driveFile, layOnDrive, makeDrive } from './share-drive.ts';

/** Opens the network of the boards; nothing of QEMU is needed before a board boots. @throws StepFailure */
export async function openQemuDriver(
  context: DriverContext,
  { network }: { network: OpenNetwork },
): Promise<Driver> {
  return new LineDriver(context, new Qemu(context, await network(context)));
}

/** What this machine lacks for a board of its own kernel, in words; `undefined`: nothing. */
export async function qemuLack(arch: Arch = 'x86_64'): Promise<string | undefined> {
  for (const [program, version] of [
    [programOf(arch), '--version'],
    ...(arch === ARCH_OF_HOST ? [['busybox', 'true'] as const] : []),
    ['cpio', '--version'],
    ['gzip', '--version'],
  ] as const) {
    const { status } = await runProgram(program, [version]);
    if (status !== 0) return `the program ${program} is missing`;
  }
  if ((await findKernel(arch)) === undefined) return `there is no kernel of ${arch}`;
  return undefined;
}

class Qemu implements LineKind {
  readonly boardsAre = 'qemu';
  readonly isClosed = 'the board ended';
  readonly #context: DriverContext;
  readonly #network: BoardNetwork;
  readonly #images: ImageStore;
  /** Images of this machine that are being made: boards that ask for the same one wait for it. */
  readonly #making = new Map<string, Promise<HostImage>>();

  constructor(context: DriverContext, network: BoardNetwork) {
    this.#context = context;
    this.#network = network;
    this.#images = new ImageStore(context);
  }

  get gateway(): { address: string } {
    return this.#network.gateway;
  }

  addressOf(device: string): string | undefined {
    return this.#network.addressOf(device);
  }

  login(board: LabBoard | undefined) {
    return settings(board).login;
  }

  variables({ device }: Seat) {
    const board = this.#context.boards.find(({ name }) => name === device);
    return this.login(board).verbs === 'line' ? onLineAlone : [];
  }

  async deploy(at: LineSeat, image: string): Promise<void> {
    if (image === 'host:') {
      await this.#hostImage(at.board);
      return;
    }
    const folder = join(at.folder.path, 'images');
    const files = imageFiles(folder);
    const { signal, note } = at;
    await this.#images.bring({ url: image, to: files.disk, signal, note });
    if ((await kindOfImage(files.disk)) === 'archive') {
      const { fetchMark: mark, limits } = this.#context;
      const bytesMax = limits.imageBytes ?? IMAGE_BYTES_MAX_DEFAULT;
      const how = { bytesMax, mark: { ...mark }, allowFiles: [], signal, note };
      await unpackParts(files, folder, { ...how, url: image });
    }
    if (await isThere(files.disk)) await this.#readyDisk(files, image);
    await this.#bringKernel(at, files);
  }

  async #readyDisk(files: ImageFiles, image: string): Promise<void> {
    const kind = await kindOfImage(files.disk);
    if (kind === undefined || kind === 'archive')
      throw new StepFailure(
        'image-broken',
        `image ${withoutSecrets(image)} is nothing to boot: expected a disk or a file system (raw or qcow2), or an archive with a kernel`,
      );
    await makeOverlay(files, kind, image, this.#context.limits.imageBytes);
  }

  /** The lab's, where the image has none. */
  async #bringKernel(at: LineSeat, files: ImageFiles): Promise<void> {
    const { qemu } = settings(at.board);
    const { signal, note } = at;
    if (await isThere(files.kernel)) return;
    for (const name of ['kernel', 'initrd'] as const) {
      const part = qemu[name];
      if (part !== undefined)
        await this.#images.bring({ ...part, isLabs: true, to: files[name], signal, note });
    }
  }

  async program(at: LineSeat, image: string): Promise<string[]> {
    const { qemu } = settings(at.board);
    const program = programOf(qemu.arch);
    const { status } = await runProgram(program, ['--version']);
    if (status !== 0)
      throw new StepFailure('boot-failed', `the program ${program} cannot be run on this machine`);
    await makeDrive(at.folder);
    const { link, mac } = this.#network.endOf(at.seat.device);
    const parts = image === 'host:' ? await this.#hostParts(at.board) : await ownParts(at);
    return [
      program,
      ...machineWords(qemu, {
        ...{ ...parts, share: driveFile(at.folder), network: { link, mac } },
        append: [parts.append, qemu.append].filter((word) => word).join(' '),
      }),
    ];
  }

  async #hostParts(board: LabBoard | undefined): Promise<BootParts> {
    const { kernel, initrd } = await this.#hostImage(board);
    return { kernel, initrd, append: 'quiet panic=-1' };
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

  power(device: string, power: Power, is: { isOn: boolean; off(): Promise<void> }): Promise<void> {
    return switchMade(device, power, is);
  }

  async takeOver(kept: readonly Holding[]): Promise<void> {
    await this.#images.sweep();
    await this.#network.takeOver(kept);
  }

  close(): Promise<void> {
    return this.#network.close();
  }

  async #hostImage(board: LabBoard | undefined) {
    const folder = join(this.#context.dataDir, 'images');
    await mkdir(folder, { recursive: true });
    const { arch, programs } = settings(board).qemu;
    const key = JSON.stringify([arch, programs]);
    const making =
      this.#making.get(key) ??
      hostImage(folder, { arch, programs }).finally(() => {
        this.#making.delete(key);
      });
    this.#making.set(key, making);
    return making;
  }
}

/** What was deployed: a kernel, a disk, or both. */
async function ownParts({ folder }: LineSeat): Promise<BootParts> {
  const files = imageFiles(join(folder.path, 'images'));
  const there = async (file: string) => ((await isThere(file)) ? file : undefined);
  return {
    kernel: await there(files.kernel),
    initrd: await there(files.initrd),
    disk: await there(files.overlay),
    append: (await there(files.append)) ? (await readFile(files.append, 'utf8')).trim() : '',
  };
}

/**
 * The `local` driver: boards without hardware, on the worker itself. What all of them share is here: the console,
 * the scratch volume, deploy, boot, taking over after a crash. Their walls are a `Housing`.
 */
import { randomBytes } from 'node:crypto';
import { cp, mkdir, rename, truncate, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { Power } from '../../../machines/events.ts';
import { consoleBytes, consoleTail, note } from '../../console.ts';
import { codeOf, messageOf, StepAborted, StepFailure, throwIfAborted } from '../../failure.ts';
import { IMAGE_BYTES_MAX_DEFAULT, unpackImage } from '../../image.ts';
import { lastLine, shellQuoted } from '../../programs.ts';
import type { OpenNetwork } from '../bridge.ts';
import { readyLine, typeText, untilReady } from '../console-pump.ts';
import { Dialogue } from '../dialogue.ts';
import type { ActionMark, Driver, DriverContext, Holding, OpenConsole, Seat } from '../driver.ts';
import { Holdings } from '../holdings.ts';
import { aroundBoard } from '../lab-commands.ts';
import { startBoard } from '../launch.ts';
import { operatorSeat, switchMade, typeBytes } from '../operator-seat.ts';
import { isAlive } from '../processes.ts';
import { TearDowns } from '../tear-downs.ts';
import type { Housing } from './housing.ts';
import { scratchBytes } from './mounts.ts';
import { namespaceHousing, namespacesLack } from './namespace-housing.ts';
import { plainHousing } from './plain-housing.ts';
import { openProcessLimit } from './process-limit.ts';

/** What the lab's file says to `local` boards alone. */
export interface LocalOptions {
  network: OpenNetwork;
  /** Of one board at a time. */
  processes: number;
  /** `false`: plain boards, whatever is allowed. Absent: tried out. */
  namespaces?: boolean;
}

/** Tries out what this machine allows, and says once what is lost where it does not allow all. */
export async function openLocalDriver(
  context: DriverContext,
  options: LocalOptions,
): Promise<Driver> {
  const { boards, dataDir, hash, limits, log } = context;
  const lack = options.namespaces === false ? 'it was asked for' : await namespacesLack(dataDir);
  if (lack !== undefined) {
    log.warn(
      { why: lack },
      `local boards are plain processes (${lack}): they have no network, host name, root file system or ` +
        'process tree of their own, and no limit on processes; a script can reach this machine and other boards',
    );
    const devices = boards.map(({ name }) => name);
    const housing = plainHousing({ hash, devices, consoleBytes: limits.consoleBytes });
    return new LocalDriver(context, housing);
  }
  const network = await options.network(context);
  const processLimit = await openProcessLimit(hash, options.processes);
  if (processLimit.kind === 'none')
    log.warn(
      {},
      'no pids cgroup can be written and the kernel is older than 6.14: nothing limits the processes of a board',
    );
  const housing = namespaceHousing({
    hash,
    dataDir,
    network,
    processLimit,
    consoleBytes: limits.consoleBytes,
    scratchBytes: scratchBytes(totalmem(), boards.length),
  });
  return new LocalDriver(context, housing);
}

const PROMPT_MS_MAX = 10_000;
/** The console's shell goes on as one on a terminal, for somebody who types: it has a prompt, and echoes. */
const terminalLine = (device: string): string =>
  `export PS1=${shellQuoted(`${device}# `)} SHELL=/bin/sh; ` +
  "command -v script >/dev/null && exec script -q -f -c 'exec sh -i' /dev/null; exec sh -i";

class LocalDriver implements Driver {
  readonly #context: DriverContext;
  readonly #housing: Housing;
  readonly #holdings: Holdings;
  readonly #tearDowns: TearDowns;

  constructor(context: DriverContext, housing: Housing) {
    this.#context = context;
    this.#housing = housing;
    this.#holdings = new Holdings(context);
    this.#tearDowns = new TearDowns(context.log);
  }

  get boardsAre(): string {
    return this.#housing.kind;
  }

  get gateway(): { address: string } | undefined {
    return this.#housing.gateway;
  }

  addressOf(device: string): string | undefined {
    return this.#housing.addressOf(device);
  }

  async takeOver(): Promise<Holding[]> {
    const found = await this.#holdings.takeOver((device) => this.tearDown(device));
    await this.#housing.takeOver(found);
    return found;
  }

  holding(device: string): Holding | undefined {
    return this.#holdings.holding(device);
  }

  async deploy(seat: Seat, image: string, signal: AbortSignal): Promise<void> {
    await this.tearDown(seat.device);
    await this.#holdings.save(seat.device, { job: seat.job, lease: seat.lease });
    const refusal = this.#housing.refuses(image);
    if (refusal !== undefined) throw new StepFailure('image-refused', `image ${image}: ${refusal}`);
    if (image !== 'host:')
      await unpackImage(image, this.#holdings.folder(seat.device).image, {
        allowFiles: this.#context.allowFiles,
        bytesMax: this.#context.limits.imageBytes ?? IMAGE_BYTES_MAX_DEFAULT,
        mark: this.#context.fetchMark,
        signal,
        note: (line) => note(this.#consoleFile(seat), line),
      });
    throwIfAborted(signal);
    await this.#holdings.save(seat.device, { job: seat.job, lease: seat.lease, image });
  }

  async boot(
    seat: Seat,
    image: string,
    environment: string,
    signal: AbortSignal,
  ): Promise<{ address?: string }> {
    const { device, job, lease } = seat;
    if (this.#holdings.stateOf(seat)?.image !== image) await this.deploy(seat, image, signal);
    await this.powerOff(device);
    await this.#holdings.save(device, { job, lease, image });
    await this.#layOut(seat, environment);
    const noted = (line: string) => note(this.#consoleFile(seat), line);
    const at = { device, job, signal, note: noted };
    try {
      await aroundBoard(this.#context, 'pre_boot', at);
      await this.#powerOn(seat, image, signal);
      await aroundBoard(this.#context, 'post_boot', at);
    } catch (error) {
      await this.powerOff(device);
      await this.#holdings.save(device, { job, lease, image });
      throw error;
    }
    const address = this.addressOf(device);
    return address === undefined ? {} : { address };
  }

  alive(seat: Seat): boolean {
    const process = this.#holdings.stateOf(seat)?.process;
    return process !== undefined && isAlive(process);
  }

  async gone(seat: Seat): Promise<string | undefined> {
    return this.alive(seat) ? undefined : 'the board ended';
  }

  home(seat: Seat): string {
    return this.#housing.homeOf(seat, this.#holdings.folder(seat.device));
  }

  letReach(urls: readonly string[]): Promise<void> {
    return this.#housing.letReach(urls);
  }

  variables(seat: Seat): readonly (readonly [string, string])[] {
    return this.#housing.variables(seat, this.#holdings.folder(seat.device));
  }

  async staging(seat: Seat): Promise<string> {
    const folder = this.#holdings.folder(seat.device);
    await this.#housing.prepare(folder);
    await folder.layOut();
    const path = join(folder.staging, randomBytes(6).toString('hex'));
    await mkdir(path);
    return path;
  }

  /**
   * A rename follows no link, so that a board cannot lead the worker out of the folder. What stood there before is
   * put aside and not deleted: to walk through a folder that a board is changing could be led astray.
   */
  async hand(seat: Seat, made: string, name: string): Promise<void> {
    const folder = this.#holdings.folder(seat.device);
    const place = join(folder.share, name);
    const aside = join(folder.staging, `old-${randomBytes(6).toString('hex')}`);
    await rename(place, aside).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
    try {
      await rename(made, place);
    } catch (error) {
      throw new StepFailure(
        'install-failed',
        `cannot lay ${this.home(seat)}/${name} on the board: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }

  async type(seat: Seat, line: string): Promise<void> {
    const { input } = this.#holdings.folder(seat.device);
    if (!(await typeText(input, `${line}\n`, () => this.alive(seat))))
      throw new StepFailure('board-gone', `nobody reads the console of ${seat.device}`);
  }

  actionMark(seat: Seat): ActionMark | undefined {
    return this.#holdings.stateOf(seat)?.action;
  }

  async setActionMark(seat: Seat, mark: ActionMark | undefined): Promise<void> {
    const state = this.#holdings.stateOf(seat);
    if (state === undefined) return;
    const { action: _, ...rest } = state;
    await this.#holdings.save(seat.device, mark === undefined ? rest : { ...rest, action: mark });
  }

  async powerOff(device: string): Promise<void> {
    const state = this.#holdings.state(device) ?? (await this.#holdings.folder(device).read());
    await this.#housing.powerOff(device, state);
  }

  async tearDown(device: string): Promise<void> {
    const folder = this.#holdings.folder(device);
    await this.powerOff(device);
    const job = this.#holdings.holding(device)?.job;
    if (job !== undefined)
      await this.#tearDowns.do(device, () =>
        aroundBoard(this.#context, 'cleanup', { device, job }),
      );
    await this.#housing.dispose(folder);
    await this.#holdings.forget(device);
  }

  power(device: string, power: Power): Promise<void> {
    const isOn = this.#holdings.state(device) !== undefined;
    return switchMade(device, power, { isOn, off: () => this.powerOff(device) });
  }

  async openConsole(device: string, signal: AbortSignal): Promise<OpenConsole> {
    const seat = operatorSeat(device);
    const { image = 'host:' } = this.#context.boards.find(({ name }) => name === device) ?? {};
    const alive = () => this.alive(seat);
    const { input } = this.#holdings.folder(device);
    try {
      await this.boot(seat, image, '', signal);
      await this.#onTerminal(seat, signal);
    } catch (error) {
      await this.tearDown(device);
      throw error;
    }
    return {
      file: this.#consoleFile(seat),
      gone: () => (alive() ? undefined : 'the board ended'),
      type: (bytes) => typeBytes(input, bytes, alive),
      close: () => this.#giveBack(seat),
    };
  }

  /** What is typed before its new shell reads would be lost to the old one. */
  async #onTerminal(seat: Seat, signal: AbortSignal): Promise<void> {
    const file = this.#consoleFile(seat);
    await truncate(file);
    const talk = new Dialogue(file, 0, {
      ...{ bytesMax: this.#context.limits.consoleBytes, signal },
      isAlive: () => this.alive(seat),
    });
    await this.type(seat, terminalLine(seat.device));
    await talk.expect([/# $/], PROMPT_MS_MAX);
  }

  async #giveBack({ device, lease }: Seat): Promise<void> {
    if (this.#holdings.state(device)?.lease !== lease) return;
    try {
      await this.tearDown(device);
    } finally {
      await aroundBoard(this.#context, 'cleanup', { device });
    }
  }

  async close(): Promise<void> {
    if (this.#holdings.devices.size > 0) return;
    await this.#housing.close();
  }

  #consoleFile(seat: Seat): string {
    return this.#holdings.consoleFile(seat);
  }

  /** What every board has in MUSTER_HOME from its start: the verbs, their library, and how to reach the server. */
  async #layOut(seat: Seat, environment: string): Promise<void> {
    for (const name of ['bin', 'lib']) {
      const staging = await this.staging(seat);
      const source = join(this.#context.boardFiles, name);
      await cp(source, join(staging, name), { recursive: true, dereference: true });
      await this.hand(seat, join(staging, name), name);
    }
    const staging = await this.staging(seat);
    await writeFile(join(staging, 'env'), environment, { mode: 0o600 });
    await this.hand(seat, join(staging, 'env'), 'env');
  }

  async #powerOn(seat: Seat, image: string, signal: AbortSignal): Promise<void> {
    const { device } = seat;
    const folder = this.#holdings.folder(device);
    const consoleFile = this.#consoleFile(seat);
    await mkdir(dirname(consoleFile), { recursive: true });
    const from = consoleBytes(consoleFile);
    const seconds = this.#context.limits.bootSeconds;
    const limit = AbortSignal.timeout(seconds * 1_000);
    const either = AbortSignal.any([signal, limit]);
    try {
      const launch = await this.#housing.launch({ seat, folder, image, consoleFile });
      const connect = (pid: number) => this.#housing.connect(seat, pid);
      await startBoard(this.#holdings, seat, launch, { signal: either, connect });
      const boot = randomBytes(8).toString('hex');
      await this.type(seat, readyLine(boot));
      await untilReady(consoleFile, from, boot, {
        bytesMax: this.#context.limits.consoleBytes,
        signal: either,
        isAlive: () => this.alive(seat),
      });
    } catch (error) {
      if (signal.aborted) throw new StepAborted();
      const tail = lastLine(await consoleTail(consoleFile, from)).slice(0, 300);
      const said = tail === '' ? '' : `; the last line of its console: ${tail}`;
      const why = limit.aborted ? `not within ${seconds} s` : messageOf(error);
      throw new StepFailure('boot-failed', `the board did not boot: ${why}${said}`, {
        cause: error,
      });
    }
  }
}

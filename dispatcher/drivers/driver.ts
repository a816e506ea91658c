/** What a kind of board must be able to do. One adapter a kind, in a folder of its own; `registry.ts` has them all. */

import type { Power } from '../../machines/events.ts';
import type { DriverSettings } from '../../submission/lab-drivers.ts';

/** A board in the hands of one member. */
export interface Seat {
  job: number;
  device: string;
  lease: string;
  /** The devices of the group, in `lava-group` order. */
  group: readonly string[];
}

/** Whose board it is, by what lies on disk: also after a crash of the server. */
export interface Holding {
  device: string;
  job: number;
  lease: string;
}

/** Where an action with a shell began on the console, so that a restarted server reads on from there. */
export interface ActionMark {
  index: number;
  /** Byte offset in the console. */
  from: number;
  /** The word that the marks of this action's runner carry: nothing else that is printed ends it. */
  nonce?: string | undefined;
}

export interface Driver {
  /** What its boards are, in a word for people. */
  readonly boardsAre: string;
  /** The worker's own address towards its boards, where they have a network of their own. */
  readonly gateway: { address: string } | undefined;
  /** Where the group reaches the board; `undefined` for a board that it does not know. */
  addressOf(device: string): string | undefined;
  /** Takes over what an earlier life left, removes what belongs to nobody, and says whose boards are here. */
  takeOver(): Promise<Holding[]>;
  /** Whose board it is now; `undefined`: nobody's, nothing of it exists. */
  holding(device: string): Holding | undefined;
  /** Powers the board off and readies a fresh root file system. @throws StepFailure, StepAborted */
  deploy(seat: Seat, image: string, signal: AbortSignal): Promise<void>;
  /**
   * Powers the board off and on. Resolves when a shell answers on its console.
   * Deploys `image` first when the board does not hold it (any more).
   *
   * @throws StepFailure, StepAborted; the board is off then
   */
  boot(
    seat: Seat,
    image: string,
    environment: string,
    signal: AbortSignal,
  ): Promise<{ address?: string }>;
  /** Where the boards of this worker find the servers from now on: of this machine they reach nothing else. */
  letReach(urls: readonly string[]): Promise<void>;
  alive(seat: Seat): boolean;
  /** What became of a board that had booted, such as "the board rebooted"; `undefined`: it runs on. */
  gone(seat: Seat): Promise<string | undefined>;
  /** `MUSTER_HOME`, as the board calls it. */
  home(seat: Seat): string;
  /** An empty folder of the worker in which something for the board is made ready; where it lies is the driver's choice. */
  staging(seat: Seat): Promise<string>;
  /**
   * Makes a folder or file that was made ready in `staging` readable on the board, as `name` in its `MUSTER_HOME`: all
   * of it at once, in the place of what had the name before. It is the driver's from then on. How it gets there is the
   * driver's too: a rename where the board lies on the worker's disk, an archive over the line where it does not.
   *
   * @throws StepFailure `install-failed`
   */
  hand(seat: Seat, made: string, name: string): Promise<void>;
  /** Variables that a board of this kind needs beside the ones of the wire. */
  variables(seat: Seat): readonly (readonly [string, string])[];
  /** Types one line on the console's shell. */
  type(seat: Seat, line: string): Promise<void>;
  actionMark(seat: Seat): ActionMark | undefined;
  setActionMark(seat: Seat, mark: ActionMark | undefined): Promise<void>;
  /**
   * Ends everything that runs on the board, at once; nothing of it prints any more when this resolves. What the board
   * holds stays. Nothing runs: nothing to do.
   */
  powerOff(device: string): Promise<void>;
  /** Powers the board off and ends everything of it; the console stays. Nothing there: nothing to do. */
  tearDown(device: string): Promise<void>;
  /**
   * Switches the power of a board that no member has, for an operator. Done already: nothing to do.
   *
   * @throws StepFailure `not-possible` where boards of this kind have no such power, in words; `command-failed`; StepAborted
   */
  power(device: string, power: Power, signal: AbortSignal): Promise<void>;
  /**
   * Opens the console of a board that no member has, for an operator; nobody holds the board meanwhile. Where a board is
   * there only while somebody has it, it boots what the lab names for it. The next life of the worker closes it.
   *
   * @throws StepFailure `not-possible` where boards of this kind have none; StepAborted
   */
  openConsole(device: string, signal: AbortSignal): Promise<OpenConsole>;
  /** Removes what the boards share, when none is left. */
  close(): Promise<void>;
}

/** A console in the hands of an operator. */
export interface OpenConsole {
  /** What it prints is in this file, which is gone when it is closed. */
  readonly file: string;
  /** Types bytes as they are. `false`: nobody takes them. */
  type(bytes: Uint8Array): Promise<boolean>;
  /** Why nothing comes any more, in words; `undefined`: the line is open. */
  gone(): string | undefined;
  /** Closes it, and takes away what was made for it. Closed already: nothing to do. */
  close(): Promise<void>;
}

/** What every driver is given, whatever it drives. */
export interface DriverContext {
  /** What the lab calls this kind. */
  kind: string;
  /** Its boards, in the lab's order. */
  boards: readonly LabBoard[];
  /** All boards of the lab: those of several kinds may be on one network. */
  lab: readonly LabBoard[];
  /** The kind of a board, of one too that the lab does not have any more. */
  kindOf(device: string): string;
  /** The server's data folder, as a real path. */
  dataDir: string;
  /** Of the data folder, hexadecimal: tells what is this worker's from what is another's on the same machine. */
  hash: string;
  /** The package's `board/` folder: what runs on a board. */
  boardFiles: string;
  limits: Limits;
  /** Folders that `file:` images may come from. */
  allowFiles: readonly string[];
  /** In the environment of programs that fetch, so that leftovers of a crash are found. */
  fetchMark: Readonly<Record<string, string>>;
  consoleFile(job: number, device: string): string;
  log: Log;
}

/** Tries out what this machine allows, and says what is lost where it does not allow all. @throws StepFailure */
export type OpenDriver = (context: DriverContext) => Promise<Driver>;

/** A pino logger, or anything like it. */
export interface Log {
  info(about: object, message: string): void;
  warn(about: object, message: string): void;
  error(about: object, message: string): void;
}

/** A board of the lab's file. */
export interface LabBoard {
  name: string;
  type: string;
  tags: readonly string[];
  driver: string;
  /** What it boots when no action deployed another. */
  image: string;
  /** Its own IPv4 address, where the lab gives one. */
  address?: string | undefined;
  /** How it is driven; absent: by the defaults. */
  settings?: DriverSettings | undefined;
}

export interface Limits {
  /** Of one member's console file. */
  consoleBytes: number;
  bootSeconds: number;
  /** Of one file of a test that is kept, and of all those of one suite. */
  sourceFileBytes: number;
  sourceBytes: number;
  /** Of an unpacked image. Default: `IMAGE_BYTES_MAX_DEFAULT`. */
  imageBytes?: number;
}

/** What a kind of board must be able to do. One adapter a kind: `local` is the first. */

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
  readonly kind: string;
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
  alive(seat: Seat): boolean;
  /** `MUSTER_HOME` on the board. */
  home(seat: Seat): string;
  /** A private folder of the worker in which a folder for the board is made ready. */
  staging(seat: Seat): Promise<string>;
  /** Moves a folder or file from `staging` into the board's `MUSTER_HOME`, in one step. */
  hand(seat: Seat, path: string, name: string): Promise<void>;
  /** Variables that a board of this kind needs beside the ones of the wire. */
  variables(seat: Seat): readonly (readonly [string, string])[];
  /** Types one line on the console's shell. */
  type(seat: Seat, line: string): Promise<void>;
  actionMark(seat: Seat): ActionMark | undefined;
  setActionMark(seat: Seat, mark: ActionMark | undefined): Promise<void>;
  /** Ends everything of the board; the console stays. Nothing there: nothing to do. */
  tearDown(device: string): Promise<void>;
  /** Removes what the boards share, when none is left. */
  close(): Promise<void>;
}

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
}

export interface Limits {
  /** Of one board at a time. */
  processes: number;
  /** Of one member's console file. */
  consoleBytes: number;
  bootSeconds: number;
  /** Of an unpacked image. Default: `IMAGE_BYTES_MAX_DEFAULT`. */
  imageBytes?: number;
}

/** What a kind of board at the far end of a line must be able to do; `LineDriver` does what all of them share. */
import type { Power } from '../../machines/events.ts';
import type { Login } from '../../submission/lab-drivers.ts';
import type { BoardFolder, BoardState } from './board-folder.ts';
import type { BoardEnd } from './bridge.ts';
import type { Holding, LabBoard, Seat } from './driver.ts';

/** A board in the hands of a member, as a kind sees it. */
export interface LineSeat {
  seat: Seat;
  folder: BoardFolder;
  board: LabBoard | undefined;
  signal: AbortSignal;
  /** A line for the member's console. */
  note(line: string): Promise<void>;
}

export interface LineKind {
  readonly boardsAre: string;
  readonly gateway: { address: string } | undefined;
  /** What it means when the line's program has ended, such as "the board ended". */
  readonly isClosed: string;
  /** How often a board may end before it has a shell, and is started again. */
  readonly startsMax?: number;
  addressOf(device: string): string | undefined;
  login(board: LabBoard | undefined): Login;
  /** A board that prints nothing for so long while it boots is not there. */
  silentSeconds?(board: LabBoard | undefined): number;
  variables?(seat: Seat): readonly (readonly [string, string])[];
  /** Readies an image in the board's folder, or on the board. @throws StepFailure, StepAborted */
  deploy(at: LineSeat, image: string): Promise<void>;
  /** The program on whose input and output the console is; power comes with it, or with `powerOn`. */
  program(at: LineSeat, image: string): Promise<string[]>;
  /** Lines that are recorded beside the console. */
  more?(at: LineSeat): { name: string; program: string[] }[];
  /** Between the line's start and the word to go on. */
  connect(at: LineSeat): Promise<void>;
  /** When the line is open. */
  powerOn?(at: LineSeat): Promise<void>;
  /** For a board that says nothing after its power came. `false`: there is no such way. */
  reset?(at: LineSeat): Promise<boolean>;
  /** Where the board is on a network of the worker's. */
  network(seat: Seat): { end: BoardEnd; hosts: string } | undefined;
  /** Has the command of the board that prints the archive; `undefined`: there is none, it is to be typed. */
  carry?(at: LineSeat, archive: string): Promise<string | undefined>;
  /** Brings an archive to the board beside the console, and has it placed by this script of the board. */
  deliver?(at: LineSeat, archive: string, place: string): Promise<void>;
  letReach(urls: readonly string[]): Promise<void>;
  /** After the line is closed; whose board it was, where that is known. */
  powerOff(device: string, state: BoardState | undefined): Promise<void>;
  /**
   * For an operator, of a board that no member has. `isOn`, `off`: of a board that is there with its line alone.
   *
   * @throws as `Driver.power`
   */
  power(
    device: string,
    power: Power,
    is: { isOn: boolean; off(): Promise<void>; signal: AbortSignal },
  ): Promise<void>;
  takeOver(kept: readonly Holding[]): Promise<void>;
  close(): Promise<void>;
}

/** What a board is told that shall speak over its line and nothing else. */
export const onLineAlone: readonly (readonly [string, string])[] = [['MUSTER_URL', '']];

/** A command of the lab on a terminal of its own, which is what `telnet`, `picocom` or `ssh` expect. */
export const onTerminal = (command: string): string[] => [
  ...['env', 'SHELL=/bin/sh', 'script', '--quiet', '--return', '--flush', '--command', command],
  '/dev/null',
];

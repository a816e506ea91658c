/** The walls of a `local` board: namespaces where they are allowed, a private folder where they are not. */
import type { BoardFolder, BoardState } from '../board-folder.ts';
import type { Holding, Seat } from '../driver.ts';
import type { Launch } from '../launch.ts';

export interface LaunchOrder {
  seat: Seat;
  folder: BoardFolder;
  image: string;
  consoleFile: string;
}

export interface Housing {
  readonly kind: 'namespaces' | 'plain';
  readonly gateway: { address: string } | undefined;
  addressOf(device: string): string | undefined;
  /** In words, when a board of this kind cannot hold the image. */
  refuses(image: string): string | undefined;
  homeOf(seat: Seat, folder: BoardFolder): string;
  variables(seat: Seat, folder: BoardFolder): readonly (readonly [string, string])[];
  /** Makes the scratch volume, when it is not there. */
  prepare(folder: BoardFolder): Promise<void>;
  launch(order: LaunchOrder): Promise<Launch>;
  /** Between the board's first word and the word to go on: its network. */
  connect(seat: Seat, pid: number): Promise<void>;
  /** Where the boards find the servers. */
  letReach(urls: readonly string[]): Promise<void>;
  /** Ends every process of the board; resolves when they are gone. */
  powerOff(device: string, state: BoardState | undefined): Promise<void>;
  /** Gives back what the volume and the network took; the board is off. */
  dispose(folder: BoardFolder): Promise<void>;
  /** Takes up what the boards that are kept share, and removes what others left. */
  takeOver(kept: readonly Holding[]): Promise<void>;
  /** Removes what boards share. */
  close(): Promise<void>;
}

/**
 * The doors at which the boards of this worker find it: one, and another when the lab's file was read again and its boards
 * have a network of their own from then on. Boards that run know the one that they booted with.
 */
import { join } from 'node:path';
import { openAtKnownPort } from '../dispatcher/board-port.ts';
import { BoardDoor, type BoardDoorOptions, boardToken } from './board-door.ts';

const LOOPBACK = '127.0.0.1';

export class BoardDoors {
  readonly #is: BoardDoorOptions;
  /** By address, with where boards find it. */
  readonly #open = new Map<string, { door: BoardDoor; url: string }>();
  /** Of boards that boot now. */
  #url = '';

  constructor(is: BoardDoorOptions) {
    this.#is = is;
  }

  get url(): string {
    return this.#url;
  }

  /** What a member's board says with each request. */
  token(job: number, device: string): string {
    return boardToken(this.#is.secret, job, device);
  }

  /** @param gateway of the boards' own network; absent: they are on this machine's. @throws BoardPortTaken */
  async open(gateway: string | undefined, boardsRun: boolean): Promise<void> {
    const host = gateway ?? LOOPBACK;
    const known = this.#open.get(host);
    if (known === undefined) {
      const door = new BoardDoor(this.#is);
      const file = join(this.#is.dataDir, 'board-port');
      const listen = (port: number) => door.listen(host, port);
      const url = await openAtKnownPort({ file, host, boardsRun, listen });
      this.#open.set(host, { door, url });
    }
    this.#url = this.#open.get(host)?.url ?? '';
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ door }) => door.close()));
  }
}

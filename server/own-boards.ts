/**
 * The boards of the server itself: its lab's file, the dispatcher that drives them, and the doors at which they find it.
 * The file is read again when somebody says so, and jobs that run keep their boards as they were.
 */
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { ApiProblem } from '../api/problems.ts';
import { createDispatcher, type Dispatcher } from '../dispatcher/dispatcher.ts';
import { registry } from '../dispatcher/drivers/registry.ts';
import { StepFailure } from '../dispatcher/failure.ts';
import { type LabPart, registrations } from '../dispatcher/generation.ts';
import { inTurn } from '../dispatcher/in-turn.ts';
import type { BoardHands } from '../wire/board-hands.ts';
import type { LabChange } from '../wire/lab-change.ts';
import { openBoardDoor } from './board-door.ts';
import type { InProcessServer } from './in-process-server.ts';
import { type LabFile, LabRefused, readLabFile } from './lab-file.ts';
import { packageRoot } from './package-root.ts';

export interface OwnBoardsOptions {
  labFile: string;
  /** What it said at the start. */
  lab: LabFile;
  dataDir: string;
  /** Folders that jobs may read from, beside those that the file allows. */
  allowFiles?: readonly string[] | undefined;
  /** `false`: plain boards, whatever this machine allows. */
  namespaces?: boolean | undefined;
  /** Where boards without a network of their own find the server; absent: where people do. */
  address?: string | undefined;
  buildDoor(): Promise<FastifyInstance>;
  log: Logger;
}

export class OwnBoards {
  readonly #is: OwnBoardsOptions;
  #lab: LabFile;
  #dispatcher: Dispatcher | undefined;
  #server: InProcessServer | undefined;
  /** By address. */
  readonly #doors = new Map<string, { app: FastifyInstance; url: string }>();
  #url: string | undefined;

  constructor(is: OwnBoardsOptions) {
    this.#is = is;
    this.#lab = is.lab;
  }

  /** As its file says now. */
  get lab(): LabFile {
    return this.#lab;
  }

  /** Where boards that boot now find the server; `undefined`: where people do. */
  get url(): string | undefined {
    return this.#url;
  }

  get boardsAre(): string {
    return this.#dispatcher?.boardsAre ?? 'none';
  }

  /** Of its boards, for operators. */
  get hands(): BoardHands | undefined {
    return this.#dispatcher?.hands;
  }

  /** Nothing runs before `start`. @throws StepFailure when they cannot be driven here */
  async open(server: InProcessServer): Promise<void> {
    const { dataDir, log } = this.#is;
    this.#server = server;
    this.#dispatcher = await createDispatcher({
      ...{ server, dataDir, log, ...this.#partOf(this.#lab) },
      boardFiles: join(packageRoot, 'board'),
    });
  }

  /** Lets the server know of them. */
  async announce(): Promise<void> {
    await this.#server?.announce(registrations(this.#lab.lab.devices));
  }

  /** Where they have a network of their own, or are told so, there is a door. @throws ServerRefused */
  async openDoor(): Promise<void> {
    const boardsRun = (await this.#dispatcher?.takeOver())?.some(({ isOn }) => isOn) === true;
    await this.#openDoor(boardsRun);
  }

  async #openDoor(boardsRun: boolean): Promise<void> {
    const address = this.#dispatcher?.gateway?.address ?? this.#is.address;
    if (address === undefined) return;
    const known = this.#doors.get(address);
    if (known === undefined) {
      const app = await this.#is.buildDoor();
      this.#doors.set(address, { app, url: '' });
      const url = await openBoardDoor(app, { address, dataDir: this.#is.dataDir, boardsRun });
      this.#doors.set(address, { app, url });
    }
    this.#url = this.#doors.get(address)?.url;
  }

  async start(): Promise<void> {
    await this.#dispatcher?.start();
  }

  /** @throws ApiProblem `invalid-lab`, and nothing has changed */
  readonly reload: () => Promise<LabChange> = inTurn(async () => {
    const before = this.#lab;
    const dispatcher = this.#dispatcher;
    try {
      this.#lab = await readLabFile(this.#is.labFile, before);
      if (dispatcher === undefined) throw new ApiProblem('stopping', 'the server is starting');
      return await dispatcher.change(this.#partOf(this.#lab), () => this.#openDoor(true));
    } catch (error) {
      this.#lab = before;
      const isTheirs = error instanceof LabRefused || error instanceof StepFailure;
      throw isTheirs ? new ApiProblem('invalid-lab', error.message) : error;
    }
  });

  async closeDoors(): Promise<void> {
    await Promise.all([...this.#doors.values()].map(({ app }) => app.close()));
  }

  async stop(how: { killBoards: boolean }): Promise<void> {
    await this.#dispatcher?.stop(how);
  }

  #partOf({ lab }: LabFile): LabPart {
    const { allowFiles = [], namespaces } = this.#is;
    const { processes } = lab.limits;
    return {
      boards: lab.devices,
      limits: lab.limits,
      allowFiles: [...lab.allowFiles, ...allowFiles],
      drivers: registry({
        bridge: lab.bridge,
        local: { processes, ...(namespaces !== undefined && { namespaces }) },
      }),
    };
  }
}

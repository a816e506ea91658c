/** The parent's side of `muster-server.ts`: Muster in a process of its own, as every peer is. */
import type { BoardRegistration } from '../wire/server-port.ts';
import { startChild } from './child-server.ts';
import type { SelfTime } from './profile.ts';

export interface Asked {
  folder: string;
  /** The log of an EventStoreDB; absent: a file in the folder. */
  store?: string;
  /** How many boards each group has. */
  sizes: readonly number[];
  /** How many workers the boards are shared among; absent: one has them all. */
  workers?: number;
  /** The first board's console has so many bytes. */
  consoleBytes?: number;
  /** How long a wait is held; absent: for as long as a bench runs. */
  heldMsMax?: number;
}
export interface Member {
  job: number;
  device: string;
  /** With which its board speaks at the boards' door. */
  token: string;
}
export interface WorkerOfBench {
  token: string;
  boards: BoardRegistration[];
}
export interface Ready {
  /** Of the boards' door. */
  port: number;
  /** Of the API, where workers come too. */
  apiPort: number;
  /** Of the first board's console. */
  consolePath: string;
  groups: Member[][];
  workers: WorkerOfBench[];
  /** Of every worker. */
  instance: string;
}
export type Question = 'held' | 'profile' | 'profile-end' | 'memory' | 'stop';

export interface MusterProcess extends Ready {
  pid: number;
  /** How many waits are held. */
  held(): Promise<number>;
  /** What the process has in memory. */
  memoryBytes(): Promise<number>;
  startProfile(): Promise<void>;
  /** Where the time went, since the start of the profile. */
  endProfile(): Promise<SelfTime[]>;
  stop(): Promise<void>;
}

export async function startMuster(asked: Asked): Promise<MusterProcess> {
  const module = new URL('./muster-server.js', import.meta.url);
  const child = await startChild<Ready>(module, asked);
  const ask = (question: Question) => child.ask(question);
  return {
    ...child.ready,
    pid: child.pid,
    held: () => ask('held') as Promise<number>,
    memoryBytes: () => ask('memory') as Promise<number>,
    startProfile: async () => void (await ask('profile')),
    endProfile: () => ask('profile-end') as Promise<SelfTime[]>,
    stop: () => child.stop(),
  };
}

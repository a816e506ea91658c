/** The parent's side of `muster-server.ts`: Muster in a process of its own, as every peer is. */
import { startChild } from './child-server.ts';
import type { SelfTime } from './profile.ts';

export interface Asked {
  folder: string;
  /** The log of an EventStoreDB; absent: a file in the folder. */
  store?: string;
  /** How many boards each group has. */
  sizes: readonly number[];
  /** With the whole API, not the boards' door alone: the first board's console has so many bytes. */
  consoleBytes?: number;
  /** How long a wait is held; absent: for as long as a bench runs. */
  heldMsMax?: number;
}
export interface Ready {
  port: number;
  /** Of the first board's console. */
  consolePath: string;
  /** A token a member, group by group. */
  tokens: string[][];
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

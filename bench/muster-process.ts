/** The parent's side of `muster-server.ts`: Muster in a process of its own, as every peer is. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
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

/** As `examples/muster.service` starts a server. */
const NODE_OPTIONS = ['--max-semi-space-size=64'];

export async function startMuster(asked: Asked): Promise<MusterProcess> {
  const child = fork(new URL('./muster-server.js', import.meta.url), [JSON.stringify(asked)], {
    execArgv: NODE_OPTIONS,
  });
  const answers: ((answer: unknown) => void)[] = [];
  const next = () => new Promise<unknown>((resolve) => answers.push(resolve));
  child.on('message', (answer) => answers.shift()?.(answer));
  const ended = once(child, 'exit');
  const early = ended.then(() => {
    throw new Error('the Muster process ended');
  });
  early.catch(() => {});
  const ready = (await Promise.race([next(), early])) as Ready;
  const ask = (question: Question): Promise<unknown> => {
    child.send(question);
    return Promise.race([next(), early]);
  };
  return {
    ...ready,
    pid: child.pid ?? 0,
    held: () => ask('held') as Promise<number>,
    memoryBytes: () => ask('memory') as Promise<number>,
    startProfile: async () => void (await ask('profile')),
    endProfile: () => ask('profile-end') as Promise<SelfTime[]>,
    async stop() {
      child.send('stop');
      await ended;
    },
  };
}

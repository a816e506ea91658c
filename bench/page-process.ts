/** The parent's side of `page-server.ts`. */
import { fork } from 'node:child_process';
import { once } from 'node:events';

export type PageServerAsked =
  /** On a data folder that is there. */
  | { dataDir: string }
  /** A lab that is busy all the time: its clock goes `factor` times as fast. */
  | { boards: number; eventsPerSecond: number; factor: number };

export type PageServerQuestion = 'use' | 'stop';

export interface PageServerUse {
  cpuSeconds: number;
  /** Of its memory. */
  bytes: number;
  events: number;
  /** By its own clock, in milliseconds since the epoch. */
  simulatedMs: number;
}

export interface PageServer {
  url: string;
  use(): Promise<PageServerUse>;
  stop(): Promise<void>;
}

/** As `examples/muster.service` starts a server. */
const NODE_OPTIONS = ['--max-semi-space-size=64'];

export async function startPageServer(asked: PageServerAsked): Promise<PageServer> {
  const child = fork(new URL('./page-server.js', import.meta.url), [JSON.stringify(asked)], {
    execArgv: NODE_OPTIONS,
  });
  const answers: ((answer: unknown) => void)[] = [];
  const next = () => new Promise<unknown>((resolve) => answers.push(resolve));
  child.on('message', (answer) => answers.shift()?.(answer));
  const ended = once(child, 'exit');
  const early = ended.then(() => {
    throw new Error('the server of the bench ended');
  });
  early.catch(() => {});
  const { url } = (await Promise.race([next(), early])) as { url: string };
  return {
    url,
    async use() {
      child.send('use' satisfies PageServerQuestion);
      return (await Promise.race([next(), early])) as PageServerUse;
    },
    async stop() {
      child.send('stop' satisfies PageServerQuestion);
      await ended;
    },
  };
}

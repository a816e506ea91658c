/** The parent's side of `page-server.ts`. */
import { startChild } from './child-server.ts';

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

export async function startPageServer(asked: PageServerAsked): Promise<PageServer> {
  const module = new URL('./page-server.js', import.meta.url);
  const child = await startChild<{ url: string }>(module, asked);
  return {
    url: child.ready.url,
    use: async () => (await child.ask('use' satisfies PageServerQuestion)) as PageServerUse,
    stop: () => child.stop(),
  };
}

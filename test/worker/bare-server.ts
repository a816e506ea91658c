/** A server without boards in this process, and a worker's line to it without a dispatcher: quick, and nothing is started. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { onTestFinished } from 'vitest';
import { newWorkerToken } from '../../api/worker-parts.ts';
import type { RecordedEvent } from '../../machines/events.ts';
import { type RunningServer, startServer } from '../../server/server.ts';
import { Line, type LineOptions } from '../../worker/line.ts';
import { until } from '../store/events.ts';

const by = { actor: 'test' };

export interface BareServer extends RunningServer {
  token(worker?: string): Promise<string>;
  /** Ends it, and starts another one on its folder: at its address or at any. */
  again(port?: number): Promise<BareServer>;
  events(job: number): Promise<RecordedEvent[]>;
}

export async function bareServer(dataDir?: string, port = 0): Promise<BareServer> {
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'muster-bare-')));
  if (dataDir === undefined) onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const log = pino({ level: 'silent' });
  const server = await startServer({ dataDir: folder, host: '127.0.0.1', port, log });
  let isUp = true;
  const stop = async () => {
    if (isUp) await server.stop();
    isUp = false;
  };
  onTestFinished(stop);
  return {
    ...server,
    stop,
    async token(worker = 'lab2') {
      const { token, digest } = newWorkerToken(worker);
      await server.engine.changeWorker(worker, { type: 'MakeWorkerToken', digest }, by);
      return token;
    },
    async again(where) {
      await stop();
      return bareServer(folder, where);
    },
    async events(job) {
      const answer = await fetch(`${server.url}/api/jobs/${job}/events?limit=1000`);
      return ((await answer.json()) as { events: RecordedEvent[] }).events;
    },
  };
}

export interface TestLine {
  line: Line;
  /** What it told people, a line each. */
  said: string[];
  /** Resolves when there is a line, the next one after this call. */
  next(): Promise<void>;
}

export function lineTo(
  servers: readonly string[],
  is: Partial<LineOptions> & { token: string; boards?: readonly string[] },
): TestLine {
  const said: string[] = [];
  const say = (_: object, message: string) => void said.push(message);
  let told: (() => void)[] = [];
  const { boards = ['panda01'], ...options } = is;
  const line: Line = new Line({
    ...{ servers, instance: 'one', version: '0.2.0', log: { info: say, warn: say, error: say } },
    onChange: () => {},
    onReload: () => {},
    onOrder: () => {},
    register: async () => {
      const announced = boards.map((device) => ({
        ...{ device, deviceType: 'panda', tags: [], driver: 'local' },
      }));
      await line.askFirst('register', { boards: announced });
    },
    ...options,
    onLine: () => {
      for (const tell of told.splice(0)) tell();
    },
  });
  told = [];
  onTestFinished(() => line.stop());
  return { line, said, next: () => new Promise<void>((resolve) => told.push(resolve)) };
}

/** Waits for what was said. */
export async function untilSaid(said: readonly string[], what: RegExp): Promise<string> {
  const found = () => said.find((text) => what.test(text));
  await until(`it says ${what}`, () => found() !== undefined);
  return found() ?? '';
}

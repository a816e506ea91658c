/** A server's door of workers, and the worker's end of a line to it by hand: frames as they are written, and as they come. */
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { AppOptions } from '../../api/app.ts';
import { newWorkerToken } from '../../api/worker-parts.ts';
import { type Body, bodyOf, bytesOf, FRAMES } from '../../wire/worker-frames.ts';
import { pandas, user, WORKER } from '../engine/bench.ts';
import { doors, listening, newKey, pair, until } from './bench.ts';

/** What a server says: an answer, or what nobody asked. */
export interface Said {
  n?: number;
  ok?: { status?: number; body?: Body };
  not?: { code: string; reason: string; again: boolean };
  bye?: { code: string; reason: string };
  welcome?: object;
}

export type Lined = Awaited<ReturnType<typeof lineTo>>;

const INSTANCE = 'one';
const BOARDS = 3;

/** A line that is open, and on which nothing was said. */
export async function lineTo(port: number) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/worker/v1/connect`);
  const frames: Said[][] = [];
  socket.on('message', (frame) => {
    // That something may be owed is said whenever a job has changed.
    const told = JSON.parse(frame.toString()).filter((one: object) => !('changed' in one));
    if (told.length > 0) frames.push(told);
  });
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  onTestFinished(() => socket.terminate());
  const said = () => frames.flat();
  const find = (is: (one: Said) => boolean) => until(() => said().find(is));
  return {
    socket,
    frames,
    said,
    closed,
    send: (...messages: unknown[]) => socket.send(JSON.stringify(messages)),
    /** The answer to question `n`, when it is there. */
    answer: (n: number) => find((one) => one.n === n),
    /** The text that the board of question `n` hears. */
    heard: async (n: number) => {
      const { ok } = await find((one) => one.n === n);
      return ok?.body && bytesOf(ok.body).toString();
    },
    bye: async () => (await find((one) => one.bye !== undefined)).bye,
  };
}

/** A line of the worker on which it is registered; question 1 was that. */
export async function registered(port: number, token: string): Promise<Lined> {
  const line = await lineTo(port);
  line.send({ hello: { frames: FRAMES, token, instance: INSTANCE, version: '0' } });
  await until(() => line.said().find(({ welcome }) => welcome));
  line.send({ n: 1, ask: 'register', boards: pandas(BOARDS) });
  await line.answer(1);
  line.frames.length = 0;
  return line;
}

/** A verb of a board of the worker, as it passes it on. */
export const verb = (
  n: number,
  of: { job: number; device: string; key?: string },
  name: string,
  ...words: string[]
) => ({
  ...{ n, ask: 'board', job: of.job, device: of.device, method: 'POST' },
  ...{ url: `/board/v1/${name}`, type: 'application/x-muster-words', key: of.key ?? newKey() },
  body: bodyOf(Buffer.from(words.map((word) => `${word.replaceAll('%', '%25')}\n`).join(''))),
  ...{ console: 0, set: {} },
});

/** A server whose boards are behind a worker. */
export async function workerDoors(options: Partial<AppOptions> = {}) {
  const line = { line: 'before', instance: INSTANCE, version: '0' };
  const lab = await doors(options, BOARDS, { line });
  const { token, digest } = newWorkerToken(WORKER);
  const engine = options.engine ?? lab.engine;
  await engine.changeWorker(WORKER, { type: 'MakeWorkerToken', digest }, user);
  return { ...lab, token, port: await listening(lab.app) };
}

/** A pair of boards on booted members, behind a worker with a line. */
export async function lined(options: Partial<AppOptions> = {}) {
  const lab = await workerDoors(options);
  const line = await registered(lab.port, lab.token);
  const { job, server, client } = await pair(lab.engine);
  return { ...lab, line, server: { job, device: server }, client: { job, device: client } };
}

/**
 * Muster's two ways for boards: plain HTTP, a connection a board; and behind a worker, over the line of `muster worker`,
 * its own end of it included.
 */
import { randomUUID } from 'node:crypto';
import type { Line } from '../../worker/line.ts';
import { type Member, type MusterProcess, startMuster } from '../muster-process.ts';
import type { Group, Peer, Sender } from './peer.ts';
import { Pipe, readHttp } from './pipe.ts';
import { openLine, sayBehind } from './worker-line.ts';

const PROMISE = 'durable: SQLite, synchronous=FULL';
const PROMISE_OF_SERVER = 'durable: EventStoreDB';
/** Boards a group, where it is messages that are measured. */
const GROUP_SIZE = 8;

export type Say = (verb: string, ...words: string[]) => Promise<unknown>;

/**
 * Both ways. Every measure has a server and a log of its own, and ends those of the one before; with
 * `MUSTER_ESDB_URL` there are servers on the log of that EventStoreDB too.
 */
export function musterPeers(newFolder: () => Promise<string>): Peer[] {
  const http = { open: openHttp, sendersWorkers: () => 1 };
  const line = { open: openLines, sendersWorkers: (boards: number) => boards };
  const store = process.env.MUSTER_ESDB_URL;
  const embedded = [
    musterPeer('Muster, HTTP', newFolder, http),
    musterPeer('Muster, line', newFolder, line),
  ];
  if (store === undefined) return embedded;
  return [
    ...embedded,
    musterPeer('Muster on EventStoreDB, HTTP', newFolder, http, store),
    musterPeer('Muster on EventStoreDB, line', newFolder, line, store),
  ];
}

/** Opens the ways of these members to a server, and ends all of them. */
type Open = (
  muster: MusterProcess,
  members: readonly Member[],
) => Promise<{ says: Say[]; close(): unknown }>;

function musterPeer(
  name: string,
  newFolder: () => Promise<string>,
  { open, sendersWorkers }: { open: Open; sendersWorkers: (boards: number) => number },
  store?: string,
): Peer {
  const undo: (() => unknown)[] = [];
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  const start = async (sizes: number[], workers: number) => {
    await close();
    const muster = await startMuster({
      folder: await newFolder(),
      ...(store !== undefined && { store }),
      ...{ sizes, workers },
    });
    undo.push(() => muster.stop());
    return muster;
  };
  return {
    name,
    promise: store === undefined ? PROMISE : PROMISE_OF_SERVER,
    async groups(count, size) {
      const sizes = Array.from({ length: count }, () => size);
      const muster = await start(sizes, 1);
      const members = await open(muster, muster.groups.flat());
      undo.push(members.close);
      const { says } = members;
      const waiting = count * (size - 1);
      return Array.from({ length: count }, (_, g) =>
        groupOf(says.slice(g * size, (g + 1) * size), waiting, muster),
      );
    },
    async senders(count) {
      const sizes = groupSizes(count);
      const muster = await start(sizes, sendersWorkers(sizes.length * GROUP_SIZE));
      return sendersOn(muster, open, count, undo);
    },
    close,
  };
}

export const groupSizes = (boards: number): number[] =>
  Array.from({ length: Math.ceil(boards / GROUP_SIZE) }, () => GROUP_SIZE);

/** A sender a connection: over HTTP a board's own, over the line a worker's. */
async function sendersOn(
  muster: MusterProcess,
  open: Open,
  count: number,
  undo: (() => unknown)[],
): Promise<Sender[]> {
  const { says, close } = await open(muster, muster.groups.flat().slice(0, count));
  undo.push(close);
  return says.map((say) => ({
    send: async () => void (await say('send', 'ready', 'ip=10.1.2.3')),
  }));
}

/** Senders over both ways to one server that the caller holds, with a worker a board. */
export async function doorsOf(muster: MusterProcess, count: number, undo: (() => unknown)[]) {
  return {
    http: await sendersOn(muster, openHttp, count, undo),
    line: await sendersOn(muster, openLines, count, undo),
  };
}

function groupOf(says: readonly Say[], waiting: number, muster: MusterProcess): Group {
  const [last, ...early] = says;
  let released: Promise<unknown>[] = [];
  return {
    async gather() {
      released = early.map((say) => say('sync', 'go'));
      while ((await muster.held()) < waiting);
    },
    async release() {
      await Promise.all([last?.('sync', 'go'), ...released]);
    },
  };
}

function assertOk(answer: string): void {
  if (!answer.startsWith('ok')) throw new Error(`Muster answered: ${answer}`);
}

async function openHttp({ port }: MusterProcess, members: readonly Member[]) {
  const pipes = await Promise.all(members.map(() => Pipe.open(port, readHttp)));
  const says = pipes.map((pipe, i): Say => {
    const same = `host: muster\r\nauthorization: Bearer ${members[i]?.token}\r\ncontent-type: application/x-muster-words\r\n`;
    // What a board says again and again is written once, as for every other peer: but for its key.
    const ends = new Map<string, string>();
    const keys = randomUUID();
    let said = 0;
    return async (verb, ...words) => {
      const body = words.map((word) => `${word}\n`).join('');
      let end = ends.get(body);
      if (end === undefined) {
        end = `\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
        ends.set(body, end);
      }
      const key = `${keys}.${++said}`;
      assertOk(
        await pipe.ask(`POST /board/v1/${verb} HTTP/1.1\r\n${same}muster-key: ${key}${end}`),
      );
    };
  });
  const close = () => {
    for (const pipe of pipes) pipe.close();
  };
  return { says, close };
}

/** All boards of a server that the caller holds, behind its workers. */
export const boardsOf = (muster: MusterProcess) => openLines(muster, muster.groups.flat());

/** The lines of the workers that have these members' boards. */
async function openLines(
  { apiPort, workers, instance }: MusterProcess,
  members: readonly Member[],
) {
  const wanted = new Set(members.map(({ device }) => device));
  const url = `http://127.0.0.1:${apiPort}`;
  const lines = new Map<string, Line>();
  const opened = workers
    .filter(({ boards }) => boards.some(({ device }) => wanted.has(device)))
    .map(async ({ token, boards }) => {
      const line = await openLine({ url, token, instance, boards });
      for (const { device } of boards) lines.set(device, line);
      return line;
    });
  const all = await Promise.all(opened);
  const says = members.map((member): Say => {
    const line = lines.get(member.device);
    if (line === undefined) throw new Error(`${member.device} is behind no worker`);
    return async (verb, ...words) => assertOk(await sayBehind(line, member, verb, words));
  });
  return { says, close: () => Promise.all(all.map((line) => line.stop())) };
}

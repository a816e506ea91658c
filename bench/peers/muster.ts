/** Muster's two doors for boards: plain HTTP, a connection a board; and the line, a WebSocket a worker. */
import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { type MusterProcess, startMuster } from '../muster-process.ts';
import type { Group, Peer, Sender } from './peer.ts';
import { Pipe, readHttp } from './pipe.ts';

const PROMISE = 'durable: SQLite, synchronous=FULL';
const PROMISE_OF_SERVER = 'durable: EventStoreDB';
/** Boards a group, where it is messages that are measured. */
const GROUP_SIZE = 8;

export type Say = (verb: string, ...words: string[]) => Promise<unknown>;

/**
 * Both doors. Every measure has a server and a log of its own, and ends those of the one before; with
 * `MUSTER_ESDB_URL` there are servers on the log of that EventStoreDB too.
 */
export function musterPeers(newFolder: () => Promise<string>): Peer[] {
  const http = { groups: openHttp, senders: openHttp };
  const line = { groups: openOneLine, senders: openLines };
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

/** How members come to a server: each token's way to say a verb, and the end of all of them. */
type Open = (
  muster: MusterProcess,
  tokens: readonly string[],
) => Promise<{ says: Say[]; close(): void }>;

function musterPeer(
  name: string,
  newFolder: () => Promise<string>,
  open: { groups: Open; senders: Open },
  store?: string,
): Peer {
  const undo: (() => unknown)[] = [];
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  const start = async (sizes: number[]) => {
    await close();
    const muster = await startMuster({
      folder: await newFolder(),
      ...(store !== undefined && { store }),
      sizes,
    });
    undo.push(() => muster.stop());
    return muster;
  };
  return {
    name,
    promise: store === undefined ? PROMISE : PROMISE_OF_SERVER,
    async groups(count, size) {
      const muster = await start(Array.from({ length: count }, () => size));
      const members = await open.groups(muster, muster.tokens.flat());
      undo.push(members.close);
      const { says } = members;
      const waiting = count * (size - 1);
      return Array.from({ length: count }, (_, g) =>
        groupOf(says.slice(g * size, (g + 1) * size), waiting, muster),
      );
    },
    async senders(count) {
      const muster = await start(groupSizes(count));
      return sendersOn(muster, open.senders, count, undo);
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
  const { says, close } = await open(muster, muster.tokens.flat().slice(0, count));
  undo.push(close);
  return says.map((say) => ({
    send: async () => void (await say('send', 'ready', 'ip=10.1.2.3')),
  }));
}

/** Senders over both doors of one server that the caller holds. */
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

function closeAll(connections: readonly { close(): void }[]): void {
  for (const connection of connections) connection.close();
}

function assertOk(answer: string): void {
  if (!answer.startsWith('ok')) throw new Error(`Muster answered: ${answer}`);
}

async function openHttp({ port }: MusterProcess, tokens: readonly string[]) {
  const pipes = await Promise.all(tokens.map(() => Pipe.open(port, readHttp)));
  const says = pipes.map((pipe, i): Say => {
    const same = `host: muster\r\nauthorization: Bearer ${tokens[i]}\r\ncontent-type: application/x-muster-words\r\n`;
    return async (verb, ...words) => {
      const body = words.map((word) => `${word}\n`).join('');
      assertOk(
        await pipe.ask(
          `POST /board/v1/${verb} HTTP/1.1\r\n${same}muster-key: ${randomUUID()}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        ),
      );
    };
  });
  return { says, close: () => closeAll(pipes) };
}

const sayOn =
  (line: BenchLine, token: string): Say =>
  (verb, ...words) =>
    line.say(token, verb, words);

/** A line a token: each is a worker with one board. */
async function openLines({ port }: MusterProcess, tokens: readonly string[]) {
  const opened = await Promise.all(
    tokens.map(async (token) => ({ token, line: await BenchLine.open(port) })),
  );
  return {
    says: opened.map(({ line, token }) => sayOn(line, token)),
    close: () => closeAll(opened.map(({ line }) => line)),
  };
}

/** All boards of a server that the caller holds, over one line. */
export const boardsOf = (muster: MusterProcess) => openOneLine(muster, muster.tokens.flat());

/** One worker with all boards. */
async function openOneLine({ port }: MusterProcess, tokens: readonly string[]) {
  const line = await BenchLine.open(port);
  return { says: tokens.map((token) => sayOn(line, token)), close: () => line.close() };
}

/** The worker's end of a line: what is said in one turn goes out in one frame. */
class BenchLine {
  readonly #socket: WebSocket;
  readonly #open = new Map<number, (status: string) => void>();
  #batch: unknown[] = [];
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (frame) => {
      const answers = JSON.parse(frame.toString()) as { n: number; status: string }[];
      for (const { n, status } of answers) {
        this.#open.get(n)?.(status);
        this.#open.delete(n);
      }
    });
  }

  static open(port: number): Promise<BenchLine> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/worker/v1/line`);
      socket.once('open', () => resolve(new BenchLine(socket)));
      socket.once('error', reject);
    });
  }

  async say(token: string, verb: string, words: string[]): Promise<void> {
    this.#last++;
    const n = this.#last;
    if (this.#batch.length === 0) process.nextTick(() => this.#flush());
    this.#batch.push({ n, token, verb, words, key: randomUUID() });
    assertOk(await new Promise((resolve) => this.#open.set(n, resolve)));
  }

  #flush(): void {
    this.#socket.send(JSON.stringify(this.#batch));
    this.#batch = [];
  }

  close(): void {
    this.#socket.terminate();
  }
}

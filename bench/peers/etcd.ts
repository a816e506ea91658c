/**
 * etcd over its own gRPC, with Node's HTTP/2 and the few messages of it that are needed here. Its barrier is the
 * double barrier of its own recipes: put your key, count the keys, the last one puts `ready`, which all watch.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { Group, Peer, Sender } from './peer.ts';
import { freePort, startProgram, versionOf } from './peer-programs.ts';

const PAIRS = 'ip=10.1.2.3';

export async function openEtcd(folder: string, env: NodeJS.ProcessEnv): Promise<Peer> {
  const [port, peerPort] = [await freePort(), await freePort()];
  const [own, peers] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  const words =
    `--data-dir ${folder} --listen-client-urls ${own} --advertise-client-urls ${own} --logger zap ` +
    `--log-level error --listen-peer-urls ${peers} --initial-advertise-peer-urls ${peers} ` +
    `--initial-cluster default=${peers}`;
  const running = await startProgram('etcd', words.split(' '), port, env);
  const sessions: ClientHttp2Session[] = [];
  const open = (): Etcd => {
    const session = connect(own);
    session.on('error', () => {});
    sessions.push(session);
    return new Etcd(session);
  };
  let made = 0;
  return {
    name: 'etcd',
    version: await versionOf('etcd', env),
    promise: 'durable: fsync of its WAL',
    async groups(count, size) {
      const run = made++;
      return Promise.all(
        Array.from({ length: count }, (_, g) =>
          groupOf(Array.from({ length: size }, open), `b${run}/${g}`),
        ),
      );
    },
    async senders(count) {
      return Array.from({ length: count }, (_, i): Sender => {
        const etcd = open();
        return { send: () => etcd.put(`job/${i >> 3}/board${i}`, PAIRS) };
      });
    },
    async close() {
      for (const session of sessions) session.destroy();
      await running.stop();
    },
  };
}

async function groupOf(members: Etcd[], key: string): Promise<Group> {
  let left = 0;
  let allReleased = () => {};
  const isReleased = () => {
    left--;
    if (left === 0) allReleased();
  };
  await Promise.all(members.map((member) => member.watch(`${key}/ready`, isReleased)));
  let round = 0;
  const arrive = async (member: Etcd, index: number) => {
    await member.put(`${key}/${round}/${index}`, PAIRS);
    if ((await member.count(`${key}/${round}/`)) === members.length)
      await member.put(`${key}/ready`, String(round));
  };
  return {
    async gather() {
      round++;
      left = members.length;
      await Promise.all(members.slice(1).map((member, i) => arrive(member, i + 1)));
    },
    async release() {
      const released = new Promise<void>((resolve) => {
        allReleased = resolve;
      });
      const [last] = members;
      if (last !== undefined) await arrive(last, 0);
      await released;
    },
  };
}

class Etcd {
  readonly #session: ClientHttp2Session;
  constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  async put(key: string, value: string): Promise<void> {
    await this.#unary('KV/Put', Buffer.concat([bytes(1, key), bytes(2, value)]));
  }

  /** How many keys begin with `prefix`. */
  async count(prefix: string): Promise<number> {
    const request = Buffer.concat([bytes(1, prefix), bytes(2, after(prefix)), number(9, 1)]);
    return varintField(await this.#unary('KV/Range', request), 4);
  }

  /** Calls back at each change of a key; resolves once the watch stands. */
  watch(key: string, onChange: () => void): Promise<void> {
    const stream = this.#request('Watch/Watch');
    stream.write(framed(bytes(1, bytes(1, key))));
    return new Promise((resolve) => {
      let isCreated = false;
      onFrames(stream, () => {
        if (isCreated) onChange();
        isCreated = true;
        resolve();
      });
    });
  }

  #unary(method: string, request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const stream = this.#request(method);
      onFrames(stream, resolve);
      stream.once('error', reject);
      stream.end(framed(request));
    });
  }

  #request(method: string): ClientHttp2Stream {
    return this.#session.request({
      ':method': 'POST',
      ':path': `/etcdserverpb.${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
  }
}

/** gRPC: each message has a flag and its length before it. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function onFrames(stream: ClientHttp2Stream, onFrame: (message: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1);
      onFrame(rest.subarray(5, end));
      rest = rest.subarray(end);
    }
  });
}

// Protocol buffers, as far as they are needed: every length and number here is below 128 or a plain varint.

function varint(n: number): Buffer {
  const out: number[] = [];
  let left = n;
  for (; left > 127; left >>>= 7) out.push((left & 127) | 128);
  return Buffer.from([...out, left]);
}
function bytes(field: number, value: string | Buffer): Buffer {
  const content = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([(field << 3) | 2]), varint(content.length), content]);
}
const number = (field: number, n: number): Buffer => Buffer.from([field << 3, n]);

/** The end of the range of all keys that begin with `prefix`. */
function after(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end;
}

/** The number in a field of the outermost message; 0 when it is not there. */
function varintField(message: Buffer, wanted: number): number {
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = next();
    const value = next();
    if (tag >> 3 === wanted) return value;
    if ((tag & 7) === 2) at += value;
  }
  return 0;
}

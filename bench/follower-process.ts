/**
 * Many followers of one server, in a process of its own: each reads all that there is, as fast as it comes, and says
 * when it has. They look at little of what they read: the load is to be the server's.
 */
import { connect, type Socket } from 'node:net';

export interface Follow {
  port: number;
  path: string;
  followers: number;
  /** What is read: events up to a place, as a stream or in pages; or so many bytes. */
  until: { place: number; in: 'stream' | 'pages' } | { bytes: number };
}

export interface Followed {
  /** How many have read all of it. */
  done: number;
  bytes: number;
}

const ID = Buffer.from('\nid: ');
const NEXT = Buffer.from('"next":');
/** Of what came, enough for the place of the last event to be in it, whatever it holds. */
const KEPT_BYTES = 64 * 1024;

const all: Followed = { done: 0, bytes: 0 };

function followOne({ port, path, until }: Follow): void {
  const socket = connect({ port, host: '127.0.0.1' });
  let bytes = 0;
  let kept: Buffer = Buffer.alloc(0);
  let isDone = false;
  const isPages = 'in' in until && until.in === 'pages';
  const ask = (after: string) =>
    socket.write(
      `GET ${isPages ? `${path}?after=${after}&limit=1000` : path} HTTP/1.1\r\nhost: localhost\r\n` +
        `${isPages || 'bytes' in until ? '' : 'accept: text/event-stream\r\n'}\r\n`,
    );
  socket.on('connect', () => ask('0'));
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    bytes += chunk.length;
    all.bytes += chunk.length;
    if (isDone) return;
    if ('bytes' in until) isDone = bytes >= until.bytes;
    else {
      kept = Buffer.concat([kept.subarray(-KEPT_BYTES), chunk]);
      if (isPages) isDone = !askedOn(kept, ask) && isLastPage(kept);
      else isDone = numberAfter(kept, ID) >= until.place;
      if (isPages && kept.includes(NEXT)) kept = Buffer.alloc(0);
    }
    if (isDone) all.done++;
    if (isDone && isPages) socket.end();
  });
  sockets.push(socket);
}

/** Asks for the next page once this one is there. */
function askedOn(kept: Buffer, ask: (after: string) => void): boolean {
  const end = kept.subarray(-64).toString('latin1');
  const [, next] = /"next":(\d+)\}\r\n0\r\n\r\n$/.exec(end) ?? [];
  if (next !== undefined) ask(next);
  return next !== undefined;
}

const isLastPage = (kept: Buffer): boolean =>
  kept.subarray(-9).toString('latin1') === ']}\r\n0\r\n\r\n';

function numberAfter(kept: Buffer, mark: Buffer): number {
  const at = kept.lastIndexOf(mark);
  if (at < 0) return 0;
  return Number.parseInt(kept.toString('latin1', at + mark.length, at + mark.length + 20), 10);
}

const sockets: Socket[] = [];
const follow = JSON.parse(process.argv[2] ?? '') as Follow;
for (let i = 0; i < follow.followers; i++) followOne(follow);
process.on('message', () => process.send?.(all));
process.send?.(all);

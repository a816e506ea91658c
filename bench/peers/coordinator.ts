/**
 * lava-coordinator, the program that Muster replaces: one request a connection, and clients that poll (SEMANTICS 5).
 * As shipped it has a listen backlog of one, so that a second one deepens it: what is compared must not be that
 * one number. It keeps everything in memory. Here it is bound to loopback, where Debian's listens everywhere.
 */
import { connect } from 'node:net';
import type { Group, Peer } from './peer.ts';
import { freePort, type Running, startProgram } from './peer-programs.ts';

/** Upstream's default is 3 s. This is as fast as can be without being only polls. */
const POLL_MS = 20;
const DEEP_BACKLOG = 1024;
/** Debian's own: whatever else is called python3 does not find its packages. */
export const PYTHON = '/usr/bin/python3';

function program(port: number, backlog: number | undefined): string {
  const listen =
    backlog === undefined ? '' : `L = S.listen\nS.listen = lambda self, n: L(self, ${backlog})\n`;
  return `import socket
S = socket.socket
B = S.bind
S.bind = lambda self, at: B(self, ('127.0.0.1', at[1]))
${listen}from lava.coordinator import LavaCoordinator
LavaCoordinator('localhost', ${port}, 4096).run()`;
}

/** Starts it as shipped, or with a deeper backlog. */
export async function startCoordinator(env: NodeJS.ProcessEnv, backlog?: number): Promise<Running> {
  const port = await freePort();
  // A connection that says nothing and closes ends this program: it is asked something.
  const isUp = async () => (await ask(port, 'first', 1, 0, 'up')) !== undefined;
  return startProgram(PYTHON, ['-c', program(port, backlog)], port, env, isUp);
}

export async function openCoordinator(env: NodeJS.ProcessEnv, backlog?: number): Promise<Peer> {
  const running = await startCoordinator(env, backlog);
  const { port } = running;
  let made = 0;
  return {
    name: backlog === undefined ? 'lava-coordinator' : `lava-coordinator, backlog ${DEEP_BACKLOG}`,
    promise: 'none: in memory, lost with the process',
    roundsMax: 5,
    async groups(count, size) {
      const run = made++;
      return Array.from({ length: count }, (_, g) => groupOf(port, `${run}-${g}`, size));
    },
    close: () => running.stop(),
  };
}

export const openDeepCoordinator = (env: NodeJS.ProcessEnv): Promise<Peer> =>
  openCoordinator(env, DEEP_BACKLOG);

function groupOf(port: number, group: string, size: number): Group {
  let round = 0;
  let released: Promise<void>[] = [];
  let isLeft = false;
  const arrive = async (member: number, onWait: () => void) => {
    while (!isLeft && (await ask(port, group, size, member, `round${round}`)) !== 'ack') {
      onWait();
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };
  return {
    async gather() {
      round++;
      const waiting: Promise<void>[] = [];
      released = [];
      for (let member = 1; member < size; member++)
        waiting.push(new Promise((resolve) => released.push(arrive(member, resolve))));
      await Promise.all(waiting);
    },
    async release() {
      await Promise.all([arrive(0, () => {}), ...released]);
    },
    leave() {
      isLeft = true;
    },
  };
}

/** One poll; `undefined`: the connection failed. It is made again then, as upstream's client does. */
function ask(
  port: number,
  group: string,
  size: number,
  member: number,
  messageID: string,
): Promise<'ack' | 'wait' | undefined> {
  const client = `board${member}`;
  const text = JSON.stringify({
    client_name: client,
    hostname: client,
    role: 'peer',
    group_name: group,
    group_size: size,
    request: 'lava_sync',
    messageID,
  });
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.once('error', () => resolve(undefined));
    socket.once('end', () => resolve(answer.includes('"ack"') ? 'ack' : 'wait'));
    socket.write(`${text.length.toString(16).toUpperCase().padStart(8, '0')}${text}`);
  });
}

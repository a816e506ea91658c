/**
 * Redis with `appendfsync always`. Its barrier is the fastest that it has: one script counts an arrival and, for
 * the last one, pushes a word for each of the others, who wait in BLPOP. One round trip, one fsync, as in Muster.
 */
import type { Group, Peer, Sender } from './peer.ts';
import { freePort, startProgram, versionOf } from './peer-programs.ts';
import { Pipe, readRedis } from './pipe.ts';

const ARRIVE = `local n = redis.call('INCR', KEYS[1])
if n % ARGV[1] == 0 then for i = 2, ARGV[1] do redis.call('RPUSH', KEYS[2], 'go') end end
return n`;
const PAIRS = 'ip=10.1.2.3';

function command(...words: string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}

export async function openRedis(folder: string, env: NodeJS.ProcessEnv): Promise<Peer> {
  const port = await freePort();
  const words = `--port ${port} --bind 127.0.0.1 --dir ${folder} --appendonly yes --appendfsync always`;
  const running = await startProgram(
    'redis-server',
    [...words.split(' '), '--save', ''],
    port,
    env,
  );
  const control = await Pipe.open(port, readRedis);
  const open = () => Pipe.open(port, readRedis);
  let gathered = 0;
  return {
    name: 'Redis',
    version: await versionOf('redis-server', env),
    promise: 'durable: appendfsync always',
    async groups(count, size) {
      const made: Group[] = [];
      const run = `b${gathered++}`;
      for (let g = 0; g < count; g++) {
        const members = await Promise.all(Array.from({ length: size }, open));
        made.push(groupOf(members, `${run}:${g}`, count * (size - 1), control));
      }
      return made;
    },
    async senders(count) {
      const pipes = await Promise.all(Array.from({ length: count }, open));
      return pipes.map((pipe, i): Sender => {
        const push = command('RPUSH', `job:${i >> 3}`, `ready:board${i}:${PAIRS}`);
        return { send: async () => void (await pipe.ask(push)) };
      });
    },
    async close() {
      control.close();
      await running.stop();
    },
  };
}

function groupOf(
  members: Pipe<string>[],
  key: string,
  waiting: number,
  control: Pipe<string>,
): Group {
  const arrive = command('EVAL', ARRIVE, '2', key, `${key}:go`, String(members.length));
  const wait = command('BLPOP', `${key}:go`, '0');
  const [last, ...early] = members;
  let released: Promise<unknown>[] = [];
  return {
    async gather() {
      await Promise.all(early.map((member) => member.ask(arrive)));
      released = early.map((member) => member.ask(wait));
      while (
        !(await control.ask(command('INFO', 'clients'))).includes(`blocked_clients:${waiting}\r`)
      );
    },
    async release() {
      await Promise.all([last?.ask(arrive), ...released]);
    },
  };
}

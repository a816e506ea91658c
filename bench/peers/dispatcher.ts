/**
 * Upstream's own dispatcher and coordinator, as Debian ships them, with the poll that they ship with. Of the dispatcher
 * its MultiNode protocol alone is run, a process a member: no board and no console is between a verb and it.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { PYTHON, startCoordinator } from './coordinator.ts';
import { unpackedOf } from './peer-programs.ts';

/** As `/etc/lava-coordinator/lava-coordinator.conf` of Debian has it, in seconds. */
const POLL_DELAY = 3;

const MEMBER = `import json, logging, sys
from lava_dispatcher.protocols.multinode import MultinodeProtocol as Protocol
logging.disable(logging.CRITICAL)
name, port, size, poll = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
own = {'target_group': 'group', 'role': 'peer', 'group_size': size, 'roles': {}}
member = Protocol({'protocols': {'lava-multinode': own}}, name)
member.settings = {'port': port, 'blocksize': 4096, 'poll_delay': poll, 'coordinator_hostname': 'localhost'}
member.base_message = dict(member.settings, host='localhost', hostname=name, client_name=name, group_name='group', role='peer')
member.initialise_group()
print('ready', flush=True)
for line in sys.stdin:
    request, message = line.split()
    member({'request': request, 'messageID': message, 'message': None})
    print('done', flush=True)
`;

export interface Dispatchers {
  version: string;
  /** Milliseconds until one member's message is acknowledged to its dispatcher. */
  send(id: string): Promise<number>;
  /** Milliseconds from the first call to the last release; all members call at once. */
  sync(id: string): Promise<number>;
  stop(): Promise<void>;
}

type Member = ChildProcessByStdio<Writable, Readable, null>;

/** `undefined`: they cannot be had here, and it was said why. */
export async function openDispatchers(
  folder: string,
  size: number,
  say: (line: string) => void,
): Promise<Dispatchers | undefined> {
  const unpacked = await unpackedOf(
    {
      // What its MultiNode protocol imports; the whole of it needs a lab's services.
      withNeeds: ['lava-coordinator', 'python3-pexpect', 'python3-requests', 'python3-yaml'],
      alone: ['lava-common', 'lava-dispatcher'],
    },
    folder,
    say,
  );
  if (unpacked === undefined) return undefined;
  const { env, versions } = unpacked;
  const coordinator = await startCoordinator(env);
  const { port } = coordinator;
  const members = await Promise.all(
    Array.from({ length: size }, (_, at) => started(`board${at}`, port, size, env)),
  );
  const timed = async (asked: readonly Member[], line: string) => {
    const from = performance.now();
    await Promise.all(asked.map((member) => said(member, line)));
    return performance.now() - from;
  };
  return {
    version: versions.get('lava-dispatcher') ?? '',
    send: (id) => timed(members.slice(0, 1), `lava-send ${id}`),
    sync: (id) => timed(members, `lava-sync ${id}`),
    async stop() {
      for (const member of members) member.kill('SIGKILL');
      await coordinator.stop();
    },
  };
}

async function started(
  name: string,
  port: number,
  size: number,
  env: NodeJS.ProcessEnv,
): Promise<Member> {
  const words = ['-c', MEMBER, name, `${port}`, `${size}`, `${POLL_DELAY}`];
  const member = spawn(PYTHON, words, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  createInterface({ input: member.stdout }).on('line', (line) => member.emit('said', line));
  await answered(member);
  return member;
}

async function said(member: Member, line: string): Promise<void> {
  member.stdin.write(`${line}\n`);
  await answered(member);
}

/** @throws Error when it ends instead */
async function answered(member: Member): Promise<void> {
  const end = new AbortController();
  const ended = once(member, 'exit', { signal: end.signal }).then(() => {
    throw new Error("upstream's dispatcher ended");
  });
  await Promise.race([once(member, 'said'), ended]).finally(() => end.abort());
}

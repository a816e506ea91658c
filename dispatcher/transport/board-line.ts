/** The relay of the member that has a lane's board now, and what its board is told so that it can speak over its console. */
import { createHash } from 'node:crypto';
import type { Owed } from '../../wire/server-port.ts';
import { consoleBytes } from '../console.ts';
import { Relay, type RelayOptions } from './relay.ts';

export class BoardLine {
  #relay: Relay | undefined;
  #session: string | undefined;

  /** The relay of this member, which is opened when there is none: what its console said before was for somebody else. */
  of(owed: Owed, is: Omit<RelayOptions, 'session' | 'group' | 'from'>): Relay {
    const session = sessionOf(owed);
    if (this.#relay !== undefined && this.#session === session) return this.#relay;
    this.close();
    this.#session = session;
    const group = owed.group.map(({ device }) => device);
    this.#relay = new Relay({ ...is, session, group, from: consoleBytes(is.console) });
    return this.#relay;
  }

  /** Its board is taken down, or its worker ends. */
  close(): void {
    this.#relay?.close();
    this.#relay = undefined;
  }
}

/** A word of one member alone: what an old console says carries another one. */
const sessionOf = ({ job, device, lease }: Owed): string =>
  createHash('sha256').update(`${job} ${device} ${lease}`).digest('hex').slice(0, 8);

/** A word of the environment cannot be longer than twice this. */
const GROUP_CHARS_MAX = 65_536;

/**
 * Variables of the board: the word of its frames, and what LAVA's own scripts read. Those call members by number, and
 * print the group as `printf` reads it.
 */
export function lineVariables(owed: Owed, home: string): [string, string][] {
  const { device, role, group } = owed;
  const members = group.map((member, index) => `\\t${index + 1}\\t${member.role}\\n`).join('');
  const number = group.findIndex((member) => member.device === device) + 1;
  return [
    ['MUSTER_LINE', sessionOf(owed)],
    ...(members.length > GROUP_CHARS_MAX ? [] : [['LAVA_GROUP', members] as [string, string]]),
    ['TARGET_ROLE', role],
    ['LAVA_HOSTNAME', String(number)],
    ['LAVA_TEST_BIN', `${home}/bin`],
    ['LAVA_MULTI_NODE_CACHE', '/tmp/lava_multi_node_cache.txt'],
  ];
}

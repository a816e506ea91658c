/**
 * Lines with which the scripts of LAVA itself call the MultiNode API on a console, and the answers that they read from
 * their standard input. Their members are called by number (SEMANTICS 3): the scripts tell the data of one member from
 * that of the next by digits and a colon alone. Pure.
 */

export type UpstreamName = 'SEND' | 'SYNC' | 'WAIT' | 'WAIT_ALL';

export interface UpstreamCall {
  name: UpstreamName;
  /** The verb of our own that it is, at the boards' door. */
  verb: string;
  words: string[];
}

/** More does not fit into a line of a console. */
export const UPSTREAM_REPLY_BYTES_MAX = 4_000;

const VERBS = { SEND: 'send', SYNC: 'sync', WAIT: 'wait-from', WAIT_ALL: 'wait-all' } as const;
const CALL = /^<LAVA_MULTI_NODE> <LAVA_(SEND|SYNC|WAIT|WAIT_ALL) ([^>]+)>/;
/** A value may hold blanks: a pair begins where a key does. */
const PAIRS = /\s+(?=[A-Za-z0-9_.-]+=)/;

/** The call with which `text` begins, and how long it is; `undefined`: it begins with none. */
export function readUpstreamCall(text: string): { call: UpstreamCall; length: number } | undefined {
  const match = CALL.exec(text);
  const [all, name, rest = ''] = match ?? [];
  if (all === undefined || name === undefined || rest.trim() === '') return undefined;
  const known = name as UpstreamName;
  const words = known === 'SEND' ? sent(rest.trim()) : rest.trim().split(/\s+/);
  return { call: { name: known, verb: VERBS[known], words }, length: all.length };
}

function sent(text: string): string[] {
  const [id = '', ...rest] = text.split(/\s+/);
  if (rest.length === 0) return [id];
  const pairs = text.slice(id.length).trim().split(PAIRS);
  return [id, ...pairs];
}

/**
 * What is typed for the script, of the door's answer: its first line is the status. `undefined`: a send hears nothing.
 *
 * @param numberOf of a member by its name
 */
export function upstreamReply(
  name: UpstreamName,
  answer: string,
  numberOf: (device: string) => number,
): string | undefined {
  if (name === 'SEND') return undefined;
  const [status = '', ...lines] = answer.replace(/\n$/, '').split('\n');
  if (!/^ok(?: |$)/.test(status)) return `<LAVA_${name}_COMPLETE nack>`;
  if (name === 'SYNC') return '<LAVA_SYNC_COMPLETE>';
  const data = lines.map((line) => {
    const at = line.indexOf(':');
    return ` ${numberOf(line.slice(0, at))}:${line.slice(at + 1)}`;
  });
  const reply = `<LAVA_${name}_COMPLETE${data.join('')}>`;
  return Buffer.byteLength(reply) > UPSTREAM_REPLY_BYTES_MAX
    ? `<LAVA_${name}_COMPLETE nack>`
    : reply;
}

/**
 * A request of a board, as plain as boards write them: read from its bytes by hand, whole or not at all. What is
 * anything else is no error here: it is for Node's own parser, which knows all of HTTP.
 */
import { WORDS_CONTENT_TYPE } from './board-words.ts';

export interface PlainRequest {
  verb: string;
  token: string;
  key: string | undefined;
  from: string | undefined;
  body: Buffer;
  /** Of the whole request, in bytes. */
  length: number;
}

/** A larger body, or a longer head, is not read here. */
const BODY_BYTES_MAX = 64 * 1024;
const HEAD_BYTES_MAX = 4 * 1024;
const END_OF_HEAD = Buffer.from('\r\n\r\n');
/** One line for the verb, then lines of `name: value`, in visible ASCII. */
const PLAIN_HEAD = /^POST \/board\/v1\/([a-z-]{1,20}) HTTP\/1\.1(?:\r\n[A-Za-z-]+: [\x20-\x7e]+)+$/;
const BEARER = /^Bearer (\S+)$/;
const COUNT = /^[0-9]{1,6}$/;

/** `undefined`: not whole yet, or not as plain as this. */
export function readPlainRequest(bytes: Buffer): PlainRequest | undefined {
  const end = bytes.indexOf(END_OF_HEAD);
  if (end < 0 || end > HEAD_BYTES_MAX) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const verb = PLAIN_HEAD.exec(head)?.[1];
  const fields = verb === undefined ? undefined : fieldsOf(head);
  if (verb === undefined || fields === undefined) return undefined;
  const { host, type, token, key, from, count = '' } = fields;
  if (host === undefined || type === undefined || token === undefined || !COUNT.test(count))
    return undefined;
  const start = end + END_OF_HEAD.length;
  const length = start + Number(count);
  if (length - start > BODY_BYTES_MAX || length > bytes.length) return undefined;
  return { verb, token, key, from, body: bytes.subarray(start, length), length };
}

interface Fields {
  host?: string;
  type?: string;
  token?: string | undefined;
  key?: string;
  from?: string;
  count?: string;
}

/** `undefined`: one of them may change what the request means, or comes twice. */
function fieldsOf(head: string): Fields | undefined {
  const fields: Fields = {};
  for (let at = head.indexOf('\r\n'); at >= 0; ) {
    const next = head.indexOf('\r\n', at + 2);
    const line = next < 0 ? head.slice(at + 2) : head.slice(at + 2, next);
    at = next;
    const colon = line.indexOf(':');
    const name = nameOf(line.slice(0, colon).toLowerCase());
    if (name === 'harmless') continue;
    const value = line.slice(colon + 2).trim();
    if (name === undefined || fields[name] !== undefined) return undefined;
    if (name === 'type' && value !== WORDS_CONTENT_TYPE) return undefined;
    const said = name === 'token' ? BEARER.exec(value)?.[1] : value;
    if (said === undefined) return undefined;
    fields[name] = said;
  }
  return fields;
}

function nameOf(field: string): keyof Fields | 'harmless' | undefined {
  switch (field) {
    case 'host':
      return 'host';
    case 'content-type':
      return 'type';
    case 'authorization':
      return 'token';
    case 'muster-key':
      return 'key';
    case 'muster-from':
      return 'from';
    case 'content-length':
      return 'count';
    case 'user-agent':
    case 'accept':
    case 'accept-encoding':
      return 'harmless';
    default:
      return undefined;
  }
}

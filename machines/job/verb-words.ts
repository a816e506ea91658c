/** The words of a verb, as the board gave them: checked here and nowhere else (SEMANTICS 2, 2.3 "Refused", "Sizes"). */
import type { RefusalCode, Verb } from '../events.ts';
import { MESSAGE_BYTES_MAX, MESSAGE_ID, MESSAGE_ID_BYTES_MAX, MESSAGE_KEY } from '../names.ts';

export interface Refusal {
  code: RefusalCode;
  reason: string;
  /** The message id, when it was a usable one. */
  message?: string;
}
export interface Spoken {
  message: string;
  pairs: [string, string][];
  role?: string;
}

/** Words that a verb takes after the message id, at most; `lava-send` is bounded by its size alone. */
const wordsAfterIdMax = { send: Number.POSITIVE_INFINITY, wait: 0, 'wait-all': 1, sync: 0 };

/** A word in an error text: short, on one line. */
const quoted = (word: string) =>
  JSON.stringify(word.length > 60 ? `${word.slice(0, 57)}...` : word);

/** UTF-8 bytes of a string. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

/**
 * Reads the words of a verb.
 *
 * @param roles the roles that the job defines, in its order
 */
export function readWords(
  verb: Verb,
  words: readonly string[],
  roles: readonly string[],
): Spoken | Refusal {
  const [message, ...rest] = words;
  if (message === undefined || message === '')
    return { code: 'bad-id', reason: `lava-${verb}: a message id is missing` };
  if (!MESSAGE_ID.test(message) || message.includes('\0'))
    return {
      code: 'bad-id',
      reason: `lava-${verb}: ${quoted(message)} is no message id: it may hold no white space and no =`,
    };
  if (utf8Bytes(message) > MESSAGE_ID_BYTES_MAX)
    return {
      code: 'bad-id',
      reason: `lava-${verb}: a message id has at most ${MESSAGE_ID_BYTES_MAX} bytes, this one ${utf8Bytes(message)}`,
    };
  if (rest.length > wordsAfterIdMax[verb])
    return {
      code: 'too-many-words',
      message,
      reason: `lava-${verb} ${message}: too many words, from ${quoted(rest[wordsAfterIdMax[verb]] ?? '')}`,
    };
  if (verb === 'send') return readPairs(message, rest);
  const role = rest[0];
  if (role !== undefined && !roles.includes(role))
    return {
      code: 'unknown-role',
      message,
      reason: `lava-${verb} ${message}: no role ${quoted(role)} in this job; its roles are ${roles.join(', ')}`,
    };
  return { message, pairs: [], ...(role !== undefined && { role }) };
}

function readPairs(message: string, words: readonly string[]): Spoken | Refusal {
  const bytes = words.reduce((sum, word) => sum + utf8Bytes(word) + 1, -1);
  const where = `lava-send ${message}`;
  if (bytes > MESSAGE_BYTES_MAX)
    return {
      code: 'too-large',
      message,
      reason: `${where}: a message has at most ${MESSAGE_BYTES_MAX} bytes, this one ${bytes}`,
    };
  const pairs: [string, string][] = [];
  for (const word of words) {
    const at = word.indexOf('=');
    if (at < 0)
      return {
        code: 'bad-word',
        message,
        reason: `${where}: ${quoted(word)} is not of the form key=value`,
      };
    const [key, value] = [word.slice(0, at), word.slice(at + 1)];
    if (!MESSAGE_KEY.test(key))
      return {
        code: 'bad-key',
        message,
        reason: `${where}: ${quoted(key)} is no key: letters, digits and _ . - only`,
      };
    if (/[\n\0]/.test(value))
      return {
        code: 'bad-value',
        message,
        reason: `${where}: the value of ${key} holds a newline or a NUL, which a cache line cannot carry`,
      };
    pairs.push([key, value]);
  }
  return { message, pairs };
}

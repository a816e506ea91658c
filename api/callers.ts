/**
 * Who called, as a board says it in the header `Muster-From`: programs, the nearest first, with `;` between them. Each is
 * the bytes of its script that its shell had read (or nothing), `~`, and its words with `&` between them. A space is `+`,
 * and any byte may be `%XX`. It is for people who ask later: whatever cannot be read is left out, and never refused.
 */
import type { Caller, Callers } from '../machines/events.ts';
import { withoutSecrets } from '../submission/addresses.ts';

const CALLERS_MAX = 8;
const WORDS_MAX = 16;
const WORD_CHARACTERS_MAX = 200;
const CALLER = /^(\d{0,10})~(.+)$/s;

/** `undefined`: the board says nothing of it. */
export function readCallers(header: unknown): Callers | undefined {
  if (typeof header !== 'string' || header === '') return undefined;
  const callers = header
    .split(';')
    .slice(0, CALLERS_MAX)
    .flatMap((text) => readCaller(text) ?? []);
  return callers.length === 0 ? undefined : callers;
}

function readCaller(text: string): Caller | undefined {
  const [, read = '', words] = CALLER.exec(text) ?? [];
  if (words === undefined) return undefined;
  const argv = words.split('&').slice(0, WORDS_MAX).map(readWord);
  return { argv, ...(read !== '' && { read: Number(read) }) };
}

function readWord(text: string): string {
  const bytes = text
    .replaceAll('+', ' ')
    .replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    );
  const word = Buffer.from(bytes, 'latin1').toString('utf8').replaceAll('\0', '');
  return withoutSecrets(word.slice(0, WORD_CHARACTERS_MAX));
}

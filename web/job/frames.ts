/**
 * What a person reads of the frames of a board that speaks over its console, in the words of `muster logs`: a call, and
 * nothing of the rest. A test holds both equal. Pure.
 */
const MARK = '<MUSTER_LINE ';
const FRAME = /^<MUSTER_LINE \S+ (?:\?\d+|(\d+)\/(\d+) (\S+)) \d+\.\d+>\s*$/;
/** What was typed for the board, where its terminal says that again. */
const TYPED = /^#MUSTER_LINE:[0-9a-f-]{13}:\S*:\d+\.\d+\s*$/;
const VERB = /^\*?([a-z-]{1,20})(?:\?[!-~]{1,1024})?$/;
const WORDS_CHARS_MAX = 200;

/** `undefined`: the line is no frame. Empty: it is one that is of no interest. */
export function tellFrame(line: string): string | undefined {
  if (TYPED.test(line)) return '';
  const match = FRAME.exec(line);
  if (match === null) return undefined;
  const [, part, parts = '', data = ''] = match;
  if (part !== '1') return '';
  return `muster: over its console: ${callOf(data, parts) ?? `a call in ${parts} parts`}`;
}

/** `undefined`: it is none. */
function callOf(data: string, parts: string): string | undefined {
  const [marked = '', key = '', from, ...rest] = decoded(data).split('\n');
  const verb = VERB.exec(marked)?.[1];
  const isCall = rest.length > 0 && /^[!-~]{1,64}$/.test(key) && /^[ -~]*$/.test(from ?? '');
  if (verb === undefined || !isCall) return undefined;
  const isFile = marked.startsWith('*');
  const words = (isFile ? unpacked(rest.join('\n')) : utf8(rest.join('\n')))
    .split('\n')
    .map((word) => word.replace(/%(25|0A)/g, (_, code) => (code === '25' ? '%' : '\\n')))
    .join(' ')
    .trim();
  const isHidden = words === '' || data.startsWith('*');
  const shown = isHidden ? '' : ` ${printable(words.slice(0, WORDS_CHARS_MAX))}`;
  const more = parts === '1' && words.length <= WORDS_CHARS_MAX ? '' : ' ...';
  return verb + shown + more;
}

/** A character a byte: a blank is `+`, a newline a comma, and any byte may be `%XX`. */
const decoded = (data: string): string =>
  data
    .replaceAll('+', ' ')
    .replaceAll(',', '\n')
    .replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    );

const utf8 = (bytes: string): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(
    Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)),
  );

/** A part of a file may end in the middle of its last letters. */
function unpacked(base64: string): string {
  const whole = base64
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replace(/[^A-Za-z0-9+/]/g, '');
  return utf8(atob(whole.length % 4 === 1 ? whole.slice(0, -1) : whole));
}

/** Every control, format and lone surrogate character as an escape. */
const printable = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`,
  );

/**
 * The text of a console as a person reads it. A frame begins with an end of line, so that it stands on a line of its own.
 *
 * @param isOpen more of its last line is to come: a frame is not shown before it is whole
 */
export function withoutFrames(text: string, isOpen = false): string {
  if (!text.includes('MUSTER_LINE')) return text;
  const kept: string[] = [];
  const lines = text.split('\n');
  const last = lines.length - 1;
  for (const [n, line] of lines.entries()) {
    const isHeld = isOpen && n === last && (line.startsWith(MARK) || MARK.startsWith(line));
    const told = isHeld && line !== '' ? '' : tellFrame(line);
    if (told !== undefined && kept.at(-1) === '') kept.pop();
    if (told === undefined) kept.push(line);
    else if (told !== '') kept.push(told);
  }
  return kept.join('\n');
}

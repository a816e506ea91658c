/** What a person reads of the frames of a board that speaks over its console: a call in words, and nothing of the rest. */
import { BOARD_MARK, readCall, WORKER_MARK } from '../../dispatcher/transport/frames.ts';
import { printable } from '../../submission/quoting.ts';

const FRAME = /^<MUSTER_LINE \S+ (?:\?\d+|(\d+)\/(\d+) (\S+)) \d+\.\d+>\s*$/;
/** What was typed for the board, where its terminal says that again. */
const TYPED = /^#MUSTER_LINE:[0-9a-f-]{13}:\S*:\d+\.\d+\s*$/;
const WORDS_CHARS_MAX = 200;

/** `undefined`: the line is no frame. Empty: it is one that is of no interest. */
export function tellFrame(line: string): string | undefined {
  if (TYPED.test(line)) return '';
  const match = FRAME.exec(line);
  if (match === null) return undefined;
  const [, part, parts, data = ''] = match;
  if (part !== '1') return '';
  const call = readCall(data);
  if (call === undefined) return `muster: over its console: a call in ${parts} parts`;
  const words = call.body
    .toString('utf8')
    .split('\n')
    .map((word) => word.replace(/%(25|0A)/g, (_, code) => (code === '25' ? '%' : '\\n')))
    .join(' ')
    .trim();
  const isHidden = words === '' || data.startsWith('*');
  const shown = isHidden ? '' : ` ${printable(words.slice(0, WORDS_CHARS_MAX))}`;
  const more = parts === '1' && words.length <= WORDS_CHARS_MAX ? '' : ' ...';
  return `muster: over its console: ${call.verb.replace(/\?.*/, '')}${shown}${more}`;
}

const MARKS = [BOARD_MARK, WORKER_MARK].map((mark) => Buffer.from(mark));

/** Whole lines of a console as a person reads them; what holds no frame stays byte for byte. */
export function withoutFrames(lines: Buffer): Buffer {
  if (!MARKS.some((mark) => lines.includes(mark))) return lines;
  const kept: string[] = [];
  for (const line of lines.toString('latin1').split('\n')) {
    const told = tellFrame(line);
    // A frame begins with an end of line, so that it stands on a line of its own.
    if (told !== undefined && kept.at(-1) === '') kept.pop();
    if (told === undefined) kept.push(line);
    else if (told !== '') kept.push(Buffer.from(told).toString('latin1'));
  }
  return Buffer.from(kept.join('\n'), 'latin1');
}

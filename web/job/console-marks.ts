/**
 * The marks that stand between what boards print: LAVA's signals, those of Muster's own runner and shells, and the lines
 * that Muster types where a terminal says them again. A person reads them in words. Pure: all that was printed is in the
 * pieces, in its order, and a mark that cannot be read stays as it is.
 */
export interface Piece {
  /** As it was printed. */
  raw: string;
  /** Of a mark: what it says, in words; empty: nothing to anybody who reads along. Absent: the board's own text. */
  words?: string;
}

type Tell = (rest: string) => string | undefined;

/** How a part of Muster ended; nothing of interest as long as it ended well. */
const ended =
  (what: string): Tell =>
  (rest) => {
    const [, status] = /^\w+ (\d{1,9})$/.exec(rest) ?? [];
    if (status === undefined) return undefined;
    return Number(status) === 0 ? '' : `${what} ended with status ${status}`;
  };
/** An answer to a question of Muster's. */
const answered: Tell = (rest) => (/^\w+ 42( old)?$/.test(rest) ? '' : undefined);
const named =
  (words: (name: string) => string): Tell =>
  (rest) =>
    rest === '' ? undefined : words(rest);
/** The name of a suite, and the nonce of the action that it belongs to. */
const suite =
  (what: string): Tell =>
  (rest) => {
    const [name, nonce, ...more] = rest.split(/\s+/);
    return name === '' || nonce === undefined || more.length > 0
      ? undefined
      : `suite ${name} ${what}`;
  };

const TELLS: Readonly<Record<string, Tell>> = {
  LAVA_SIGNAL_STARTRUN: suite('begins'),
  LAVA_SIGNAL_ENDRUN: suite('ends'),
  LAVA_SIGNAL_STARTTC: named((id) => `case ${id} begins`),
  LAVA_SIGNAL_ENDTC: named((id) => `case ${id} ends`),
  LAVA_SIGNAL_TESTCASE: caseWords,
  LAVA_SIGNAL_TESTREFERENCE: (rest) => {
    const [id, result, url, ...more] = rest.split(/\s+/);
    return url === undefined || more.length > 0 ? undefined : `case ${id}: ${result}, see ${url}`;
  },
  LAVA_SIGNAL_TESTSET: (rest) => {
    const [, word, name = ''] = /^(START|STOP)(?: +(.*))?$/s.exec(rest) ?? [];
    if (word === 'STOP') return 'the set ends';
    return word === undefined || name === '' ? undefined : `set ${name} begins`;
  },
  LAVA_SIGNAL_TESTRAISE: (rest) => `the test ends itself${rest === '' ? '' : `: ${rest}`}`,
  LAVA_SIGNAL_TESTEVENT: named((text) => `event ${text}`),
  LAVA_SIGNAL_TESTFEEDBACK: named((text) => `feedback of ${text}`),
  LAVA_TEST_RUNNER: (rest) => (rest === 'EXIT' ? 'the test runner is through' : undefined),
  LAVA_SYNC_COMPLETE: answerWords('lava-sync'),
  LAVA_WAIT_COMPLETE: answerWords('lava-wait'),
  LAVA_WAIT_ALL_COMPLETE: answerWords('lava-wait-all'),
  // `<LAVA_TEST_RUNNER EXIT>` says the same to people.
  MUSTER_RUNNER_EXIT: (rest) => (/^\w+$/.test(rest) ? '' : undefined),
  MUSTER_RUNNER_ENDED: ended('the test runner'),
  MUSTER_SCRIPT_ENDED: (rest) => {
    const [, status, script] = /^\w+ (\d{1,9}) ((?:install|run)\.sh)$/.exec(rest) ?? [];
    return script === undefined ? undefined : `${script} ended with status ${status}`;
  },
  MUSTER_SHELL_ENDED: (rest) =>
    /^\d{1,9}$/.test(rest)
      ? `the board's shell ended with status ${rest}, a new one begins`
      : undefined,
  MUSTER_SHELL_FREE: (rest) => (/^\w+$/.test(rest) ? "the board's shell is free" : undefined),
  MUSTER_BOARD_READY: (rest) => (/^\w+$/.test(rest) ? "the board's shell answers" : undefined),
  MUSTER_BOARD_SHELL: answered,
  MUSTER_BOARD_LOOP: answered,
  MUSTER_BOARD_DONE: ended('a command of muster'),
  MUSTER_BOARD_BLOCK: ended('a part of what muster typed'),
};

function caseWords(rest: string): string | undefined {
  const words = new Map<string, string>();
  let last = '';
  for (const word of rest.split(/\s+/)) {
    const [, key, value = ''] = /^(\w+)=(.*)$/s.exec(word) ?? [];
    if (key !== undefined) {
      last = key.toUpperCase();
      words.set(last, value);
    } else if (last === 'UNITS' || last === 'MEASUREMENT')
      words.set(last, `${words.get(last)} ${word}`);
    else return undefined;
  }
  const [id, result] = [words.get('TEST_CASE_ID'), words.get('RESULT')];
  if (!id || !result) return undefined;
  const measured = ['MEASUREMENT', 'UNITS'].flatMap((key) => words.get(key) || []);
  return `case ${id}: ${[result, ...measured].join(' ')}`;
}

function answerWords(verb: string): Tell {
  return (rest) => {
    if (rest === 'nack') return `${verb} is refused`;
    return `${verb} is over${rest === '' ? '' : `: ${rest}`}`;
  };
}

/** What Muster types at a board's shell, and what for. */
const TYPED: readonly (readonly [string, string])[] = [
  [
    String.raw`echo "<MUSTER_BOARD_SHELL \w+ \$\(\(6\*7\)\)\$\{MUSTER_LOOP\+ old\}>"`,
    'muster asks for a shell',
  ],
  [
    String.raw`stty -echo -onlcr -ixon 2>/dev/null;export MUSTER_HOME=[^\n]{1,4096}\$r;done'`,
    'muster begins a shell of its own',
  ],
  [
    String.raw`trap : HUP INT TERM; echo '<MUSTER_BOARD_READY \w+>'`,
    'muster asks whether the shell is ready',
  ],
  [
    String.raw`'[^'\n]{1,4096}/lava-test-runner' '[^'\n]{1,4096}' \w+; echo '<MUSTER_RUNNER_ENDED \w+ '\$\?'>'`,
    'muster starts the test runner',
  ],
  [String.raw`echo '<MUSTER_SHELL_FREE '\w+'>'`, "muster asks whether the board's shell is free"],
  [
    String.raw`;?echo '<MUSTER_BOARD_(?:DONE|BLOCK) '"\w+ \$\?>"`,
    'muster asks how a command of its own ended',
  ],
];

const CALL = String.raw`<LAVA_MULTI_NODE> <LAVA_(?<verb>SEND|SYNC|WAIT|WAIT_ALL) (?<words>[^>\n]{1,8192})>`;
const MARK = String.raw`<(?<head>(?:LAVA_(?:SIGNAL|TEST|SYNC|WAIT)|MUSTER_(?:RUNNER|SCRIPT|SHELL|BOARD))_[A-Z_]+)(?: (?<rest>[^>\n]{0,8192}))?>`;
const ANY = new RegExp([...TYPED.map(([typed]) => `(${typed})`), CALL, MARK].join('|'), 'g');

/** Those that are printed behind an end of line, so that they stand on a line of their own. */
const OWN_LINE = new Set([
  'LAVA_SIGNAL_STARTRUN',
  'LAVA_SIGNAL_ENDRUN',
  'LAVA_TEST_RUNNER',
  'MUSTER_RUNNER_EXIT',
  'MUSTER_SCRIPT_ENDED',
  'MUSTER_SHELL_ENDED',
  'MUSTER_SHELL_FREE',
]);

/** A line that `set -x` prints, or a mark in the quotes of a script that somebody prints: nobody meant it. */
const isEcho = (before: string): boolean =>
  /^\++[\s(:]/.test(before) || before.endsWith("'") || before.endsWith('"');

function wordsOf(match: RegExpExecArray, before: string): string | undefined {
  const typed = TYPED.findIndex((_, n) => match[n + 1] !== undefined);
  if (typed >= 0) return TYPED[typed]?.[1];
  if (isEcho(before)) return undefined;
  const { verb, words = '', head = '', rest = '' } = match.groups ?? {};
  if (verb !== undefined) return `lava-${verb.toLowerCase().replace('_', '-')} ${words}`;
  return Object.hasOwn(TELLS, head) ? TELLS[head]?.(rest.trim()) : undefined;
}

/** A text in its pieces. A mark that says nothing takes its line with it. */
export function pieces(text: string): Piece[] {
  if (!text.includes('<LAVA_') && !text.includes('<MUSTER_'))
    return text === '' ? [] : [{ raw: text }];
  const found: Piece[] = [];
  let done = 0;
  ANY.lastIndex = 0;
  for (let match = ANY.exec(text); match !== null; match = ANY.exec(text)) {
    const line = text.lastIndexOf('\n', match.index - 1) + 1;
    const words = wordsOf(match, text.slice(line, match.index));
    if (words === undefined) continue;
    const { from, to } = placeOf(text, match, words === '');
    if (from > done) found.push({ raw: text.slice(done, from) });
    found.push({ raw: text.slice(Math.max(done, from), to), words });
    done = to;
  }
  if (done < text.length) found.push({ raw: text.slice(done) });
  return found;
}

/** From where to where a mark goes: alone on its line it has the empty one before it, and its own end when it is not shown. */
function placeOf(text: string, match: RegExpExecArray, isHidden: boolean) {
  let from = match.index;
  let to = from + match[0].length;
  const isFirst = from === 0 || text[from - 1] === '\n';
  const isLast = to === text.length || text[to] === '\n';
  if (!isFirst || !isLast) return { from, to };
  const isAfterEmpty = text[from - 1] === '\n' && (from === 1 || text[from - 2] === '\n');
  if (isAfterEmpty && OWN_LINE.has(match.groups?.head ?? '')) from -= 1;
  if (isHidden && to < text.length) to += 1;
  return { from, to };
}

/** The beginning of a mark of which the rest is to come. */
const HALF = /<(?:LAVA|MUSTER)_[^>\n]{0,8192}$/;

/** A text that goes on: without the mark that is not whole. */
export const withoutHalf = (text: string): string => text.replace(HALF, '');

/** What a line is to its neighbours; `undefined`: it has no mark. */
export function markedLine(line: string): { takesEmpty: boolean; isHidden: boolean } | undefined {
  const told = pieces(line);
  if (told.every(({ words }) => words === undefined)) return undefined;
  return {
    takesEmpty: pieces(`\n${line}`)[0]?.words !== undefined,
    isHidden: told.every(({ words }) => words === ''),
  };
}

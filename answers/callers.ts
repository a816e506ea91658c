/** What the programs are that a board names as those who called. */
import type { Caller } from '../machines/events.ts';

const SHELLS = new Set(['sh', 'bash', 'dash', 'ash', 'ksh', 'mksh', 'zsh', 'busybox']);
const INTERPRETERS = /^(?:python[\d.]*|perl[\d.]*|ruby|node|lua|expect|tclsh)$/;
/** Programs of ours that stand between a script and a verb. */
export const OURS =
  /(?:^|\/)lava-(?:test-case|background-process-start|send|wait|wait-all|sync|test-runner)$/;

/** Whether it is neither a script of a shell nor a command line: what it runs it may end by SIGKILL, and nobody hears of it. */
export const isProgram = ({ argv: [program = ''] }: Caller): boolean => {
  const name = program.split('/').at(-1) ?? '';
  return INTERPRETERS.test(name) || name === 'timeout';
};

/** What a program of the way is: a script of the suite, a command line of its own, or neither. */
export function scriptOf({ argv }: Caller): { path?: string; command?: string } {
  const [program = '', ...words] = argv;
  const name = program.split('/').at(-1)?.replace(/^-/, '') ?? '';
  if (INTERPRETERS.test(name)) {
    const module = /^-m$/.test(words[0] ?? '') ? words[1] : undefined;
    if (module !== undefined) return { path: moduleIn(module, words) };
    const path = words.find((word) => !word.startsWith('-'));
    return path === undefined || words.some((word) => /^-(?:c|e)$/.test(word)) ? {} : { path };
  }
  const made = MAKERS.test(name) ? ruledBy(name, words) : undefined;
  if (made !== undefined) return { path: made };
  if (!SHELLS.has(name)) return program.includes('/') ? { path: program } : {};
  if (name === 'busybox') words.shift();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (/^-\w*c$/.test(word)) return { command: words[at + 1] ?? '' };
    if (/^[-+]\w*o$/.test(word)) at += 1;
    else if (!/^[-+]/.test(word)) return { path: word };
  }
  return {};
}

const MAKERS = /^(?:g?make|[gm]?awk|nawk)$/;

/** The file whose rules a program follows: `-f FILE`; `make` has one by itself. */
function ruledBy(name: string, words: readonly string[]): string | undefined {
  const behind = (option: string) => {
    const at = words.findIndex((word) => word.startsWith(option));
    return at < 0 ? undefined : words[at]?.slice(option.length) || words[at + 1];
  };
  const file = behind('-f');
  if (/awk$/.test(name)) return file;
  const folder = behind('-C');
  return `${folder === undefined ? '' : `${folder}/`}${file ?? 'Makefile'}`;
}

/** `python3 -m tests.link`, and what `python3 -m pytest tests/link.py` is given. */
const moduleIn = (module: string, words: readonly string[]): string =>
  words.find((word) => word.endsWith('.py')) ?? `${module.replaceAll('.', '/')}.py`;

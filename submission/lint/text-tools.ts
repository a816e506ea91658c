/**
 * What the small programs of a shell print, where all that they are given is known: enough for the pipes with which test
 * authors ask who is in the group. `undefined`: not known.
 */
import { holdsSign } from './names.ts';

/** @param input standard input */
export function toolOutput(
  words: readonly string[],
  input: string | undefined,
): string | undefined {
  const [name = '', ...args] = words;
  switch (name) {
    case 'echo':
      return echoed(args);
    case 'printf':
      return printed(args);
    case 'seq':
      return counted(args);
    case 'expr':
      return undefined;
    case 'basename':
      return based(args);
    case 'dirname':
      return /\//.test(args[0] ?? '')
        ? `${(args[0] ?? '').replace(/\/[^/]*$/, '') || '/'}\n`
        : '.\n';
    default:
      return input === undefined || !Object.hasOwn(filters, name)
        ? undefined
        : filters[name]?.(args, input);
  }
}

const linesOf = (text: string): string[] => {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
};
const ofLines = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

const filters: Record<string, (args: readonly string[], input: string) => string | undefined> = {
  cat: (args, input) => (args.every((arg) => arg === '-') ? input : undefined),
  tee: (_, input) => input,
  xargs: (args, input) =>
    args.length === 0 ? `${input.trim().split(/\s+/).join(' ')}\n` : undefined,
  grep: (args, input) => grepped(args, input)?.output,
  head: (args, input) =>
    sliced(args, input, (lines, n) => (n < 0 ? lines.slice(0, n) : lines.slice(0, n))),
  tail: (args, input) => sliced(args, input, (lines, n) => (n === 0 ? [] : lines.slice(-n))),
  wc: (args, input) =>
    args[0] === '-l' && args.length === 1
      ? `${input.split('\n').length - 1}\n`
      : args[0] === '-w' && args.length === 1
        ? `${input.split(/\s+/).filter((word) => word !== '').length}\n`
        : undefined,
  sort: (args, input) => {
    if (holdsSign(input) || args.some((arg) => arg !== '-u')) return undefined;
    const lines = linesOf(input).sort();
    return ofLines(args.length === 0 ? lines : [...new Set(lines)]);
  },
  uniq: (args, input) =>
    args.length > 0
      ? undefined
      : ofLines(linesOf(input).filter((line, at, all) => line !== all[at - 1])),
  cut: (args, input) => cutted(args, input),
  awk: (args, input) => awked(args, input),
  tr: (args, input) => translated(args, input),
};

function echoed(args: readonly string[]): string | undefined {
  let rest = args;
  let end = '\n';
  while (/^-[neE]+$/.test(rest[0] ?? '')) {
    if (rest[0]?.includes('n')) end = '';
    rest = rest.slice(1);
  }
  const text = rest.join(' ');
  return text.includes('\\') ? undefined : text + end;
}

function printed([format, ...args]: readonly string[]): string | undefined {
  if (format === undefined) return undefined;
  const values = [...args];
  let out = '';
  do {
    let isKnown = true;
    out += format.replace(/%%|%-?0?\d*[sdiu]|%|\\n|\\t|\\/g, (sign) => {
      if (sign === '%%') return '%';
      if (sign === '\\n') return '\n';
      if (sign === '\\t') return '\t';
      const [, left, fill, width, kind] = /^%(-?)(0?)(\d*)([sdiu])$/.exec(sign) ?? [];
      if (kind !== undefined) {
        const given = values.shift();
        const text = kind === 's' ? (given ?? '') : wholeNumber(given ?? '0');
        if (text === undefined || (width !== '' && holdsSign(text))) isKnown = false;
        return padded(
          text ?? '',
          Number(width),
          left === '-' ? 'left' : fill === '0' ? 'zero' : '',
        );
      }
      isKnown = false;
      return '';
    });
    if (!isKnown) return undefined;
  } while (values.length > 0 && /%-?0?\d*[sdiu]/.test(format));
  return out;
}

/** A number as a shell takes it: one with a 0 before it is of base 8. */
function wholeNumber(text: string): string | undefined {
  const trimmed = text.trim();
  if (/^[-+]?(?:0|[1-9]\d*)$/.test(trimmed)) return String(Number(trimmed));
  if (/^0[0-7]+$/.test(trimmed)) return String(Number.parseInt(trimmed, 8));
  return trimmed === '' ? '0' : undefined;
}

const padded = (text: string, width: number, how: string): string =>
  how === 'left'
    ? text.padEnd(width)
    : how === 'zero' && text.startsWith('-')
      ? `-${text.slice(1).padStart(width - 1, '0')}`
      : text.padStart(width, how === 'zero' ? '0' : ' ');

const SEQUENCE_MAX = 10_000;
function counted(given: readonly string[]): string | undefined {
  let [args, format, between, isWide] = [given, '', '\n', false];
  for (let [first = ''] = args; /^-[fsw]/.test(first); [first = ''] = args) {
    const word = first.length > 2 ? first.slice(2) : args[1];
    if (first === '-w') isWide = true;
    else if (word === undefined) return undefined;
    else if (first.startsWith('-f')) format = word;
    else between = word;
    args = args.slice(first === '-w' || first.length > 2 ? 1 : 2);
  }
  const lines = sequence(args);
  const told = lines?.map((line) => (format === '' ? line : numbered(format, line)));
  if (told === undefined || told.includes(undefined)) return undefined;
  const width = isWide ? Math.max(0, ...told.map((line) => line?.length ?? 0)) : 0;
  const all = told.map((line) => padded(line ?? '', width, 'zero'));
  return all.length === 0 ? '' : `${all.join(between)}\n`;
}

/** `seq -f part-%03g`. */
function numbered(format: string, number: string): string | undefined {
  const [all, before = '', fill = '', width = '', kind, behind = ''] =
    /^([^%]*)%(0?)(\d*)(g|\.0f)([^%]*)$/.exec(format) ?? [];
  if (all === undefined || kind === undefined) return undefined;
  return before + padded(number, Number(width), fill === '0' ? 'zero' : '') + behind;
}

function sequence(args: readonly string[]): string[] | undefined {
  const numbers = args.map(Number);
  if (numbers.length === 0 || numbers.length > 3 || !numbers.every(Number.isInteger))
    return undefined;
  const [first, step, last] =
    numbers.length === 1
      ? [1, 1, numbers[0]]
      : numbers.length === 2
        ? [numbers[0], 1, numbers[1]]
        : numbers;
  if (first === undefined || step === undefined || last === undefined || step === 0)
    return undefined;
  const lines: string[] = [];
  for (let i = first; step > 0 ? i <= last : i >= last; i += step) {
    if (lines.length >= SEQUENCE_MAX) return undefined;
    lines.push(String(i));
  }
  return lines;
}

function based(args: readonly string[]): string | undefined {
  const [path, suffix = ''] = args;
  if (path === undefined || path.startsWith('-') || args.length > 2) return undefined;
  const name = path.replace(/\/+$/, '').replace(/^.*\//, '');
  return `${suffix !== '' && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name}\n`;
}

/** A basic or extended regular expression that means the same here; nothing where it might not. */
export function expressionOf(pattern: string, isExtended: boolean): RegExp | undefined {
  if (/[{}\\]|\[\[|\[:/.test(pattern.replace(/\\[st.wW]|\\t/g, ''))) return undefined;
  const source = isExtended
    ? pattern
    : pattern.replace(/(?<!\\)[+?|()]/g, '\\$&').replace(/^\*/, '\\*');
  try {
    return new RegExp(source);
  } catch {
    return undefined;
  }
}

/** What grep prints and how it exits: `undefined` where a name decides it. */
export function grepped(
  args: readonly string[],
  input: string,
): { output: string; isFound: boolean } | undefined {
  const flags = args
    .filter((arg) => /^-[a-zA-Z]+$/.test(arg))
    .join('')
    .replaceAll('-', '');
  const [pattern, ...files] = args.filter((arg) => !/^-[a-zA-Z]+$/.test(arg));
  if (pattern === undefined || files.length > 0 || /[^cvwqiFEosnxh]/.test(flags)) return undefined;
  const matches = matcher(pattern, flags);
  if (matches === undefined) return undefined;
  const found: string[] = [];
  for (const line of linesOf(input)) {
    const is = matches(line);
    if (is === undefined) return undefined;
    if (is !== flags.includes('v')) found.push(line);
  }
  const isFound = found.length > 0;
  if (flags.includes('q')) return { output: '', isFound };
  if (flags.includes('c')) return { output: `${found.length}\n`, isFound };
  return /[on]/.test(flags) ? undefined : { output: ofLines(found), isFound };
}

type Matcher = (line: string) => boolean | undefined;
function matcher(pattern: string, flags: string): Matcher | undefined {
  const plain = flags.includes('F') ? pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : pattern;
  const bare = expressionOf(plain, flags.includes('E') || flags.includes('F'));
  if (bare === undefined && !flags.includes('F')) return undefined;
  let source = flags.includes('F') ? plain : (bare?.source ?? '');
  if (flags.includes('w')) source = `(?<![A-Za-z0-9_])(?:${source})(?![A-Za-z0-9_])`;
  if (flags.includes('x')) source = `^(?:${source})$`;
  const expression = new RegExp(source, flags.includes('i') ? 'i' : '');
  // What a name looks like is not known: what matches beside all names, matches; what does not, may match in one.
  return (line) => {
    if (!holdsSign(line)) return expression.test(line);
    if (holdsSign(pattern)) return line.includes(pattern);
    const isRoleAtEnd = expression.source.endsWith('$');
    const beside = line.split(/\uE0F0\d+\uE0F1/);
    if (isRoleAtEnd) return expression.test(beside.at(-1) ?? '');
    return beside.some((text) => expression.test(text)) ? true : undefined;
  };
}

function sliced(
  args: readonly string[],
  input: string,
  slice: (lines: string[], n: number) => string[],
): string | undefined {
  const words = args.join(' ');
  const n = words === '' ? 10 : Number(/^(?:-n ?|-)(-?\d+)$/.exec(words)?.[1] ?? Number.NaN);
  return Number.isNaN(n) ? undefined : ofLines(slice(linesOf(input), n));
}

function cutted(args: readonly string[], input: string): string | undefined {
  const words = args
    .map((arg) => arg.replace(/^-([df])(.+)$/s, '-$1\0$2'))
    .join('\0')
    .split('\0');
  const option = (name: string) =>
    words.includes(name) ? words[words.indexOf(name) + 1] : undefined;
  const delimiter = option('-d') ?? '\t';
  const fields = /^(\d+)$/.exec(option('-f') ?? '')?.[1];
  if (fields === undefined || words.length > 4) return undefined;
  return ofLines(
    linesOf(input).map((line) =>
      line.includes(delimiter) ? (line.split(delimiter)[Number(fields) - 1] ?? '') : line,
    ),
  );
}

function awked(args: readonly string[], input: string): string | undefined {
  const words = [...args];
  let separator: string | RegExp = /[ \t]+/;
  if (words[0]?.startsWith('-F')) {
    const given = words[0] === '-F' ? words.splice(0, 2)[1] : words.splice(0, 1)[0]?.slice(2);
    separator = given === undefined || given === ' ' ? separator : given === '\\t' ? '\t' : given;
  }
  const found =
    /^\s*(?:\$(\d+)\s*==\s*"([^"]*)"|\/([^/]*)\/)?\s*\{\s*print\s*\$(\d+)\s*;?\s*\}\s*$/.exec(
      words[0] ?? '',
    );
  if (
    found === null ||
    words.length !== 1 ||
    (typeof separator === 'string' && separator.length > 1)
  )
    return undefined;
  const [, field, value, pattern, printedField] = found;
  const out: string[] = [];
  for (const line of linesOf(input)) {
    const cells = (typeof separator === 'string' ? line : line.trim()).split(separator);
    if (field !== undefined && cells[Number(field) - 1] !== value) {
      if (holdsSign(cells[Number(field) - 1] ?? '')) return undefined;
      continue;
    }
    if (pattern !== undefined) {
      const is = matcher(pattern, 'E')?.(line);
      if (is === undefined) return undefined;
      if (!is) continue;
    }
    out.push(printedField === '0' ? line : (cells[Number(printedField) - 1] ?? ''));
  }
  return ofLines(out);
}

function translated(args: readonly string[], input: string): string | undefined {
  const plain = (set: string) =>
    set.replaceAll('\\n', '\n').replaceAll('\\t', '\t').replaceAll('\\r', '\r');
  const [from, to] = args.map(plain);
  if (args[0] === '-d' && to !== undefined && to.length === 1) return input.replaceAll(to, '');
  if (from?.length !== 1 || to?.length !== 1 || args.length !== 2) {
    const [upper, lower] = [/^(?:A-Z|\[:upper:\])$/, /^(?:a-z|\[:lower:\])$/];
    if (holdsSign(input) || from === undefined || to === undefined) return undefined;
    if (upper.test(from) && lower.test(to)) return input.toLowerCase();
    return lower.test(from) && upper.test(to) ? input.toUpperCase() : undefined;
  }
  return input.replaceAll(from, to);
}

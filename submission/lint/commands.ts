/** The commands of a script: builtins of the shell, functions, scripts of the checkout, and what runs another command. */
import { exact, type Pattern, patternText, unknown } from './patterns.ts';
import { failed, ok, type Status } from './scope.ts';
import { testStatus } from './shell-test.ts';
import type { Span, Statement, Word } from './shell-tree.ts';
import { plainText } from './shell-words.ts';
import { fileSource, madeSource, quotedSource, type Source } from './source.ts';
import { runAll, runOne, subshell } from './statements.ts';
import { Table } from './table.ts';
import { grepped, toolOutput } from './text-tools.ts';
import { verbCommand } from './verb-commands.ts';
import { CACHE_FILE, type Field, type Result, type Walk } from './walk.ts';

const quiet = (status: Status): Result => ({ status, out: exact('') });
const CALLS_DEEP_MAX = 12;

export function runCommand(walk: Walk, statement: Statement, fields: readonly Field[]): Result {
  const [first, ...args] = fields;
  if (first === undefined) return quiet(ok);
  if (first.value.kind !== 'exact') return unknownCommand(walk, statement, first);
  const name = first.value.text;
  const routine = walk.scope.functions.get(name);
  if (routine !== undefined) return callRoutine(walk, statement, name, args);
  const builtin = Object.hasOwn(builtins, name) ? builtins[name] : undefined;
  if (builtin !== undefined) return builtin(walk, statement, args);
  const verb = verbCommand(walk, statement, name, args, runner);
  if (verb !== undefined) return verb;
  const wrapped = Object.hasOwn(wrappers, name) ? wrappers[name]?.(args) : undefined;
  if (wrapped !== undefined) return runCommand(walk, statement, wrapped);
  if (SHELLS.test(name)) return shell(walk, statement, args);
  if (name.includes('/')) return script(walk, statement, first.value, args);
  return program(walk, statement, name, args);
}

const SHELLS = /^(?:.*\/)?(?:sh|bash|dash|ash|busybox|ksh|zsh)$/;

function unknownCommand(walk: Walk, statement: Statement, { value }: Field): Result {
  const [start] = value.kind === 'parts' ? value.parts : [];
  // A program of the system, whatever stands behind it.
  const isProgram = typeof start === 'string' && /^\/(?:usr|bin|sbin|opt)\//.test(start);
  if (!isProgram) walk.open('command', statement);
  return { status: either(walk, statement), out: undefined };
}

/** It may end well or not: nobody knows before it runs. */
const either = (walk: Walk, statement: Span, text = walk.textOf(statement)): Status => ({
  is: 'either',
  key: `command ${walk.id()}`,
  isFlipped: false,
  text,
  isCall: false,
});

// functions and scripts

function callRoutine(
  walk: Walk,
  statement: Statement,
  name: string,
  args: readonly Field[],
): Result {
  const routine = walk.scope.functions.get(name);
  if (routine === undefined || walk.via.length >= CALLS_DEEP_MAX) {
    walk.open('limit', statement);
    return { status: ok, out: undefined };
  }
  const saved = walk.scope.args;
  const source = walk.source;
  walk.via.push({ ...source.place(statement.start), name });
  walk.scope.args = argsOf(args);
  walk.locals.push(new Map());
  let out: Pattern | undefined;
  walk.around.push('function');
  walk.source = routine.source;
  const status = walk.block('routine', () => {
    const result = runOne(walk, routine.body);
    out = result.out;
    return result.status;
  });
  walk.source = source;
  walk.around.pop();
  for (const [variable, value] of walk.locals.pop() ?? [])
    if (value === undefined) walk.scope.vars.delete(variable);
    else walk.scope.vars.set(variable, value);
  walk.scope.args = saved;
  walk.via.pop();
  return { status, out };
}

const argsOf = (args: readonly Field[]): readonly Pattern[] | null =>
  args.some(({ isOpen, value }) => isOpen && value.kind !== 'exact' && args.length > 1)
    ? null
    : args.map(({ value }) => value);

/** `./run.sh`: a script of the checkout, in a process of its own. */
function script(walk: Walk, statement: Statement, path: Pattern, args: readonly Field[]): Result {
  if (path.kind !== 'exact')
    return unknownCommand(walk, statement, { value: path, isOpen: false, word: emptyWord });
  if (path.text.startsWith('/')) return program(walk, statement, path.text, args);
  const inside = walk.inCheckout(path);
  const text = inside === undefined ? undefined : walk.readFile(inside);
  if (inside === undefined || text === undefined || walk.scope.written.has(path.text)) {
    walk.open('file', statement, path.text);
    return { status: either(walk, statement), out: undefined };
  }
  walk.files.add(walk.prefix + inside);
  if (text === null) return { status: either(walk, statement), out: undefined };
  const shebang = /^#!\s*(\S+)(?:[ \t]+(\S[^\n]*))?\n?/.exec(text);
  const [, interpreter = '/bin/sh', option = ''] = shebang ?? [];
  if (/\r$/.test(interpreter) || /\r$/.test(option)) {
    walk.open('shell', statement, `${path.text}: its first line ends with a carriage return`);
    return { status: failed, out: exact('') };
  }
  const shellName = /\/env$/.test(interpreter)
    ? (option.trim().split(/\s+/)[0] ?? '')
    : interpreter;
  if (!SHELLS.test(shellName)) return foreign(walk, statement, inside, text);
  const errexit = /^-[a-z]*e/.test(option);
  return scriptFile(
    walk,
    statement,
    { file: inside, text, isBash: shellName.endsWith('bash'), errexit },
    path,
    args,
  );
}

const emptyWord: Word = { start: 0, end: 0, parts: [], source: '' };

/** A script in a language that nobody reads here: it matters only where it calls a verb. */
function foreign(walk: Walk, statement: Statement, file: string, text: string): Result {
  if (/lava[-_](?:send|wait|sync|network|group|role)/.test(text))
    walk.open('shell', statement, file);
  return { status: either(walk, statement), out: undefined };
}

interface ScriptFile {
  readonly file: string;
  readonly text: string;
  readonly isBash: boolean;
  readonly errexit: boolean;
}

function scriptFile(
  walk: Walk,
  statement: Statement,
  { file, text, isBash, errexit }: ScriptFile,
  path: Pattern,
  args: readonly Field[],
): Result {
  const run = (): Result => {
    walk.scope.args = argsOf(args);
    walk.scope.scriptName = path;
    walk.scope.errexit = errexit;
    walk.scope.functions = new Table();
    walk.scope.arrays = new Table();
    return withSource(walk, sourceOf(walk.prefix + file, text), isBash, () =>
      runAll(walk, walk.source.script.body),
    );
  };
  return nested(walk, statement, file, () => asCaller(walk, () => subshell(walk, run, 'script')));
}

/** `set -e` of a script is its own: that its caller looks at how it ends does not take it away. */
function asCaller<T>(walk: Walk, run: () => T): T {
  const saved = walk.isCondition;
  walk.isCondition = false;
  const result = run();
  walk.isCondition = saved;
  return result;
}

function nested(walk: Walk, at: Span, name: string, run: () => Result): Result {
  if (walk.via.length >= CALLS_DEEP_MAX) {
    walk.open('limit', at);
    return { status: ok, out: undefined };
  }
  walk.via.push({ ...walk.source.place(at.start), name });
  const result = run();
  walk.via.pop();
  return result;
}

/** A file is read once, however often it is called. */
function sourceOf(file: string, text: string): Source {
  const known = cache.get(file);
  if (known !== undefined && known.text === text) return known;
  const source = fileSource(file, text);
  if (cache.size > 500) cache.clear();
  cache.set(file, source);
  return source;
}
const cache = new Map<string, Source>();

function withSource(walk: Walk, source: Source, isBash: boolean, run: () => Result): Result {
  const saved = { source: walk.source, isBash: walk.isBash, reading: walk.reading };
  walk.source = source;
  walk.isBash = isBash;
  for (const span of source.script.broken) walk.open('syntax', span);
  const result = run();
  Object.assign(walk, saved);
  return result;
}

/** `. file` and `source file`: in this shell. */
function sourced(walk: Walk, statement: Statement, args: readonly Field[]): Result {
  const [path, ...rest] = args;
  if (path === undefined) return quiet(failed);
  if (path.value.kind === 'exact' && path.value.text === CACHE_FILE) {
    walk.scope.hasSourcedCache = true;
    return quiet(ok);
  }
  const inside = walk.inCheckout(path.value);
  const text = inside === undefined ? undefined : walk.readFile(inside);
  const isWritten = path.value.kind === 'exact' && walk.scope.written.has(path.value.text);
  if (inside === undefined || text === undefined || text === null || isWritten) {
    const isSystem =
      path.value.kind === 'exact' && /^\/(?:etc|lib|usr|proc)\//.test(path.value.text);
    if (!isSystem) walk.open('file', statement, patternText(path.value));
    // What it sets is not known any more than what it calls.
    return { status: either(walk, statement), out: undefined };
  }
  walk.files.add(walk.prefix + inside);
  const saved = walk.scope.args;
  if (rest.length > 0) walk.scope.args = argsOf(rest);
  walk.around.push('sourced');
  const result = nested(walk, statement, inside, () => ({
    out: undefined,
    status: walk.block(
      'routine',
      () =>
        withSource(walk, sourceOf(walk.prefix + inside, text), walk.isBash, () =>
          runAll(walk, walk.source.script.body),
        ).status,
    ),
  }));
  walk.around.pop();
  walk.scope.args = saved;
  return result;
}

/** `sh -c '...'`, `bash file`. */
function shell(walk: Walk, statement: Statement, args: readonly Field[]): Result {
  let rest = [...args];
  let errexit = false;
  let isCommand = false;
  for (;;) {
    const [first] = rest;
    const text = first?.value.kind === 'exact' ? first.value.text : '';
    if (/^(?:sh|ash|bash)$/.test(text) && rest.length === args.length && args.length > 1) {
      rest = rest.slice(1);
      continue;
    }
    if (!/^[-+][a-zA-Z]+$/.test(text) && text !== '--') break;
    isCommand ||= /^-[a-z]*c/.test(text);
    errexit ||= /^-[a-z]*e/.test(text);
    rest = rest.slice(text === '-o' ? 2 : 1);
  }
  const [first, ...others] = rest;
  if (first === undefined) return piped(walk, statement);
  if (isCommand) {
    const [name, ...words] = others;
    return commandText(walk, statement, first, {
      errexit,
      args: words.map(({ value }) => value),
      name: name?.value ?? exact('sh'),
    });
  }
  const inside = walk.inCheckout(first.value);
  const text = inside === undefined ? undefined : walk.readFile(inside);
  const isWritten = first.value.kind === 'exact' && walk.scope.written.has(first.value.text);
  if (inside === undefined || typeof text !== 'string' || isWritten) {
    walk.open('file', statement, patternText(first.value));
    return { status: either(walk, statement), out: undefined };
  }
  walk.files.add(walk.prefix + inside);
  return scriptFile(
    walk,
    statement,
    { file: inside, text, isBash: true, errexit },
    first.value,
    others,
  );
}

/** `echo ... | sh`, `sh <<EOF`. */
function piped(walk: Walk, statement: Statement): Result {
  if (walk.input?.kind !== 'exact') {
    walk.open('shell', statement);
    return { status: either(walk, statement), out: undefined };
  }
  const source = madeSource(walk.input.text, walk.source, statement.start);
  return madeScript(walk, source, { errexit: false, args: [], name: exact('sh') });
}

interface Setting {
  readonly errexit: boolean;
  readonly args: readonly Pattern[];
  readonly name: Pattern;
}

/** A command line in one word: in a shell of its own. */
export function commandText(
  walk: Walk,
  statement: Span,
  field: Field,
  setting: Setting = { errexit: false, args: [], name: exact('sh') },
): Result {
  if (field.value.kind !== 'exact') {
    const source = templated(walk, field, statement);
    if (source === undefined) {
      walk.open('command', statement);
      return { status: either(walk, statement), out: undefined };
    }
    return madeScript(walk, source, setting);
  }
  const text = field.value.text;
  const isQuoted = plainText(field.word) === text && /^['"]/.test(field.word.source);
  const at = field.word.start + (isQuoted ? 1 : 0);
  const source =
    isQuoted || field.word.source === text
      ? quotedSource(text, walk.source, at)
      : madeSource(text, walk.source, field.word.start);
  return madeScript(walk, source, setting);
}

/** A command line with holes in it: they are words of which nobody knows more. */
function templated(walk: Walk, { value, word }: Field, at: Span): Source | undefined {
  if (value.kind !== 'parts') return undefined;
  let count = 0;
  const text = value.parts
    .map((part) => {
      if (typeof part === 'string') return part;
      count += 1;
      const name = `muster_hole_${walk.id()}_${count}`;
      walk.scope.vars.set(name, unknown(part.hole, part.id));
      return `\${${name}}`;
    })
    .join('');
  return madeSource(text, walk.source, word.start === 0 ? at.start : word.start);
}

function madeScript(walk: Walk, source: Source, { errexit, args, name }: Setting): Result {
  const run = (): Result => {
    walk.scope.errexit = errexit;
    walk.scope.args = args;
    walk.scope.scriptName = name;
    return withSource(walk, source, walk.isBash, () => runAll(walk, source.script.body));
  };
  return asCaller(walk, () => subshell(walk, run, 'script'));
}

// programs

const MULTINODE = /^lava-(?:send|wait|wait-all|sync|network)$/;

/** A program of the board: what it prints is known for a few, how it ends is not. */
function program(walk: Walk, statement: Statement, name: string, args: readonly Field[]): Result {
  noteReads(walk, statement, name, args);
  const words = args.map(({ value }) => value);
  if (words.some((word) => word.kind === 'exact' && MULTINODE.test(word.text)))
    walk.open('command', statement);
  const script = words.find(
    (word) => word.kind === 'exact' && /\.(?:py|pl|rb|exp|lua)$/.test(word.text),
  );
  if (/^(?:.*\/)?(?:python\d?(?:\.\d+)?|perl|expect|ruby|lua|make)$/.test(name)) {
    const file = walk.inCheckout(script ?? exact('Makefile'));
    const text = file === undefined ? undefined : walk.readFile(file);
    if (typeof text === 'string' && file !== undefined) foreign(walk, statement, file, text);
  }
  const base = name.replace(/^.*\//, '');
  const texts: string[] = [];
  for (const word of words) if (word.kind === 'exact') texts.push(word.text);
  const isKnown = texts.length === words.length && !args.some(({ isOpen }) => isOpen);
  const input = walk.input?.kind === 'exact' ? walk.input.text : undefined;
  if (base === 'grep' && isKnown && input !== undefined) {
    const found = grepped(texts, input);
    if (found !== undefined)
      return { status: found.isFound ? ok : failed, out: exact(found.output) };
  }
  if (base === 'cat' && texts.includes(CACHE_FILE)) return { status: ok, out: walk.cacheText() };
  const given =
    base === 'cat' && texts.length === 1 && isKnown
      ? walk.fileText(exact(texts[0] ?? ''))
      : undefined;
  if (given !== undefined) return { status: ok, out: given };
  const output = isKnown ? toolOutput([base, ...texts], input) : undefined;
  if (output !== undefined) return { status: ok, out: exact(output) };
  if (base === 'echo' || base === 'printf') return { status: ok, out: echoed(base, args) };
  const isSure =
    /^(?:sleep|cd|mkdir|cat|cut|awk|head|tail|sort|tr|wc|uniq|tee|sed|date|hostname|uname|ifconfig|ip)$/.test(
      base,
    );
  const out =
    base === 'hostname' && words.length === 0 ? unknown('$(hostname)', 'hostname') : undefined;
  return { status: isSure && walk.isCapturing ? ok : either(walk, statement), out };
}

function echoed(base: string, args: readonly Field[]): Pattern | undefined {
  if (base !== 'echo') return undefined;
  const [first] = args;
  if (args.length !== 1 || first === undefined || first.isOpen) return undefined;
  return first.value;
}

/** `grep key cache`, `awk '/key/' cache`, and the same behind `cat cache |`. */
function noteReads(walk: Walk, statement: Statement, name: string, args: readonly Field[]): void {
  if (!/^(?:.*\/)?(?:grep|egrep|fgrep|sed|awk|gawk)$/.test(name)) return;
  const words = args.flatMap(({ value }) => (value.kind === 'exact' ? [value.text] : ['']));
  const isCache = words.includes(CACHE_FILE) || walk.isCacheInput;
  if (!isCache || words.some((word) => /^-[a-zA-Z]*v/.test(word))) return;
  const pattern = args.find(
    ({ value }) => value.kind !== 'exact' || !value.text.startsWith('-'),
  )?.value;
  if (pattern === undefined) return;
  const isGrep = /grep$/.test(name);
  for (const key of pattern.kind === 'exact' ? keysOf(pattern.text, isGrep) : [pattern])
    walk.readKey(typeof key === 'string' ? exact(key) : key, walk.textOf(statement), statement);
}

/** The keys that a regular expression looks for, as far as it names any. */
function keysOf(pattern: string, isGrep: boolean): string[] {
  const named = [...pattern.matchAll(/(?:^|[/^:\s(|])([A-Za-z][A-Za-z0-9_.-]*)=/g)].map(
    ([, key = '']) => key,
  );
  if (named.length > 0) return named;
  const bare = isGrep
    ? /^[:^]?([A-Za-z][A-Za-z0-9_-]*)$/.exec(pattern)
    : /\/\^?([A-Za-z][A-Za-z0-9_-]*)\//.exec(pattern);
  return bare?.[1] === undefined ? [] : [bare[1]];
}

// what runs another command

const skipOptions = (args: readonly Field[], withWord: RegExp = /^$/): readonly Field[] => {
  let rest = args;
  for (;;) {
    const [first] = rest;
    const text = first?.value.kind === 'exact' ? first.value.text : '';
    if (!text.startsWith('-') || text === '-') return rest;
    rest = rest.slice(withWord.test(text) ? 2 : 1);
    if (text === '--') return rest;
  }
};

const afterAssignments = (args: readonly Field[]): readonly Field[] => {
  const at = args.findIndex(({ word }) => !/^[A-Za-z_]\w*=/.test(word.source));
  return at < 0 ? [] : args.slice(at);
};

const wrappers: Record<string, (args: readonly Field[]) => readonly Field[]> = {
  env: (args) => afterAssignments(skipOptions(args, /^-u$/)),
  sudo: (args) => afterAssignments(skipOptions(args, /^-[ugh]$/)),
  nohup: (args) => args,
  setsid: (args) => skipOptions(args),
  nice: (args) => skipOptions(args, /^-n$/),
  ionice: (args) => skipOptions(args, /^-[cnp]$/),
  stdbuf: (args) => skipOptions(args, /^-[ioe]$/),
  time: (args) => skipOptions(args),
  unbuffer: (args) => args,
  builtin: (args) => args,
};

function limited(walk: Walk, statement: Statement, args: readonly Field[]): Result {
  const [seconds, ...rest] = skipOptions(args, /^-[sk]$|^--(?:signal|kill-after)$/);
  if (seconds === undefined || rest.length === 0) return quiet(failed);
  const key = `limit ${walk.id()}`;
  const given = secondsOf(seconds.value);
  const saved = walk.limitSeconds;
  if (given !== null) walk.limitSeconds = given;
  const frame = walk.endOfErrors;
  let result: Result = quiet(ok);
  const body = walk.collected(() =>
    walk.inside('timeout', () => {
      const condition = walk.isCondition;
      walk.isCondition = true;
      result = subshell(walk, () => runCommand(walk, statement, rest), 'script');
      walk.isCondition = condition;
    }),
  );
  if (given !== null) {
    if (saved === undefined) walk.limitSeconds = undefined;
    else walk.limitSeconds = saved;
  }
  if (body.length === 0) return result;
  if (frame !== undefined && !walk.isDead) walk.dies(frame);
  walk.emit({ op: 'limit', key, seconds: given, body, leaves: frame?.block ?? null });
  return {
    status: { is: 'either', key, isFlipped: false, text: walk.textOf(statement), isCall: true },
    out: result.out,
  };
}

function secondsOf(value: Pattern): number | null {
  const found = value.kind === 'exact' ? /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(value.text) : null;
  if (found === null) return null;
  return Number(found[1]) * ({ m: 60, h: 3_600, d: 86_400 }[found[2] ?? ''] ?? 1);
}

// builtins

type Builtin = (walk: Walk, statement: Statement, args: readonly Field[]) => Result;
const text = (field: Field | undefined): string | undefined =>
  field?.value.kind === 'exact' ? field.value.text : undefined;

const builtins: Record<string, Builtin> = {
  ':': () => quiet(ok),
  true: () => quiet(ok),
  false: () => quiet(failed),
  '[': (walk, statement, args) => {
    const words = statement.kind === 'simple' ? statement.words.slice(1) : [];
    if (text(args.at(-1)) !== ']') return quiet(failed);
    return quiet(testStatus(walk, words.slice(0, -1), false));
  },
  test: (walk, statement) =>
    quiet(testStatus(walk, statement.kind === 'simple' ? statement.words.slice(1) : [], false)),
  '.': sourced,
  source: sourced,
  timeout: limited,
  command: (walk, statement, args) => {
    if (/^-[vV]$/.test(text(args[0]) ?? ''))
      return { status: either(walk, statement), out: undefined };
    const functions = walk.scope.functions;
    walk.scope.functions = new Table();
    const result = runCommand(walk, statement, args);
    walk.scope.functions = functions;
    return result;
  },
  exec: (walk, statement, args) => {
    if (args.length === 0) return quiet(ok);
    const { status } = asCaller(walk, () =>
      subshell(walk, () => runCommand(walk, statement, args), 'script'),
    );
    walk.leave(walk.frame('process'), status);
    return quiet(status);
  },
  eval: (walk, statement, args) => {
    const [only] = args;
    const joinedText = args.map((arg) => text(arg));
    if (only === undefined) return quiet(ok);
    if (joinedText.some((one) => one === undefined)) {
      walk.open('command', statement);
      return { status: either(walk, statement), out: undefined };
    }
    const source = madeSource(joinedText.join(' '), walk.source, statement.start);
    return withSource(walk, source, walk.isBash, () => runAll(walk, source.script.body));
  },
  exit: (walk, statement, args) => {
    const code = text(args[0]);
    const status =
      code === undefined
        ? args.length === 0
          ? walk.scope.status
          : ok
        : code === '0'
          ? ok
          : failed;
    if (status.is === 'failed') walk.death(statement, 'exit');
    walk.leave(walk.frame('process'), status);
    return quiet(status);
  },
  return: (walk, _, args) => {
    const code = text(args[0]);
    const status = code === undefined ? walk.scope.status : code === '0' ? ok : failed;
    walk.leave(walk.frame('return'), status);
    return quiet(status);
  },
  break: (walk, _, args) => {
    walk.leave(walk.frame('loop', Number(text(args[0]) ?? 1)), ok);
    return quiet(ok);
  },
  continue: (walk, _, args) => {
    walk.leave(walk.frame('round', Number(text(args[0]) ?? 1)), ok);
    return quiet(ok);
  },
  set: (walk, _, args) => setOptions(walk, args),
  shift: (walk, _, args) => {
    const count = Number(text(args[0]) ?? 1);
    walk.scope.args = walk.scope.args?.slice(count) ?? null;
    return quiet(ok);
  },
  cd: (walk, _, args) => {
    const to = args[0]?.value ?? unknown('~');
    if (walk.inCheckout(to) === undefined) walk.scope.cwd = null;
    else walk.scope.cwd = walk.inCheckout(to) ?? null;
    return quiet(ok);
  },
  unset: (walk, _, args) => {
    for (const arg of args) {
      // Not set is not the same as not known.
      walk.scope.vars.set(text(arg) ?? '', exact(''));
      walk.scope.arrays.delete(text(arg) ?? '');
    }
    return quiet(ok);
  },
  read: readLine,
  wait: (walk, _, args) => {
    if (args.length === 0) walk.emit({ op: 'join', job: null });
    for (const { value } of args)
      if (value.kind === 'exact') walk.emit({ op: 'join', job: value.text });
    return quiet(ok);
  },
  kill: (walk, _, args) => {
    for (const { value } of skipOptions(args, /^-s$/))
      walk.emit({ op: 'kill', job: value.kind === 'exact' ? value.text : null });
    return quiet(ok);
  },
  trap: (walk, statement, args) => {
    const [action, ...signals] = args;
    const frame = walk.frame('process');
    if (
      frame === undefined ||
      action === undefined ||
      !signals.some((signal) => /^(?:EXIT|0)$/.test(text(signal) ?? ''))
    )
      return quiet(ok);
    const source = walk.source;
    frame.trap =
      text(action) === '-' || text(action) === ''
        ? null
        : () => {
            const made = quotedSource(text(action) ?? '', source, action.word.start + 1);
            if (text(action) === undefined) walk.open('command', statement);
            withSource(walk, made, walk.isBash, () => runAll(walk, made.script.body));
          };
    return quiet(ok);
  },
  let: (walk, statement) => ({ status: either(walk, statement), out: exact('') }),
  pwd: () => ({ status: ok, out: undefined }),
  getopts: (walk, statement) => ({ status: either(walk, statement), out: exact('') }),
};

function setOptions(walk: Walk, args: readonly Field[]): Result {
  for (const [index, arg] of args.entries()) {
    const word = text(arg) ?? '';
    if (word === '--' || !/^[-+]/.test(word)) {
      walk.scope.args = argsOf(args.slice(word === '--' ? index + 1 : index));
      return quiet(ok);
    }
    const isOn = word.startsWith('-');
    if (/^[-+][a-zA-Z]*o$/.test(word) && text(args[index + 1]) === 'errexit')
      walk.scope.errexit = isOn;
    if (/^[-+][a-zA-Z]*e/.test(word)) walk.scope.errexit = isOn;
    if (/o$/.test(word)) return quiet(ok);
  }
  return quiet(ok);
}

/** `read a b`: a line of what standard input holds. */
function readLine(walk: Walk, statement: Statement, args: readonly Field[]): Result {
  const names = skipOptions(args, /^-[dnptu]$/).map((arg) => text(arg) ?? '');
  const { input } = walk;
  if (input?.kind !== 'exact') {
    for (const name of names) walk.scope.vars.set(name, unknown(`$${name}`, `read ${walk.id()}`));
    return { status: either(walk, statement), out: exact('') };
  }
  if (input.text === '') return quiet(failed);
  const end = input.text.indexOf('\n');
  const line = end < 0 ? input.text : input.text.slice(0, end);
  walk.input = exact(end < 0 ? '' : input.text.slice(end + 1));
  const ifs = walk.scope.vars.get('IFS');
  const separator = ifs?.kind === 'exact' && /^[^\s\\\]^-]$/.test(ifs.text) ? ifs.text : /[ \t]+/;
  const words = line.trim().split(separator);
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1;
    walk.scope.vars.set(
      name,
      exact(
        isLast
          ? words.slice(index).join(typeof separator === 'string' ? separator : ' ')
          : (words[index] ?? ''),
      ),
    );
  }
  return quiet(end < 0 ? failed : ok);
}

const runner = { commandText, runCommand };

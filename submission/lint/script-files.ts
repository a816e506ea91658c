/** Scripts of the checkout: started, sourced, or handed to a shell. */
import { exact, type Pattern, patternText } from './patterns.ts';
import { subshell } from './processes.ts';
import { either, quiet } from './results.ts';
import {
  argsOf,
  asCaller,
  commandText,
  forgetUnexported,
  madeScript,
  nested,
  templateOf,
  withSource,
} from './routines.ts';
import { failed, ok, type Written } from './scope.ts';
import type { Statement } from './shell-tree.ts';
import { fileSource, linesSource, madeSource, type Source } from './source.ts';
import type { Field, Result, Walk } from './walk.ts';
import { CACHE_FILE } from './walk-files.ts';

export const SHELLS = /^(?:.*\/)?(?:sh|bash|dash|ash|busybox|ksh|zsh)$/;

export function unknownCommand(walk: Walk, statement: Statement, { value }: Field): Result {
  const [start] = value.kind === 'parts' ? value.parts : [];
  // A program of the system, whatever stands behind it.
  const isProgram = typeof start === 'string' && /^\/(?:usr|bin|sbin|opt)\//.test(start);
  if (!isProgram) walk.open('command', statement);
  return { status: either(walk, statement), out: undefined };
}

/** A file as it is when it is started or sourced. */
interface Found {
  readonly name: string;
  readonly text: string | null;
  readonly source: () => Source;
}

/** `undefined`: nobody knows what is in it, or whether it is there. */
function found(walk: Walk, path: Pattern): Found | undefined {
  const written = walk.writtenAt(path);
  const inside = walk.inCheckout(path);
  if (written !== undefined) {
    const source = writtenSource(walk, written);
    return source && { name: patternText(path), text: source.text, source: () => source };
  }
  const text = inside === undefined ? undefined : walk.readFile(inside);
  if (inside === undefined || text === undefined) return undefined;
  return {
    name: inside,
    text,
    source: () => {
      walk.files.add(walk.prefix + inside);
      return sourceOf(walk.prefix + inside, text ?? '');
    },
  };
}

function writtenSource(walk: Walk, { text, of, at, isLines }: Written): Source | undefined {
  const made = text === undefined ? undefined : templateOf(walk, text);
  if (made === undefined) return undefined;
  return isLines ? linesSource(made, of, at) : madeSource(made, of, at);
}

/** `./run.sh`: a script of the checkout, or one that was written, in a process of its own. */
export function script(
  walk: Walk,
  statement: Statement,
  path: Pattern,
  args: readonly Field[],
): Result {
  const file = found(walk, path);
  if (file === undefined) {
    walk.open('file', statement, patternText(path));
    return { status: either(walk, statement), out: undefined };
  }
  const { text } = file;
  if (text === null) return { status: either(walk, statement), out: undefined };
  const shebang = /^#!\s*(\S+)(?:[ \t]+(\S[^\n]*))?\n?/.exec(text);
  const [, interpreter = '/bin/sh', option = ''] = shebang ?? [];
  if (/\r$/.test(interpreter) || /\r$/.test(option)) {
    walk.open(
      'shell',
      statement,
      `${patternText(path)}: its first line ends with a carriage return`,
    );
    return { status: failed, out: exact('') };
  }
  const shellName = /\/env$/.test(interpreter)
    ? (option.trim().split(/\s+/)[0] ?? '')
    : interpreter;
  if (!SHELLS.test(shellName)) return foreign(walk, statement, file.name, text);
  const errexit = /^-[a-z]*e/.test(option);
  return scriptFile(
    walk,
    statement,
    { file, isBash: shellName.endsWith('bash'), errexit },
    path,
    args,
  );
}

/** A script in a language that nobody reads here: it matters only where it calls a verb. */
export function foreign(walk: Walk, statement: Statement, file: string, text: string): Result {
  if (/lava[-_](?:send|wait|sync|network|group|role)/.test(text))
    walk.open('shell', statement, file);
  return { status: either(walk, statement), out: undefined };
}

interface ScriptFile {
  readonly file: Found;
  readonly isBash: boolean;
  readonly errexit: boolean;
}

function scriptFile(
  walk: Walk,
  statement: Statement,
  { file, isBash, errexit }: ScriptFile,
  path: Pattern,
  args: readonly Field[],
): Result {
  const run = (): Result => {
    walk.scope.args = argsOf(args);
    walk.scope.scriptName = path;
    walk.scope.errexit = errexit;
    forgetUnexported(walk);
    walk.bashSource = path;
    return withSource(walk, file.source(), isBash, () => walk.all(walk.source.script.body));
  };
  return nested(walk, statement, file.name, () =>
    asCaller(walk, () => subshell(walk, run, 'script')),
  );
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

/** `. file` and `source file`: in this shell. */
export function sourced(walk: Walk, statement: Statement, args: readonly Field[]): Result {
  const [path, ...rest] = args;
  if (path === undefined) return quiet(failed);
  if (path.value.kind === 'exact' && path.value.text === CACHE_FILE) {
    walk.scope.hasSourcedCache = true;
    return quiet(ok);
  }
  const file = found(walk, path.value);
  if (file === undefined || file.text === null) {
    const isSystem =
      path.value.kind === 'exact' && /^\/(?:etc|lib|usr|proc)\//.test(path.value.text);
    if (!isSystem) walk.open('file', statement, patternText(path.value));
    // What it sets is not known any more than what it calls.
    return { status: either(walk, statement), out: undefined };
  }
  const saved = walk.scope.args;
  if (rest.length > 0) walk.scope.args = argsOf(rest);
  walk.around.push('sourced');
  const from = walk.bashSource;
  walk.bashSource = path.value;
  const result = nested(walk, statement, file.name, () => ({
    out: undefined,
    status: walk.block(
      'routine',
      () =>
        withSource(walk, file.source(), walk.isBash, () => walk.all(walk.source.script.body))
          .status,
    ),
  }));
  walk.bashSource = from;
  walk.around.pop();
  walk.scope.args = saved;
  return result;
}

/** `sh -c '...'`, `bash file`. */
export function shell(walk: Walk, statement: Statement, args: readonly Field[]): Result {
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
  const file = found(walk, first.value);
  if (file === undefined || file.text === null) {
    walk.open('file', statement, patternText(first.value));
    return { status: either(walk, statement), out: undefined };
  }
  return scriptFile(walk, statement, { file, isBash: true, errexit }, first.value, others);
}

/** `echo ... | sh`, `sh <<EOF`. */
function piped(walk: Walk, statement: Statement): Result {
  const { input } = walk;
  const text = input === undefined ? undefined : templateOf(walk, input);
  if (text === undefined) {
    walk.open('shell', statement);
    return { status: either(walk, statement), out: undefined };
  }
  const here = statement.redirects.find(({ operator }) => /^<<-?$/.test(operator))?.target;
  const source = here
    ? linesSource(text, walk.source, here.start)
    : madeSource(text, walk.source, statement.start);
  return madeScript(walk, source, { errexit: false, args: [], name: exact('sh') });
}

/** The builtins of a shell. */
import { arithmetic } from './expansions.ts';
import { exact, type Pattern, partsOf, unknown } from './patterns.ts';
import { subshell } from './processes.ts';
import { program } from './programs.ts';
import { either, quiet, text } from './results.ts';
import { argsOf, asCaller, withSource } from './routines.ts';
import { failed, ok } from './scope.ts';
import { sourced } from './script-files.ts';
import { testStatus } from './shell-test.ts';
import type { Statement } from './shell-tree.ts';
import { madeSource, quotedSource } from './source.ts';
import { Table } from './table.ts';
import type { Field, Result, Walk } from './walk.ts';
import { CHECKOUT } from './walk-files.ts';
import { limited, skipOptions } from './wrappers.ts';

type Builtin = (walk: Walk, statement: Statement, args: readonly Field[]) => Result;

export const builtins: Record<string, Builtin> = {
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
    const result = walk.runner.command(walk, statement, args);
    walk.scope.functions = functions;
    return result;
  },
  exec: (walk, statement, args) => {
    if (args.length === 0) return quiet(ok);
    const { status } = asCaller(walk, () =>
      subshell(walk, () => walk.runner.command(walk, statement, args), 'script'),
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
    return withSource(walk, source, walk.isBash, () => walk.all(source.script.body));
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
    const [to] = skipOptions(args);
    goTo(walk, text(to) === '-' ? walk.scope.lastFolder : placeOf(walk, to));
    return quiet(ok);
  },
  pushd: (walk, _, args) => {
    const { scope } = walk;
    const [to] = skipOptions(args);
    // Without a place, or by a number, it turns the stack.
    const isPlain = to !== undefined && !/^[-+]\d/.test(text(to) ?? '');
    scope.folders = isPlain ? [...scope.folders, scope.cwd] : [];
    goTo(walk, isPlain ? placeOf(walk, to) : null);
    return { status: ok, out: undefined };
  },
  popd: (walk, _, args) => {
    const { scope } = walk;
    const last = args.length === 0 ? scope.folders.at(-1) : undefined;
    scope.folders = scope.folders.slice(0, -1);
    goTo(walk, last ?? null);
    return { status: ok, out: undefined };
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
  kill: (walk, statement, args) => {
    if (args.some(({ value }) => value.kind === 'unknown' && value.id === 'shell $')) {
      if (/^-?(?:0|USR\d|WINCH|CHLD|CONT)$/.test(text(args[0]) ?? '')) return quiet(ok);
      walk.death(statement, 'exit');
      walk.leave(walk.frame('process'), failed);
      return quiet(failed);
    }
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
            withSource(walk, made, walk.isBash, () => walk.all(made.script.body));
          };
    return quiet(ok);
  },
  let: (walk, statement, args) => {
    let last: Pattern = exact('1');
    for (const arg of args) last = arithmetic(walk, text(arg) ?? '$');
    if (last.kind !== 'exact') return { status: either(walk, statement), out: exact('') };
    return quiet(last.text === '0' ? failed : ok);
  },
  mapfile: lines,
  readarray: lines,
  pwd: (walk) => ({ status: ok, out: here(walk) }),
  getopts: options,
  printf: (walk, statement, args) => {
    const name = text(args[1]);
    if (text(args[0]) !== '-v' || name === undefined)
      return program(walk, statement, 'printf', args);
    const { out } = program(walk, statement, 'printf', args.slice(2));
    walk.scope.vars.set(name, out ?? unknown(`$${name}`, `printf ${walk.id()}`));
    return quiet(ok);
  },
};

const placeOf = (walk: Walk, to: Field | undefined): string | null =>
  (to === undefined ? undefined : walk.inCheckout(to.value)) ?? null;

function goTo({ scope }: Walk, place: string | null): void {
  scope.lastFolder = scope.cwd;
  scope.cwd = place;
}

function setOptions(walk: Walk, args: readonly Field[]): Result {
  for (const [index, arg] of args.entries()) {
    const word = text(arg) ?? '';
    if (word === '--' || !/^[-+]/.test(word)) {
      walk.scope.args = argsOf(args.slice(word === '--' ? index + 1 : index));
      return quiet(ok);
    }
    const isOn = word.startsWith('-');
    if (/^[-+][a-zA-Z]*o$/.test(word)) {
      const option = text(args[index + 1]);
      if (option === 'errexit') walk.scope.errexit = isOn;
      if (option === 'pipefail') walk.scope.pipefail = isOn;
      if (option === 'allexport') walk.scope.exportsAll = isOn;
    }
    if (/^[-+][a-zA-Z]*a/.test(word)) walk.scope.exportsAll = isOn;
    if (/^[-+][a-zA-Z]*e/.test(word)) walk.scope.errexit = isOn;
    if (/o$/.test(word)) return quiet(ok);
  }
  return quiet(ok);
}

const here = ({ scope }: Walk): Pattern | undefined =>
  scope.cwd === null ? undefined : exact(`${CHECKOUT}/${scope.cwd}\n`.replace(/\/\n$/, '\n'));

/** `mapfile -t hosts`: a place of an array for each line. */
function lines(walk: Walk, _: Statement, args: readonly Field[]): Result {
  const name = text(skipOptions(args, /^-[dnOsuCc]$/)[0]) ?? 'MAPFILE';
  const { input } = walk;
  walk.scope.vars.delete(name);
  if (input?.kind !== 'exact') walk.scope.arrays.delete(name);
  else
    walk.scope.arrays.set(
      name,
      input.text
        .split('\n')
        .flatMap((line, at, all) => (at === all.length - 1 && line === '' ? [] : [exact(line)])),
    );
  return quiet(ok);
}

/** `getopts "r:v" option`: the next of the arguments, where all of them are known. */
function options(walk: Walk, statement: Statement, args: readonly Field[]): Result {
  const [letters, name, ...given] = args.map((arg) => text(arg));
  const { vars, args: own } = walk.scope;
  const words = given.length > 0 ? given.map((word) => exact(word ?? '')) : own;
  const index = vars.get('OPTIND') ?? exact('1');
  const bundle = vars.get('muster_optpos') ?? exact('1');
  if (
    letters === undefined ||
    name === undefined ||
    words === null ||
    index.kind !== 'exact' ||
    bundle.kind !== 'exact'
  ) {
    if (name !== undefined) vars.set(name, unknown(`$${name}`, `getopts ${walk.id()}`));
    return { status: either(walk, statement), out: exact('') };
  }
  const at = Number(index.text);
  const word = words[at - 1];
  const [start] = word === undefined ? [''] : partsOf(word);
  const sign = typeof start === 'string' ? start : '';
  if (word === undefined || !/^-[^-]/.test(sign) || sign === '-') {
    vars.set(name, exact('?'));
    vars.set('OPTIND', exact(String(sign === '--' ? at + 1 : at)));
    return quiet(failed);
  }
  const position = Number(bundle.text);
  const letter = sign.charAt(position);
  const takesWord = letters.includes(`${letter}:`);
  const rest = word.kind === 'exact' ? word.text.slice(position + 1) : '?';
  const next = !takesWord && rest !== '';
  vars.set(name, exact(letters.includes(letter) ? letter : '?'));
  if (takesWord) vars.set('OPTARG', rest === '' ? (words[at] ?? exact('')) : exact(rest));
  vars.set('OPTIND', exact(String(next ? at : at + (takesWord && rest === '' ? 2 : 1))));
  vars.set('muster_optpos', exact(String(next ? position + 1 : 1)));
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
  if (args.some((arg) => /^-\w*a$/.test(text(arg) ?? ''))) {
    walk.scope.arrays.set(
      names[0] ?? '',
      words.filter((word) => word !== '').map((word) => exact(word)),
    );
    return quiet(end < 0 ? failed : ok);
  }
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

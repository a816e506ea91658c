/** The verbs of a board (SEMANTICS 2 and 3), as a script calls them. */
import { exact, joined, type Pattern, partsOf, patternText, unknown } from './patterns.ts';
import { subshell } from './processes.ts';
import { quiet } from './results.ts';
import { commandText } from './routines.ts';
import { failed, ok, type Status } from './scope.ts';
import type { Span, Statement } from './shell-tree.ts';
import type { Field, Result, Walk } from './walk.ts';

/** What a verb does; `undefined`: it is none. */
export function verbCommand(
  walk: Walk,
  statement: Statement,
  name: string,
  args: readonly Field[],
): Result | undefined {
  const verb = name.replace(/^.*\//, '');
  const words = args.map(({ value }) => value);
  switch (verb) {
    case 'lava-send':
      return quiet(sent(walk, statement, words));
    case 'lava-wait':
    case 'lava-sync':
      return quiet(asked(walk, statement, verb === 'lava-wait' ? 'wait' : 'sync', words));
    case 'lava-wait-all':
      return quiet(askedAll(walk, statement, 'wait-all', words));
    case 'lava-network':
      return network(walk, statement, words);
    case 'lava-self':
      return { status: ok, out: exact(`${walk.selfName}\n`) };
    case 'lava-role':
      return role(walk, words);
    case 'lava-group':
      return group(walk, words);
    case 'lava-test-case':
      return testCase(walk, statement, args);
    case 'lava-test-raise': {
      walk.site('test-raise', statement, { id: words[0] ?? exact(''), pairs: [], extra: [] });
      walk.raised();
      return quiet(failed);
    }
    case 'lava-background-process-start':
      return backgroundProcess(walk, statement, args);
    case 'lava-test-set':
    case 'lava-test-reference':
    case 'lava-test-event':
    case 'lava-test-case-attach':
    case 'lava-background-process-stop':
    case 'lava-install-packages':
    case 'lava-echo-ipv4':
    case 'lava-os-build':
      return { status: ok, out: undefined };
    default:
      return undefined;
  }
}

function sent(walk: Walk, at: Span, words: readonly Pattern[]): Status {
  const [id = exact(''), ...rest] = words;
  const pairs: [Pattern, Pattern][] = [];
  const extra: Pattern[] = [];
  for (const word of rest) {
    const pair = pairOf(word);
    if (pair === undefined) extra.push(word);
    else pairs.push(pair);
  }
  const order = walk.site('send', at, { id, pairs, extra });
  // Too long, or of several lines: it is refused, and nothing says so.
  const isHidden = walk.around.includes('test-case') || walk.around.includes('or-true');
  const isOpen = rest.some(({ kind }) => kind !== 'exact');
  // A wrapper does not say what it runs.
  const caller = /^"?\$\{?[@*]/.test(walk.textOf(at)) ? walk.via.at(-1) : undefined;
  const { file, line, column } = caller ?? walk.source.place(at.start);
  const place = { file, line, column, text: `lava-send ${patternText(id)}` };
  const doubt = isHidden && isOpen && { doubt: place };
  return walk.call({ order, verb: 'send', words, ...doubt });
}

/** A word cut at its first `=`; one that may hold one has a key that nobody knows. */
function pairOf(word: Pattern): [Pattern, Pattern] | undefined {
  const key: Pattern[] = [];
  const parts = partsOf(word);
  for (const [index, part] of parts.entries()) {
    const at = typeof part === 'string' ? part.indexOf('=') : -1;
    if (typeof part !== 'string') {
      key.push({ kind: 'unknown', ...part });
      continue;
    }
    if (at < 0) {
      key.push(exact(part));
      continue;
    }
    const rest = parts
      .slice(index + 1)
      .map((p): Pattern => (typeof p === 'string' ? exact(p) : { kind: 'unknown', ...p }));
    return [
      joined([...key, exact(part.slice(0, at))]),
      joined([exact(part.slice(at + 1)), ...rest]),
    ];
  }
  return word.kind === 'exact' ? undefined : [word, unknown('')];
}

function asked(walk: Walk, at: Span, verb: 'wait' | 'sync', words: readonly Pattern[]): Status {
  const [id = exact(''), ...extra] = words;
  const order = walk.site(verb, at, { id, pairs: [], extra });
  if (verb === 'wait') walk.scope.lastWait = order;
  return walk.call({ order, verb, words });
}

function askedAll(
  walk: Walk,
  at: Span,
  verb: 'wait-all' | 'collect',
  words: readonly Pattern[],
): Status {
  const [id = exact(''), role, ...extra] = words;
  const order = walk.site(verb, at, { id, ...(role !== undefined && { role }), pairs: [], extra });
  if (verb === 'wait-all') walk.scope.lastWait = order;
  return walk.call({ order, verb, words });
}

const NETWORK_KEYS = [
  'ipv4',
  'netmask',
  'broadcast',
  'ipv6',
  'mac',
  'hostname',
  'hostname-full',
  'default-gateway',
  'dns_1',
];

function network(walk: Walk, at: Statement, words: readonly Pattern[]): Result {
  const [what, , role] = words;
  const id = exact('network_info');
  switch (what?.kind === 'exact' ? what.text : '') {
    case 'broadcast': {
      const pairs = NETWORK_KEYS.map((key): [Pattern, Pattern] => [
        exact(key),
        unknown(`the board's ${key}`),
      ]);
      const order = walk.site('broadcast', at, { id, pairs, extra: [] });
      return quiet(walk.call({ order, verb: 'broadcast', words: [id] }));
    }
    case 'collect':
      return quiet(askedAll(walk, at, 'collect', role === undefined ? [id] : [id, role]));
    case 'query':
      if (words[2] !== undefined) walk.readKey(words[2], walk.textOf(at), at, 'network');
      return { status: ok, out: undefined };
    default:
      return { status: ok, out: undefined };
  }
}

function role(walk: Walk, words: readonly Pattern[]): Result {
  const [list] = words;
  if (list === undefined) return { status: ok, out: exact(`${walk.context.role}\n`) };
  walk.readsGroup = true;
  if (list.kind !== 'exact' || list.text !== 'list') return { status: ok, out: undefined };
  return { status: ok, out: exact(walk.group.map((member) => `${member.role}\n`).join('')) };
}

function group(walk: Walk, [role]: readonly Pattern[]): Result {
  walk.readsGroup = true;
  if (role === undefined)
    return {
      status: ok,
      out: exact(walk.group.map(({ name, role: of }) => `${name}\t${of}\n`).join('')),
    };
  if (role.kind !== 'exact') return { status: ok, out: undefined };
  const named = walk.group.filter((member) => member.role === role.text);
  return {
    status: named.length > 0 ? ok : failed,
    out: exact(named.map(({ name }) => `${name}\n`).join('')),
  };
}

/** `lava-test-case ID --shell CMD...`: its status is lost, but with `--strict`. */
function testCase(walk: Walk, statement: Statement, args: readonly Field[]): Result {
  const texts = args.map(({ value }) => (value.kind === 'exact' ? value.text : ''));
  const at = texts.indexOf('--shell');
  const isStrict = texts.slice(0, at < 0 ? texts.length : at).includes('--strict');
  const id = args.find((_, index) => !texts[index]?.startsWith('-'))?.value ?? exact('');
  walk.site('test-case', statement, { id, pairs: [], extra: [] });
  const rest = at < 0 ? [] : args.slice(at + 1);
  const [only] = rest;
  if (only === undefined) return { status: ok, out: exact('') };
  let result: Result = quiet(ok);
  walk.inside(isStrict ? 'script' : 'test-case', () => {
    const saved = walk.isCondition;
    walk.isCondition = !isStrict;
    result =
      rest.length === 1
        ? commandText(walk, statement, only)
        : subshell(walk, () => walk.runner.command(walk, statement, rest), 'script');
    walk.isCondition = saved;
  });
  return { status: isStrict ? result.status : ok, out: undefined };
}

function backgroundProcess(walk: Walk, statement: Statement, args: readonly Field[]): Result {
  const at = args.findIndex(({ value }) => value.kind === 'exact' && value.text === '--cmd');
  const command = args[at + 1];
  if (at < 0 || command === undefined) return quiet(failed);
  const job = walk.jobSign();
  const body = walk.collected(() => {
    walk.inside('background', () => {
      commandText(walk, statement, command);
    });
  });
  walk.emit({ op: 'spawn', body, job });
  return quiet(ok);
}

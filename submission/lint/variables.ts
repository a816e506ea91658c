/** What a name stands for: a variable, an argument, or what a shell and its board set themselves. */
import { exact, joined, NOT_ZERO, type Pattern, unknown } from './patterns.ts';
import type { Status } from './scope.ts';
import type { Walk } from './walk.ts';
import { CACHE_FILE, CHECKOUT } from './walk-files.ts';

/** The value of a variable; `undefined`: nothing that was read sets it. */
export function lookedUp(walk: Walk, name: string): Pattern | undefined {
  const { scope } = walk;
  const set = scope.vars.get(name) ?? scope.arrays.get(name)?.[0];
  if (set !== undefined) return set;
  if (/^\d+$/.test(name)) {
    if (name === '0') return scope.scriptName;
    if (scope.args === null) return unknown(`$${name}`, `argument ${name} ${walk.id()}`);
    return scope.args[Number(name) - 1] ?? exact('');
  }
  return special(walk, name);
}

/** `$?`: 0, or what is not. */
function statusText(walk: Walk, status: Status): Pattern {
  const other = unknown('$?', `${NOT_ZERO} ${walk.id()}`);
  if (status.is === 'ok') return exact('0');
  if (status.is === 'failed') return other;
  const ways = status.isFlipped ? [other, exact('0')] : [exact('0'), other];
  return walk.addCases('$?', { key: status.key, ways });
}

/** `"$*"`, `"${a[*]}"`: between each two the first character of `IFS`, or of `@` a blank; `undefined`: not known. */
export function together(
  { scope }: Walk,
  list: readonly Pattern[],
  sign: string,
): Pattern | undefined {
  const ifs = sign === '*' ? scope.vars.get('IFS') : undefined;
  if (ifs !== undefined && ifs.kind !== 'exact') return undefined;
  const between = exact(ifs === undefined ? ' ' : ifs.text.slice(0, 1));
  return joined(list.flatMap((one, at) => (at === 0 ? [one] : [between, one])));
}

function special(walk: Walk, name: string): Pattern | undefined {
  const { scope, context } = walk;
  switch (name) {
    case '#':
      return scope.args === null ? unknown('$#') : exact(String(scope.args.length));
    case '@':
    case '*':
      return (scope.args && together(walk, scope.args, name)) ?? unknown(`$${name}`);
    case '?':
      return statusText(walk, scope.status);
    case '!':
      return scope.lastJob === null ? unknown('$!') : exact(scope.lastJob);
    case '$':
    case '-':
      return unknown(`$${name}`, `shell ${name}`);
    case 'PWD':
      return scope.cwd === null ? undefined : exact(`${CHECKOUT}/${scope.cwd}`.replace(/\/$/, ''));
    case 'BASH_SOURCE':
      return walk.bashSource;
    case 'TARGET_ROLE':
      return exact(context.role);
    case 'LAVA_HOSTNAME':
      return exact(walk.selfName);
    case 'LAVA_MULTI_NODE_CACHE':
      return exact(CACHE_FILE);
    case 'LAVA_TEST_BIN':
      return exact('/lava/bin');
    default:
      return undefined;
  }
}

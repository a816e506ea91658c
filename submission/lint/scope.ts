/** What a shell knows at one point of a script: its variables, its functions, where it is. Copied where ways part. */
import { exact, type Pattern, patternKey, unknown } from './patterns.ts';
import type { Statement } from './shell-tree.ts';
import type { Source } from './source.ts';
import { Table } from './table.ts';

/** How a command ended. `either`: nobody knows before it runs; what has the same key ended the same way. */
export type Status =
  | { readonly is: 'ok' }
  | { readonly is: 'failed' }
  | {
      readonly is: 'either';
      readonly key: string;
      readonly isFlipped: boolean;
      readonly text: string;
      /** Told by the run itself: a verb, or a limit. */
      readonly isCall: boolean;
    };

export const ok: Status = { is: 'ok' };
export const failed: Status = { is: 'failed' };
export const flipped = (status: Status): Status =>
  status.is === 'ok'
    ? failed
    : status.is === 'failed'
      ? ok
      : { ...status, isFlipped: !status.isFlipped };

export interface Routine {
  readonly body: Statement;
  readonly source: Source;
}

/** What a script wrote into a file, and where it did. */
export interface Written {
  /** `undefined`: nobody knows. */
  readonly text: Pattern | undefined;
  readonly of: Source;
  readonly at: number;
  /** It stands there line by line: a here-document. */
  readonly isLines: boolean;
  /** On some of the ways that led here nothing was written. */
  readonly isMaybe?: true;
}

export class Scope {
  vars: Table<Pattern>;
  arrays: Table<readonly Pattern[]>;
  functions: Table<Routine>;
  /** `$1` and on; `null`: nobody knows how many. */
  args: readonly Pattern[] | null;
  scriptName: Pattern;
  /** From the checkout; `null`: not known. */
  cwd: string | null;
  /** `cd -` goes back there. */
  lastFolder: string | null;
  /** Of `pushd`, the last one last. */
  folders: readonly (string | null)[];
  errexit: boolean;
  status: Status;
  /** The wait that filled the cache file, by its site. */
  lastWait: number | null;
  lastJob: string | null;
  /** Ways that were taken here, by key. */
  assumed: Table<number>;
  /** Files that a script wrote, by their paths: what is in them is not what lies in the checkout. */
  written: Table<Written>;
  /** What the programs that it starts are told of its variables. */
  exported: Table<true>;
  /** Arrays whose places are words. */
  maps: Table<ReadonlyMap<string, Pattern>>;
  /** `set -a`. */
  exportsAll: boolean;
  /** Functions that this shell was not told of: it does not have a command of that name. */
  hidden: Table<true>;
  pipefail: boolean;
  /** `PATH` was changed: a name alone may be that of a script. */
  hasOwnPath: boolean;
  hasSourcedCache: boolean;

  /** @param of what it begins with; absent: nothing is known yet */
  constructor(of?: Scope) {
    this.vars = of?.vars.copy() ?? new Table();
    this.arrays = of?.arrays.copy() ?? new Table();
    this.functions = of?.functions.copy() ?? new Table();
    this.args = of === undefined ? [] : of.args;
    this.scriptName = of?.scriptName ?? exact('sh');
    this.cwd = of === undefined ? '' : of.cwd;
    this.lastFolder = of?.lastFolder ?? null;
    this.folders = of?.folders ?? [];
    this.errexit = of?.errexit ?? false;
    this.status = of?.status ?? ok;
    this.lastWait = of?.lastWait ?? null;
    this.lastJob = of?.lastJob ?? null;
    this.assumed = of?.assumed.copy() ?? new Table();
    this.written = of?.written.copy() ?? new Table();
    this.exported = of?.exported.copy() ?? new Table();
    this.maps = of?.maps.copy() ?? new Table();
    this.exportsAll = of?.exportsAll ?? false;
    this.hidden = of?.hidden.copy() ?? new Table();
    this.pipefail = of?.pipefail ?? false;
    this.hasOwnPath = of?.hasOwnPath ?? false;
    this.hasSourcedCache = of?.hasSourcedCache ?? false;
  }

  copy(): Scope {
    return new Scope(this);
  }
}

/**
 * What holds whichever of the ways was taken.
 *
 * @param id of the point where they meet
 * @param hole for a variable that differs; absent: nobody knows more of it
 */
export function met(
  scopes: readonly Scope[],
  id: string,
  hole: (name: string, ways: readonly Pattern[]) => Pattern = (name) =>
    unknown(`$${name}`, `${name} at ${id}`),
): Scope {
  const [first, ...others] = scopes;
  if (first === undefined) return new Scope();
  const out = first.copy();
  for (const name of differing(scopes))
    out.vars.set(
      name,
      hole(
        name,
        scopes.map(({ vars }) => vars.get(name) ?? unknown(`$${name}`, `env ${name}`)),
      ),
    );
  for (const other of others) {
    for (const name of out.arrays.differing(other.arrays))
      if (!isSame(out.arrays.get(name), other.arrays.get(name))) out.arrays.delete(name);
    for (const name of out.functions.differing(other.functions)) {
      const routine = other.functions.get(name);
      if (routine !== undefined && !out.functions.has(name)) out.functions.set(name, routine);
    }
    if (!isSame(out.args, other.args)) out.args = null;
    if (out.cwd !== other.cwd) out.cwd = null;
    if (out.lastFolder !== other.lastFolder) out.lastFolder = null;
    if (!isSame(out.folders, other.folders)) out.folders = [];
    if (out.lastWait !== other.lastWait) out.lastWait = null;
    if (out.lastJob !== other.lastJob) out.lastJob = null;
    out.errexit &&= other.errexit;
    for (const key of out.assumed.differing(other.assumed)) out.assumed.delete(key);
    for (const file of out.written.differing(other.written)) {
      const [one, two] = [out.written.get(file), other.written.get(file)];
      const it = two ?? one;
      const isSure = one !== undefined && two !== undefined && !one.isMaybe && !two.isMaybe;
      if (it !== undefined)
        out.written.set(file, { ...it, text: undefined, ...(!isSure && { isMaybe: true }) });
    }
    for (const name of out.maps.differing(other.maps)) out.maps.delete(name);
    for (const name of out.exported.differing(other.exported)) out.exported.set(name, true);
    out.pipefail &&= other.pipefail;
    out.exportsAll ||= other.exportsAll;
    out.hasOwnPath ||= other.hasOwnPath;
    out.hasSourcedCache ||= other.hasSourcedCache;
    if (!isSame(out.status, other.status))
      out.status = {
        is: 'either',
        key: `status ${id}`,
        isFlipped: false,
        text: '$?',
        isCall: false,
      };
  }
  return out;
}

function differing([first, ...others]: readonly Scope[]): Set<string> {
  const out = new Set<string>();
  if (first === undefined) return out;
  for (const { vars } of others)
    for (const name of first.vars.differing(vars))
      if (keyOf(first.vars.get(name)) !== keyOf(vars.get(name))) out.add(name);
  return out;
}

const keyOf = (pattern: Pattern | undefined): string =>
  pattern === undefined ? '' : patternKey(pattern);

/** Plain values. */
export const isSame = (a: unknown, b: unknown): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b);

/** Whether a script that goes on from the one does what it does from the other, as far as a loop can tell. */
export function isAsBefore(before: Scope, now: Scope): boolean {
  const areSame = <V>(a: Table<V>, b: Table<V>) =>
    a.differing(b).every((name) => isSame(a.get(name), b.get(name)));
  return (
    before.cwd === now.cwd &&
    isSame(before.args, now.args) &&
    areSame(before.vars, now.vars) &&
    areSame(before.arrays, now.arrays) &&
    before.written.size === now.written.size
  );
}

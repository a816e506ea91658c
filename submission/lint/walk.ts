/**
 * The state of reading one role's scripts: what is emitted, in what it stands, and where control may go. Statements are
 * in `statements.ts`, commands in `commands.ts`.
 */
import type { Call, Condition, Exit, GraphContext, Op, ReadFile, Seek, Way } from './call-graph.ts';
import { ofStatus, simple } from './decisions.ts';
import { signOf } from './names.ts';
import { exact, type Pattern } from './patterns.ts';
import { met, type Scope, type Status } from './scope.ts';
import type { Span, Statement, Word } from './shell-tree.ts';
import type { Source } from './source.ts';
import { ProgramWalk } from './walk-program.ts';

const NESTED_MAX = 40;

/** A text that is there when a line was found in the cache file, and empty else. */
export interface Taken {
  readonly key: string;
  readonly seek: Seek;
}

export interface Frame {
  readonly block: number;
  readonly kind: 'process' | 'routine' | 'loop' | 'round';
  readonly exits: { readonly scope: Scope; readonly status: Status }[];
  isLeft: boolean;
  /** `trap ... EXIT` of a process. */
  trap: (() => void) | null;
}

/** How often a loop is turned at most. */
export const ROUNDS_MAX = 1_000;

/** What a command printed, where it is asked for and known. */
export interface Result {
  readonly status: Status;
  readonly out: Pattern | undefined;
}

/** What the parts of the walk need of one another. */
export interface Runner {
  all(walk: Walk, statements: readonly Statement[]): Result;
  one(walk: Walk, statement: Statement): Result;
  command(walk: Walk, statement: Statement, fields: readonly Field[]): Result;
  captured(walk: Walk, body: readonly Statement[], at: Span): Pattern | undefined;
}

/** One word that a command is given; `isOpen`: it may as well be none or several. */
export interface Field {
  readonly value: Pattern;
  readonly isOpen: boolean;
  readonly word: Word;
}

export class Walk extends ProgramWalk {
  readonly runner: Runner;
  /** Whether anything read of the member itself: other members of the role may run something else. */
  readsSelf = false;
  /** Whether it asks who else is in the group: then the group has to be there whole. */
  readsGroup = false;
  /** Inside of a condition: `set -e` does not end a script there. */
  isCondition = false;
  /** Whether braces are expanded: bash does, sh may not. */
  isBash = true;
  /** Whether anybody asks what a command prints. */
  isCapturing = false;
  /** The file that is read now, as it was named: `BASH_SOURCE`. */
  bashSource: Pattern = exact('sh');
  /** How the last `$(...)` of a command ended. */
  substitution: Status = { is: 'ok' };
  /** Variables of functions, with what they were before: `local`. */
  locals: Map<string, Pattern | undefined>[] = [];
  /** Words that were taken from the cache file, by the ids of their holes. */
  readonly taken = new Map<string, Taken>();
  #frames: Frame[] = [];
  readonly #failedLeaves = new WeakSet<Op>();

  constructor(context: GraphContext, readFile: ReadFile, source: Source, runner: Runner) {
    super(context, readFile, source);
    this.runner = runner;
  }

  get selfName(): string {
    this.readsSelf = true;
    return this.group[this.self]?.name ?? signOf(this.self);
  }

  all(statements: readonly Statement[]): Result {
    return this.runner.all(this, statements);
  }

  one(statement: Statement): Result {
    return this.runner.one(this, statement);
  }

  captured(body: readonly Statement[], at: Span): Pattern | undefined {
    return this.runner.captured(this, body, at);
  }

  jobSign(): string {
    return `\uE0F2${this.id()}\uE0F3`;
  }

  keepLocal(name: string): void {
    const kept = this.locals.at(-1);
    if (kept !== undefined && !kept.has(name)) kept.set(name, this.scope.vars.get(name));
  }

  // blocks

  /** Runs it as a block that can be left. The status behind it is that of its end, or those of where it was left. */
  block(kind: Frame['kind'], run: () => Status): Status {
    if (this.#frames.length > NESTED_MAX) return { is: 'ok' };
    const frame: Frame = { block: this.id(), kind, exits: [], isLeft: false, trap: null };
    this.#frames.push(frame);
    let status: Status = { is: 'ok' };
    let end = 0;
    const body = this.collected(() => {
      status = run();
      end = frame.exits.length;
      if (!this.isDead) frame.exits.push({ scope: this.scope, status });
    });
    this.#frames.pop();
    const wasLeft = frame.isLeft;
    this.#meet(frame);
    const alive = this.isDead;
    this.isDead = false;
    if (wasLeft) this.emit({ op: 'block', block: frame.block, end, body });
    else for (const op of body) this.emit(op);
    this.isDead = alive;
    // However the process ends.
    if (frame.trap !== null) this.inside('trap', frame.trap);
    return this.#statusOf(frame);
  }

  /** What a process knew is gone behind it: it is not worth a copy. */
  #kept(frame: Frame): Scope {
    return frame.kind === 'process' ? this.scope : this.scope.copy();
  }

  #meet(frame: Frame): void {
    const [first] = frame.exits;
    this.isDead = first === undefined;
    if (first === undefined) return;
    const isOne = frame.kind === 'process' || frame.exits.length === 1;
    const scopes = frame.exits.map(({ scope }) => scope);
    this.scope = isOne
      ? first.scope
      : met(scopes, `block ${frame.block}`, this.holes(`exit ${frame.block}`));
  }

  #statusOf({ exits, block }: Frame): Status {
    const [first, ...others] = exits;
    if (first === undefined) return { is: 'failed' };
    if (others.length === 0) return first.status;
    const trees = exits.map(({ status }) => ofStatus(status));
    return this.decision(simple(`exit ${block}`, trees), '$?');
  }

  /** The innermost block of a kind, `n` levels further out. */
  frame(kind: Frame['kind'] | 'return', n = 1): Frame | undefined {
    let left = n;
    for (let i = this.#frames.length - 1; i >= 0; i--) {
      const frame = this.#frames[i];
      if (frame === undefined) return undefined;
      if (frame.kind === kind || (kind === 'return' && frame.kind === 'routine')) left -= 1;
      if (left === 0) return frame;
      if (frame.kind === 'process' && kind !== 'process')
        return kind === 'return' ? frame : undefined;
    }
    return undefined;
  }

  leave(frame: Frame | undefined, status: Status): void {
    if (frame === undefined || this.isDead) return;
    const exit = frame.exits.length;
    frame.exits.push({ scope: this.#kept(frame), status });
    frame.isLeft = true;
    const isFailure = status.is === 'failed' && this.#isOuter(frame);
    const op: Op = { op: 'leave', block: frame.block, exit, ...(isFailure && { isFailure }) };
    if (status.is === 'failed' && frame.kind === 'process') this.#failedLeaves.add(op);
    this.emit(op);
    this.isDead = true;
  }

  /** The block that `set -e` ends here when a command fails, if it does. */
  get endOfErrors(): Frame | undefined {
    return this.scope.errexit && !this.isCondition && this.context.errors !== 'go-on'
      ? this.frame('process')
      : undefined;
  }

  /** A failure that nobody caught leaves the process. */
  dies(frame: Frame): Exit {
    frame.isLeft = true;
    const ends = { block: frame.block, ...(this.#isOuter(frame) && { isFailure: true as const }) };
    const known = frame.exits.findIndex(({ status }) => status.is === 'failed');
    if (known >= 0) return { ...ends, exit: known };
    const status: Status = { is: 'failed' };
    return { ...ends, exit: frame.exits.push({ scope: this.scope, status }) - 1 };
  }

  /** The shell of the steps themselves: with it the script ends. */
  #isOuter(frame: Frame): boolean {
    return this.#frames.find(({ kind }) => kind === 'process') === frame;
  }

  // ways

  /** The ways that may be taken. A way that was taken before is taken again. */
  choice(
    key: string,
    isDecided: boolean,
    at: () => Condition,
    ways: readonly (() => void)[],
  ): void {
    if (this.isDead) return;
    const known = this.scope.assumed.get(key);
    const only = known === undefined ? undefined : ways[known];
    if (only !== undefined) {
      only();
      return;
    }
    const before = this.scope;
    const alive: { index: number; scope: Scope }[] = [];
    const made: Way[] = [];
    let isWorthIt = false;
    for (const [index, way] of ways.entries()) {
      this.scope = before.copy();
      this.scope.assumed.set(key, index);
      this.isDead = false;
      this.when.push(() => {
        const is = at();
        return { ...is, holds: is.holds === (index === 0), known: false };
      });
      const body = this.collected(way);
      this.when.pop();
      isWorthIt ||= body.length > 0;
      made.push({ body, isFailure: this.isDead && this.#isFailing(body) });
      if (!this.isDead) alive.push({ index, scope: this.scope });
    }
    this.isDead = false;
    this.scope = before;
    const scopes = alive.map(({ scope }) => scope);
    const isAll = alive.length === ways.length;
    if (alive.length > 0)
      this.scope = met(scopes, `choice ${this.id()}`, isAll ? this.holes(key) : undefined);
    if (isWorthIt) this.emit({ op: 'choice', key, isDecided, ways: made, at: at() });
    this.isDead = alive.length === 0;
  }

  /** Whether a way that ends a script ends it as failed. */
  #isFailing(body: readonly Op[]): boolean {
    const last = body.at(-1);
    return last !== undefined && this.#failedLeaves.has(last);
  }

  /** Calls and limits whose failure leads out by itself. */
  readonly leaving = new Set<string>();

  call(call: Omit<Call, 'key' | 'leaves'>): Status {
    const key = `call ${this.id()}`;
    const frame = this.endOfErrors;
    const leaves = frame === undefined || this.isDead ? null : this.dies(frame);
    if (leaves !== null) this.leaving.add(key);
    this.emit({ op: 'call', call: { ...call, key, leaves } });
    return { is: 'either', key, isFlipped: false, text: '', isCall: true };
  }

  /** `lava-test-raise`: this member ends here. */
  raised(): void {
    this.emit({ op: 'raise' });
    this.isDead = true;
  }
}

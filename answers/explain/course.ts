/**
 * The course of a script as its member ran it: each command at which it may have ended, and each call, in the order in which
 * they are come to. Read by the walk of the call graph, with the member's role, parameters and place in the group.
 */
import type {
  Around,
  CallSite,
  Entry,
  GraphContext,
  ReadFile,
} from '../../submission/lint/call-graph.ts';
import { runCommand } from '../../submission/lint/commands.ts';
import { runner } from '../../submission/lint/graph.ts';
import { shown } from '../../submission/lint/names.ts';
import { exact, joined, type Pattern, unknown } from '../../submission/lint/patterns.ts';
import { subshell } from '../../submission/lint/processes.ts';
import { commandText } from '../../submission/lint/routines.ts';
import { Scope, type Status } from '../../submission/lint/scope.ts';
import { testStatus } from '../../submission/lint/shell-test.ts';
import type { Span, Statement } from '../../submission/lint/shell-tree.ts';
import { definitionSource, fileSource } from '../../submission/lint/source.ts';
import { type Field, type Frame, type Result, Walk } from '../../submission/lint/walk.ts';
import { filesOf } from '../named-files.ts';

/** A command at which a script may have ended. */
export interface Point {
  /** Its place among all points and calls. */
  readonly at: number;
  readonly file: string;
  readonly line: number;
  /** All of its line, without the blanks around it. */
  readonly lineText: string;
  /** As it is written. */
  readonly text: string;
  readonly kind: 'exit' | 'return' | 'command' | 'test' | 'assignment';
  /** Of a command: its words, as far as they are known before it runs. */
  readonly words: readonly Pattern[];
  /** Whether its failure, or what it says, ends its own process. */
  endsItsOwn: boolean;
  /** By `at`: the commands that run the processes that it stands in, the outermost first. */
  readonly callers: readonly number[];
  /** In the background or in `$(...)`: how it ends is told by another command. */
  readonly isInner: boolean;
  /** Its end is hidden by a `lava-test-case`: of that one the place among all. */
  readonly hiddenBy: number | undefined;
  /** It is come to whatever happens. */
  readonly isCertain: boolean;
  /** It reads or writes a file by `<` or `>`, which its shell may fail to open. */
  readonly opensFile: boolean;
  /** Of an `echo` whose words come to the console: what it says. */
  readonly says: Pattern | undefined;
  /** The functions and files through which it is come to, the outermost first. */
  readonly via: readonly { readonly file: string; readonly line: number; readonly name: string }[];
}

export interface CourseCall {
  readonly at: number;
  readonly verb: CallSite['verb'];
  readonly id: Pattern;
  readonly file: string;
  readonly line: number;
  readonly isCertain: boolean;
  readonly hiddenBy: number | undefined;
}

export interface Course {
  readonly points: readonly Point[];
  readonly calls: readonly CourseCall[];
}

/** `paths`: all files of the checkout. */
export type CourseEntry = Entry & { readonly paths?: readonly string[] };

/** `undefined`: it is no definition, or cannot be read. */
export function courseOf(
  entry: CourseEntry,
  context: GraphContext,
  script: 'install.sh' | 'run.sh',
): Course | undefined {
  if (entry.kind !== 'definition') return undefined;
  const source = definitionSource(entry.file, entry.text);
  if (source === undefined) return undefined;
  const readFile = entry.readFile ?? (() => undefined);
  const walk = new CourseWalk(context, readFile, entry.paths ?? []);
  walk.scope = new Scope();
  for (const [name, value] of [...source.parameters, ...(entry.parameters ?? [])])
    walk.scope.vars.set(name, exact(value));
  walk.source = script === 'run.sh' ? source.run : source.install;
  subshell(
    walk,
    () => {
      walk.scope.errexit = true;
      return walk.all(walk.source.script.body);
    },
    'script',
  );
  return { points: walk.points, calls: walk.courseCalls };
}

/** Whatever its reader makes of them: at the end of a file, of a board's processes or rights; and those that run others. */
const MAY_FAIL =
  /^(?:cd|wait|kill|read|sudo|su|runuser|taskset|chrt|nice|ionice|numactl|setpriv|chroot|unshare|nsenter|ip|timeout|setsid|stdbuf)$/;
const RUNS = /^(?:\.|source|(?:.*\/)?(?:ba|da|a|k|z)?sh)$/;
/** Whatever is said may go elsewhere. */
const AWAY = /\bexec\b[^\n]*>|(?:\}|\)|\bdone|\bfi|\besac)\s*(?:\d?>|\|)/;

interface Caller {
  readonly at: number;
  readonly processes: number;
}

const PROCESSES = new Set<Around>(['script', 'subshell', 'pipeline', 'background', 'substitution']);
const POINTS_MAX = 20_000;

class CourseWalk extends Walk {
  readonly points: Point[] = [];
  readonly courseCalls: CourseCall[] = [];
  readonly #paths: readonly string[];
  #count = 0;
  readonly #callers: Caller[] = [];
  readonly #hiding: number[] = [];
  #isAsking = false;

  constructor(context: GraphContext, readFile: ReadFile, paths: readonly string[]) {
    super(context, readFile, fileSource('', ''), {
      ...runner,
      command: (walk, statement, fields) =>
        walk instanceof CourseWalk
          ? walk.command(statement, fields)
          : runCommand(walk, statement, fields),
    });
    this.#paths = paths;
  }

  command(statement: Statement, fields: readonly Field[]): Result {
    const words = fields.map(({ value }) => shown(value, this.self));
    const [first] = words;
    const name = first?.kind === 'exact' ? first.text : '';
    const kind = name === 'exit' || name === 'return' ? name : 'command';
    const point = this.#point(statement, kind, words);
    const before = this.points.length;
    this.#callers.push({ at: point?.at ?? this.#count, processes: this.#processes() });
    const isCase = /(?:^|\/)lava-test-case$/.test(name);
    if (isCase) this.#hiding.push(point?.at ?? this.#count);
    const result = this.#run(statement, fields);
    if (isCase) this.#hiding.pop();
    this.#callers.pop();
    // What is certain to go well ends nothing; but of scripts and of these it is not known.
    const isKnown = this.points.length === before && !MAY_FAIL.test(name) && !opensFile(statement);
    if (point !== undefined && kind === 'command' && isKnown && result.status.is === 'ok')
      point.endsItsOwn = false;
    return result;
  }

  #run(statement: Statement, fields: readonly Field[]): Result {
    const [first, ...args] = fields;
    const program = first?.value.kind === 'exact' ? first.value.text : '';
    const at = args.findIndex(({ value }) => value.kind === 'exact' && value.text === '-c');
    const line = args[at + 1];
    if (/^(?:su|runuser)$/.test(program) && at >= 0 && line !== undefined)
      return commandText(this, statement, line);
    if (program === 'xargs') {
      const rest = args.slice(
        args.findIndex(({ value }) => !(value.kind === 'exact' && value.text.startsWith('-'))),
      );
      const word = rest.at(-1);
      if (word !== undefined)
        return subshell(
          this,
          () =>
            this.command(statement, [...rest, { ...word, value: unknown('xargs'), isOpen: true }]),
          'script',
        );
    }
    return this.#runFile(statement, fields);
  }

  /** A file whose name only the shell knows may be each that fits. */
  #runFile(statement: Statement, fields: readonly Field[]): Result {
    const runs = fields[0]?.value.kind === 'exact' && RUNS.test(fields[0].value.text);
    const at = runs ? 1 : 0;
    const target = fields[at];
    if (target === undefined || target.value.kind === 'exact' || this.scope.cwd !== '')
      return runCommand(this, statement, fields);
    const files = filesOf(target.value, this.source.text, this.#paths);
    const status: Status = { is: 'either', key: '', isFlipped: false, text: '', isCall: false };
    let result: Result = { status, out: undefined };
    if (files.length === 0) return runCommand(this, statement, fields);
    for (const path of files) {
      const named = { ...target, value: exact(`./${path}`), isOpen: false };
      const isDead = this.isDead;
      result = runCommand(this, statement, [
        ...fields.slice(0, at),
        named,
        ...fields.slice(at + 1),
      ]);
      this.isDead = isDead;
    }
    return { ...result, status };
  }

  /** Asked behind each statement that `set -e` looks at. */
  override get endOfErrors(): Frame | undefined {
    const frame = super.endOfErrors;
    const { reading } = this;
    if (frame === undefined || this.#isAsking || !('kind' in reading)) return frame;
    this.#isAsking = true;
    this.#statement(reading as Statement);
    this.#isAsking = false;
    return frame;
  }

  #statement(statement: Statement): void {
    if (statement.kind === 'test') {
      if (testStatus(this, statement.words, true).is !== 'ok') this.#point(statement, 'test', []);
    } else if (statement.kind === 'arithmetic') this.#point(statement, 'test', []);
    else if (statement.kind === 'simple' && statement.words.length === 0) {
      const runs = statement.assignments.some(({ value }) => /\$\(|`/.test(value?.source ?? ''));
      if (runs) this.#point(statement, 'assignment', []);
    }
  }

  /** What ends a process or a function last gives it its status: of `a && b` either. */
  override block(kind: Frame['kind'], run: Parameters<Walk['block']>[1]) {
    const before = this.points.length;
    const caller = this.points.find(({ at }) => at === this.#callers.at(-1)?.at);
    const isTail = kind === 'process' || (kind === 'routine' && caller?.endsItsOwn === true);
    const status = super.block(kind, run);
    if (!isTail) return status;
    const depth = this.#boundaries().length;
    const own = this.points
      .slice(before)
      .filter(({ callers, isInner }) => callers.length <= depth && !isInner);
    const last = own.at(-1);
    for (const point of own)
      if (point.line === last?.line && point.file === last.file) point.endsItsOwn = true;
    return status;
  }

  override site(...[verb, at, said]: Parameters<Walk['site']>): number {
    const place = this.source.place(at.start);
    this.#count += 1;
    if (!this.around.includes('background'))
      this.courseCalls.push({
        at: this.#count,
        verb,
        id: said.id,
        file: place.file,
        line: place.line,
        isCertain: this.when.length === 0 && !this.around.includes('trap'),
        hiddenBy: this.#hiding.at(-1),
      });
    return super.site(verb, at, said);
  }

  #point(at: Span, kind: Point['kind'], words: readonly Pattern[]): Point | undefined {
    if (this.isDead || this.points.length >= POINTS_MAX || this.around.includes('trap'))
      return undefined;
    const { file, line } = this.source.place(at.start);
    this.#count += 1;
    const isInner = this.around.some((one) => one === 'background' || one === 'substitution');
    const point: Point = {
      at: this.#count,
      file,
      line,
      lineText: this.source.lineText(line),
      text: this.textOf(at),
      kind,
      words,
      endsItsOwn: kind === 'exit' || this.#isFatal(),
      callers: this.#boundaries(),
      isInner,
      hiddenBy: this.#hiding.at(-1),
      isCertain: this.when.length === 0,
      opensFile: opensFile(at),
      says: this.#said(at, words),
      via: [...this.via],
    };
    this.points.push(point);
    return point;
  }

  #said(at: Span, [program, ...words]: readonly Pattern[]): Pattern | undefined {
    if (program?.kind !== 'exact' || !/^(?:echo|printf)$/.test(program.text)) return undefined;
    const goesOn = this.around.some((one) => PROCESSES.has(one) && one !== 'script');
    const isAway =
      'redirects' in at &&
      (at as Statement).redirects.some(
        ({ operator, target }) => operator.startsWith('>') && !/^[12]$/.test(target?.source ?? ''),
      );
    if (goesOn || isAway || AWAY.test(this.source.text)) return undefined;
    const options = words.findIndex((one) => !(one.kind === 'exact' && /^-[neE]+$/.test(one.text)));
    const rest =
      options < 0 ? [] : words.slice(options, program.text === 'printf' ? options + 1 : undefined);
    return joined(rest.flatMap((one, index) => (index === 0 ? [one] : [exact(' '), one])));
  }

  /** Under `set -e`, and in no condition; in a pipeline only the last stage counts, or each under `pipefail`. */
  #isFatal(): boolean {
    if (!this.scope.errexit) return false;
    const inner = this.around.slice(this.around.lastIndexOf('script') + 1);
    if (inner.includes('condition') || inner.includes('test-case')) return false;
    const isStage = inner.includes('pipeline');
    return !this.isCondition || (isStage && /\bpipefail\b/.test(this.source.text));
  }

  #processes(): number {
    return this.around.filter((one) => PROCESSES.has(one)).length;
  }

  /** The commands whose processes it stands in: those behind which a process began. */
  #boundaries(): number[] {
    const now = this.#processes();
    return this.#callers
      .filter(({ processes }, index) => (this.#callers[index + 1]?.processes ?? now) > processes)
      .map(({ at }) => at);
  }
}

/** What is written to `/tmp` or thrown away hardly ever fails. */
function opensFile(at: Span): boolean {
  if (!('redirects' in at)) return false;
  return (at as Statement).redirects.some(({ operator, target }) => {
    const file = target?.source ?? '';
    if (/^["']?(?:\/dev\/(?:null|std\w+|tty)\b|[<>]\(|\d$|-$)/.test(file)) return false;
    return operator === '<' || (/^>[>|]?$/.test(operator) && !/^["']?(?:\/tmp\/|\$)/.test(file));
  });
}

/** Whether its end ends the suite's own script, or a case: no command on its way looks at how it ends. */
export function endsAll({ points }: Course, point: Point, inCase?: number): boolean {
  if (!point.endsItsOwn || point.isInner || point.hiddenBy !== inCase) return false;
  const byPlace = indexOf(points);
  return point.callers.every((at) => at <= (inCase ?? 0) || byPlace.get(at)?.endsItsOwn !== false);
}

const indexes = new WeakMap<readonly Point[], Map<number, Point>>();
export function indexOf(points: readonly Point[]): Map<number, Point> {
  const known = indexes.get(points) ?? new Map(points.map((point) => [point.at, point]));
  indexes.set(points, known);
  return known;
}

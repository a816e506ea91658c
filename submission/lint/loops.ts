/** Loops: turned as often as is known, or as often as nobody can tell. */
import type { Op } from './call-graph.ts';
import { fieldsOf } from './fields.ts';
import { type Pattern, unknown } from './patterns.ts';
import { isAsBefore, isSame, met, ok, type Scope, type Status } from './scope.ts';
import type { Span, Statement } from './shell-tree.ts';
import { type Result, ROUNDS_MAX, type Walk } from './walk.ts';

type Kind<K extends Statement['kind']> = Extract<Statement, { kind: K }>;

export function forLoop(walk: Walk, statement: Kind<'for'>): Result {
  const { name, words, body } = statement;
  const fields =
    words === null
      ? (walk.scope.args?.map((value) => ({ value, isOpen: false })) ?? [
          { value: unknown('$@'), isOpen: true },
        ])
      : fieldsOf(walk, words);
  const isOpen = fields.some((field) => field.isOpen);
  walk.inside('loop', () => {
    walk.block('loop', () => {
      if (isOpen) {
        repeated(walk, statement, 0, () => {
          walk.scope.vars.set(name, unknown(`$${name}`, `turn ${walk.id()}`));
          return walk.all(body).status;
        });
        return ok;
      }
      for (const { value } of fields) {
        if (walk.isDead || !walk.step(statement)) break;
        walk.scope.vars.set(name, value);
        walk.block('round', () => walk.all(body).status);
      }
      return ok;
    });
  });
  return { status: ok, out: undefined };
}

interface Loop {
  condition(): Status;
  after(): unknown;
}

export function whileLoop(
  walk: Walk,
  statement: Kind<'while'> | Kind<'count'>,
  loop: Loop,
): Result {
  const run = () => {
    const { status } = walk.all(statement.body);
    if (!walk.isDead) loop.after();
    return status;
  };
  walk.inside('loop', () => {
    walk.block('loop', () => {
      for (let round = 0; !walk.isDead && walk.step(statement); round++) {
        const scope = walk.scope.copy();
        const { input } = walk;
        let status: Status = ok;
        const asked = walk.collected(() => {
          status = loop.condition();
        });
        status = ended(status);
        const isPolled = status.is === 'either' && status.isCall && !walk.isDead;
        if (isPolled && polled(walk, statement, scope, loop, run)) break;
        for (const op of asked) walk.again(op);
        if (walk.isDead || status.is === 'failed') break;
        if (status.is === 'either') {
          eitherRound(walk, statement, loop, run);
          break;
        }
        const leftBefore = walk.frame('loop')?.exits.length ?? 0;
        walk.block('round', run);
        if (walk.isDead) break;
        const isStill = isAsBefore(scope, walk.scope) && sameInput(input, walk.input);
        const mayLeave = (walk.frame('loop')?.exits.length ?? 0) > leftBefore;
        if (!isStill && !mayLeave && round < ROUNDS_MAX) continue;
        if (round >= ROUNDS_MAX) walk.open('loop', statement);
        endless(walk, statement, loop, run);
        break;
      }
      return ok;
    });
  });
  return { status: ok, out: undefined };
}

/** The next turns of a loop that ends by what its body finds, or never. */
function endless(walk: Walk, statement: Statement, loop: Loop, run: () => Status): void {
  repeated(
    walk,
    statement,
    0,
    () => {
      loop.condition();
      return run();
    },
    true,
  );
  walk.isDead = true;
}

/** TypeScript takes what a function sets to be as it was before. */
const ended = (status: Status): Status => status;

/** A loop whose condition is told by a call: `until timeout 5 lava-wait x; do`. @returns whether it is one */
function polled(
  walk: Walk,
  statement: Statement,
  start: Scope,
  loop: Loop,
  run: () => Status,
): boolean {
  const wasRepeat = walk.isRepeat;
  walk.isRepeat = true;
  const turn = (): { condition: Op[]; status: Status; body: Op[] } => {
    let status: Status = ok;
    const condition = walk.collected(() => {
      status = loop.condition();
    });
    const body = walk.isDead ? [] : walk.collected(() => walk.block('round', run));
    return { condition, status: ended(status), body };
  };
  const dead = walk.isDead;
  walk.scope = start.copy();
  walk.trial(turn);
  const id = `turns ${walk.id()}`;
  walk.scope = met([start, walk.scope], id);
  walk.isDead = dead;
  const before = walk.scope.copy();
  const { condition, status, body } = turn();
  const isDead = walk.isDead;
  walk.isDead = dead;
  walk.isRepeat = wasRepeat;
  if (status.is !== 'either' || !status.isCall) {
    walk.scope = before;
    return false;
  }
  walk.scope = isDead ? before : met([before, walk.scope], id);
  const at = walk.source.place(statement.start);
  const { key, isFlipped } = status;
  walk.emit({ op: 'while', condition, key, goesOn: !isFlipped, body, at });
  return true;
}

/** A loop whose condition is told by what nobody knows. */
function eitherRound(
  walk: Walk,
  statement: Kind<'while'> | Kind<'count'>,
  loop: Loop,
  run: () => Status,
): void {
  if (!isBounded(walk, statement)) {
    const at = { ...walk.source.place(statement.start), text: walk.textOf(statement) };
    walk.emit({ op: 'poll', key: `poll ${walk.id()}`, at });
  }
  repeated(walk, statement, 0, () => {
    const end = run();
    if (!walk.isDead) loop.condition();
    return end;
  });
}

const COUNTS = /-(?:l[te]|g[te]|eq|ne)\b|\(\(|\bseq\b|SECONDS|\b(?:break|return|exit|read)\b/;

/** It counts, has another way out, or stands under a limit. */
const isBounded = (walk: Walk, { start, end }: Span): boolean =>
  walk.limitSeconds !== undefined ||
  walk.around.includes('background') ||
  COUNTS.test(walk.source.text.slice(start, end));

/** A body that runs as often as nobody can tell: what changes in it is not known in it, nor behind it. */
function repeated(
  walk: Walk,
  at: Span,
  atLeast: number,
  run: () => Status,
  isEndless = false,
): void {
  const before = walk.scope.copy();
  const wasRepeat = walk.isRepeat;
  walk.isRepeat = true;
  const isDead = walk.isDead;
  const round = () => {
    walk.block('round', run);
  };
  walk.trial(() => walk.collected(round));
  const id = `turns ${walk.id()}`;
  const start = met([before, walk.scope], id);
  walk.scope = start;
  walk.isDead = isDead;
  const body = walk.collected(round);
  const after = walk.isDead ? [start] : [start, walk.scope];
  walk.isDead = isDead;
  walk.scope = met(after, id);
  walk.isRepeat = wasRepeat;
  if (body.length === 0) return;
  const place = walk.source.place(at.start);
  walk.emit({ op: 'repeat', key: id, body, atLeast, isEndless, at: place });
}

/** What is read line by line is long: it is not written out to be compared. */
const sameInput = (a: Pattern | undefined, b: Pattern | undefined): boolean =>
  a?.kind === 'exact' && b?.kind === 'exact' ? a.text === b.text : isSame(a, b);

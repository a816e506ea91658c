/** Loops: turned as often as is known, or as often as nobody can tell. */
import { fieldsOf } from './expansions.ts';
import { unknown } from './patterns.ts';
import { met, ok, type Status } from './scope.ts';
import type { Span, Statement } from './shell-tree.ts';
import { type Result, ROUNDS_MAX, type Walk } from './walk.ts';
import { branch } from './ways.ts';

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
        const before = keyOf(walk);
        const status = loop.condition();
        if (walk.isDead || status.is === 'failed') break;
        if (status.is === 'either') {
          eitherRound(walk, statement, status, loop, run);
          break;
        }
        const leftBefore = walk.frame('loop')?.exits.length ?? 0;
        walk.block('round', run);
        if (walk.isDead) break;
        const isSame = keyOf(walk) === before;
        const mayLeave = (walk.frame('loop')?.exits.length ?? 0) > leftBefore;
        if (!isSame && !mayLeave && round < ROUNDS_MAX) continue;
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

/** A loop whose condition is told by a call (`until timeout 5 lava-wait x`), or by what nobody knows. */
function eitherRound(
  walk: Walk,
  statement: Statement,
  status: Status,
  loop: Loop,
  run: () => Status,
): void {
  if (status.is !== 'either') return;
  const goOn = () => {
    walk.block('round', run);
    if (walk.isDead) return { status: ok, out: undefined };
    walk.open('loop', statement);
    repeated(walk, statement, 0, () => {
      loop.condition();
      return run();
    });
    return { status: ok, out: undefined };
  };
  if (status.isCall) {
    branch(walk, status, statement, goOn, () => ({ status: ok, out: undefined }));
    return;
  }
  repeated(walk, statement, 0, () => {
    const end = run();
    if (!walk.isDead) loop.condition();
    return end;
  });
}

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

const keyOf = ({ scope, input }: Walk): string =>
  JSON.stringify([
    [...scope.vars],
    [...scope.arrays],
    scope.args,
    scope.cwd,
    scope.written.size,
    input,
  ]);

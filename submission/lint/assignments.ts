/** What sets variables. */
import { arithmetic, fieldsOf, textValue } from './expansions.ts';
import { exact, joined, unknown } from './patterns.ts';
import { quiet } from './results.ts';
import { ok } from './scope.ts';
import type { Assignment, Statement } from './shell-tree.ts';
import type { Result, Walk } from './walk.ts';

type Kind<K extends Statement['kind']> = Extract<Statement, { kind: K }>;

export function declare(walk: Walk, { command, assignments, words }: Kind<'declare'>): Result {
  const names = fieldsOf(walk, words).map(({ value }) => value);
  if (command === 'local' || command === 'declare' || command === 'typeset')
    for (const { name } of assignments) walk.keepLocal(name);
  for (const one of assignments) assign(walk, one);
  for (const name of names) {
    if (name.kind !== 'exact' || name.text.startsWith('-')) continue;
    const [variable = '', ...value] = name.text.split('=');
    if (command === 'local') walk.keepLocal(variable);
    if (value.length > 0) walk.scope.vars.set(variable, exact(value.join('=')));
    else if (command === 'local') walk.scope.vars.set(variable, exact(''));
  }
  return quiet(ok);
}

export function assign(walk: Walk, { name, index, isAppended, value, array }: Assignment): void {
  const { vars, arrays } = walk.scope;
  if (array !== undefined) {
    const fields = fieldsOf(walk, array);
    const isOpen = fields.some((field) => field.isOpen);
    const before = isAppended ? (arrays.get(name) ?? []) : [];
    if (isOpen) arrays.delete(name);
    else arrays.set(name, [...before, ...fields.map((field) => field.value)]);
    if (isOpen) vars.set(name, unknown(`$${name}`, `array ${walk.id()}`));
    else vars.delete(name);
    return;
  }
  const set = textValue(walk, value);
  if (index !== undefined) {
    const list = arrays.get(name) ?? [];
    const at = arithmetic(walk, index);
    if (at.kind === 'exact' && Number(at.text) <= list.length)
      arrays.set(name, [
        ...list.slice(0, Number(at.text)),
        set,
        ...list.slice(Number(at.text) + 1),
      ]);
    else arrays.delete(name);
    return;
  }
  const before = vars.get(name);
  vars.set(name, isAppended && before !== undefined ? joined([before, set]) : set);
}

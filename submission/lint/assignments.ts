/** What sets variables. */
import { arithmetic, indexText, textValue } from './expansions.ts';
import { fieldsOf } from './fields.ts';
import { exact, joined, type Pattern, unknown, withoutStart } from './patterns.ts';
import { either, quiet } from './results.ts';
import { ok } from './scope.ts';
import type { Assignment, Statement, Word } from './shell-tree.ts';
import type { Result, Walk } from './walk.ts';

type Kind<K extends Statement['kind']> = Extract<Statement, { kind: K }>;

export function declare(walk: Walk, statement: Kind<'declare'>): Result {
  const { command, assignments, words } = statement;
  const names: string[] = [];
  let flags = '';
  for (const { value } of fieldsOf(walk, words)) {
    if (value.kind !== 'exact') continue;
    if (/^[-+]/.test(value.text)) flags += value.text;
    else names.push(value.text);
  }
  const isExport = command === 'export' || /-\w*x/.test(flags);
  if (command === 'export' && flags.includes('f')) {
    for (const name of names) walk.scope.exported.set(`${name}()`, true);
    return quiet(ok);
  }
  const isLocal = command === 'local' || command === 'declare' || command === 'typeset';
  // `declare -F step_server || exit 0` asks, and sets nothing.
  if (isLocal && command !== 'local' && /-\w*[fFp]/.test(flags) && names.length > 0)
    return quiet(
      names.every((name) => walk.scope.functions.has(name)) ? ok : either(walk, statement),
    );
  const isMap = flags.includes('A');
  // A name for another variable, and sums without a sign for them: they are not followed.
  if (/-\w*[ni]/.test(flags) && command !== 'export') walk.open('word', walk.reading);
  if (isLocal) for (const { name } of assignments) walk.keepLocal(name);
  for (const one of assignments) {
    if (isMap) walk.scope.maps.set(one.name, new Map());
    assign(walk, one);
    if (isExport) walk.scope.exported.set(one.name, true);
  }
  for (const name of names) {
    const [variable = '', ...value] = name.split('=');
    if (isLocal) walk.keepLocal(variable);
    if (isMap && !walk.scope.maps.has(variable)) walk.scope.maps.set(variable, new Map());
    if (value.length > 0) walk.scope.vars.set(variable, exact(value.join('=')));
    else if (command === 'local') walk.scope.vars.set(variable, exact(''));
    if (isExport) walk.scope.exported.set(variable, true);
  }
  // `local x=$(false)` ends as `local` does.
  return quiet(ok);
}

export function assign(walk: Walk, assignment: Assignment): void {
  const { name, index, isAppended, value, array } = assignment;
  const { vars, arrays, maps } = walk.scope;
  if (name === 'PATH') walk.scope.hasOwnPath = true;
  if (walk.scope.exportsAll) walk.scope.exported.set(name, true);
  const map = maps.get(name);
  if (array !== undefined && map !== undefined) {
    assignMap(walk, name, array, isAppended ? map : new Map());
    return;
  }
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
  if (index !== undefined && map !== undefined) {
    const at = indexText(walk, index);
    if (at.kind === 'exact') maps.set(name, new Map([...map, [at.text, set]]));
    else maps.set(name, openMap(map));
    return;
  }
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

/** `([a]=1 [b]=2)`. */
function assignMap(
  walk: Walk,
  name: string,
  words: readonly Word[],
  before: ReadonlyMap<string, Pattern>,
): void {
  const { maps } = walk.scope;
  const map = new Map(before);
  for (const word of words) {
    const text = textValue(walk, word);
    const [, key] = /^\[["']?([^\]"'$`]*)["']?\]=/.exec(word.source) ?? [];
    const start = `[${key ?? ''}]=`;
    if (key === undefined || text.kind === 'unknown') {
      maps.set(name, openMap(map));
      return;
    }
    map.set(key, withoutStart(text, start.length));
  }
  maps.set(name, map);
}

/** One of which some places are not known: all of them are not, then. */
const openMap = (map: ReadonlyMap<string, Pattern>): ReadonlyMap<string, Pattern> =>
  new Map([...map].map(([key]) => [key, unknown(`$${key}`)]));

/**
 * The rules of the JSON form that look at more than one field. They read the tree and not the checked value, so that
 * they speak also when something else in the document is wrong. Where a field's own shape is wrong they are silent.
 */
import { type JobDefinition, needsShell } from '../machines/definition.ts';
import { GROUP_MEMBERS_MAX } from '../machines/names.ts';
import { didYouMean, list, quote } from './quoting.ts';
import {
  entryOf,
  type Finding,
  itemsOf,
  numberOf,
  type ObjectTree,
  type Path,
  type Tree,
  textOf,
} from './tree.ts';

/** The role of a job without `device_group` (SEMANTICS 2.3). */
export const ROLE_OF_ONE = 'default';

/** @returns what is wrong between the fields of a job, in no particular order */
export function jobRules(job: Tree): Finding[] {
  if (job.kind !== 'object') return [];
  return [...boardRules(job), ...groupRules(job), ...actionRules(job)];
}

/** A job of one names its board beside the other fields, a group in `device_group`; never both, never neither. */
function boardRules(job: ObjectTree): Finding[] {
  const group = entryOf(job, 'device_group');
  if (group === undefined)
    return exactlyOne(job, [], ['device_type', 'device', 'target'], 'device_group');
  return ['device_type', 'device', 'target', 'tags'].flatMap((field) => {
    const entry = entryOf(job, field);
    if (entry === undefined) return [];
    const message = `${quote(field)} cannot stand beside "device_group"; move it into a role`;
    return [{ offset: entry.keyOffset, path: [field], message }];
  });
}

function exactlyOne(
  object: ObjectTree,
  path: Path,
  fields: readonly string[],
  orElse?: string,
): Finding[] {
  const expected = `exactly one of ${list(fields)}`;
  const there = fields.flatMap((field) => {
    const entry = entryOf(object, field);
    return entry === undefined ? [] : [{ field, offset: entry.keyOffset }];
  });
  const [first, ...others] = there.sort((a, b) => a.offset - b.offset);
  if (first === undefined) {
    const missing = orElse === undefined ? expected : `${orElse}, or ${expected}`;
    return [
      { offset: object.start, path, message: `missing; expected ${missing}`, expected: missing },
    ];
  }
  return others.map(({ field, offset }) => ({
    offset,
    path: [...path, field],
    message: `${quote(field)} stands beside ${quote(first.field)}; expected ${expected}`,
    expected,
  }));
}

function groupRules(job: ObjectTree): Finding[] {
  const group = entryOf(job, 'device_group');
  if (group?.value.kind !== 'list') return [];
  const findings: Finding[] = [];
  if (group.value.items.length === 0) {
    const message = 'expected at least one role, got an empty list';
    findings.push({ offset: group.value.start, path: ['device_group'], message });
  }
  let members = 0;
  const roles = new Map<string, Path>();
  const devices = new Map<string, Path>();
  group.value.items.forEach((item, index) => {
    if (item.kind !== 'object') return;
    const path = ['device_group', index];
    findings.push(...exactlyOne(item, path, ['device_type', 'device']), ...countRules(item, path));
    findings.push(
      ...onlyOnce(item, path, 'role', roles),
      ...onlyOnce(item, path, 'device', devices),
    );
    const count = numberOf(item, 'count') ?? 1;
    if (count >= 1 && count <= GROUP_MEMBERS_MAX) members += count;
  });
  if (members > GROUP_MEMBERS_MAX) {
    const expected = `at most ${GROUP_MEMBERS_MAX} boards in all roles together`;
    const message = `expected ${expected}, got ${members}`;
    findings.push({ offset: group.value.start, path: ['device_group'], message, expected });
  }
  return findings;
}

function countRules(role: ObjectTree, path: Path): Finding[] {
  const count = entryOf(role, 'count');
  const at = [...path, 'count'];
  if (count === undefined) {
    if (entryOf(role, 'device') || !entryOf(role, 'device_type')) return [];
    const expected = 'a whole number of at least 1';
    return [{ offset: role.start, path: at, message: `missing; expected ${expected}`, expected }];
  }
  const asked = numberOf(role, 'count');
  if (!entryOf(role, 'device') || entryOf(role, 'device_type')) return [];
  if (asked === undefined || !Number.isInteger(asked) || asked <= 1) return [];
  const message = `expected 1, because "device" names one board, got ${asked}`;
  return [{ offset: count.value.start, path: at, message, expected: '1' }];
}

function onlyOnce(role: ObjectTree, path: Path, field: string, seen: Map<string, Path>): Finding[] {
  const name = textOf(role, field);
  if (name === undefined) return [];
  const first = seen.get(name);
  if (first === undefined) {
    seen.set(name, path);
    return [];
  }
  const offset = entryOf(role, field)?.value.start ?? role.start;
  const message = `the ${field} ${quote(name)} is already in ${first.join('[')}]`;
  return [{ offset, path: [...path, field], message }];
}

function actionRules(job: ObjectTree): Finding[] {
  const names = roleNames(job);
  const known = new Set(names);
  return itemsOf(job, 'actions').flatMap((action, index) => {
    const at = entryOf(action, 'parameters')?.value;
    const path = ['actions', index, 'parameters'];
    const findings: Finding[] = [];
    const role = textOf(at, 'role');
    if (role !== undefined && names.length > 0 && !known.has(role)) {
      const expected = `one of ${list(names)}`;
      const message = () => {
        const parts = [`no role ${quote(role)} in this group;`, didYouMean(role, names)];
        return [...parts.filter((part) => part !== ''), `expected ${expected}`].join(' ');
      };
      const offset = entryOf(at, 'role')?.value.start ?? 0;
      findings.push({ offset, path: [...path, 'role'], message, expected });
    }
    if (textOf(action, 'command') === 'lava_test_shell' && at?.kind === 'object')
      findings.push(...sourceRules(at, path));
    return findings;
  });
}

/** None when the roles cannot be told: then no action's role is called unknown. */
function roleNames(job: ObjectTree): string[] {
  if (!entryOf(job, 'device_group')) return [ROLE_OF_ONE];
  const names = itemsOf(job, 'device_group').flatMap((role) => textOf(role, 'role') ?? []);
  return [...new Set(names)];
}

function sourceRules(parameters: ObjectTree, path: Path): Finding[] {
  const fields = ['testdef_repos', 'testdef_urls'];
  const asked = fields.flatMap((field) => entryOf(parameters, field)?.value ?? []);
  if (asked.some((value) => value.kind !== 'list' || value.items.length > 0)) return [];
  const expected = 'at least one entry in testdef_repos or testdef_urls';
  return [{ offset: parameters.start, path, message: `missing; expected ${expected}`, expected }];
}

/** What a right job's author may want to know, each with its place. */
export function jobWarnings(job: Tree, definition: JobDefinition): Finding[] {
  return [
    ...timeoutWarnings(job, definition.timeoutSeconds),
    ...testWarnings(job, definition),
    ...loggingWarnings(job),
  ];
}

function timeoutWarnings(job: Tree, jobSeconds: number): Finding[] {
  return itemsOf(job, 'actions').flatMap((action, index) => {
    const timeout = entryOf(entryOf(action, 'parameters')?.value, 'timeout')?.value;
    const asked = timeout?.kind === 'scalar' ? Number(timeout.value) : 0;
    if (timeout === undefined || asked <= jobSeconds) return [];
    const path = ['actions', index, 'parameters', 'timeout'];
    const message = `${asked} s is longer than the job's own ${jobSeconds} s, which is used instead`;
    return [{ offset: timeout.start, path, message }];
  });
}

function testWarnings(job: Tree, definition: JobDefinition): Finding[] {
  const shells = definition.actions.filter(needsShell);
  if (shells.length === 0) {
    const offset = entryOf(job, 'actions')?.keyOffset ?? 0;
    const message = 'no lava_test_shell and no lava_command_run: this job tests nothing';
    return [{ offset, path: ['actions'], message }];
  }
  if (shells.some((action) => action.roles === null)) return [];
  const tested = new Set(shells.flatMap((action) => action.roles ?? []));
  return itemsOf(job, 'device_group').flatMap((role, index) => {
    const name = textOf(role, 'role');
    if (name === undefined || tested.has(name)) return [];
    const message = `role ${quote(name)} runs no test; its boards send nothing that others could wait for`;
    return [{ offset: role.start, path: ['device_group', index], message }];
  });
}

/** `INFO` is what every example of the seed says, and changes as little as any other level. */
function loggingWarnings(job: Tree): Finding[] {
  const level = entryOf(job, 'logging_level')?.value;
  if (level === undefined || textOf(job, 'logging_level') === 'INFO') return [];
  const message = 'has no effect: the console of every board is always kept whole';
  return [{ offset: level.start, path: ['logging_level'], message }];
}

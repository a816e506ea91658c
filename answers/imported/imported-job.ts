/** The job of an imported group, as far as its logs tell: roles, and of each role the actions that its members began. */
import type { Action, JobDefinition } from '../../machines/definition.ts';
import { TIMEOUT_SECONDS_MAX } from '../../machines/names.ts';
import type { Step } from './in-order.ts';
import type { Did } from './observed.ts';
import { type OneGroup, UNKNOWN_ROLE } from './one-group.ts';

export const UNKNOWN = 'unknown';

export interface ImportedJob {
  readonly definition: JobDefinition;
  /** By role: the places of its actions in the job's list. */
  readonly places: ReadonlyMap<string, readonly number[]>;
}

export function importedJob(
  { members, name = UNKNOWN }: OneGroup,
  steps: readonly Step[],
): ImportedJob {
  const places = new Map<string, number[]>();
  const roleOf = new Map(members.map((is) => [is.name, is.role ?? UNKNOWN_ROLE]));
  const roles = [...new Set(roleOf.values())];
  const actions: Action[] = [];
  for (const role of roles) {
    const lists = [...roleOf].flatMap(([member, is]) =>
      is === role ? [steps.filter((step) => step.member === member)] : [],
    );
    const all = lists.map((list) =>
      list.flatMap(({ is }) => (is.did === 'start' ? (actionOf(is, role) ?? []) : [])),
    );
    const longest = all.reduce((a, b) => (b.length > a.length ? b : a), []);
    places.set(
      role,
      longest.map((_, place) => actions.length + place),
    );
    actions.push(...longest);
  }
  return {
    places,
    definition: {
      name: `group ${name} of LAVA`,
      form: 'yaml',
      countsSelf: true,
      priority: 50,
      timeoutSeconds: TIMEOUT_SECONDS_MAX,
      onUnreachable: 'wait',
      unreachableGraceSeconds: 0,
      roles: roles.map((role) => ({
        role,
        count: [...roleOf.values()].filter((is) => is === role).length,
        deviceType: UNKNOWN,
        tags: [],
      })),
      actions,
    },
  };
}

/** What an action of upstream's is, by its name; `undefined`: none that is told. */
export function commandOf(name: string): Action['command'] | undefined {
  if (/test|multinode/.test(name)) return 'lava_test_shell';
  if (/deploy/.test(name)) return 'deploy_linaro_image';
  return /boot|-action$|login|connect/.test(name) ? 'boot_linaro_image' : undefined;
}

function actionOf({ action, limit }: Did<'start' | 'end'>, role: string): Action | undefined {
  const command = commandOf(action);
  const of = { roles: [role], timeoutSeconds: limit ?? TIMEOUT_SECONDS_MAX };
  switch (command) {
    case 'deploy_linaro_image':
      return { command, ...of, parameters: { image: UNKNOWN } };
    case 'boot_linaro_image':
      return { command, ...of, parameters: {} };
    case 'lava_test_shell':
      return {
        command,
        ...of,
        parameters: { definitions: [{ from: 'url', url: UNKNOWN, parameters: [] }] },
      };
    default:
      return undefined;
  }
}

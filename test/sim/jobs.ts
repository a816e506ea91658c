/** The jobs of a simulated lab: a few shapes, and what each of their members says once it has a shell. */
import type { Action, JobDefinition, RoleRequest } from '../../machines/definition.ts';
import type { Random } from './random.ts';

/** Verbs of each role, one after another; `sleep N` passes N seconds. */
interface Shape {
  roles: readonly (Partial<RoleRequest> & { role: string; count: number })[];
  says: Readonly<Record<string, readonly string[]>>;
}

const shapes: Readonly<Record<string, Shape>> = {
  single: { roles: [{ role: 'one', count: 1 }], says: { one: ['send hello', 'sleep 20'] } },
  pair: {
    roles: [
      { role: 'server', count: 1, essential: true },
      { role: 'client', count: 1 },
    ],
    says: {
      server: ['sleep 5', 'send ip v=10.0.0.1', 'wait-all done client', 'sync end'],
      client: ['wait ip', 'sleep 10', 'send done', 'sync end'],
    },
  },
  ring: {
    roles: [{ role: 'node', count: 3 }],
    says: { node: ['sync a', 'sleep 3', 'sync a', 'send x', 'wait-all x', 'sync b'] },
  },
  wide: {
    roles: [
      { role: 'hub', count: 1 },
      { role: 'leaf', count: 4 },
    ],
    says: { hub: ['wait-all up leaf', 'sync go'], leaf: ['sleep 8', 'send up n=1', 'sync go'] },
  },
  deadlock: {
    roles: [
      { role: 'left', count: 1 },
      { role: 'right', count: 1 },
    ],
    says: { left: ['wait r', 'send l'], right: ['wait l', 'send r'] },
  },
};

export const wordsOf = (job: string, role: string): readonly string[] =>
  shapes[job.split(' ')[0] ?? '']?.says[role] ?? ['send alive'];

const seconds = { deploy: 120, shell: 900 };

/** A job of any shape, with any priority. */
export function anyJob(random: Random): JobDefinition {
  const name = random.of(Object.keys(shapes));
  const roles = (shapes[name]?.roles ?? []).map(
    (role): RoleRequest => ({
      tags: [],
      deviceType: 'panda',
      ...role,
    }),
  );
  return jobOf(name, roles, {
    priority: random.of([0, 50, 50, 100]),
    countsSelf: false,
    ...(random.chance(0.2) && { queueTimeoutSeconds: random.between(600, 7200) }),
  });
}

export function jobOf(
  name: string,
  roles: RoleRequest[],
  over: Partial<JobDefinition> = {},
): JobDefinition {
  const all = { roles: null };
  const actions: Action[] = [
    {
      ...all,
      command: 'deploy_linaro_image',
      timeoutSeconds: seconds.deploy,
      parameters: { image: 'host:' },
    },
    {
      ...all,
      command: 'lava_command_run',
      timeoutSeconds: seconds.shell,
      parameters: { commands: ['true'] },
    },
  ];
  return {
    name,
    form: 'json',
    countsSelf: false,
    priority: 50,
    timeoutSeconds: 1800,
    onUnreachable: 'fail',
    unreachableGraceSeconds: 30,
    roles,
    actions,
    ...over,
  };
}

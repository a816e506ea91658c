import type { Demand, Part, Shape } from './records.ts';
import type { QueuedJob } from './types.ts';
import type { WordNode } from './word-tree.ts';

/** The part of a demand that makes it what it is. */
export type Wish = Pick<Demand, 'key' | 'device' | 'deviceType' | 'tags' | 'checkOf'>;

/** What makes a shape: jobs that ask for the same under the same role names have equal words. */
type Asking = Pick<QueuedJob, 'roles' | 'healthCheckOf'>;

function eachWord({ roles, healthCheckOf }: Asking, use: (word: string | number) => void): void {
  use(healthCheckOf === undefined ? 'job' : 'check');
  if (healthCheckOf !== undefined) use(healthCheckOf);
  for (const { role, count, device, deviceType, tags } of roles) {
    use(role);
    use(count);
    use(device === undefined ? 'type' : 'name');
    use(device ?? deviceType ?? '');
    use(tags.length);
    for (const tag of tags) use(tag);
  }
}

/** Equal for jobs of one shape, and for no others. */
export function shapeKey(job: Asking): string {
  let key = '';
  eachWord(job, (word) => {
    key += sized(`${word}`);
  });
  return key;
}

/** Where the shape of a job is to be found. */
export function shapeNode(root: WordNode<Shape>, job: Asking): WordNode<Shape> {
  let node = root;
  eachWord(job, (word) => {
    node = node.step(word);
  });
  return node;
}

/**
 * @param node where it is to be found.
 * @param demandOf finds or makes the demand of one slot; `tags` are sorted and without doubles.
 */
export function makeShape(
  node: WordNode<Shape>,
  job: Asking,
  demandOf: (wish: Wish) => Demand,
): Shape {
  const { roles, healthCheckOf: checkOf } = job;
  const parts = new Map<Demand, Part>();
  for (const { role, count, device, deviceType, tags: wished } of roles) {
    if (count === 0) continue;
    const tags = [...new Set(wished)].sort();
    const key = JSON.stringify([device ?? null, deviceType ?? null, checkOf ?? null, ...tags]);
    const demand = demandOf({ key, device, deviceType, tags, checkOf });
    const equal = parts.get(demand);
    if (equal === undefined) parts.set(demand, { demand, count, roles: [{ role, count }] });
    else {
      equal.count += count;
      equal.roles.push({ role, count });
    }
  }
  const particularFirst = [...parts.values()].sort(byParticularity);
  return {
    node,
    roles,
    checkOf,
    parts: particularFirst,
    apart: areApart(particularFirst),
    alike: ofOneType(particularFirst),
    lines: new Map(),
    waitsFor: [],
    refusal: undefined,
    timeless: false,
  };
}

/** By name first, then by the number of tags: a particular slot has the fewest boards. */
function byParticularity({ demand: a }: Part, { demand: b }: Part): number {
  return (
    Number(a.device === undefined) - Number(b.device === undefined) || b.tags.length - a.tags.length
  );
}

function areApart(parts: readonly Part[]): boolean {
  if (parts.length < 2) return true;
  const types = new Set(parts.map(({ demand }) => demand.deviceType));
  const names = new Set(parts.map(({ demand }) => demand.device));
  const onlyTypes = names.size === 1 && names.has(undefined);
  const onlyNames = types.size === 1 && types.has(undefined);
  return (onlyTypes && types.size === parts.length) || (onlyNames && names.size === parts.length);
}

/** The parts of each type that has more than one. */
function ofOneType(parts: readonly Part[]): Part[][] {
  const ofType = new Map<string, Part[]>();
  for (const part of parts) {
    const { deviceType } = part.demand;
    if (deviceType === undefined) continue;
    const others = ofType.get(deviceType);
    if (others === undefined) ofType.set(deviceType, [part]);
    else others.push(part);
  }
  return [...ofType.values()].filter((some) => some.length > 1);
}

/** A text with its length before it: texts put together so are equal only when each of them is. */
function sized(text: string): string {
  return `${text.length}:${text}`;
}

import { comparePlaces } from './order.ts';
import type { Demand, Part, Shape } from './records.ts';
import { SortedList } from './sorted-list.ts';
import type { QueuedJob } from './types.ts';

/** The part of a demand that makes it what it is. */
export type Wish = Pick<Demand, 'key' | 'device' | 'deviceType' | 'tags' | 'checkOf'>;

/** Equal for jobs that ask for the same under the same role names. */
export function shapeKey({
  roles,
  healthCheckOf,
}: Pick<QueuedJob, 'roles' | 'healthCheckOf'>): string {
  let key = healthCheckOf === undefined ? '' : sized(healthCheckOf);
  for (const { role, count, device, deviceType, tags } of roles) {
    key += `;${sized(role)}${count}${device === undefined ? `*${sized(deviceType ?? '')}` : `=${sized(device)}`}`;
    for (const tag of tags) key += sized(tag);
  }
  return key;
}

/**
 * @param demandOf finds or makes the demand of one slot; `tags` are sorted and without doubles.
 */
export function makeShape(
  job: Pick<QueuedJob, 'roles' | 'healthCheckOf'>,
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
    key: shapeKey(job),
    roles,
    checkOf,
    parts: particularFirst,
    apart: areApart(particularFirst),
    jobs: new SortedList(comparePlaces),
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

/** A text with its length before it: texts put together so are equal only when each of them is. */
function sized(text: string): string {
  return `${text.length}:${text}`;
}

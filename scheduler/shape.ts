/**
 * What jobs ask for, with equal things put together: jobs of one *shape* ask for equal groups, and are matched,
 * refused and explained together; slots of one *demand* have equal wishes, in whatever job they are.
 */
import type { RoleRequest } from '../machines/definition.ts';
import type { BoardClass } from './board-class.ts';
import { comparePlaces } from './order.ts';
import { SortedList } from './sorted-list.ts';
import type { QueuedJob } from './types.ts';

/** What one slot asks for. */
export interface Demand {
  /** Equal for equal wishes. */
  key: string;
  /** A board by name; absent: any board of `deviceType`. */
  device: string | undefined;
  deviceType: string | undefined;
  tags: readonly string[];
  /** The board whose health is checked: it does even when it is open to `checks` alone. */
  checkOf: string | undefined;
  /** Slots of the whole queue that ask for this. */
  slots: number;
  /** The classes of boards that fit. */
  classes: Set<BoardClass>;
  shapes: Set<Shape>;
  /** Shapes that cannot be matched before a board comes that fits this, or room for one. */
  stuckOn: Set<Shape>;
}

/** The part of a demand that makes it what it is. */
export type Wish = Pick<Demand, 'key' | 'device' | 'deviceType' | 'tags' | 'checkOf'>;

/** The slots of a group that have one demand, of one role or of several. */
export interface Part {
  demand: Demand;
  count: number;
  /** In the order of the roles in the job; the counts add up to `count`. */
  roles: { role: string; count: number }[];
}

/** What a whole group asks for. */
export interface Shape {
  key: string;
  roles: readonly RoleRequest[];
  checkOf: string | undefined;
  /** Empty: it asks for no board. */
  parts: readonly Part[];
  /** Whether no board fits two of the parts, whatever boards there are. */
  apart: boolean;
  /** Those of the queue, in its order. */
  jobs: SortedList<QueuedJob>;
  /** It cannot be matched before a board comes that fits one of these; empty: it might be matched now. */
  waitsFor: readonly Demand[];
  /** Nothing that it fits has changed since there last was no time by which its boards are sure to be free. */
  timeless: boolean;
}

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

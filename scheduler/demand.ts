/** What a group asks for, with equal requests put together: the left side of the matching. */
import type { RoleRequest } from '../machines/definition.ts';
import type { Board } from './types.ts';

/** Slots that exactly the same boards fit, of one role or of several. */
export interface Demand {
  /** Equal for equal requests. */
  key: string;
  /** A board by name; absent: any board of `deviceType`. */
  device: string | undefined;
  deviceType: string | undefined;
  tags: readonly string[];
  count: number;
  /** Whose slots they are, in the order of the roles in the job; the counts add up to `count`. */
  roles: { role: string; count: number }[];
}

/**
 * The demands of some roles, the most particular first: by name, then by the number of tags, then in the
 * job's order. A particular slot has the fewest boards, so serving it first saves the matching most detours.
 * Roles of count 0 demand nothing.
 */
export function demandsOf(roles: readonly RoleRequest[]): Demand[] {
  const demands = new Map<string, Demand>();
  for (const { role, count, device, deviceType, tags } of roles) {
    if (count === 0) continue;
    const sorted = [...new Set(tags)].sort();
    const key = JSON.stringify([device ?? null, deviceType ?? null, ...sorted]);
    const equal = demands.get(key);
    if (equal === undefined) {
      const own = { key, device, deviceType, tags: sorted, count, roles: [{ role, count }] };
      demands.set(key, own);
    } else {
      equal.count += count;
      equal.roles.push({ role, count });
    }
  }
  return [...demands.values()].sort(
    (a, b) =>
      Number(a.device === undefined) - Number(b.device === undefined) ||
      b.tags.length - a.tags.length,
  );
}

/** Whether a request means this board but for its tags: the name is equal, or else the type. */
export function isMeant(
  board: Pick<Board, 'name' | 'deviceType'>,
  request: Pick<RoleRequest, 'device' | 'deviceType'>,
): boolean {
  return request.device === undefined
    ? board.deviceType === request.deviceType
    : board.name === request.device;
}

/** The tags that a request wants and a board does not have (SEMANTICS 4.2: wanted tags are a subset). */
export function missingTags(
  board: Pick<Board, 'tags'>,
  request: Pick<RoleRequest, 'tags'>,
): string[] {
  return [...new Set(request.tags)].filter((tag) => !board.tags.includes(tag)).sort();
}

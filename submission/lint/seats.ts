/** Whether the boards of a lab can play all roles of a job together. */
import type { JobDefinition } from '../../machines/definition.ts';
import { placeIn } from '../tree.ts';
import type { Finding } from './findings.ts';

export interface Board {
  readonly name: string;
  readonly type: string;
  readonly tags: readonly string[];
}

export function roleFindings(
  job: {
    readonly file: string;
    readonly text: string;
    readonly definition: Pick<JobDefinition, 'roles'>;
  },
  boards: readonly Board[] | undefined,
): Finding[] {
  const { file, text, definition } = job;
  const place = placeIn(text)(Math.max(0, text.search(/["']?(?:device_group|roles)["']?\s*:/)));
  const said = (message: string): Finding => ({
    file,
    ...place,
    rule: 'unsatisfiable-roles',
    severity: 'error',
    message,
    related: [],
  });
  const named = definition.roles.flatMap(({ device }) => device ?? []);
  const twice = named.find((name, index) => named.indexOf(name) !== index);
  if (twice !== undefined) return [said(`the board ${twice} cannot play two roles`)];
  if (boards === undefined) return [];
  const slots = definition.roles.flatMap((role) => Array.from({ length: role.count }, () => role));
  const holder = new Map<string, number>();
  const seat = (slot: number, seen: Set<string>): boolean => {
    const asked = slots[slot];
    for (const board of boards) {
      const fits =
        asked?.device === undefined
          ? board.type === asked?.deviceType
          : board.name === asked.device;
      if (!fits || seen.has(board.name) || !asked?.tags.every((tag) => board.tags.includes(tag)))
        continue;
      seen.add(board.name);
      const other = holder.get(board.name);
      if (other !== undefined && !seat(other, seen)) continue;
      holder.set(board.name, slot);
      return true;
    }
    return false;
  };
  const short = slots.find((_, slot) => !seat(slot, new Set()));
  return short === undefined ? [] : [said(`the lab has no board left for role ${short.role}`)];
}

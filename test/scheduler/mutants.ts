/**
 * Wrong schedulers, each wrong in one way that somebody has shipped or might: what the properties must
 * catch. Built from one plain planner with its rules as parameters.
 */
import type { RoleRequest } from '../../machines/definition.ts';
import type { Assignment, Board, QueuedJob } from '../../scheduler/types.ts';
import { fillings, fits, free, inTurn, slotsOf } from './labs.ts';

type Members = Assignment['members'];
type Choose = (job: QueuedJob, left: readonly Board[], others: readonly QueuedJob[]) => Members;

interface Rules {
  order?: (queue: readonly QueuedJob[]) => QueuedJob[];
  choose?: Choose;
  usable?: (board: Board) => boolean;
  /** Boards stay on offer after they were given. */
  keepsBoards?: boolean;
  /** A group may be given fewer boards than it asks for. */
  partial?: boolean;
  /** The first job that cannot start ends the plan. */
  stopsAtBlocked?: boolean;
}

/** Any first complete filling, its boards in the order of the input. */
const anyFilling: Choose = ({ roles }, left) => {
  const slots = slotsOf(roles);
  const boards = fillings(slots, left)[0] ?? [];
  const members = boards.map(({ name }, at) => ({ device: name, role: slots[at]?.role ?? '' }));
  return inGroupOrder(members, roles);
};

function inGroupOrder(members: Members, roles: readonly RoleRequest[]): Members {
  return roles.flatMap(({ role }) =>
    members.filter((one) => one.role === role).sort((a, b) => (a.device < b.device ? -1 : 1)),
  );
}

/** Slot by slot in the job's order, each takes the first free board it fits: labgrid's choice, upstream's grab. */
export const greedily: Choose = ({ roles }, left) => {
  const rest = [...left];
  const members = slotsOf(roles).flatMap((slot) => {
    const at = rest.findIndex((candidate) => fits(candidate, slot));
    return at < 0 ? [] : rest.splice(at, 1).map(({ name }) => ({ device: name, role: slot.role }));
  });
  return inGroupOrder(members, roles);
};

export function planWith(rules: Rules) {
  return (queue: readonly QueuedJob[], boards: readonly Board[]): Assignment[] => {
    const { order = inTurn, choose = anyFilling, usable = free } = rules;
    let left = boards.filter(usable);
    const assignments: Assignment[] = [];
    for (const job of order(queue)) {
      const members = choose(job, left, queue);
      const wanted = slotsOf(job.roles).length;
      if (wanted === 0) continue;
      const enough = rules.partial === true ? members.length > 0 : members.length === wanted;
      if (!enough && rules.stopsAtBlocked === true) break;
      if (!enough) continue;
      assignments.push({ job: job.id, members });
      if (rules.keepsBoards !== true)
        left = left.filter(({ name }) => !members.some(({ device }) => device === name));
    }
    return assignments;
  };
}

/** Right but for the choice among matchings: the first names, whoever else wants them. */
export const planByName = planWith({
  choose: (job, left, others) =>
    anyFilling(
      job,
      [...left].sort((a, b) => (a.name < b.name ? -1 : 1)),
      others,
    ),
});

/** Role by role, as upstream admits: it never sees that two roles need the same board. */
export function admitsPerRole(roles: readonly RoleRequest[], boards: readonly Board[]): boolean {
  return roles.every(
    (request) =>
      boards.filter((one) => one.state !== 'retired' && fits(one, request)).length >= request.count,
  );
}

/** One greedy pass over the whole group. */
export function admitsGreedily(roles: readonly RoleRequest[], boards: readonly Board[]): boolean {
  const registered = boards.filter(({ state }) => state !== 'retired');
  return (
    greedily({ id: 1, priority: 0, submittedAt: 0, roles }, registered, []).length ===
    slotsOf(roles).length
  );
}

/** Whether the lab could ever run a group: the check at submission, blind to who holds what now. */
import type { RoleRequest } from '../machines/definition.ts';
import { exists, missingTags } from './fit.ts';
import { LabIndex } from './lab-index.ts';
import { deal, holdersOf, inOrder, match } from './matching.ts';
import { compareText } from './order.ts';
import { asked, boardCount, clauseList, lacks, NAMED_BOARDS_MAX } from './reasons.ts';
import type { BoardClass } from './records.ts';
import { stockNow } from './stock.ts';
import type { Board, Shortfall } from './types.ts';

/**
 * The roles that the registered boards can never fill, in the job's order; `[]`: admitted (SEMANTICS 1.3;
 * seed: "If insufficient boards exist to meet the combined requirements of all the roles").
 *
 * One matching over the whole group: two roles that only the same board fits are rejected, and a group that
 * some assignment satisfies never is. Every board counts that exists, whatever its state.
 */
export function admit(roles: readonly RoleRequest[], boards: readonly Board[]): Shortfall[] {
  const index = new LabIndex();
  const group = { id: 0, priority: 0, submittedAt: 0, roles, timeoutSeconds: 0 };
  index.setJob(group);
  for (const board of boards) if (exists(board)) index.setBoard(blindToNow(board));
  const shape = index.shapeOf(group);
  const matching = match(shape, stockNow);
  if (matching.complete) return [];
  const given = deal(matching, stockNow);
  const fitting = new Map<string, BoardClass[]>();
  for (const part of shape.parts) {
    const classes = inOrder([part], stockNow);
    for (const { role } of part.roles) fitting.set(role, classes);
  }
  const lab = { holder: holdersOf(given), meant: meantBoards(boards) };
  return roles.flatMap((request) => {
    const { role, count: wanted } = request;
    const found = given.get(role)?.length ?? 0;
    if (found === wanted) return [];
    const lacking = lackingOf(request, found, fitting.get(role) ?? [], lab);
    return [{ role, wanted, found, lacking }];
  });
}

/** Equally idle and open: neither the verdict nor its words depend on what the boards do now. */
function blindToNow({ name, deviceType, tags, worker }: Board): Board {
  return { name, deviceType, tags, worker, idleSince: 0, state: 'idle', open: 'jobs' };
}

/** All boards a request may mean, retired ones too, by name: looked up by the request's type or name. */
function meantBoards(boards: readonly Board[]): (request: RoleRequest) => readonly Board[] {
  const byType = new Map<string, Board[]>();
  const byName = new Map<string, Board[]>();
  for (const board of [...boards].sort((a, b) => compareText(a.name, b.name))) {
    append(byType, board.deviceType, board);
    append(byName, board.name, board);
  }
  return ({ device, deviceType = '' }) =>
    (device === undefined ? byType.get(deviceType) : byName.get(device)) ?? [];
}

/**
 * `2 of 3 boards of type panda with tag mytag1; panda01 is also needed by role client`. The matching is
 * maximum, so every board that fits a short role and is not given to it is needed by another role.
 *
 * Both loops stop at what the sentence names: with 10,000 roles short in a lab of 10,000 boards, looking at
 * every board for every role takes a minute.
 */
function lackingOf(
  request: RoleRequest,
  found: number,
  fitting: readonly BoardClass[],
  lab: {
    holder: ReadonlyMap<string, string>;
    meant: (request: RoleRequest) => readonly Board[];
  },
): string {
  const what = `${found} of ${boardCount(request.count)} of ${asked(request)}`;
  const meant = lab.meant(request);
  if (meant.length === 0) {
    const trait = request.device === undefined ? 'type' : 'name';
    return `${what}; no board of this ${trait} is registered`;
  }
  const clauses: string[] = [];
  for (const name of namesIn(fitting)) {
    if (clauses.length === NAMED_BOARDS_MAX) break;
    const role = lab.holder.get(name);
    if (role !== request.role) clauses.push(`${name} is also needed by role ${role}`);
  }
  for (const board of meant) {
    if (clauses.length === NAMED_BOARDS_MAX) break;
    const missing = missingTags(board, request);
    if (board.state === 'retired') clauses.push(`${board.name} is retired`);
    else if (!exists(board)) clauses.push(`${board.name} is ${board.closed ?? board.state}`);
    else if (missing.length > 0) clauses.push(`${board.name} ${lacks(missing)}`);
  }
  // Every board that is meant is found, needed elsewhere, or unfit: all but the found ones have a clause.
  const others = meant.length - found;
  return others === 0 ? what : `${what}; ${clauseList(clauses, others)}`;
}

function* namesIn(classes: readonly BoardClass[]): Generator<string> {
  for (const { idle } of classes) for (const { name } of idle) yield name;
}

function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

import { describe, expect, it } from 'vitest';
import type { RoleRequest } from '../../machines/definition.ts';
import { demandsOf } from '../../scheduler/demand.ts';
import { match } from '../../scheduler/matching.ts';
import { changeWants, poolOf } from '../../scheduler/pool.ts';
import type { Board } from '../../scheduler/types.ts';
import { board, fits, groupArb, mostSlots, named, needs, orders, slotsOf } from './labs.ts';
import { greedily } from './mutants.ts';
import { holds, isCaught } from './properties.ts';

type Given = ReadonlyMap<string, readonly string[]>;
type Matcher = (roles: readonly RoleRequest[], boards: readonly Board[]) => Given;

const matched: Matcher = (roles, boards) => {
  const demands = demandsOf(roles);
  return match(demands, poolOf(boards, demands)).given;
};

/** As in `plan`, where a job's own slots are no wants: boards that fit many of them come no later. */
const matchedAlone: Matcher = (roles, boards) => {
  const demands = demandsOf(roles);
  const pool = poolOf(boards, demands);
  changeWants(pool, demands, -1);
  return match(demands, pool).given;
};

/** The roles' boards under the greedy choice. */
const matchedGreedily: Matcher = (roles, boards) => {
  const members = greedily({ id: 1, priority: 0, submittedAt: 0, roles }, boards, []);
  return new Map(
    roles.map(({ role }) => [
      role,
      members.filter((one) => one.role === role).map(({ device }) => device),
    ]),
  );
};

const boardsIn = (given: Given): string[] => [...given.values()].flat();

describe('matching slots to boards', () => {
  it('gives the named board and the tagged board to the roles that need just them', () => {
    const roles = [needs('any', 1, 'panda'), needs('tagged', 1, 'panda', 't'), named('db', 'p2')];
    const boards = [board('p1'), board('p2', { tags: ['t'] }), board('p3', { tags: ['t'] })];
    for (const order of orders(boards))
      expect(Object.fromEntries(matched(roles, order))).toEqual({
        any: ['p1'],
        tagged: ['p3'],
        db: ['p2'],
      });
  });

  it('moves boards from role to role in a chain when the last board fits only the first role', () => {
    // Offered in this order, p1 to p3 fill r1 to r3; p4 fits r1 only, and only r4 is open.
    const roles = [
      needs('r1', 1, 'panda', 'a'),
      needs('r2', 1, 'panda', 'b'),
      needs('r3', 1, 'panda', 'c'),
      needs('r4', 1, 'panda', 'd'),
    ];
    const boards = [
      board('p1', { tags: ['a', 'b'], idleSince: 1 }),
      board('p2', { tags: ['b', 'c'], idleSince: 2 }),
      board('p3', { tags: ['c', 'd'], idleSince: 3 }),
      board('p4', { tags: ['a'], idleSince: 4 }),
    ];
    for (const order of orders(boards)) {
      const given = Object.fromEntries(matchedAlone(roles, order));
      expect(given).toEqual({ r1: ['p4'], r2: ['p1'], r3: ['p2'], r4: ['p3'] });
    }
  });

  it('puts slots that the same boards fit together, in whatever order their tags are written', () => {
    const demands = demandsOf([
      needs('r1', 2, 'panda', 'a', 'b'),
      needs('none', 0, 'panda', 'a'),
      needs('r2', 1, 'panda', 'b', 'a', 'b'),
      named('r3', 'p1'),
    ]);
    expect(demands.map(({ device, tags, roles }) => ({ device, tags, roles }))).toEqual([
      { device: 'p1', tags: [], roles: [{ role: 'r3', count: 1 }] },
      {
        device: undefined,
        tags: ['a', 'b'],
        roles: [
          { role: 'r1', count: 2 },
          { role: 'r2', count: 1 },
        ],
      },
    ]);
  });

  it('prefers the least wanted, then the longest idle, then the first name', () => {
    const roles = [needs('r', 1, 'panda')];
    const choice = (boards: Board[], rest: RoleRequest[]) => {
      const demands = demandsOf(roles);
      const others = demandsOf(rest);
      const pool = poolOf(boards, [...demands, ...others]);
      changeWants(pool, demands, -1);
      return match(demands, pool).given.get('r');
    };
    const tagged = board('p1', { tags: ['t'], idleSince: 1 });
    const long = board('p3', { idleSince: 2 });
    const short = board('p2', { idleSince: 3 });
    const equal = board('p4', { idleSince: 2 });
    expect(choice([tagged, short, long], [])).toEqual(['p1']);
    expect(choice([tagged, short, long], [needs('x', 1, 'panda', 't')])).toEqual(['p3']);
    expect(choice([short, equal, long], [])).toEqual(['p3']);
    expect(choice([short, equal, long], [named('x', 'p3')])).toEqual(['p4']);
  });

  it('takes any board name and type for what it is, not for a property of an object', () => {
    const roles = [needs('constructor', 1, '__proto__'), named('toString', 'valueOf')];
    const boards = [board('hasOwnProperty', { deviceType: '__proto__' }), board('valueOf')];
    expect(boardsIn(matched(roles, boards))).toEqual(['valueOf', 'hasOwnProperty']);
  });

  it('matches 10,000 slots to 10,000 boards, be they all alike or all different', () => {
    const size = 10_000;
    const list = <T>(make: (at: number) => T) => Array.from({ length: size }, (_, at) => make(at));
    const alike = list((at) => board(`b${at}`));
    const different = list((at) => board(`b${at}`, { tags: [`t${at}`, `t${(at + 1) % size}`] }));
    const oneRole = [needs('r', size, 'panda')];
    const manyRoles = list((at) => needs(`r${at}`, 1, 'panda', `t${at}`));
    const byName = list((at) => named(`r${at}`, `b${at}`));
    for (const [roles, boards] of [
      [oneRole, alike],
      [oneRole, different],
      [manyRoles, different],
      [byName, alike],
    ] as const)
      expect(new Set(boardsIn(matched(roles, boards))).size).toBe(size);
  });

  const isSound = (matcher: Matcher) => (lab: { roles: RoleRequest[]; boards: Board[] }) => {
    const given = matcher(lab.roles, lab.boards);
    const names = boardsIn(given);
    expect(new Set(names).size).toBe(names.length);
    for (const request of lab.roles) {
      const own = given.get(request.role) ?? [];
      expect(own.length).toBeLessThanOrEqual(request.count);
      for (const name of own)
        expect(fits(lab.boards.find((one) => one.name === name)!, request)).toBe(true);
    }
  };
  const isMaximum = (matcher: Matcher) => (lab: { roles: RoleRequest[]; boards: Board[] }) => {
    const found = boardsIn(matcher(lab.roles, lab.boards)).length;
    expect(found).toBe(mostSlots(slotsOf(lab.roles), lab.boards));
  };

  it('gives every role only boards that fit it, and no board twice', () => {
    holds(groupArb, isSound(matched));
    holds(groupArb, isSound(matchedAlone));
  });
  it('so a matcher that ignores tags is caught', () => {
    const untagged: Matcher = (roles, boards) =>
      matched(
        roles.map((request) => ({ ...request, tags: [] })),
        boards,
      );
    isCaught(groupArb, isSound(untagged));
  });

  it('fills as many slots as any assignment could, against every assignment tried', () => {
    holds(groupArb, isMaximum(matched));
    holds(groupArb, isMaximum(matchedAlone));
  });
  it('so the greedy choice, which gives the only tagged board away, is caught', () => {
    isCaught(groupArb, isMaximum(matchedGreedily));
  });
});

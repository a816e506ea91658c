import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RoleRequest } from '../../machines/definition.ts';
import { deal, match } from '../../scheduler/matching.ts';
import { indexOf } from '../../scheduler/plan.ts';
import { stockNow } from '../../scheduler/stock.ts';
import type { Board, Worker } from '../../scheduler/types.ts';
import { fits, free, mostSlots, roomFor, slotsOf } from './dumb.ts';
import { board, groupArb, job, lab, limitsArb, NOW, named, needs, orders } from './labs.ts';
import { greedily } from './mutants.ts';
import { holds, isCaught } from './properties.ts';

type Given = ReadonlyMap<string, readonly string[]>;
type Matcher = (
  roles: readonly RoleRequest[],
  boards: readonly Board[],
  workers?: readonly Worker[],
  rest?: readonly RoleRequest[],
) => Given;

/** @param rest what the rest of the queue asks for. */
const matched: Matcher = (roles, boards, workers = [], rest = []) => {
  const group = job(1, [...roles]);
  const index = indexOf(lab([group, job(2, [...rest])], boards, ...workers));
  return deal(match(index.shapeOf(group), stockNow), stockNow);
};

/** The roles' boards under the greedy choice. */
const matchedGreedily: Matcher = (roles, boards) => {
  const members = greedily(
    roles,
    boards.filter((one) => free(one)),
  );
  const of = (role: string) => members.filter((one) => one.role === role);
  return new Map(roles.map(({ role }) => [role, of(role).map(({ device }) => device)]));
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
      const given = Object.fromEntries(matched(roles, order));
      expect(given).toEqual({ r1: ['p4'], r2: ['p1'], r3: ['p2'], r4: ['p3'] });
    }
  });

  it('prefers the least wanted, then the longest idle, then the first name', () => {
    const roles = [needs('r', 1, 'panda')];
    const choice = (boards: Board[], rest: RoleRequest[]) =>
      matched(roles, boards, [], rest).get('r');
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

  interface Lab {
    roles: RoleRequest[];
    boards: Board[];
    workers: Worker[];
  }
  const labArb = fc.tuple(groupArb, limitsArb).map(([group, workers]) => ({ ...group, workers }));
  const unlimitedArb = groupArb.map((group) => ({ ...group, workers: [] }));
  const bothArb = fc.oneof(unlimitedArb, labArb);

  const isSound = (matcher: Matcher) => (drawn: Lab) => {
    const given = matcher(drawn.roles, drawn.boards, drawn.workers);
    const names = boardsIn(given);
    expect(new Set(names).size).toBe(names.length);
    const taken = drawn.boards.filter(({ name }) => names.includes(name));
    expect(roomFor({ now: NOW, ...drawn })(taken)).toBe(true);
    for (const request of drawn.roles) {
      const own = given.get(request.role) ?? [];
      expect(own.length).toBeLessThanOrEqual(request.count);
      for (const name of own) {
        const one = drawn.boards.find((other) => other.name === name)!;
        expect(fits(one, request) && free(one)).toBe(true);
      }
    }
  };
  const isMaximum = (matcher: Matcher) => (drawn: Lab) => {
    const found = boardsIn(matcher(drawn.roles, drawn.boards, drawn.workers)).length;
    const usable = drawn.boards.filter((one) => free(one));
    const room = roomFor({ now: NOW, ...drawn });
    expect(found).toBe(mostSlots(slotsOf(drawn.roles), usable, room));
  };

  it('gives every role only free boards that fit it, no board twice, within the limits', () => {
    holds(bothArb, isSound(matched));
  });
  it('so a matcher that ignores tags is caught', () => {
    const untagged: Matcher = (roles, ...rest) =>
      matched(
        roles.map((request) => ({ ...request, tags: [] })),
        ...rest,
      );
    isCaught(bothArb, isSound(untagged));
  });
  it('so a matcher that ignores the limits of workers is caught', () => {
    isCaught(
      bothArb,
      isSound((roles, boards) => matched(roles, boards)),
    );
  });

  it('fills as many slots as any assignment could, against every assignment tried', () => {
    holds(bothArb, isMaximum(matched));
  });
  it('so the greedy choice, which gives the only tagged board away, is caught', () => {
    isCaught(unlimitedArb, isMaximum(matchedGreedily));
  });
  it('so a limit that is kept by leaving boards out of the best matching is caught', () => {
    const afterwards: Matcher = (roles, boards, workers = []) => {
      const room = roomFor({ now: NOW, boards, workers });
      const kept: Board[] = [];
      const given = [...matched(roles, boards)].map(([role, names]) => {
        const own = names.filter((name) => {
          const one = boards.find((other) => other.name === name)!;
          if (!room([...kept, one])) return false;
          kept.push(one);
          return true;
        });
        return [role, own] as const;
      });
      return new Map(given);
    };
    isCaught(labArb, isMaximum(afterwards));
  });
});

import { describe, expect, it } from 'vitest';
import type { RoleRequest } from '../../machines/definition.ts';
import { admit } from '../../scheduler/admission.ts';
import type { Board } from '../../scheduler/types.ts';
import { canStart, fits, mostSlots, registered, slotsOf } from './dumb.ts';
import { board, groupArb, held, named, needs, orders } from './labs.ts';
import { admitsGreedily, admitsPerRole } from './mutants.ts';
import { holds, isCaught } from './properties.ts';

interface Group {
  roles: RoleRequest[];
  boards: Board[];
}

const lackings = (roles: RoleRequest[], boards: Board[]) =>
  admit(roles, boards).map(({ lacking }) => lacking);

describe('admission', () => {
  it('admits the seed example of two tagged pandas and a beaglexm', () => {
    const roles = [needs('omap4', 2, 'panda', 'mytag1'), needs('omap3', 1, 'beaglexm', 'mytag2')];
    const boards = [
      board('panda01', { tags: ['mytag1'] }),
      board('panda02', { tags: ['mytag1', 'other'] }),
      board('beagle01', { deviceType: 'beaglexm', tags: ['mytag2'] }),
    ];
    expect(admit(roles, boards)).toEqual([]);
  });

  it('rejects two roles that only the same board fits, though each alone can be met', () => {
    const roles = [needs('client', 1, 'panda'), named('server', 'panda01')];
    for (const order of orders(roles))
      expect(admit(order, [board('panda01')])).toEqual([
        {
          role: 'client',
          wanted: 1,
          found: 0,
          lacking: '0 of 1 board of type panda; panda01 is also needed by role server',
        },
      ]);
  });

  it('names the role, how many it lacks, who needs the others and what is wrong with the rest', () => {
    const boards = [
      board('panda01', { tags: ['mytag1'] }),
      board('panda02', { tags: ['mytag1'] }),
      board('panda03', { tags: ['mytag1'] }),
      board('panda04'),
      board('panda05', { tags: ['mytag1'], state: 'retired' }),
    ];
    expect(
      admit([named('client', 'panda01'), needs('server', 3, 'panda', 'mytag1')], boards),
    ).toEqual([
      {
        role: 'server',
        wanted: 3,
        found: 2,
        lacking:
          '2 of 3 boards of type panda with tag mytag1; panda01 is also needed by role client, panda04 lacks tag mytag1, panda05 is retired',
      },
    ]);
  });

  it('says when no board of the type or of the name is registered', () => {
    expect(lackings([needs('a', 2, 'pnda'), named('b', 'panda9')], [board('panda01')])).toEqual([
      '0 of 2 boards of type pnda; no board of this type is registered',
      '0 of 1 board of name panda9; no board of this name is registered',
    ]);
  });

  it('says just how many there are when all of them are given to the role', () => {
    expect(lackings([needs('a', 3, 'panda')], [board('p1'), board('p2')])).toEqual([
      '2 of 3 boards of type panda',
    ]);
  });

  it('wants the tags of a board that is asked for by name, too', () => {
    expect(lackings([named('a', 'p1', 'x', 'y', 'z')], [board('p1', { tags: ['y'] })])).toEqual([
      '0 of 1 board of name p1 with tags x, y and z; p1 lacks tags x and z',
    ]);
  });

  it('counts busy and broken boards, but no retired one', () => {
    const one = [needs('a', 1, 'panda')];
    expect(admit(one, [held('p1', 1, null)])).toEqual([]);
    expect(admit(one, [board('p1', { open: 'nothing', closed: 'offline: power' })])).toEqual([]);
    expect(lackings(one, [board('p1', { state: 'retired' })])).toEqual([
      '0 of 1 board of type panda; p1 is retired',
    ]);
  });

  it('lets a role of count 0 ask for nothing, even of a type that is not there', () => {
    expect(admit([needs('none', 0, 'pnda')], [])).toEqual([]);
  });

  it('names a few boards of many, and counts the rest', () => {
    const boards = Array.from({ length: 9 }, (_, at) => board(`p${at + 1}`));
    expect(lackings([needs('all', 9, 'panda'), needs('more', 1, 'panda', 't')], boards)).toEqual([
      '0 of 1 board of type panda with tag t; p1 lacks tag t, p2 lacks tag t, p3 lacks tag t, p4 lacks tag t, p5 lacks tag t and 4 more',
    ]);
  });

  it('answers for 10,000 slots, one too many, and for 10,000 roles that are short', () => {
    const size = 10_000;
    const boards = Array.from({ length: size - 1 }, (_, at) =>
      board(`b${at}`, { tags: [`t${at}`] }),
    );
    const wide = admit([needs('r', size, 'panda')], boards);
    expect(wide.map(({ found }) => found)).toEqual([size - 1]);
    const roles = Array.from({ length: size }, (_, at) => needs(`r${at}`, 2, 'panda', `t${at}`));
    expect(admit(roles, boards)).toHaveLength(size);
  });

  const isExact =
    (admits: (roles: RoleRequest[], boards: Board[]) => boolean) =>
    ({ roles, boards }: Group) => {
      expect(admits(roles, boards)).toBe(canStart(roles, boards.filter(registered)));
    };
  const admitted = (roles: RoleRequest[], boards: Board[]) => admit(roles, boards).length === 0;

  it('never rejects a group that some assignment satisfies, never accepts another', () => {
    holds(groupArb, isExact(admitted));
  });
  it('so admission role by role, as upstream does it, is caught', () => {
    isCaught(groupArb, isExact(admitsPerRole));
  });
  it('so a greedy pass over the group is caught', () => {
    isCaught(groupArb, isExact(admitsGreedily));
  });
  it('so admission that looks at the free boards only is caught', () => {
    const ofFree = (roles: RoleRequest[], boards: Board[]) =>
      admitted(
        roles,
        boards.filter(({ state }) => state === 'idle'),
      );
    isCaught(groupArb, isExact(ofFree));
  });

  const namesTheShort =
    (check: typeof admit) =>
    ({ roles, boards }: Group) => {
      const there = boards.filter(registered);
      const short = check(roles, boards);
      const lost = short.reduce((sum, { wanted, found }) => sum + wanted - found, 0);
      expect(lost).toBe(slotsOf(roles).length - mostSlots(slotsOf(roles), there));
      for (const { role, wanted, found, lacking } of short) {
        const request = roles.find((one) => one.role === role)!;
        expect(wanted).toBe(request.count);
        expect(found).toBeLessThan(wanted);
        expect(found).toBeLessThanOrEqual(there.filter((one) => fits(one, request)).length);
        // Every board of the type or name that the role does not have is accounted for.
        const meant = boards.filter(
          (one) => one.name === request.device || one.deviceType === request.deviceType,
        );
        const account = lacking.split('; ')[1] ?? '';
        const told = meant.filter(({ name }) => account.includes(`${name} `)).length;
        const rest = Number(/ and (\d+) more$/.exec(account)?.[1] ?? 0);
        expect(told + rest).toBe(meant.length - found);
      }
    };

  it('finds as many boards as any assignment does, and accounts for every other board', () => {
    holds(groupArb, namesTheShort(admit));
  });
  it('so an answer that names only the first short role is caught', () => {
    isCaught(
      groupArb,
      namesTheShort((roles, boards) => admit(roles, boards).slice(0, 1)),
    );
  });

  const isBlindToNow =
    (check: typeof admit) =>
    ({ roles, boards }: Group) => {
      const still = boards.map((one, at) =>
        registered(one)
          ? board(one.name, { ...one, idleSince: at, state: 'idle', open: 'jobs' })
          : one,
      );
      expect(check(roles, still.reverse())).toEqual(check(roles, boards));
    };

  it('says the same whatever the order of the boards and whatever they do now', () => {
    holds(groupArb, isBlindToNow(admit));
  });
  it('so admission in the words of the idle boards is caught', () => {
    const ofIdle: typeof admit = (roles, boards) =>
      admit(
        roles,
        boards.filter(({ state }) => state !== 'reserved'),
      );
    isCaught(groupArb, isBlindToNow(ofIdle));
  });
});

/** Subnets, addresses, mounts and kernels: what the `local` driver works out from what it finds on a machine. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseMounts, scratchBytes, visibleMounts } from '../../dispatcher/drivers/local/mounts.ts';
import { pidMaxIsPerNamespace } from '../../dispatcher/drivers/local/process-limit.ts';
import {
  assignAddresses,
  chooseSubnet,
  ipv4,
  type Range,
  rangeOf,
} from '../../dispatcher/drivers/subnet.ts';

const POOL: Range = { first: 0x0a400000, size: 2 ** 22 };
const inside = (outer: Range, inner: Range) =>
  inner.first >= outer.first && inner.first + inner.size <= outer.first + outer.size;
const meets = (a: Range, b: Range) => a.first < b.first + b.size && b.first < a.first + a.size;

describe('the subnet of a bridge', () => {
  const range = fc
    .tuple(fc.integer({ min: 10, max: 30 }), fc.nat(2 ** 22 - 1))
    .map(([prefix, at]): Range => {
      const size = 2 ** (32 - prefix);
      const address = POOL.first + at;
      return { first: address - (address % size), size };
    });

  type Choose = typeof chooseSubnet;
  const apart = (choose: Choose) =>
    fc.property(
      fc.nat(2 ** 32 - 1),
      fc.nat(2_000),
      fc.array(range, { maxLength: 20 }),
      (seed, boards, taken) => {
        const chosen = choose(seed, boards, taken);
        if (chosen === undefined) return;
        expect(inside(POOL, chosen.range)).toBe(true);
        expect(chosen.range.first % chosen.range.size).toBe(0);
        expect(chosen.range.size).toBe(2 ** (32 - chosen.prefix));
        expect(chosen.range.size).toBeGreaterThanOrEqual(boards + 3);
        expect(taken.some((other) => meets(other, chosen.range))).toBe(false);
        expect(choose(seed, boards, taken)).toEqual(chosen);
      },
    );

  test('lies in the pool, has room, and meets no route of the host', () => {
    fc.assert(apart(chooseSubnet), { numRuns: 1_000 });
  });

  test.each<[string, Choose]>([
    ['looks at no route', (seed, boards) => chooseSubnet(seed, boards, [])],
    ['has no room', (seed, _, taken) => chooseSubnet(seed, 1, taken)],
  ])('would be caught when it %s', (_, mutant) => {
    expect(fc.check(apart(mutant), { numRuns: 1_000 }).failed).toBe(true);
  });

  test('is none when everything is taken', () => {
    expect(chooseSubnet(7, 6, [POOL])).toBeUndefined();
  });

  test('gives every board an address of its own, the same for the same place', () => {
    const boards = [
      { name: 'a' },
      { name: 'b', address: '10.66.0.3' },
      { name: 'c' },
      { name: 'd' },
    ];
    const range = rangeOf('10.66.0.0/24');
    expect(Object.fromEntries(assignAddresses(boards, range as Range))).toEqual({
      ...{ a: '10.66.0.2', b: '10.66.0.3', c: '10.66.0.4', d: '10.66.0.5' },
    });
    expect(() => assignAddresses(boards, rangeOf('10.66.0.0/30') as Range)).toThrow(
      /has no address for/,
    );
  });

  test('is read from text, and nothing else is', () => {
    expect(rangeOf('10.66.3.4/24')).toEqual({ first: 0x0a420300, size: 256 });
    expect(rangeOf('10.66.3.4')).toEqual({ first: 0x0a420304, size: 1 });
    for (const text of ['default', '10.66.3/24', '10.66.3.256', '10.66.3.4/33', 'fe80::1', ''])
      expect(rangeOf(text)).toBeUndefined();
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), (number) => {
        expect(rangeOf(ipv4(number))).toEqual({ first: number, size: 1 });
      }),
    );
  });
});

test('a board sees the real file systems of the host, and neither its data folder nor its kernel', () => {
  const mounts = parseMounts(
    [
      '/dev/sda1 / ext4 rw 0 0',
      '/dev/sda2 /home ext4 rw 0 0',
      '/dev/sda3 /my\\040disk xfs rw 0 0',
      'proc /proc proc rw 0 0',
      'tmpfs /run tmpfs rw 0 0',
      '/dev/sda4 /tmp/disk ext4 rw 0 0',
      '/dev/sda5 /home/data/boards/a/volume ext4 rw 0 0',
      'cgroup /sys/fs/cgroup cgroup2 rw 0 0',
      'nas:/x /home/nas nfs4 rw 0 0',
      '',
    ].join('\n'),
  );
  expect(visibleMounts(mounts, '/home/data')).toEqual(['/home', '/home/nas', '/my disk']);
});

test('a limit on the pids of a namespace is set only where it cannot hit the whole machine', () => {
  expect(['6.14.0', '6.18.44-fc', '7.0', '10.1'].every(pidMaxIsPerNamespace)).toBe(true);
  expect(['6.13.9', '5.99.1', '4.19', '6', '', 'x'].some(pidMaxIsPerNamespace)).toBe(false);
});

test('what boards may have in memory leaves a quarter of it, where each can have 256 MiB', () => {
  const GIB = 1024 ** 3;
  expect(scratchBytes(24 * GIB, 6)).toBe(GIB);
  expect(scratchBytes(24 * GIB, 1)).toBe(6 * GIB);
  expect(scratchBytes(2 * GIB, 6)).toBe(GIB / 4);
  expect(scratchBytes(GIB / 2, 6)).toBe(GIB / 8);
});

import { describe, expect, it } from 'vitest';
import { bearerToken, memberToken, readMemberToken, tokenKeyOf } from '../../api/tokens.ts';

const secret = Buffer.from('a secret');
const keys = [tokenKeyOf(secret)];

describe("a member's token", () => {
  it.each(['panda01', 'a', 'a.b-c_d.e', 'x'.repeat(63)])('says who speaks: %s', (device) => {
    const token = memberToken(secret, 12, device);
    expect(readMemberToken(keys, token)).toEqual({ job: 12, device });
  });

  it('is the same whenever it is derived, and another for each job, device and secret', () => {
    const tokens = [
      memberToken(secret, 1, 'a'),
      memberToken(secret, 2, 'a'),
      memberToken(secret, 1, 'b'),
      memberToken(Buffer.from('another'), 1, 'a'),
    ];
    expect(new Set(tokens.map((token) => token.split('.').at(-1))).size).toBe(4);
    expect(memberToken(secret, 1, 'a')).toBe(tokens[0]);
  });

  it('is refused when any part of it is changed', () => {
    const token = memberToken(secret, 12, 'panda01');
    const wrong = [
      token.replace('.12.', '.13.'),
      token.replace('.12.', '.012.'),
      token.replace('.12.', '.12e0.'),
      token.replace('panda01', 'panda02'),
      token.replace('mb1', 'mb2'),
      token.slice(0, -1),
      `${token}=`,
      ` ${token}`,
      `${token}\n`,
      '',
      'mb1...',
    ];
    for (let i = 0; i < token.length; i++)
      wrong.push(`${token.slice(0, i)}${token[i] === 'A' ? 'B' : 'A'}${token.slice(i + 1)}`);
    for (const each of wrong)
      expect([each, readMemberToken(keys, each)]).toEqual([each, undefined]);
  });

  it('is verified by the public key of the server that gave it, and by no other', () => {
    const other = tokenKeyOf(Buffer.from('another'));
    const token = memberToken(secret, 12, 'panda01');
    expect(readMemberToken([other, ...keys], token)).toEqual({ job: 12, device: 'panda01' });
    expect(readMemberToken([other], token)).toBeUndefined();
    expect(readMemberToken([], token)).toBeUndefined();
  });

  it('is read from a bearer header, and from no other', () => {
    expect(bearerToken('Bearer x.y')).toBe('x.y');
    expect(bearerToken('bearer   x.y ')).toBe('x.y');
    for (const header of [undefined, '', 'Bearer', 'Bearer ', 'Basic x.y', 'Bearer x y'])
      expect(bearerToken(header)).toBeUndefined();
  });
});

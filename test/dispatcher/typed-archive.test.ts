/** Archives that are typed at a board: what `cksum` prints, and lines that are lost or cut on their way. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { posixSum } from '../../dispatcher/drivers/typed-archive.ts';

test('a sum is what cksum prints', () => {
  for (const bytes of [0, 1, 255, 256, 1_000, 70_000].map((size) => randomBytes(size)))
    expect(posixSum(bytes)).toBe(execFileSync('cksum', { input: bytes }).toString().trim());
});

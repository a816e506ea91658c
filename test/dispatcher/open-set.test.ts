/** Which set is open on a console, read on from where it was left. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { OpenSets } from '../../dispatcher/open-set.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-open-set-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a set is open from its signal to the next, for its suite alone, and an old console opens none', async () => {
  const sets = new OpenSets();
  const console = join(folder, 'console');
  const after = async (...lines: string[]) => {
    appendFileSync(console, lines.map((line) => `${line}\n`).join(''));
    return sets.of(console);
  };
  expect(await sets.of(console)).toEqual({});
  expect(await after('<LAVA_SIGNAL_STARTRUN 0_a 11>', 'x')).toEqual({});
  expect(await after("+ echo '<LAVA_SIGNAL_TESTSET START no>'")).toEqual({});
  expect(await after('x <LAVA_SIGNAL_TESTSET START one> y')).toEqual({
    open: 'one',
    opened: ['one'],
  });
  expect(await after('z'.repeat(300_000))).toEqual({ open: 'one', opened: ['one'] });
  expect(await after('<LAVA_SIGNAL_TESTSET STOP>')).toEqual({ opened: ['one'] });
  expect(
    await after(
      '<LAVA_SIGNAL_STARTRUN 0_a 22>',
      '<LAVA_SIGNAL_TESTSET START old>',
      '<LAVA_SIGNAL_ENDRUN 0_a 22>',
    ),
  ).toEqual({ opened: ['one'] });
  expect(await after('<LAVA_SIGNAL_TESTSET START two>')).toEqual({
    open: 'two',
    opened: ['one', 'two'],
  });
  expect(await after('<LAVA_SIGNAL_ENDRUN 0_a 11>')).toEqual({});
});

/** The unit for systemd: what it asks of `muster serve` is there, and a restart ends no board. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { child } from '../cli/fake-server.ts';

test('the unit starts what serve understands, and stops nothing but the server', async () => {
  const unit = await readFile('examples/muster.service', 'utf8');
  const [, words = ''] = /^ExecStart=\S+\/muster serve (.*)$/m.exec(unit) ?? [];
  const options = words.match(/--[a-z-]+/g) ?? [];
  expect(options).toContain('--data');
  const { out } = await child(['serve', '--help']);
  for (const option of options) expect(out).toContain(`${option} <`);
  expect(unit).toMatch(/^KillMode=process$/m);
});

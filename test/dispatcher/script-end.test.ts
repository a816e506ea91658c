/** How a script ended, by what stands on the console before the mark of its end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { scriptEnd } from '../../dispatcher/script-end.ts';

async function endOf(text: string, status = 1) {
  const folder = mkdtempSync(join(tmpdir(), 'muster-end-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'console');
  writeFileSync(file, `booted\n+ of another suite\n${text}`);
  return scriptEnd(file, { from: 'booted\n+ of another suite\n'.length, to: 1e6 }, status);
}

it('the last command that its shell showed is told, and not the diff that it printed', async () => {
  const diff = ['--- a/x.conf', '+++ b/x.conf', '@@ -1,3 +1,3 @@', ' a', '', '+ exit 0', '-b'];
  const lines = ['+ cd etc', '+ git diff --exit-code', 'diff --git a/x b/x', ...diff];
  expect(await endOf(`${lines.join('\r\n')}\r\n`)).toEqual({
    status: 1,
    command: 'git diff --exit-code',
  });
});

it('the command is told behind colours and a time stamp, cut to its beginning', async () => {
  const long = `echo ${'x'.repeat(1000)}`;
  const { command } = await endOf(`\u001b[1m[   12.345678] + ${long}\u001b[0m\n`);
  expect(command).toBe(long.slice(0, 400));
});

it('nothing is told of a shell that showed nothing, but what ended it', async () => {
  expect(await endOf('no trace\n+++++\n', 137)).toEqual({ status: 137, signal: 'SIGKILL' });
  const killed = '[ 9.1] Out of memory: Killed process 42 (dd)\n+ dd if=/dev/zero\n';
  expect(await endOf(killed, 137)).toEqual({
    status: 137,
    signal: 'SIGKILL',
    command: 'dd if=/dev/zero',
    outOfMemory: true,
  });
});

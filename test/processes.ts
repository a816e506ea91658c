/**
 * Holds a name to its word: a test that starts processes is a `*.process.test.ts`, so that whoever wants the quick ones can
 * leave those out. What is long (`*.long.test.ts`) may start what it likes. Runs in front of every file.
 */
import childProcess, { type ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { syncBuiltinESMExports } from 'node:module';
import { afterAll, expect } from 'vitest';

/** Of the file that runs; files without processes share a process of their own. */
const seen = globalThis as { firstProgram?: string | undefined; isWatched?: true };
seen.firstProgram = undefined;

function watch(): void {
  if (seen.isWatched) return;
  seen.isWatched = true;
  // Published by Node whenever a process is made; those that are waited for on the spot are not.
  subscribe('child_process', (message) => {
    const { process } = message as { process: ChildProcess };
    queueMicrotask(() => {
      seen.firstProgram ??= process.spawnfile ?? 'a program';
    });
  });
  for (const name of ['spawnSync', 'execFileSync', 'execSync'] as const) {
    const real = childProcess[name] as (program: string, ...rest: unknown[]) => unknown;
    Object.assign(childProcess, {
      [name]: (program: string, ...rest: unknown[]) => {
        seen.firstProgram ??= program;
        return real(program, ...rest);
      },
    });
  }
  syncBuiltinESMExports();
}
watch();

afterAll(() => {
  const { testPath = '' } = expect.getState();
  if (seen.firstProgram === undefined || /\.(process|long)\.test\.ts$/.test(testPath)) return;
  throw new Error(`this file starts ${seen.firstProgram}: it is to be called *.process.test.ts`);
});

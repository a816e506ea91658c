/** Programs that the examples and the tests need from Debian: found, installed as root, or named. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';

/** A program and the Debian package that has it. */
export type Need = readonly [program: string, debianPackage: string];

const isThere = (program: string): boolean =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/**
 * Makes sure that programs are there: as root on Debian it says what it installs and installs it.
 *
 * @returns what is still missing, as the command that would install it; `undefined` when all is there
 */
export async function ensurePrograms(
  needs: readonly Need[],
  say: (line: string) => void,
): Promise<string | undefined> {
  const missing = needs.filter(([program]) => !isThere(program));
  if (missing.length === 0) return undefined;
  const packages = [...new Set(missing.map(([, name]) => name))];
  const words = ['install', '-y', '--no-install-recommends', ...packages];
  const command = `apt-get ${words.join(' ')}`;
  if (process.getuid?.() !== 0 || !isThere('apt-get')) return `sudo ${command}`;
  say(`installing from Debian: ${packages.join(', ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await execa('apt-get', ['update', '-qq'], { env, reject: false });
  const done = await execa('apt-get', words, { env, reject: false });
  const left = needs.filter(([program]) => !isThere(program));
  if (left.length === 0) return undefined;
  say(String(done.stderr).trim().split('\n').slice(-3).join('\n'));
  return command;
}

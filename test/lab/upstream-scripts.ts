/** The scripts of LAVA's own test shell, as Debian packages them: fetched once, unpacked and never installed. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const cache = () =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'muster', 'lava-test-shell');
const INSIDE = 'usr/lib/python3/dist-packages/lava_dispatcher/lava_test_shell';

/** The folder with `multi_node/` and the common scripts; `undefined`: they cannot be had here, and it was said why. */
export function upstreamScripts(): string | undefined {
  const folder = cache();
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const work = mkdtempSync(`${folder}.`);
  try {
    const run = (program: string, ...words: string[]) =>
      execFileSync(program, words, { cwd: work, stdio: 'pipe', timeout: 120_000 });
    run('apt-get', 'download', '-qq', 'lava-dispatcher');
    const archive = readdirSync(work).find((file) => file.endsWith('.deb')) ?? '';
    run('dpkg-deb', '-x', archive, 'root');
    renameSync(join(work, 'root', INSIDE), folder);
    return folder;
  } catch (error) {
    console.log(`skipped: LAVA's own scripts cannot be had from Debian: ${error}`);
    return undefined;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Lays LAVA's scripts into a folder as its dispatcher lays them on a board: a shell's line is put before each. */
export function layUpstream(scripts: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const from of [scripts, join(scripts, 'multi_node')])
    for (const entry of readdirSync(from, { withFileTypes: true }))
      if (entry.isFile() && entry.name.startsWith('lava-'))
        cpSync(join(from, entry.name), join(to, entry.name), { mode: 0 });
}

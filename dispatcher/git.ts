/**
 * A git repository, cloned on the worker into a folder of its own. Everything in its address comes from a job:
 * no transport that runs a program (`ext::`), no options, no hooks, no submodules, no questions, bounded in time.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { withoutSecrets } from '../submission/addresses.ts';
import { causeSaid, StepFailure } from './failure.ts';
import { admitRepository } from './gate.ts';
import { lastLine, type ProgramEnd, runProgram } from './programs.ts';

const GIT_TIMEOUT_MS = 600_000;

export interface GitOptions {
  /** Folders of the worker in which a repository may lie. */
  allowFiles: readonly string[];
  /** Where our own git configuration lies; written when it is not there. */
  configFile: string;
  /** Said in the environment of git, so that leftovers of a crash are found. */
  mark: Record<string, string>;
  signal: AbortSignal;
  timeoutMs?: number;
}

/**
 * Clones `repository` into `folder` (which must not exist) and checks `revision` out: a branch, a tag or a commit;
 * absent: the repository's HEAD.
 *
 * @returns the commit that it came to
 * @throws StepFailure `definition-unreachable` or `definition-refused`; StepAborted
 */
export async function checkOut(
  repository: string,
  revision: string | undefined,
  folder: string,
  options: GitOptions,
): Promise<string> {
  const shown = withoutSecrets(repository);
  const refuse = (why: string) =>
    new StepFailure('definition-refused', `git repository ${shown}: ${why}`);
  if (revision?.startsWith('-')) throw refuse(`${JSON.stringify(revision)} begins with "-"`);
  const admitted = await admitRepository(repository, options.allowFiles);
  if ('refused' in admitted) throw refuse(admitted.refused);
  const git = await gitOf(options, admitted.protocols);
  const fail = (end: ProgramEnd): never => {
    const why = end.timedOut ? 'it took too long' : withoutSecrets(lastLine(end.stderr));
    throw new StepFailure(
      'definition-unreachable',
      `git repository ${shown}: ${why === '' ? `git ended with status ${end.status}` : why}`,
      causeSaid(end.stderr),
    );
  };
  const cloned = await git('/', [
    'clone',
    '--quiet',
    '--no-checkout',
    '--no-local',
    '--no-recurse-submodules',
    '--template=',
    '--',
    admitted.repository,
    folder,
  ]);
  if (cloned.status !== 0) fail(cloned);
  const commit = await commitOf(git, folder, revision);
  if (commit === undefined)
    throw new StepFailure(
      'definition-unreachable',
      `git repository ${shown}: ${revision === undefined ? 'it has no commit' : `no branch, tag or commit "${revision}"`}`,
    );
  const end = await git(folder, ['checkout', '--quiet', '--detach', '--force', commit]);
  if (end.status !== 0) fail(end);
  return commit;
}

type Git = (cwd: string, args: string[]) => Promise<ProgramEnd>;

async function commitOf(
  git: Git,
  folder: string,
  revision: string | undefined,
): Promise<string | undefined> {
  const names =
    revision === undefined
      ? ['HEAD']
      : [`refs/remotes/origin/${revision}`, `refs/tags/${revision}`, revision];
  for (const name of names) {
    const ask = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
    const found = await git(folder, ask);
    const commit = found.stdout.trim();
    if (found.status === 0 && /^[0-9a-f]{40,64}$/.test(commit)) return commit;
  }
  return undefined;
}

async function gitOf(options: GitOptions, protocols: string): Promise<Git> {
  await writeConfig(options.configFile);
  const env = gitEnvironment(options, protocols);
  return (cwd, args) =>
    runProgram('git', args, {
      cwd,
      env,
      signal: options.signal,
      timeoutMs: options.timeoutMs ?? GIT_TIMEOUT_MS,
    });
}

function gitEnvironment(options: GitOptions, protocols: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ...options.mark,
    GIT_ALLOW_PROTOCOL: protocols,
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    SSH_ASKPASS: 'true',
    GIT_SSH_COMMAND: process.env.GIT_SSH_COMMAND ?? 'ssh -o BatchMode=yes',
    GIT_CONFIG_GLOBAL: options.configFile,
    GIT_LFS_SKIP_SMUDGE: '1',
    LC_ALL: 'C',
  };
  // Where the server itself was started inside a repository's hook, these would point git there.
  for (const name of ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_OBJECT_DIRECTORY'])
    delete env[name];
  return env;
}

/**
 * The user's own settings (proxies, credentials), then ours. A file and not `-c`: git does not hand `-c` on to
 * the `upload-pack` of a repository on this machine, which is what asks who owns it.
 */
async function writeConfig(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const own = process.env.GIT_CONFIG_GLOBAL ?? join(homedir(), '.gitconfig');
  const quoted = own.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  await writeFile(
    path,
    `[include]\n\tpath = "${quoted}"\n[safe]\n\tdirectory = *\n[core]\n\thooksPath = /dev/null\n` +
      '[submodule]\n\trecurse = false\n[advice]\n\tdetachedHead = false\n[gc]\n\tauto = 0\n',
  );
}

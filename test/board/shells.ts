// Runs the board's verbs as a board would: under a chosen shell, with a PATH that has a chosen HTTP
// client and little else.
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { FakeServer } from './fake-server.ts';

export const boardFolder = fileURLToPath(new URL('../../board', import.meta.url));

export interface Finished {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
}

/** A shell and a client, and why the pair cannot be tested here, if so. */
export interface Pair {
  readonly name: string;
  readonly shell: readonly string[];
  readonly client: Client;
  /** In each run, and not in the long one alone. */
  readonly isOften: boolean;
  readonly missing: string | undefined;
}

type Client = 'bash' | 'curl' | 'GNU wget' | 'busybox wget' | 'busybox without the link';

/** The file of a program on this machine, or undefined. */
export function find(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => path.join(folder, program))
    .find((file) => fs.existsSync(file));
}

const shells = [
  { name: 'dash', needs: 'dash', words: ['dash'] },
  { name: 'busybox sh', needs: 'busybox', words: ['busybox', 'sh'] },
];
const clientNeeds: Record<Client, string> = {
  bash: 'bash',
  curl: 'curl',
  'GNU wget': 'wget',
  'busybox wget': 'busybox',
  'busybox without the link': 'busybox',
};

/** What most boards are: a Debian, one without bash, one that is busybox in all. */
const often = ['dash with bash', 'busybox sh with curl', 'busybox sh with busybox wget'];

/** Every shell with every client. */
export const everyPair: readonly Pair[] = shells.flatMap((shell) =>
  (Object.keys(clientNeeds) as Client[]).map((client) => {
    const absent = [shell.needs, clientNeeds[client]].find((program) => !find(program));
    const name = `${shell.name} with ${client}`;
    return {
      name,
      shell: [find(shell.words[0]!) ?? '', ...shell.words.slice(1)],
      client,
      isOften: often.includes(name),
      missing: absent && `${absent} is not installed`,
    };
  }),
);

const isLong = /\.long\.test\.ts$/.test(expect.getState().testPath ?? '');

/** What most boards are; in the long run the rest of all pairs (`every-pair.long.test.ts`). */
export const pairs: readonly Pair[] = everyPair.filter(({ isOften }) => isOften !== isLong);

const isShellOnly = ({ client }: Pair): boolean => client === 'curl' || client === 'bash';

/** A board without bash and one with it, under each shell, for what does not depend on the client. */
export const everyShell: readonly Pair[] = everyPair.filter(isShellOnly);

/** Those of them that are tried in this run. */
export const shellsOnly: readonly Pair[] = pairs.filter(isShellOnly);

/** Says why a pair is skipped. */
export function usable(list: readonly Pair[]): Pair[] {
  return list.filter((pair) => {
    if (pair.missing) process.stderr.write(`skipped: ${pair.name}: ${pair.missing}\n`);
    return !pair.missing;
  });
}

/** What a verb may count on everywhere. */
const ordinaryTools = [
  ...['sh', 'rm', 'mkdir', 'cat', 'sed', 'tr', 'mv', 'sleep', 'readlink', 'cut'],
  ...['chmod', 'od', 'wc'],
];

/** Fills `folder` with links to the ordinary tools, the client and `more`, and nothing else. */
export function makePath(folder: string, client: Client, more: readonly string[] = []): string {
  fs.mkdirSync(folder, { recursive: true });
  const link = (target: string | undefined, name: string) => {
    if (target && !fs.existsSync(path.join(folder, name)))
      fs.symlinkSync(target, path.join(folder, name));
  };
  for (const tool of [...ordinaryTools, ...more]) link(find(tool), tool);
  if (client === 'bash') link(find('bash'), 'bash');
  if (client === 'curl') link(find('curl'), 'curl');
  if (client === 'GNU wget') link(find('wget'), 'wget');
  if (client === 'busybox wget') link(find('busybox'), 'wget');
  if (client === 'busybox without the link') link(find('busybox'), 'busybox');
  return folder;
}

/** A board: its home, its PATH, its environment, a shell to run verbs with. */
export class Board {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'muster-board-'));
  readonly home = path.join(this.folder, 'home');
  readonly cache = path.join(this.folder, 'cache.txt');
  readonly networkCache = path.join(this.folder, 'network-cache.txt');
  readonly scratch = path.join(this.folder, 'tmp');
  readonly path: string;
  env: Record<string, string>;
  /** The folder that holds bin/ and lib/: the package's own, or a changed copy. */
  programs = boardFolder;

  constructor(
    readonly pair: Pair,
    url: string,
    more: readonly string[] = [],
  ) {
    fs.mkdirSync(this.home);
    fs.mkdirSync(this.scratch);
    this.path = makePath(path.join(this.folder, 'path'), pair.client, more);
    this.env = {
      PATH: this.path,
      MUSTER_URL: url,
      MUSTER_TOKEN: 'mb1.7.panda01.mac',
      MUSTER_HOME: this.home,
      MUSTER_DEVICE: 'panda01',
      MUSTER_ROLE: 'client',
      LAVA_JOB: '7',
      TMPDIR: this.scratch,
      LAVA_MULTI_NODE_CACHE: this.cache,
      LAVA_MULTI_NODE_NETWORK_CACHE: this.networkCache,
    };
  }

  verb(name: string): string {
    return path.join(this.programs, 'bin', name);
  }

  /** Starts a verb under this board's shell. */
  start(verb: string, words: readonly string[] = [], flags: readonly string[] = []): Running {
    return start([...this.pair.shell, ...flags, this.verb(verb), ...words], this.env);
  }

  /** Runs a verb under this board's shell, with `set -eu`, until it ends. */
  run(verb: string, ...words: string[]): Promise<Finished> {
    return this.start(verb, words, ['-eu']).finished;
  }

  /** The job's env file, as the dispatcher lays it. */
  writeEnv(group = 'panda01\tclient'): void {
    const names = ['MUSTER_URL', 'MUSTER_TOKEN', 'MUSTER_HOME', 'MUSTER_DEVICE', 'MUSTER_ROLE'];
    const lines = [...names, 'LAVA_JOB']
      .filter((name) => this.env[name] !== undefined)
      .map((name) => `export ${name}='${this.env[name]}'\n`);
    fs.writeFileSync(path.join(this.home, 'env'), `${lines.join('')}MUSTER_GROUP='${group}'\n`);
  }

  readCache(): string {
    return fs.readFileSync(this.cache, 'utf8');
  }

  /** Lays a copy of bin/ and lib/ into the home, changed by `change` (file text -> file text). */
  copyPrograms(change: (text: string) => string = (text) => text): void {
    for (const room of ['bin', 'lib']) {
      fs.mkdirSync(path.join(this.home, room), { recursive: true });
      for (const file of fs.readdirSync(path.join(boardFolder, room))) {
        const text = fs.readFileSync(path.join(boardFolder, room, file), 'utf8');
        fs.writeFileSync(path.join(this.home, room, file), change(text), { mode: 0o755 });
      }
    }
    this.programs = this.home;
  }

  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Starts a program with exactly this environment. */
export function start(
  words: readonly string[],
  env: Record<string, string>,
  stdin: 'ignore' | 'pipe' = 'ignore',
): Running {
  const child = spawn(words[0]!, words.slice(1), { env, stdio: [stdin, 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  const finished = new Promise<Finished>((done, failed) => {
    child.once('error', failed);
    child.once('close', (status, signal) =>
      done({
        status,
        signal,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
      }),
    );
  });
  return { child, finished };
}

/** Waits until `condition` holds; says `what` did not come when 20 s have passed. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`did not come: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

/**
 * `it` with a server and a board of its own for each test, so that tests may run side by side.
 * `more` names programs that the board's PATH has besides the ordinary ones.
 */
export function boardTest(pair: Pair, more: readonly string[] = []) {
  return it.extend<{ server: FakeServer; board: Board }>({
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads the names out of this pattern
    server: async ({}, use) => {
      const server = await FakeServer.open();
      await use(server);
      await server.close();
    },
    board: async ({ server }, use) => {
      const board = new Board(pair, server.url, more);
      await use(board);
      board.remove();
    },
  });
}

/**
 * The peers' programs, from Debian. Those that are not installed are downloaded and unpacked beside the bench, as
 * root or not: nothing of them is installed, and none of them ever runs as a service.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, readdir } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';

const START_MS_MAX = 20_000;

/** The environment in which a program of a package runs; `undefined`: it cannot be had here. */
export async function programEnv(
  program: string,
  debianPackage: string,
  folder: string,
  say: (line: string) => void,
): Promise<NodeJS.ProcessEnv | undefined> {
  if (await isOnPath(program)) return process.env;
  say(`${program} is not installed: unpacking ${debianPackage} from Debian in ${folder}`);
  try {
    return await unpacked({ withNeeds: [debianPackage] }, join(folder, debianPackage));
  } catch (error) {
    say(
      `${program} is left out of the tables: ${firstLineOf(error)}; apt-get install ${debianPackage}`,
    );
    return undefined;
  }
}

const firstLineOf = (error: unknown): string =>
  String(error instanceof Error ? error.message : error).split('\n')[0] ?? '';

async function isOnPath(program: string): Promise<boolean> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const found = await access(join(folder, program)).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}

/** Packages to unpack: with what they need that is not installed, and alone. */
interface Wanted {
  withNeeds: readonly string[];
  alone?: readonly string[];
}

/** Several packages in one folder, and their versions; `undefined`: they cannot be had here, and it was said why. */
export async function unpackedOf(
  wanted: Wanted,
  folder: string,
  say: (line: string) => void,
): Promise<{ env: NodeJS.ProcessEnv; versions: Map<string, string> } | undefined> {
  try {
    const env = await unpacked(wanted, folder);
    const files = (await readdir(folder)).filter((file) => file.endsWith('.deb'));
    return {
      env,
      versions: new Map(
        files.map((file) => file.split('_')).map(([name = '', of = '']) => [name, of]),
      ),
    };
  } catch (error) {
    say(`left out of the tables: ${firstLineOf(error)}`);
    return undefined;
  }
}

/** Downloads packages and unpacks them into a folder. */
async function unpacked(
  { withNeeds, alone = [] }: Wanted,
  folder: string,
): Promise<NodeJS.ProcessEnv> {
  await mkdir(folder, { recursive: true });
  const words = ['install', '--simulate', '--no-install-recommends', ...withNeeds];
  const { stdout } = await execa('apt-get', words);
  const names = [...stdout.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
  if (names.length + alone.length === 0)
    throw new Error(`apt-get knows no way to install ${withNeeds.join(' ')}`);
  await execa('apt-get', ['download', ...names, ...alone], { cwd: folder });
  for (const file of await readdir(folder))
    if (file.endsWith('.deb')) await execa('dpkg-deb', ['-x', join(folder, file), folder]);
  const lib = join(folder, 'usr/lib');
  // A package of one program has no libraries of its own.
  const inLib = await readdir(lib).catch(() => []);
  const machine = inLib.filter((name) => name.endsWith('-linux-gnu'));
  return {
    ...process.env,
    PATH: [join(folder, 'usr/bin'), process.env.PATH].join(delimiter),
    LD_LIBRARY_PATH: machine.map((name) => join(lib, name)).join(delimiter),
    PYTHONPATH: join(lib, 'python3/dist-packages'),
  };
}

/** What a program says of its own version, the number alone. */
export async function versionOf(program: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout = '' } = await execa(program, ['--version'], { env, reject: false });
  return /\d+\.\d+[.\w]*/.exec(String(stdout))?.[0] ?? 'of an unknown version';
}

export interface Running {
  port: number;
  stop(): Promise<void>;
}

/**
 * Starts a program that listens on `port` of loopback, and waits until it does.
 *
 * @param isUp whether it answers; by default, whether it takes a connection
 */
export async function startProgram(
  program: string,
  words: readonly string[],
  port: number,
  env: NodeJS.ProcessEnv,
  isUp: (port: number) => Promise<boolean> = answers,
): Promise<Running> {
  const child = spawn(program, words, { env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  child.once('error', () => {});
  const until = performance.now() + START_MS_MAX;
  while (!(await isUp(port))) {
    if (child.exitCode !== null || performance.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`${program} does not listen on port ${port}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { port, stop: () => stopped(child, ended) };
}

async function stopped(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await ended;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A port of loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port of loopback');
  return address.port;
}

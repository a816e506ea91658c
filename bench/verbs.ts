/**
 * What a verb costs on a board: beside an empty shell, and beside the start of the program that speaks for it, in
 * the same run. The commands take turns, so that whatever else the machine does hits all of them alike.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, ms, quantile, table, times } from './figures.ts';
import { startMuster } from './muster-process.ts';

const ROUNDS = 200;
const WARM_UP_ROUNDS = 40;
const VERBS = fileURLToPath(new URL('../../board/bin/', import.meta.url));
/** What a board has besides the one program that speaks HTTP. */
const TOOLS = ['sh', 'rm', 'mkdir', 'cat', 'sed', 'tr', 'mv', 'sleep', 'readlink', 'cut'];

interface Timed {
  name: string;
  words: readonly string[];
  env: Record<string, string>;
  /** The row of its own that it is compared with. */
  than: string;
}

const SHELL = '`sh -c :`';

export async function verbsTable(newFolder: () => Promise<string>): Promise<string> {
  const muster = await startMuster({ folder: await newFolder(), sizes: [1] });
  const folder = await newFolder();
  const env = {
    MUSTER_URL: `http://127.0.0.1:${muster.port}`,
    MUSTER_TOKEN: muster.groups[0]?.[0]?.token ?? '',
    MUSTER_HOME: folder,
    MUSTER_DEVICE: 'board0000',
    LANG: 'C.UTF-8',
  };
  const commands: Timed[] = [{ name: SHELL, words: ['sh', '-c', ':'], env, than: SHELL }];
  const bash = await boardPath(folder, 'bash');
  if (bash !== undefined)
    for (const words of [['lava-send', 'id', 'k=v'], ['lava-sync', 'id'], ['lava-self']])
      commands.push(verbOf(words, 'bash', SHELL, { ...env, PATH: bash }));
  for (const [client, start] of CLIENTS) {
    const path = await boardPath(folder, client);
    if (path === undefined) continue;
    const own = `\`${start.join(' ')}\``;
    const withPath = { ...env, PATH: path };
    commands.push({ name: own, words: start, env: withPath, than: own });
    commands.push(verbOf(['lava-send', 'id', 'k=v'], client, own, withPath));
  }
  const taken = takeTurns(commands);
  await muster.stop();
  const of = (name: string) => taken.get(name) ?? [];
  return table(
    ['command', 'median ms', 'p90 ms', 'against', 'times'],
    commands.map(({ name, than }) => {
      const ratio = median(of(name)) / median(of(than));
      return [name, ms(median(of(name))), ms(quantile(of(name), 0.9)), than, times(ratio)];
    }),
  );
}

/** A client of HTTP, and a call of it that starts it and does nothing. */
const CLIENTS: readonly (readonly [string, readonly string[]])[] = [
  ['curl', ['curl', '--version']],
  ['wget', ['wget', '--version']],
  ['busybox', ['busybox', 'wget', '--help']],
];

const verbOf = (
  [verb = '', ...words]: readonly string[],
  client: string,
  than: string,
  env: Record<string, string>,
): Timed => ({
  name: `\`${[verb, ...words].join(' ')}\`, ${client}`,
  words: [join(VERBS, verb), ...words],
  env,
  than,
});

/** A PATH with the ordinary tools and one client; `undefined` where that is not installed. */
async function boardPath(folder: string, client: string): Promise<string | undefined> {
  if (fileOf(client) === undefined) return undefined;
  const path = await mkdtemp(join(folder, 'path-'));
  await mkdir(path, { recursive: true });
  for (const tool of [...TOOLS, client]) {
    const file = fileOf(tool);
    if (file !== undefined) await symlink(file, join(path, tool));
  }
  return path;
}

const fileOf = (program: string): string | undefined =>
  (process.env.PATH ?? '')
    .split(':')
    .map((folder) => join(folder, program))
    .find((file) => existsSync(file));

/** Milliseconds of each command, by its name. @throws Error when one of them fails */
function takeTurns(commands: readonly Timed[]): Map<string, number[]> {
  const taken = new Map(commands.map(({ name }) => [name, [] as number[]]));
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++)
    for (const { name, words, env } of commands) {
      const from = performance.now();
      const { status, stderr } = spawnSync(words[0] ?? '', words.slice(1), {
        env: { PATH: process.env.PATH ?? '', ...env },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const length = performance.now() - from;
      if (status !== 0) throw new Error(`${name} ended with ${status}: ${String(stderr)}`);
      if (round >= 0) taken.get(name)?.push(length);
    }
  return taken;
}

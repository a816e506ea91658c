/** Lab, data folder, repositories and waiting for the tests of the dispatcher; all of it is gone afterwards. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  createDispatcher,
  type Dispatcher,
  type DispatcherOptions,
} from '../../dispatcher/dispatcher.ts';

import { parseMounts } from '../../dispatcher/drivers/local/mounts.ts';
import { namespacesLack } from '../../dispatcher/drivers/local/namespace-housing.ts';
import { MARK_VARIABLE, markedProcesses } from '../../dispatcher/drivers/processes.ts';
import { type DriverOptions, registry } from '../../dispatcher/drivers/registry.ts';
import type { Action, TestSource } from '../../machines/definition.ts';
import { FakeServer } from './fake-server.ts';
import { SOURCE_LIMITS } from './limits.ts';

export const boardFiles = fileURLToPath(new URL('../../board', import.meta.url));

export interface LoggedLine {
  level: 'info' | 'warn' | 'error';
  about: object;
  message: string;
}

/** What a test wants otherwise: of the dispatcher, and of the `local` boards. */
type Given = Partial<DispatcherOptions> &
  Partial<Pick<DriverOptions, 'bridge'>> & {
    local?: Partial<DriverOptions['local']>;
  };

export class Lab {
  readonly folder: string;
  /** A name that every script has to quote. */
  readonly dataDir: string;
  readonly logged: LoggedLine[] = [];
  readonly server = new FakeServer();
  dispatcher: Dispatcher | undefined;
  readonly given: Given;
  readonly devices: string[];

  constructor(devices: string[], given: Given = {}, under = tmpdir()) {
    this.folder = mkdtempSync(join(under, 'muster-dispatcher-'));
    this.dataDir = join(this.folder, "data, it's \\ here");
    this.devices = devices;
    this.given = given;
  }

  options(): DispatcherOptions {
    const { local, bridge = {}, ...given } = this.given;
    const log = (level: LoggedLine['level']) => (about: object, message: string) =>
      void this.logged.push({ level, about, message });
    return {
      server: this.server,
      boards: this.devices.map((name) => ({
        ...{ name, type: 'panda', tags: [], driver: 'local', image: 'host:' },
      })),
      dataDir: this.dataDir,
      boardFiles,
      limits: { consoleBytes: 256 * 1024 ** 2, bootSeconds: 60, ...SOURCE_LIMITS },
      allowFiles: [this.folder],
      drivers: registry({ bridge, local: { processes: 256, ...local } }),
      log: { info: log('info'), warn: log('warn'), error: log('error') },
      ...given,
    };
  }

  async open(): Promise<Dispatcher> {
    if (this.server.port === 0) await this.server.listen();
    const dispatcher = await createDispatcher(this.options());
    this.server.host = dispatcher.gateway?.address ?? '127.0.0.1';
    await dispatcher.start();
    this.dispatcher = dispatcher;
    return dispatcher;
  }

  /** Ends everything; for `afterEach`. */
  async close(): Promise<void> {
    await this.dispatcher?.stop({ killBoards: true });
    this.dispatcher = undefined;
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  console(job: number, device: string): string {
    const path = join(this.dataDir, 'jobs', String(job), `${device}.console`);
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  }

  /** Waits for the ends of all members of a job; gives them. */
  async ends(job: number, seconds = 25): Promise<Record<string, string>> {
    const members = () => this.server.members.filter((m) => m.job === job);
    await until(
      () => members().every(({ end }) => end !== undefined),
      () =>
        `job ${job}: ${JSON.stringify(members())}\n${this.devices.map((d) => `--- ${d}\n${this.console(job, d).slice(-3_000)}`).join('\n')}`,
      seconds,
    );
    return Object.fromEntries(members().map(({ device, end }) => [device, end ?? '']));
  }

  /** Waits until no board is left. */
  async empty(): Promise<void> {
    const boards = join(this.dataDir, 'boards');
    await until(
      () => readdirSync(boards).length === 0,
      () =>
        `left in boards: ${readdirSync(boards).join(', ')}; ${JSON.stringify(this.logged.slice(-5))}`,
    );
  }
}

export const hashOfFolder = (folder: string) =>
  createHash('sha256').update(folder).digest('hex').slice(0, 16);
export const hashOf = (l: Lab) => hashOfFolder(l.dataDir);

/** What of this lab's boards is still on the machine. */
export async function leftovers(l: Lab): Promise<string[]> {
  const hash = hashOf(l).slice(0, 8);
  const links = execFileSync('ip', ['-br', 'link'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith(`m${hash}v`));
  const mounts = parseMounts(readFileSync('/proc/self/mounts', 'utf8'))
    .map(({ path }) => path)
    .filter((path) => path.startsWith(l.dataDir));
  const processes = await markedProcesses(MARK_VARIABLE, hashOf(l));
  const groups = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder).filter((name) => name.startsWith(`muster-${hash}`))
      : [],
  );
  const folders = readdirSync(join(l.dataDir, 'boards'));
  return [
    ...links,
    ...mounts,
    ...processes.map(({ pid }) => `process ${pid}`),
    ...groups,
    ...folders,
  ];
}

/** Waits for a condition, by looking at it. */
export async function until(
  holds: () => boolean,
  describe: () => string,
  seconds = 25,
): Promise<void> {
  const deadline = Date.now() + seconds * 1_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`it did not come to pass: ${describe()}`);
    await delay(20);
  }
}

/** A git repository with these files, in a folder of the lab. */
export function gitRepository(folder: string, files: Record<string, string>): string {
  mkdirSync(folder, { recursive: true });
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
      stdio: 'pipe',
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
    });
  git('init', '-q', '-b', 'main');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text, { mode: name.endsWith('.sh') ? 0o755 : 0o644 });
  }
  git('add', '-A');
  git('commit', '-q', '-m', 'tests', '--allow-empty');
  return folder;
}

const ofAction = { roles: null, timeoutSeconds: 600 };

export const deploy = (image: string): Action => ({
  command: 'deploy_linaro_image',
  ...ofAction,
  parameters: { image },
});
export const boot = (): Action => ({ command: 'boot_linaro_image', ...ofAction, parameters: {} });
export const shell = (...definitions: TestSource[]): Action => ({
  command: 'lava_test_shell',
  ...ofAction,
  parameters: { definitions },
});
export const commands = (...lines: string[]): Action => ({
  command: 'lava_command_run',
  ...ofAction,
  parameters: { commands: lines },
});
export const submit = (): Action => ({ command: 'submit_results', ...ofAction, parameters: {} });
export const git = (
  repository: string,
  path: string,
  parameters: [string, string][] = [],
  revision?: string,
): TestSource => ({
  ...{ from: 'git', repository, path, parameters },
  ...(revision === undefined ? {} : { revision }),
});

/** A definition whose steps are these lines. */
export const definition = (...steps: string[]): string =>
  `metadata:\n  name: tests\nrun:\n  steps:\n${steps.map((step) => `    - ${JSON.stringify(step)}\n`).join('')}`;

/** Why boards with namespaces cannot be tested here; `undefined`: they can. */
export async function namespacesSkipped(): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'muster-probe-'));
  const lack = await namespacesLack(folder);
  rmSync(folder, { recursive: true, force: true });
  if (lack !== undefined) console.log(`skipped: boards with namespaces: ${lack}`);
  return lack;
}

/** A real `muster worker` in a process and a folder of its own: nothing is shared with its server but the line. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerProcess } from '../lab/server-process.ts';

const MAIN = new URL('../../dist/cli/main.js', import.meta.url).pathname;

export class WorkerProcess {
  readonly folder: string;
  readonly name: string;
  readonly #words: string[];
  readonly #env: Record<string, string>;
  #child: ChildProcess | undefined;
  output = '';

  private constructor(folder: string, name: string, words: string[], env: Record<string, string>) {
    this.folder = folder;
    this.name = name;
    this.#words = words;
    this.#env = env;
  }

  /** `servers`: where its server is for it; absent: where it is. */
  static async make(
    server: ServerProcess,
    is: {
      name?: string;
      lab: string;
      servers?: string[];
      words?: string[];
      dataDir?: string;
      env?: Record<string, string>;
    },
  ): Promise<WorkerProcess> {
    const { name = 'lab2', lab, servers = [server.url], words = [] } = is;
    const { token } = await server.json<{ token: string }>(`/api/workers/${name}/token`);
    const folder = await mkdtemp(join(tmpdir(), 'muster-worker-'));
    await writeFile(join(folder, 'lab.yaml'), lab);
    await writeFile(join(folder, 'token'), token, { mode: 0o600 });
    const given = servers.flatMap((url) => ['--server', url]);
    const own = ['--lab', join(folder, 'lab.yaml'), '--token-file', join(folder, 'token')];
    const data = ['--data', is.dataDir ?? join(folder, 'data')];
    return new WorkerProcess(folder, name, [...given, ...own, ...data, ...words], is.env ?? {});
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get labFile(): string {
    return join(this.folder, 'lab.yaml');
  }

  get dataDir(): string {
    return join(this.folder, 'data');
  }

  /** Resolves when a server has taken it, or it has ended by itself. */
  async start(): Promise<number | undefined> {
    const child = spawn(process.execPath, [MAIN, 'worker', ...this.#words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#env },
      cwd: this.folder,
    });
    this.#child = child;
    const taken = new Promise<undefined>((resolve) => {
      child.stdout?.on('data', (bytes: Buffer) => {
        this.output += bytes;
        if (/worker \S+ {2}/.test(bytes.toString())) resolve(undefined);
      });
    });
    child.stderr?.on('data', (bytes: Buffer) => {
      this.output += bytes;
    });
    const ended = once(child, 'close').then(([code]) => code as number);
    return Promise.race([taken, ended]);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  /** Resolves when its boards of a job are down, and nothing of it lies there any more. */
  letGo(job: number): Promise<void> {
    return until(async () => (await readdir(join(this.dataDir, 'jobs', `${job}`))).length === 0);
  }

  /** Its boards are gone too: a start of their worker ends what nobody owes any more. */
  async remove(): Promise<void> {
    await this.end('SIGTERM');
    await rm(this.folder, { recursive: true, force: true });
  }
}

const WAITED_MS_MAX = 80_000;
const LOOK_EVERY_MS = 50;

/** Waits for what a server says; one that does not answer now says nothing. */
export async function until(
  is: () => Promise<boolean>,
  waitedMsMax = WAITED_MS_MAX,
): Promise<void> {
  const giveUpAt = performance.now() + waitedMsMax;
  while (!(await is().catch(() => false))) {
    if (performance.now() > giveUpAt) throw new Error(`it did not come to be: ${is}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

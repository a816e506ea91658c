/** A real `muster serve` in a process of its own, that can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from '../../cli/http.ts';
import type { RecordedEvent } from '../../machines/events.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite.ts';

const MAIN = new URL('../../dist/cli/main.js', import.meta.url).pathname;

export class ServerProcess {
  readonly folder: string;
  readonly dataDir: string;
  readonly #words: string[];
  #child: ChildProcess | undefined;
  #port = 0;
  #scheme = 'http';
  output = '';
  /** Who signed its certificate, for a server that has one. */
  ca: string | undefined;

  private constructor(folder: string, words: string[]) {
    this.folder = folder;
    this.dataDir = join(folder, 'data');
    this.#words = words;
  }

  /** `allowed`: the folders that its jobs may read from, of the folder that all of it lies in. */
  static async make(
    labYaml: string,
    words: readonly string[] = [],
    allowed: (folder: string) => string[] = () => [],
  ): Promise<ServerProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'muster-test-'));
    const lab = join(folder, 'lab.yaml');
    const folders = JSON.stringify(allowed(folder));
    await writeFile(lab, `${labYaml}\nallow_files: ${folders}\n`);
    return new ServerProcess(folder, ['--lab', lab, ...words]);
  }

  /** One that has no boards of its own. */
  static async bare(words: readonly string[] = []): Promise<ServerProcess> {
    return new ServerProcess(await mkdtemp(join(tmpdir(), 'muster-test-')), [...words]);
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.#port}`;
  }

  /** While it runs. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it, on the port that it had before, and resolves when it listens. */
  async start(): Promise<void> {
    const words = [MAIN, 'serve', '--data', this.dataDir, '--listen', `127.0.0.1:${this.#port}`];
    const child = spawn(process.execPath, [...words, ...this.#words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let output = '';
    const listening = new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', (bytes: Buffer) => {
        output += bytes;
        const url = /(https?):\/\/127\.0\.0\.1:(\d+)/.exec(output);
        if (url === null) return;
        this.#scheme = url[1] ?? '';
        this.#port = Number(url[2]);
        resolve();
      });
      child.once('exit', (code) => reject(new Error(`the server ended (${code}): ${this.output}`)));
    });
    child.stderr?.on('data', (bytes: Buffer) => {
      this.output += bytes;
    });
    await listening;
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

  async post(path: string, body: unknown): Promise<{ id: number; state: string }> {
    return this.json(path, body);
  }

  /** An order, with or without words. */
  async json<T>(path: string, body?: unknown): Promise<T> {
    return this.#ask(path, 'POST', body);
  }

  async get<T>(path: string): Promise<T> {
    return this.#ask(path, 'GET');
  }

  async #ask<T>(path: string, method: string, body?: unknown): Promise<T> {
    const answer = await request(this.url + path, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(60_000),
      body: body === undefined ? undefined : JSON.stringify(body),
      ca: this.ca,
    });
    const text = await answer.text();
    if (method !== 'GET' && answer.status >= 300) throw new Error(text);
    return JSON.parse(text) as T;
  }

  /** The whole log; the server must be down. */
  async log(): Promise<RecordedEvent[]> {
    const store = await openSqliteStore({ file: join(this.dataDir, 'muster.db') });
    const events: RecordedEvent[] = [];
    for await (const event of store.readAll()) events.push(event);
    await store.close();
    return events;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

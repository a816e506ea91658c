/** `npm run demo -- --worker`: server and worker are two processes with a folder each, and between them is one line. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newWorkerToken } from '../api/worker-parts.ts';
import type { RunningServer } from '../server/server.ts';

const NAME = 'lab2';

/** The worker's own folder, in that of its machine. */
export const workersData = (folder: string): string => join(folder, 'data');

export interface DemoWorker {
  boards: string;
  boardCount: number;
  stop(): Promise<void>;
}

/** Resolves when the server has taken it. */
export async function startApart(
  server: RunningServer,
  is: { folder: string; labFile: string; allowFiles: string },
): Promise<DemoWorker> {
  await mkdir(is.folder, { recursive: true });
  const labFile = join(is.folder, 'lab.yaml');
  const lab = await readFile(is.labFile, 'utf8');
  await writeFile(labFile, `${lab}allow_files: [${JSON.stringify(is.allowFiles)}]\n`);
  const { token, digest } = newWorkerToken(NAME);
  await server.engine.changeWorker(NAME, { type: 'MakeWorkerToken', digest }, { actor: 'demo' });
  const child = fork(
    new URL('./demo-worker.js', import.meta.url),
    [server.url, labFile, workersData(is.folder)],
    { env: { ...process.env, MUSTER_WORKER_TOKEN: token } },
  );
  const ended = once(child, 'exit');
  const started = once(child, 'message') as Promise<[Omit<DemoWorker, 'stop'>]>;
  const [said] = await Promise.race([
    started,
    ended.then(() => Promise.reject(new Error('the worker ended before it had begun'))),
  ]);
  return { ...said, stop: () => stopped(child, ended) };
}

async function stopped(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.connected) child.disconnect();
  await ended;
}

/** What lies in a folder: its files by name, and of each folder in it how many files. */
export async function filesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const count = entry.isDirectory() ? (await filesBelow(join(folder, entry.name))).length : 0;
    if (entry.isFile()) found.push(entry.name);
    else if (count > 0) found.push(`${entry.name}/ (${count})`);
  }
  return found.sort();
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

const LET_GO_MS_MAX = 15_000;

/** Resolves when the worker has sent all consoles, and its boards are down. */
export async function settled({ folder }: { folder: string }): Promise<void> {
  const giveUpAt = performance.now() + LET_GO_MS_MAX;
  while (performance.now() < giveUpAt && (await filesBelow(join(folder, 'jobs'))).length > 0)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

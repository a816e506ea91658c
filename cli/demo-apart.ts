/** `npm run demo -- --worker`: server and worker are two processes with a folder each, and between them is one line. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newWorkerToken } from '../api/worker-parts.ts';
import type { RunningServer } from '../server/server.ts';

const NAME = 'lab2';

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
    [server.url, labFile, join(is.folder, 'data')],
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

/** The files in a folder and those below it, without what boards run on. */
export async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return names
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .filter((name) => !/(^|\/)(boards|examples\.(git|work))\//.test(name))
    .sort();
}

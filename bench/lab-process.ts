/** The parent's side of `lab-server.ts`: a whole server with boards, and jobs that run on them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startChild } from './child-server.ts';

const POLL_MS = 50;

export interface AskedLab {
  folder: string;
  /** The text of the lab's file. */
  lab: string;
  /** Whether boards are isolated from one another, as they are where a server runs as root. */
  namespaces: boolean;
}

export interface Lab {
  url: string;
  pid: number;
  /** The JSON of a path below `/api`. */
  answer<T>(path: string): Promise<T>;
  /**
   * Submits a job and waits until it is complete; its number.
   *
   * @param onLook is called again and again meanwhile
   * @throws Error when it ends otherwise
   */
  run(job: object, onLook?: () => void): Promise<number>;
  stop(): Promise<void>;
}

export async function startLab(asked: AskedLab): Promise<Lab> {
  const { pid, ready, stop } = await startChild<{ url: string }>(
    new URL('./lab-server.js', import.meta.url),
    asked,
  );
  const { url } = ready;
  const answer = async <T>(path: string) => (await (await fetch(`${url}/api${path}`)).json()) as T;
  const run = async (job: object, onLook = () => {}) => {
    const posted = await fetch(`${url}/api/jobs`, { method: 'POST', body: JSON.stringify(job) });
    const { id, detail } = (await posted.json()) as { id: number; detail?: string };
    if (!posted.ok) throw new Error(`a job of the bench is refused: ${detail}`);
    for (;;) {
      const { state } = await answer<{ state: string }>(`/jobs/${id}`);
      onLook();
      if (state === 'complete') return id;
      if (state !== 'submitted' && state !== 'allocated') throw new Error(`job ${id}: ${state}`);
      await delay(POLL_MS);
    }
  };
  return { url, pid, answer, run, stop };
}

/** Makes a git repository of these files; what ends in `.sh` can be run. */
export function committed(folder: string, files: Record<string, string>): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), content, { mode: name.endsWith('.sh') ? 0o755 : 0o644 });
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=b', '-c', 'user.email=b@b', ...words]);
  git('init', '-q');
  git('add', '-A');
  git('commit', '-q', '-m', 'bench');
  return folder;
}

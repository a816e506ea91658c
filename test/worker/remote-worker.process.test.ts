/** Boards of a worker in a process of its own, with nothing but a line between it and the server. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JobView } from '../../projections/views.ts';
import { checkLog } from '../lab/invariants.ts';
import {
  assertComplete,
  bare,
  consoleOf,
  ended,
  jobOf,
  sees,
  talk,
  workerOf,
} from './remote-lab.ts';
import { until } from './worker-process.ts';

describe('a group of boards behind a worker', { timeout: 90_000 }, () => {
  it('runs over the line alone, and leaves its consoles at the server and nothing at the worker', async () => {
    const server = await bare();
    const worker = await workerOf(server);
    expect(await worker.start()).toBeUndefined();
    const { id } = await server.post(
      '/api/jobs',
      jobOf([talk(3), 'echo caf\\303\\251 | cat -v', 'false || echo done']),
    );
    await ended(server, id);
    await worker.letGo(id);
    await assertComplete(server, id);
    await until(async () =>
      (await consoleOf(server, id, 'panda01')).endsWith('panda01 ended complete\n'),
    );
    expect(await consoleOf(server, id, 'panda01')).toContain('round 3 is over');
    await until(async () => (await readdir(join(worker.dataDir, 'jobs', String(id)))).length === 0);
    expect(await readFile(join(worker.dataDir, 'reports.jsonl'), 'utf8')).toBe('');
    const times = await readFile(
      join(server.dataDir, 'jobs', String(id), 'panda01.console.times'),
      'utf8',
    );
    expect(times).toMatch(/^(\d+ \d+\n)+$/);
    await server.end('SIGTERM');
    checkLog(await server.log(), { finished: true });
  });

  it('is followed while it runs', async () => {
    const server = await bare();
    const worker = await workerOf(server);
    await worker.start();
    const { id } = await server.post(
      '/api/jobs',
      jobOf(['lava-wait go; echo it went at $(date +%s%3N)'], 1),
    );
    await sees(server, id, 'WaitStarted');
    const [{ device } = { device: '' }] = (await server.get<JobView>(`/api/jobs/${id}`)).members;
    const url = `${server.url}/api/jobs/${id}/members/${device}/console?follow=true`;
    const reader = (await fetch(url)).body?.getReader();
    let text = '';
    await new Promise<void>((resolve) => {
      const read = async (): Promise<void> => {
        const part = await reader?.read();
        text += Buffer.from(part?.value ?? []).toString();
        if (/^it went at \d{13}$/m.test(text.replaceAll('\r', ''))) return resolve();
        if (part?.done !== true) await read();
      };
      void read();
    });
    await reader?.cancel();
    await ended(server, id);
    await worker.letGo(id);
  });
});

/** Workers, servers and lines that are killed and cut in the middle of what boards say. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkLog } from '../lab/invariants.ts';
import { TcpProxy } from '../store/tcp-proxy.ts';
import {
  assertComplete,
  bare,
  consoleOf,
  ended,
  eventsOf,
  jobOf,
  sees,
  talk,
  workerOf,
  workerState,
} from './remote-lab.ts';
import { until } from './worker-process.ts';

describe('a group of boards behind a worker', { timeout: 90_000 }, () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'goes on when its worker is ended by %s in the middle of a wait',
    async (signal) => {
      const server = await bare();
      const worker = await workerOf(server);
      await worker.start();
      const { id } = await server.post('/api/jobs', jobOf([talk(40)]));
      await sees(server, id, 'WaitReleased', 10);
      await worker.end(signal);
      await until(async () => (await workerState(server)) === 'away');
      await worker.start();
      await ended(server, id);
      await worker.letGo(id);
      await assertComplete(server, id);
      const syncs = (await eventsOf(server, id)).filter(
        (e) => e.type === 'MessageSent' && e.data.verb === 'sync',
      );
      expect(syncs).toHaveLength(80);
    },
  );

  it('goes on when its server is killed in the middle of a wait', async () => {
    const server = await bare();
    const worker = await workerOf(server);
    await worker.start();
    const { id } = await server.post('/api/jobs', jobOf([talk(40)]));
    await sees(server, id, 'WaitReleased', 10);
    await server.end('SIGKILL');
    await server.start();
    await ended(server, id);
    await worker.letGo(id);
    await assertComplete(server, id);
    await server.end('SIGTERM');
    checkLog(await server.log(), { finished: true });
  });

  it('goes on when its line is cut again and again, and its consoles are whole', async () => {
    const server = await bare();
    const proxy = await TcpProxy.to(server.port);
    onTestFinished(() => proxy.close());
    const worker = await workerOf(server, { servers: [`http://127.0.0.1:${proxy.port}`] });
    await worker.start();
    const { id } = await server.post('/api/jobs', jobOf([talk(40)]));
    for (let cuts = 1; cuts <= 5; cuts++) {
      await sees(server, id, 'WaitReleased', 10 * cuts);
      proxy.cut();
    }
    await ended(server, id);
    await worker.letGo(id);
    await assertComplete(server, id);
    for (const device of ['panda01', 'panda02']) {
      await until(async () =>
        (await consoleOf(server, id, device)).includes(`${device} ended complete`),
      );
      const text = await consoleOf(server, id, device);
      const rounds = [...text.matchAll(/^round (\d+) is over$/gm)].map(([, n]) => Number(n));
      expect(rounds).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
    }
  });
});

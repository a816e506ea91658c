/** The parts of a server put together, in the order in which they may be seen. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startServer } from '../../server/server.ts';
import { deadUrl } from '../cli/fake-server.ts';
import { startStandIn } from '../store/eventstore-grpc-server.ts';

const BOARDS = 100;

test.each(['sqlite', 'esdb'])(
  'the first job that a new server takes is not rejected for want of its boards: %s',
  async (kind) => {
    const folder = await mkdtemp(join(tmpdir(), 'muster-server-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const labFile = join(folder, 'lab.json');
    const names = Array.from({ length: BOARDS }, (_, at) => `qa${at + 1}`);
    const lab = {
      device_types: { qa: { driver: 'local', image: 'host:' } },
      devices: Object.fromEntries(names.map((name) => [name, { type: 'qa' }])),
    };
    await writeFile(labFile, JSON.stringify(lab));
    const { port } = new URL(await deadUrl());
    const standIn = kind === 'esdb' ? await startStandIn() : undefined;
    onTestFinished(() => standIn?.stop());
    const starting = startServer({
      dataDir: join(folder, 'data'),
      host: '127.0.0.1',
      port: Number(port),
      labFile,
      ...(standIn && { store: `esdb://127.0.0.1:${standIn.port}?tls=false` }),
      namespaces: false,
      log: pino({ level: 'silent' }),
    });
    const job = {
      timeout: 60,
      job_name: 'first',
      device_group: [{ role: 'one', count: 1, device: names.at(-1) }],
      actions: [{ command: 'lava_command_run', parameters: { commands: ['true'] } }],
    };
    onTestFinished(async () => (await starting).stop({ killBoards: true }));
    const submitted = await untilThere(`http://127.0.0.1:${port}/api/jobs`, JSON.stringify(job));
    expect(await submitted.json()).toMatchObject({
      id: 1,
      state: expect.not.stringContaining('rejected'),
    });
  },
);

async function untilThere(url: string, body: string): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  for (;;) {
    const response = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined);
    if (response !== undefined) return response;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

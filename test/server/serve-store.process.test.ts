/** `muster serve --store esdb://...` on a log with an event that it cannot read. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { child, widest } from '../cli/fake-server.ts';
import { startStandIn } from '../store/eventstore-grpc-server.ts';

const foreign = {
  id: randomUUID(),
  type: 'TemperatureMeasured',
  data: Buffer.from('{"celsius":21}'),
  meta: Buffer.from(''),
};

async function served() {
  const folder = await mkdtemp(join(tmpdir(), 'muster-test-'));
  const standIn = await startStandIn();
  onTestFinished(async () => {
    standIn.stop();
    await rm(folder, { recursive: true });
  });
  const store = `esdb://127.0.0.1:${standIn.port}?tls=false`;
  const words = ['serve', '--data', folder, '--listen', '127.0.0.1:0', '--store', store];
  return { log: standIn.log, words };
}

function expectWords(err: string): void {
  expect(err).toMatch(/^muster: device-42 event 1 \(TemperatureMeasured\): another application/);
  expect(err.replaceAll(/\s+/g, ' ')).toContain('"muster verify" names all such events');
  expect(err).not.toMatch(/\n +at /);
  expect(widest(err)).toBeLessThanOrEqual(80);
}

test('does not start on it, and says whose it is', async () => {
  const { log, words } = await served();
  log.append('device-42', 0, [foreign]);
  const { exit, out, err } = await child(words);
  expect([exit, out]).toEqual([1, '']);
  expectWords(err);
});

test('ends when one comes, and says whose it is', async () => {
  const { log, words } = await served();
  const { exit, err } = await child(words, {
    onText: (out) => {
      if (out.includes('/docs') && log.eventsOf('device-42').length === 0)
        log.append('device-42', 0, [foreign]);
    },
  });
  expect(exit).toBe(1);
  expectWords(err);
});

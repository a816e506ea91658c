/** A job that is too large for the log gets no number: on a stand-in for EventStoreDB, and on a real one. */
import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { Engine } from '../../engine/engine.ts';
import { memoryCheckpoints } from '../../store/checkpoints.ts';
import { openEventStoreDb } from '../../store/eventstoredb/eventstoredb.ts';
import { parseJob } from '../../submission/job.ts';
import { skipBecause } from '../store/events.ts';
import { startStandIn } from '../store/eventstore-grpc-server.ts';

function jobOf(name: string, padding = 0) {
  const document = JSON.stringify({
    timeout: 60,
    job_name: name,
    device_type: 'panda',
    actions: [
      { command: 'lava_command_run', parameters: { commands: [`: ${'x'.repeat(padding)}`] } },
    ],
  });
  const parsed = parseJob(document);
  if (!('definition' in parsed)) throw new Error(JSON.stringify(parsed.problems));
  return { definition: parsed.definition, document };
}

async function givesNoNumber(connection: string) {
  const store = await openEventStoreDb({ connection });
  const engine = new Engine({ store, checkpoints: memoryCheckpoints(), shared: true });
  onTestFinished(async () => {
    await engine.stop();
    await store.close();
  });
  await engine.start();
  const first = await engine.submit(jobOf('first'), { actor: 'user:test' });
  const large = engine.submit(jobOf('large', 600_000), { actor: 'user:test', key: randomUUID() });
  await expect(large).rejects.toMatchObject({ code: 'append-too-large' });
  // One that takes more than half of what an append may be is asked for, and taken.
  const second = await engine.submit(jobOf('half', 300_000), { actor: 'user:test' });
  expect(second.id).toBe(first.id + 1);
  expect(engine.jobCount).toBe(second.id);
}

it('a job that is too large for one append uses up no number', async () => {
  const standIn = await startStandIn();
  onTestFinished(() => standIn.stop());
  await givesNoNumber(`esdb://127.0.0.1:${standIn.port}?tls=false`);
});

it('nor on a real EventStoreDB', async (context) => {
  const { MUSTER_ESDB_URL } = process.env;
  if (MUSTER_ESDB_URL === undefined)
    return skipBecause(context, 'no real EventStoreDB: MUSTER_ESDB_URL names none');
  await givesNoNumber(MUSTER_ESDB_URL);
});

/**
 * The EventStoreDB adapter: the contract on the stand-in in every run, and on the real server or cluster that
 * `MUSTER_ESDB_URL` names.
 */
import { randomUUID } from 'node:crypto';
import { it } from 'vitest';
import { openEventStoreDb } from '../../store/eventstoredb/eventstoredb.ts';
import { describeEventStore, type Opened } from './contract.ts';
import { skipBecause } from './events.ts';
import { startStandIn } from './eventstore-grpc-server.ts';

async function openOn(connection: string, dispose: () => void): Promise<Opened> {
  return {
    store: await openEventStoreDb({ connection }),
    prefix: `job-${randomUUID()}-`,
    reopen: () => openEventStoreDb({ connection }),
    dispose: async () => dispose(),
  };
}

describeEventStore('eventstoredb, a stand-in', async () => {
  const standIn = await startStandIn();
  return openOn(`esdb://127.0.0.1:${standIn.port}?tls=false`, () => standIn.stop());
});

const { MUSTER_ESDB_URL } = process.env;
if (MUSTER_ESDB_URL !== undefined)
  describeEventStore('eventstoredb, a real server', () => openOn(MUSTER_ESDB_URL, () => {}));
else
  it('keeps the contract on a real server', (context) =>
    skipBecause(
      context,
      'no real EventStoreDB: MUSTER_ESDB_URL names none (esdb://127.0.0.1:2113?tls=false)',
    ));

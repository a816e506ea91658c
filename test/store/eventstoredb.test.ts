/** The EventStoreDB adapter on a real server: the contract. It needs `MUSTER_ESDB_URL`, and says so without. */
import { randomUUID } from 'node:crypto';
import { it } from 'vitest';
import { openEventStoreDb } from '../../store/eventstoredb.ts';
import { describeEventStore } from './contract.ts';
import { skipBecause } from './events.ts';

const connection = process.env['MUSTER_ESDB_URL'];

if (connection === undefined)
  it('keeps the contract on a real EventStoreDB', (context) =>
    skipBecause(
      context,
      'no real EventStoreDB: set MUSTER_ESDB_URL, for example to esdb://127.0.0.1:2113?tls=false',
    ));
else
  describeEventStore('eventstoredb', async () => ({
    store: await openEventStoreDb({ connection }),
    prefix: `job-${randomUUID()}-`,
    reopen: () => openEventStoreDb({ connection }),
    dispose: async () => {},
  }));

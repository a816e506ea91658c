/** A whole server with its boards, in a process of its own, for `lab-process.ts`: what it holds in memory is its alone. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { startServer } from '../server/server.ts';
import type { AskedLab } from './lab-process.ts';

const { folder, lab, namespaces } = JSON.parse(process.argv[2] ?? '') as AskedLab;
const labFile = join(folder, 'lab.yaml');
writeFileSync(labFile, lab);
const server = await startServer({
  ...{ dataDir: join(folder, 'data'), labFile, host: '127.0.0.1', port: 0, namespaces },
  log: pino({ level: 'error' }),
});
process.on('message', async () => {
  await server.stop({ killBoards: true });
  process.disconnect();
});
process.send?.({ url: server.url });

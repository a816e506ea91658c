/** A whole server with one plain board, in a process of its own, for `consoles.ts`: what it holds in memory is its alone. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { startServer } from '../server/server.ts';

const [folder = ''] = process.argv.slice(2);
const repositories = join(folder, 'repositories');
const labFile = join(folder, 'lab.yaml');
mkdirSync(repositories);
writeFileSync(
  labFile,
  `device_types: {panda: {}}\ndevices: {panda01: {type: panda}}\nallow_files: [${JSON.stringify(repositories)}]\n`,
);
const server = await startServer({
  ...{ dataDir: join(folder, 'data'), labFile, host: '127.0.0.1', port: 0, namespaces: false },
  log: pino({ level: 'error' }),
});
process.on('message', async () => {
  await server.stop({ killBoards: true });
  process.disconnect();
});
process.send?.({ url: server.url, repositories });

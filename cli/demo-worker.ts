/** The worker of `npm run demo -- --worker`: a process of its own, that ends its boards when it is told to stop. */

import { join } from 'node:path';
import { packageRoot, packageVersion } from '../server/package-root.ts';
import { startWorker } from '../worker/worker.ts';
import { plainLog } from './plain-log.ts';
import { readWorkerLab } from './worker-lab.ts';

const COLUMNS_DEFAULT = 80;

const [server = '', labFile = '', dataDir = ''] = process.argv.slice(2);
const { part: lab } = await readWorkerLab(labFile);
const worker = await startWorker({
  ...{ servers: [server], token: process.env.MUSTER_WORKER_TOKEN ?? '', dataDir, lab },
  readLab: async () => lab,
  boardFiles: join(packageRoot, 'board'),
  version: packageVersion,
  log: plainLog((text) => process.stderr.write(text), process.stderr.columns ?? COLUMNS_DEFAULT),
});
process.send?.({ boards: worker.boards, boardCount: worker.boardCount });
// Ctrl-C goes to the whole terminal: who started this one says when it is to end, by leaving too.
process.on('SIGINT', () => {});
process.once(
  'disconnect',
  () => void worker.stop({ killBoards: true }).then(() => process.exit(0)),
);

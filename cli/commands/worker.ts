/** `muster worker`: the boards of another machine than the server's, in the foreground, until it is told to stop. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { pino } from 'pino';
import { BoardPortTaken } from '../../dispatcher/board-port.ts';
import { LabRefused } from '../../server/lab-file.ts';
import { packageRoot, packageVersion } from '../../server/package-root.ts';
import { lockFolder } from '../../store/lock.ts';
import { StoreRefused } from '../../store/port.ts';
import { WorkerRefused } from '../../worker/line.ts';
import { startWorker } from '../../worker/worker.ts';
import { readCa } from '../ca.ts';
import { type Cli, folder } from '../command.ts';
import { CliFailure, EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { hang } from '../pages/text.ts';
import { saidReload } from '../reload.ts';
import { toldToStop } from '../told-to-stop.ts';
import { readWorkerLab } from '../worker-lab.ts';

const DATA_DEFAULT = './muster-worker';

interface WorkerOptions {
  server: string[];
  lab: string;
  data: string;
  tokenFile?: string;
  ca?: string;
}

export function workerCommand({ io }: Cli): Command {
  return new Command('worker')
    .description('drive the boards of this machine for a server on another one')
    .requiredOption('--server <url...>', 'the servers: any of them will do')
    .requiredOption('--lab <file>', "this machine's boards (YAML)")
    .option(
      '--data <dir>',
      'folder of its boards, and of what waits for the server',
      folder,
      DATA_DEFAULT,
    )
    .option(
      '--token-file <file>',
      'what "muster worker-token NAME" printed (default: MUSTER_WORKER_TOKEN)',
    )
    .option('--ca <file>', "who signed the servers' certificates, PEM")
    .addHelpText(
      'after',
      `
MUSTER_LOG_LEVEL=info says more. SIGHUP: the lab's file is read again.

Example:
  $ muster worker --server https://muster.lab:7077 --token-file lab2.token --lab lab.yaml`,
    )
    .action(async (options: WorkerOptions) => {
      try {
        await work(options, io);
      } catch (error) {
        throw failureOf(error);
      }
    });
}

async function work(options: WorkerOptions, io: Io): Promise<void> {
  const servers = options.server.map(serverUrl);
  const token = await tokenOf(options, io);
  const ca = options.ca === undefined ? undefined : await readCa(options.ca);
  const { lab: first, part: lab } = await readWorkerLab(options.lab);
  const readAgain = async () => (await readWorkerLab(options.lab, first)).part;
  const log = pino(
    { level: io.env.MUSTER_LOG_LEVEL ?? 'warn' },
    pino.destination({ fd: 2, sync: true }),
  );
  const dataDir = resolve(options.data);
  const lock = await lockFolder(dataDir, 'muster worker');
  if (lock.note !== undefined) log.warn(lock.note);
  try {
    const fault = new Promise<never>((_, reject) => process.on('uncaughtException', reject));
    const told = toldToStop(() => {
      starting.then((running) => saidReload(running.reloadLab, log)).catch(() => {});
    });
    const starting = startWorker({
      ...{ servers, token, dataDir, lab, log, readLab: readAgain },
      boardFiles: join(packageRoot, 'board'),
      version: packageVersion,
      ...(ca !== undefined && { ca }),
    });
    const worker = await Promise.race([fault, starting, told]);
    if (worker === undefined) return;
    const boards = `${worker.boardCount} boards (${worker.boards}) for ${servers.join(', ')}`;
    process.stdout.write(hang('muster: ', `worker ${nameOf(token)}  ${boards}`, io.columns));
    await Promise.race([fault, told]);
    await Promise.race([fault, worker.stop()]);
  } finally {
    await lock.release();
  }
}

/** The name stands in the token. */
const nameOf = (token: string): string => token.split('.').slice(1, -1).join('.');

/** @throws CliFailure */
function serverUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:')) return url.href;
  throw wrong(`--server ${text}: expected a URL such as http://muster.lab:7077`);
}

/** @throws CliFailure */
async function tokenOf({ tokenFile }: WorkerOptions, io: Io): Promise<string> {
  const text =
    tokenFile === undefined
      ? (io.env.MUSTER_WORKER_TOKEN ?? '')
      : await readFile(tokenFile, 'utf8').catch((error: Error) => {
          throw wrong(`--token-file ${tokenFile} cannot be read: ${error.message}`);
        });
  const token = text.trim();
  if (token !== '') return token;
  throw wrong(
    'a worker needs its token, in --token-file or MUSTER_WORKER_TOKEN: "muster worker-token NAME" makes it',
  );
}

/** What a person can mend is said and has its exit code; anything else is a fault of ours. */
function failureOf(error: unknown): unknown {
  if (error instanceof WorkerRefused || error instanceof LabRefused) return wrong(error.message);
  if (error instanceof StoreRefused || error instanceof BoardPortTaken) return wrong(error.message);
  return error;
}

const wrong = (message: string): CliFailure =>
  new CliFailure({ code: 'worker-refused', exit: EXIT.usage, message });

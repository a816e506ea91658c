/** Puts the parts of a worker together: the line, the dispatcher, its boards' door, and what waits on its disk. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openAtKnownPort } from '../dispatcher/board-port.ts';
import { createDispatcher, type Dispatcher } from '../dispatcher/dispatcher.ts';
import type { LabBoard, Limits, Log } from '../dispatcher/drivers/driver.ts';
import type { Registry } from '../dispatcher/drivers/registry.ts';
import type { HealthCheck } from '../machines/events.ts';
import { BoardDoor } from './board-door.ts';
import { ConsoleFeed } from './console-feed.ts';
import { RemoteServer } from './remote-server.ts';
import { Spool } from './spool.ts';

/** What a lab's file says to a worker. */
export interface WorkerLab {
  boards: readonly LabBoard[];
  jobLimit?: number;
  limits: Limits;
  /** Folders that jobs may read from. */
  allowFiles: readonly string[];
  drivers: Registry;
  /** By device. */
  healthChecks: ReadonlyMap<string, HealthCheck>;
}

export interface WorkerOptions {
  servers: readonly string[];
  token: string;
  /** The certificate that signs the servers', in PEM. */
  ca?: string;
  /** Of this worker alone. */
  dataDir: string;
  lab: WorkerLab;
  /** The package's `board/` folder: what runs on a board. */
  boardFiles: string;
  version: string;
  log: Log;
}

export interface RunningWorker {
  /** `namespaces` or `plain`. */
  boards: string;
  boardCount: number;
  /** Ends it in order. Boards run on for the next one on this folder, unless `killBoards`. */
  stop(how?: { killBoards: boolean }): Promise<void>;
}

/** Resolves when a server has taken it and its boards. @throws WorkerRefused; StepFailure when no board can be driven */
export async function startWorker(is: WorkerOptions): Promise<RunningWorker> {
  const { dataDir, lab, log } = is;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const instance = (await kept(join(dataDir, 'instance'), () => randomUUID())).toString();
  const secret = await kept(join(dataDir, 'secret'), () => randomBytes(32).toString('hex'));
  const { spool, left } = await Spool.open(join(dataDir, 'reports.jsonl'));
  let dispatcher: Dispatcher | undefined;
  let url = '';
  const { servers, token, ca, version } = is;
  const server: RemoteServer = new RemoteServer({
    ...{ servers, token, instance, version, spool, left, log },
    ...(ca !== undefined && { ca }),
    ...(lab.jobLimit !== undefined && { jobLimit: lab.jobLimit }),
    healthChecks: lab.healthChecks,
    onLine: () => feed.lineIsNew(),
    access: async (job, device) => {
      await feed.begin(job, device);
      return { url, token: door.token(job, device) };
    },
  });
  const feed = new ConsoleFeed({
    ...{ dataDir, log, line: server.line },
    isLive: (job, device) =>
      server.lastOwed === undefined ||
      dispatcher?.holding(device)?.job === job ||
      server.lastOwed.some((owed) => owed.job === job && owed.device === device),
  });
  const door: BoardDoor = new BoardDoor({ secret, dataDir, line: server.line });
  const stop = async ({ killBoards } = { killBoards: false }) => {
    // Nothing waits for a server that may be away: what has no answer is on the disk, or is asked in a later life.
    const stopped = dispatcher?.stop({ killBoards });
    const fed = feed.stop();
    const closed = door.close();
    await server.line.stop();
    await Promise.all([stopped, fed, closed]);
    await spool.close();
  };
  try {
    dispatcher = await createDispatcher({
      ...{ server, boards: lab.boards, dataDir, boardFiles: is.boardFiles },
      ...{ limits: lab.limits, allowFiles: lab.allowFiles, drivers: lab.drivers, log },
    });
    const boardsRun = (await dispatcher.takeOver()).some(({ isOn }) => isOn);
    const host = dispatcher.gateway?.address ?? '127.0.0.1';
    const listen = (port: number) => door.listen(host, port);
    url = await openAtKnownPort({ file: join(dataDir, 'board-port'), host, boardsRun, listen });
    await feed.start();
    await dispatcher.start();
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
  return { boards: dispatcher.boardsAre, boardCount: lab.boards.length, stop };
}

/** What a file of the data folder holds; made once. */
async function kept(file: string, make: () => string): Promise<Buffer> {
  const known = await readFile(file).catch(() => undefined);
  if (known !== undefined && known.length > 0) return known;
  await writeFile(`${file}.new`, make(), { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
  return readFile(file);
}

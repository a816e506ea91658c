/** Puts the parts of a worker together: the line, the dispatcher, its boards' door, and what waits on its disk. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDispatcher, type Dispatcher } from '../dispatcher/dispatcher.ts';
import type { Log } from '../dispatcher/drivers/driver.ts';
import { messageOf } from '../dispatcher/failure.ts';
import type { LabPart } from '../dispatcher/generation.ts';
import { inTurn } from '../dispatcher/in-turn.ts';
import type { HealthCheck } from '../machines/events.ts';
import type { LabChange } from '../wire/lab-change.ts';
import { BoardDoors } from './board-doors.ts';
import { BoardOrders } from './board-orders.ts';
import { ConsoleFeed } from './console-feed.ts';
import { RemoteServer } from './remote-server.ts';
import { Spool } from './spool.ts';

/** What a lab's file says to a worker. */
export interface WorkerLab extends LabPart {
  jobLimit?: number;
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
  /** The lab's file as it is now. Its errors are told to whoever wished it to be read again. */
  readLab(): Promise<WorkerLab>;
  /** The package's `board/` folder: what runs on a board. */
  boardFiles: string;
  version: string;
  log: Log;
}

export interface RunningWorker {
  /** `namespaces` or `plain`. */
  boards: string;
  boardCount: number;
  /** Reads the lab's file again: jobs that run keep their boards as they are. @throws what is wrong; nothing has changed then */
  reloadLab(): Promise<LabChange>;
  /** Ends it in order. Boards run on for the next one on this folder, unless `killBoards`. */
  stop(how?: { killBoards: boolean }): Promise<void>;
}

/** Resolves when a server has taken it and its boards. @throws WorkerRefused; StepFailure when no board can be driven */
export async function startWorker(is: WorkerOptions): Promise<RunningWorker> {
  const { dataDir, log } = is;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const instance = (await kept(join(dataDir, 'instance'), () => randomUUID())).toString();
  const secret = await kept(join(dataDir, 'secret'), () => randomBytes(32).toString('hex'));
  const { spool, left } = await Spool.open(join(dataDir, 'reports.jsonl'));
  let { lab } = is;
  let dispatcher: Dispatcher | undefined;
  const { servers, token, ca, version } = is;
  const server: RemoteServer = new RemoteServer({
    ...{ servers, token, instance, version, spool, left, log },
    ...(ca !== undefined && { ca }),
    lab: () => lab,
    onLine: () => feed.lineIsNew(),
    onReload: (reload) => {
      const said = reloadLab().then(
        (change) => ({ change }),
        (error: unknown) => ({ refused: messageOf(error) }),
      );
      // Without a line there is nobody to be told.
      said.then((what) => server.line.ask('reloaded', { reload, ...what })).catch(() => undefined);
    },
    onOrder: (order) => void orders.take(order),
    access: async (job, device) => {
      await feed.begin(job, device);
      return { url: doors.url, token: doors.token(job, device) };
    },
  });
  const orders = new BoardOrders({ line: server.line, hands: () => dispatcher?.hands });
  const feed = new ConsoleFeed({
    ...{ dataDir, log, line: server.line },
    isLive: (job, device) =>
      server.lastOwed === undefined ||
      dispatcher?.holding(device)?.job === job ||
      server.lastOwed.some((owed) => owed.job === job && owed.device === device),
  });
  const doors = new BoardDoors({ secret, dataDir, line: server.line });
  const reloadLab = inTurn(async () => {
    const before = lab;
    lab = await is.readLab();
    try {
      if (dispatcher === undefined) throw new Error('the worker is starting');
      const hands = dispatcher;
      return await hands.change(lab, () => doors.open(hands.gateway?.address, true));
    } catch (error) {
      lab = before;
      throw error;
    }
  });
  const stop = async ({ killBoards } = { killBoards: false }) => {
    // Nothing waits for a server that may be away: what has no answer is on the disk, or is asked in a later life.
    orders.stop();
    const stopped = dispatcher?.stop({ killBoards });
    const fed = feed.stop();
    const closed = doors.close();
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
    await doors.open(dispatcher.gateway?.address, boardsRun);
    await feed.start();
    await dispatcher.start();
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
  return { boards: dispatcher.boardsAre, boardCount: lab.boards.length, reloadLab, stop };
}

/** What a file of the data folder holds; made once. */
async function kept(file: string, make: () => string): Promise<Buffer> {
  const known = await readFile(file).catch(() => undefined);
  if (known !== undefined && known.length > 0) return known;
  await writeFile(`${file}.new`, make(), { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
  return readFile(file);
}

/** Puts the parts of a server together: store, engine, dispatcher, doors. The one place that knows them all. */
import { readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { buildApp } from '../api/app.ts';
import { buildBoardApp } from '../api/board-app.ts';
import { tokenKeyOf } from '../api/tokens.ts';
import { consoleBytes, consolePath } from '../dispatcher/console.ts';
import { createDispatcher, type Dispatcher, registrations } from '../dispatcher/dispatcher.ts';
import { Engine } from '../engine/engine.ts';
import { archivedIn } from '../store/archive/archive-index.ts';
import { fileCheckpoints } from '../store/checkpoints.ts';
import { lockFolder } from '../store/lock.ts';
import { Objects } from '../store/objects.ts';
import type { Lab } from '../submission/lab.ts';
import type { ServerPort } from '../wire/server-port.ts';
import { secretOf, workerNameOf } from './identity.ts';
import { inProcessServer } from './in-process-server.ts';
import { type LabFile, LabRefused, readLabFile } from './lab-file.ts';
import { checkpointsFolder, openLog } from './open-log.ts';
import { packageRoot, packageVersion } from './package-root.ts';
import { keepDays } from './retention.ts';

export interface ServerOptions {
  dataDir: string;
  host: string;
  /** 0: any free one. */
  port: number;
  /** The lab's YAML file; without one the server has no boards of its own. */
  labFile?: string;
  /** `esdb://...`: the log is there, and other servers may work on it too. Absent: a file in the data folder. */
  store?: string;
  /** Jobs that ended longer ago go into the archive; absent: they stay in the log. */
  keepDays?: number;
  apiToken?: string;
  log: Logger;
  /** `false`: plain boards, whatever this machine allows. */
  namespaces?: boolean;
}

export interface RunningServer {
  /** Where people and programs reach it. */
  url: string;
  /** `namespaces` or `plain`; `none` without boards. */
  boards: string;
  boardCount: number;
  engine: Engine;
  /** Ends it in order. Boards run on for the next server on this folder, unless `killBoards`. */
  stop(how?: { killBoards: boolean }): Promise<void>;
}

/** What a person got wrong; the message says what, where and what to do. */
export class ServerRefused extends Error {
  override readonly name = 'ServerRefused';
  readonly code = 'server-refused';
}

/** Whether an address can only be reached from this machine. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * Starts a server on a data folder.
 *
 * @throws ServerRefused for a wrong lab file or an open address without a token; StoreRefused when the folder is in use
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, log } = options;
  const apiToken = options.apiToken === '' ? undefined : options.apiToken;
  if (!isLoopback(host) && apiToken === undefined)
    throw new ServerRefused(
      `--listen ${host} can be reached from other machines: set MUSTER_API_TOKEN to a secret of your own first`,
    );
  const lab = options.labFile === undefined ? undefined : await readLab(options.labFile);
  const dataDir = resolve(options.dataDir);
  const undo: (() => Promise<unknown>)[] = [];
  try {
    return await assemble({ ...options, dataDir }, apiToken, lab, undo);
  } catch (error) {
    for (const step of undo.reverse())
      await step().catch((why: unknown) => log.warn({ err: why }, 'while giving up the start'));
    throw error;
  }
}

type Undo = (() => Promise<unknown>)[];

async function assemble(
  options: ServerOptions,
  apiToken: string | undefined,
  labFile: LabFile | undefined,
  undo: Undo,
): Promise<RunningServer> {
  const { dataDir, host, port, log } = options;
  const { store, name: storeName, shared } = await openStore(options, undo);
  const checkpoints = fileCheckpoints(checkpointsFolder(dataDir));
  const warn = (what: string, error?: unknown) => log.warn({ err: error }, what);
  const engine = new Engine({ store, checkpoints, shared, warn });
  undo.push(() => engine.stop());
  await engine.start();
  if (options.keepDays !== undefined)
    undo.push(keepDays(options.keepDays, { store, engine, dataDir, log }));

  const secret = await secretOf(dataDir);
  const tokenKey = tokenKeyOf(secret);
  const doors = {
    engine,
    attachments: await Objects.open(join(dataDir, 'attachments')),
    tokenKeys: () => [tokenKey, ...engine.otherServers().map((other) => other.tokenKey)],
    consoleSize: (job: number, device: string) => consoleBytes(consolePath(dataDir, job, device)),
    log,
  };
  const worker = await workerNameOf(dataDir, shared);
  let boardUrl = '';
  const server = inProcessServer({
    engine,
    worker,
    secret,
    urls: () => {
      const others = engine.otherServers().filter((other) => other.isHere);
      return [boardUrl, ...others.map((other) => other.boardUrl)];
    },
    healthChecks: labFile?.healthChecks ?? new Map(),
    facts: () => ({
      ...(labFile?.lab.jobLimit !== undefined && { jobLimit: labFile.lab.jobLimit }),
      ...(shared && { tokenKey, boardUrl }),
    }),
  });
  const dispatcher = labFile && (await handsOf(labFile.lab, server, options, undo));

  const app = await buildApp({
    ...doors,
    version: packageVersion,
    storeName,
    consoleFile: (job, device) => consolePath(dataDir, job, device),
    archivedIn: (job) => archivedIn(dataDir, job),
    ...(apiToken !== undefined && { apiToken }),
  });
  undo.push(() => app.close());
  // Before anybody can submit: a job for boards that are not known yet would be rejected for good.
  if (labFile !== undefined) await server.announce(registrations(labFile.lab.devices));
  const url = await listen(app, host, port);
  boardUrl = url;
  const gateway = dispatcher?.gateway;
  if (gateway !== undefined) {
    const boardApp = await buildBoardApp(doors);
    undo.push(() => boardApp.close());
    boardUrl = await listenForBoards(boardApp, gateway.address, dataDir);
  }
  await dispatcher?.start();
  engine.open();
  // Where it is the only server of the log, whoever has no line to it now is not here.
  if (!shared)
    await engine.loseWorkersBut(
      dispatcher ? [worker] : [],
      'no line to it since the server started',
    );
  return {
    url,
    boards: dispatcher?.kind ?? 'none',
    boardCount: labFile?.lab.devices.length ?? 0,
    engine,
    async stop({ killBoards } = { killBoards: false }) {
      if (killBoards) await dispatcher?.stop({ killBoards });
      for (const step of undo.splice(0).reverse()) await step();
    },
  };
}

/** The log; the data folder is this process's alone, whatever the log is kept in. */
async function openStore({ dataDir, store }: ServerOptions, undo: Undo) {
  if (store !== undefined) {
    const lock = await lockFolder(dataDir);
    undo.push(() => lock.release());
  }
  const opened = await openLog({ dataDir, ...(store !== undefined && { store }) });
  undo.push(() => opened.close());
  return { ...opened, shared: store !== undefined };
}

async function handsOf(
  lab: Lab,
  server: ServerPort,
  { dataDir, log, namespaces }: ServerOptions,
  undo: Undo,
): Promise<Dispatcher> {
  const dispatcher = await createDispatcher({
    server,
    boards: lab.devices,
    dataDir,
    boardFiles: join(packageRoot, 'board'),
    limits: lab.limits,
    allowFiles: lab.allowFiles,
    bridge: lab.bridge,
    log,
    ...(namespaces !== undefined && { namespaces }),
  });
  undo.push(() => dispatcher.stop({ killBoards: false }));
  return dispatcher;
}

async function readLab(file: string): Promise<LabFile> {
  return readLabFile(file).catch((error: unknown) => {
    throw error instanceof LabRefused ? new ServerRefused(error.message) : error;
  });
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
      throw new ServerRefused(
        `${host}:${port} is taken by another program: stop it, or choose another with --listen`,
      );
    if ((error as NodeJS.ErrnoException).code === 'EADDRNOTAVAIL')
      throw new ServerRefused(
        `${host} is no address of this machine: choose another with --listen`,
      );
    throw error;
  }
}

/** The same port at every start on this folder: boards that run on know it. */
async function listenForBoards(
  app: FastifyInstance,
  host: string,
  dataDir: string,
): Promise<string> {
  const file = join(dataDir, 'board-port');
  const known = Number(await readFile(file, 'utf8').catch(() => '0')) || 0;
  const url = await app.listen({ host, port: known });
  await writeFile(file, new URL(url).port);
  return url;
}

/** Puts the parts of a server together: store, engine, dispatcher, doors. The one place that knows them all. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { buildApp } from '../api/app.ts';
import { buildBoardApp } from '../api/board-app.ts';
import { consoleBytes, consolePath } from '../dispatcher/console.ts';
import { createDispatcher, type Dispatcher } from '../dispatcher/dispatcher.ts';
import { Engine } from '../engine/engine.ts';
import { fileCheckpoints } from '../store/checkpoints.ts';
import { lockFolder } from '../store/lock.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { formatProblems } from '../submission/format.ts';
import { type Lab, parseLab } from '../submission/lab.ts';
import { inProcessServer } from './in-process-server.ts';
import { packageRoot, packageVersion } from './package-root.ts';

export interface ServerOptions {
  dataDir: string;
  host: string;
  /** 0: any free one. */
  port: number;
  /** The lab's YAML file; without one the server has no boards of its own. */
  labFile?: string;
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

/** The name under which the server's own boards stand in the log. */
const workerName = () => hostname().split('.')[0] ?? 'local';

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
  await mkdir(dataDir, { recursive: true }).catch((error: Error) => {
    throw new ServerRefused(`the data folder ${dataDir} cannot be made: ${error.message}`);
  });
  const undo: (() => Promise<unknown>)[] = [];
  try {
    return await assemble({ ...options, dataDir }, apiToken, lab, undo);
  } catch (error) {
    for (const step of undo.reverse())
      await step().catch((why: unknown) => log.warn({ err: why }, 'while giving up the start'));
    throw error;
  }
}

async function assemble(
  options: ServerOptions,
  apiToken: string | undefined,
  lab: Lab | undefined,
  undo: (() => Promise<unknown>)[],
): Promise<RunningServer> {
  const { dataDir, host, port, log } = options;
  const lock = await lockFolder(dataDir);
  undo.push(() => lock.release());
  const store = await openSqliteStore({ file: join(dataDir, 'muster.db') });
  undo.push(() => store.close());
  const checkpoints = fileCheckpoints(join(dataDir, 'checkpoints'));
  const warn = (what: string, error?: unknown) => log.warn({ err: error }, what);
  const engine = new Engine({ store, checkpoints, warn });
  undo.push(() => engine.stop());
  await engine.start();

  const secret = await secretOf(dataDir);
  const worker = workerName();
  const doors = {
    engine,
    secret,
    consoleSize: (job: number, device: string) => consoleBytes(consolePath(dataDir, job, device)),
    log,
  };
  let boardUrl = '';
  let dispatcher: Dispatcher | undefined;
  if (lab !== undefined) {
    dispatcher = await createDispatcher({
      server: inProcessServer({ engine, worker, secret, url: () => boardUrl }),
      boards: lab.devices,
      dataDir,
      boardFiles: join(packageRoot, 'board'),
      limits: lab.limits,
      allowFiles: lab.allowFiles,
      bridge: lab.bridge,
      log,
      ...(options.namespaces !== undefined && { namespaces: options.namespaces }),
    });
    const made = dispatcher;
    undo.push(() => made.stop({ killBoards: false }));
  }
  await engine.loseWorkersBut(
    lab === undefined ? [] : [worker],
    'no line to it since the server started',
  );

  const app = await buildApp({
    ...doors,
    version: packageVersion,
    storeName: 'sqlite',
    consoleFile: (job, device) => consolePath(dataDir, job, device),
    ...(apiToken !== undefined && { apiToken }),
  });
  undo.push(() => app.close());
  const url = await listen(app, host, port);
  boardUrl = url;
  const gateway = dispatcher?.gateway;
  if (gateway !== undefined) {
    const boardApp = await buildBoardApp(doors);
    undo.push(() => boardApp.close());
    boardUrl = await listenForBoards(boardApp, gateway.address, dataDir);
  }
  await dispatcher?.start();
  return {
    url,
    boards: dispatcher?.kind ?? 'none',
    boardCount: lab?.devices.length ?? 0,
    engine,
    async stop({ killBoards } = { killBoards: false }) {
      if (killBoards) await dispatcher?.stop({ killBoards });
      for (const step of undo.splice(0).reverse()) await step();
    },
  };
}

async function readLab(file: string): Promise<Lab> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new ServerRefused(`the lab's file cannot be read: ${error.message}`);
  });
  const parsed = parseLab(text);
  if ('lab' in parsed) return parsed.lab;
  throw new ServerRefused(formatProblems(parsed.problems, { file, text }));
}

/** The secret from which every board's token is derived: made once, kept beside the log, never in it. */
async function secretOf(dataDir: string): Promise<Buffer> {
  const file = join(dataDir, 'secret');
  const known = await readFile(file).catch(() => undefined);
  if (known !== undefined && known.length >= 32) return known;
  const secret = randomBytes(32);
  await writeFile(`${file}.new`, secret, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return secret;
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

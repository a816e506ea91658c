/** Puts the parts of a server together: store, engine, dispatcher, doors. The one place that knows them all. */
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { buildApp } from '../api/app.ts';
import { buildBoardApp } from '../api/board-app.ts';
import { memberToken, tokenKeyOf } from '../api/tokens.ts';
import type { WorkerParts } from '../api/worker-parts.ts';
import { consoleBytes, consolePath } from '../dispatcher/console.ts';
import { createDispatcher, type Dispatcher, registrations } from '../dispatcher/dispatcher.ts';
import { registry } from '../dispatcher/drivers/registry.ts';
import { OpenSets } from '../dispatcher/open-set.ts';
import { Engine } from '../engine/engine.ts';
import { archivedIn } from '../store/archive/archive-index.ts';
import { fileCheckpoints } from '../store/checkpoints.ts';
import { checkpointsFolder } from '../store/data-folder.ts';
import { Objects } from '../store/objects.ts';
import type { Lab } from '../submission/lab.ts';
import type { ServerPort } from '../wire/server-port.ts';
import { openAddressSecrets } from './address-secrets.ts';
import { type Beginning, begin } from './beginning.ts';
import { openBoardDoor } from './board-door.ts';
import { watchClock } from './clock-watch.ts';
import { consoleCopies } from './console-copies.ts';
import { secretOf, workerNameOf } from './identity.ts';
import { inProcessServer } from './in-process-server.ts';
import { type LabFile, LabRefused, readLabFile } from './lab-file.ts';
import { lintSources } from './lint-sources.ts';
import { type OpenedLog, openServersLog } from './open-log.ts';
import type { Outage } from './outage.ts';
import { builtPage, packageRoot, packageVersion } from './package-root.ts';
import { ServerRefused } from './refused.ts';
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
  /** Of the logger, so that it is told when it is over. */
  outage?: Outage;
  /** Folders that jobs may read from, beside those that the lab's file allows. */
  allowFiles?: readonly string[];
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
  const { store, name: storeName, isShared: shared } = await openStore(options, undo);
  const checkpoints = fileCheckpoints(checkpointsFolder(dataDir));
  const warn = (what: string, error?: unknown) => log.warn({ err: error }, what);
  const engine = new Engine({ store, checkpoints, shared, warn });
  undo.push(() => engine.stop());
  await engine.start();
  const say = (what: string) => log.warn(what);
  const clock = watchClock({ ours: () => engine.now(), wall: () => Date.now(), say });
  undo.push(async () => clock.stop());
  if (options.keepDays !== undefined)
    undo.push(keepDays(options.keepDays, { store, engine, dataDir, log }));

  const secret = await secretOf(dataDir);
  const tokenKey = tokenKeyOf(secret);
  const secrets = openAddressSecrets(dataDir, secret);
  const openSets = new OpenSets();
  const objects = await Objects.open(join(dataDir, 'objects'));
  const doors = {
    engine,
    attachments: objects,
    tokenKeys: () => [tokenKey, ...engine.otherServers().map((other) => other.tokenKey)],
    consoleSize: (job: number, device: string) => consoleBytes(consolePath(dataDir, job, device)),
    openSet: (job: number, device: string) => openSets.of(consolePath(dataDir, job, device)),
    log,
  };
  const worker = await workerNameOf(dataDir, shared);
  const urls = { people: '', boards: '' };
  const server = inProcessServer({
    engine,
    worker,
    secret,
    objects,
    secrets,
    urls: () => {
      const others = engine.otherServers().filter((other) => other.isHere);
      return [urls.boards, ...others.map((other) => other.boardUrl)];
    },
    healthChecks: labFile?.healthChecks ?? new Map(),
    facts: () => ({
      ...(labFile?.lab.jobLimit !== undefined && { jobLimit: labFile.lab.jobLimit }),
      ...(shared && { tokenKey, boardUrl: urls.boards }),
    }),
  });
  const workerParts: WorkerParts = {
    engine,
    version: packageVersion,
    port: (name, facts) =>
      inProcessServer({
        ...{ engine, worker: name, secret, objects, secrets },
        urls: () => [],
        facts: () => facts,
      }),
    consoles: consoleCopies(dataDir),
    missing: async (digests) => {
      const isKept = await Promise.all(digests.map((digest) => objects.has(digest)));
      return digests.filter((_, at) => !isKept[at]);
    },
    memberToken: (job, device) => memberToken(secret, job, device),
  };
  const dispatcher = labFile && (await handsOf(labFile.lab, server, options, undo));

  let beginning: Beginning | undefined;
  const pageFolder = builtPage();
  const app = await buildApp({
    ...doors,
    ...(pageFolder !== undefined && { pageFolder }),
    version: packageVersion,
    storeName,
    keepSecret: secrets.keep,
    openDefinition: lintSources([
      ...(labFile?.lab.allowFiles ?? []),
      ...(options.allowFiles ?? []),
    ]),
    consoleFile: (job, device) => consolePath(dataDir, job, device),
    archivedIn: (job) => archivedIn(dataDir, job),
    readOnly: () => beginning?.waitsFor,
    worker: workerParts,
    ...(apiToken !== undefined && { apiToken }),
  });
  undo.push(() => app.close());
  const openDoor = once(async () => {
    urls.people = await listen(app, host, port);
    urls.boards ||= urls.people;
  });
  const steps = [
    // Before anybody can submit: a job for boards that are not known yet would be rejected for good.
    async () => labFile && server.announce(registrations(labFile.lab.devices)),
    // Before anybody is answered: a server whose boards cannot reach it is not there yet.
    async () => {
      const gateway = dispatcher?.gateway;
      if (dispatcher === undefined || gateway === undefined) return;
      const boardApp = await buildBoardApp(doors);
      undo.push(() => boardApp.close());
      const boardsRun = (await dispatcher.takeOver()).some(({ isOn }) => isOn);
      urls.boards = await openBoardDoor(boardApp, { ...gateway, dataDir, boardsRun });
    },
    openDoor,
    async () => dispatcher?.start(),
    async () => engine.open(),
    // Where it is the only server of the log, whoever has no line to it now is not here.
    async () =>
      shared ||
      engine.loseWorkersBut(dispatcher ? [worker] : [], 'no line to it since the server started'),
  ];
  const begun = await begin(steps, { mayWait: !shared, say });
  beginning = begun;
  await openDoor();
  return {
    url: urls.people,
    boards: dispatcher?.boardsAre ?? 'none',
    boardCount: labFile?.lab.devices.length ?? 0,
    engine,
    async stop({ killBoards } = { killBoards: false }) {
      await begun.stop();
      if (killBoards) await dispatcher?.stop({ killBoards });
      for (const step of undo.splice(0).reverse()) await step();
    },
  };
}

function once(act: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= act();
    return done;
  };
}

async function openStore(options: ServerOptions, undo: Undo): Promise<OpenedLog> {
  const { dataDir, store, log, outage } = options;
  const opened = await openServersLog({ dataDir, ...(store !== undefined && { store }) }, () =>
    outage?.ends(log),
  );
  undo.push(() => opened.close());
  if (opened.note !== undefined) log.warn(opened.note);
  return opened;
}

async function handsOf(
  lab: Lab,
  server: ServerPort,
  { dataDir, log, namespaces, allowFiles = [] }: ServerOptions,
  undo: Undo,
): Promise<Dispatcher> {
  const dispatcher = await createDispatcher({
    server,
    boards: lab.devices,
    dataDir,
    boardFiles: join(packageRoot, 'board'),
    limits: lab.limits,
    allowFiles: [...lab.allowFiles, ...allowFiles],
    drivers: registry({
      bridge: lab.bridge,
      local: {
        processes: lab.limits.processes,
        ...(namespaces !== undefined && { namespaces }),
      },
    }),
    log,
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

/** Puts the parts of a server together: store, engine, dispatcher, doors. The one place that knows them all. */
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { buildApp } from '../api/app.ts';
import { buildBoardApp } from '../api/board-app.ts';
import { LabPast } from '../api/lab-past.ts';
import { giveBackLeft } from '../api/operator-consoles.ts';
import { SessionRecords } from '../api/session-records.ts';
import { TlsDoor } from '../api/tls-door.ts';
import { tokenKeyOf } from '../api/tokens.ts';
import { consoleBytes, consolePath } from '../dispatcher/console.ts';
import { OpenSets } from '../dispatcher/open-set.ts';
import { Engine } from '../engine/engine.ts';
import { archivedIn } from '../store/archive/archive-index.ts';
import { fileCheckpoints } from '../store/checkpoints.ts';
import { checkpointsFolder } from '../store/data-folder.ts';
import { Objects } from '../store/objects.ts';
import type { LabChange } from '../wire/lab-change.ts';
import { openAddressSecrets } from './address-secrets.ts';
import { type Beginning, begin } from './beginning.ts';
import { type CertificateFiles, readCertificate } from './certificate.ts';
import { watchClock } from './clock-watch.ts';
import { secretOf, workerNameOf } from './identity.ts';
import { inProcessServer } from './in-process-server.ts';
import { type LabFile, LabRefused, readLabFile } from './lab-file.ts';
import { lintSources } from './lint-sources.ts';
import { type OpenedLog, openServersLog } from './open-log.ts';
import type { Outage } from './outage.ts';
import { OwnBoards } from './own-boards.ts';
import { builtPage, packageVersion } from './package-root.ts';
import { ServerRefused } from './refused.ts';
import { keepDays } from './retention.ts';
import { workersDoor } from './workers-door.ts';

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
  /** With these it speaks HTTPS. */
  tls?: CertificateFiles;
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
  /** Reads its lab's file again, if it has boards of its own: jobs that run keep theirs as they are. @throws ApiProblem */
  reloadLab?(): Promise<LabChange>;
  /** Reads its certificate anew, if it has one. @throws ServerRefused: nothing has changed then */
  reloadCertificate(): Promise<void>;
  /** Ends it in order. Boards run on for the next server on this folder, unless `killBoards`. */
  stop(how?: { killBoards: boolean }): Promise<void>;
}

const LOOPBACK = '127.0.0.1';

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
  const { tls: files } = options;
  const tls = files && new TlsDoor(await readCertificate(files));
  const dataDir = resolve(options.dataDir);
  const undo: (() => Promise<unknown>)[] = [];
  try {
    return await assemble({ ...options, dataDir }, apiToken, { lab, tls }, undo);
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
  { lab, tls }: { lab: LabFile | undefined; tls: TlsDoor | undefined },
  undo: Undo,
): Promise<RunningServer> {
  const { dataDir, host, port, log } = options;
  const { store, name: storeName, isShared: shared } = await openStore(options, undo);
  const checkpoints = fileCheckpoints(checkpointsFolder(dataDir));
  const warn = (what: string, error?: unknown) => log.warn({ err: error }, what);
  const labPast = new LabPast(checkpoints);
  const engine = new Engine({ store, checkpoints: labPast.alongside(checkpoints), shared, warn });
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
  const records = new SessionRecords(join(dataDir, 'consoles'));
  const worker = await workerNameOf(dataDir, shared);
  const own = lab && ownBoards(options, lab, () => buildBoardApp(doors));
  let peoplesUrl = '';
  const boardsUrl = () => own?.url ?? peoplesUrl;
  const server = inProcessServer({
    engine,
    worker,
    secret,
    objects,
    secrets,
    urls: () => {
      const others = engine.otherServers().filter((other) => other.isHere);
      return [boardsUrl(), ...others.map((other) => other.boardUrl)];
    },
    healthChecks: () => own?.lab.healthChecks ?? new Map(),
    facts: () => {
      const jobLimit = own?.lab.lab.jobLimit;
      return {
        ...(jobLimit !== undefined && { jobLimit }),
        ...(shared && { tokenKey, boardUrl: boardsUrl() }),
      };
    },
  });
  await own?.open(server);
  undo.push(async () => own?.stop({ killBoards: false }));

  let beginning: Beginning | undefined;
  const pageFolder = builtPage();
  const app = await buildApp({
    ...doors,
    ...(pageFolder !== undefined && { pageFolder }),
    version: packageVersion,
    storeName,
    labPast,
    keepSecret: secrets.keep,
    openDefinition: lintSources(() => [
      ...(own?.lab.lab.allowFiles ?? []),
      ...(options.allowFiles ?? []),
    ]),
    consoleFile: (job, device) => consolePath(dataDir, job, device),
    archivedIn: (job) => archivedIn(dataDir, job),
    readOnly: () => beginning?.waitsFor,
    worker: workersDoor({ engine, dataDir, secret, objects, secrets, version: packageVersion }),
    ...(apiToken !== undefined && { apiToken }),
    ...(tls !== undefined && { tls }),
    operatorRecords: records,
    ...(own !== undefined && { ownLab: { worker, reload: own.reload, hands: () => own.hands } }),
  });
  undo.push(() => app.close());
  undo.push(async () => own?.closeDoors());
  const openDoor = once(async () => {
    peoplesUrl = await listen(app, { host, port, scheme: tls === undefined ? 'http' : 'https' });
  });
  const steps = [
    // Before anybody can submit: a job for boards that are not known yet would be rejected for good.
    async () => own?.announce(),
    // Before anybody is answered: a server whose boards cannot reach it is not there yet.
    async () => own?.openDoor(),
    openDoor,
    async () => own?.start(),
    async () => engine.open(),
    async () => giveBackLeft(records, engine),
    // Where it is the only server of the log, whoever has no line to it now is not here.
    async () =>
      shared ||
      engine.loseWorkersBut(own ? [worker] : [], 'no line to it since the server started'),
  ];
  const begun = await begin(steps, { mayWait: !shared, say });
  beginning = begun;
  await openDoor();
  return {
    url: peoplesUrl,
    boards: own?.boardsAre ?? 'none',
    boardCount: own?.lab.lab.devices.length ?? 0,
    engine,
    ...(own !== undefined && { reloadLab: own.reload }),
    reloadCertificate: async () => {
      if (tls !== undefined && options.tls !== undefined)
        tls.change(await readCertificate(options.tls));
    },
    async stop({ killBoards } = { killBoards: false }) {
      await begun.stop();
      if (killBoards) await own?.stop({ killBoards });
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

function ownBoards(
  options: ServerOptions,
  lab: LabFile,
  buildDoor: () => Promise<FastifyInstance>,
): OwnBoards {
  const { dataDir, log, labFile = '', allowFiles, namespaces } = options;
  // Boards of this machine need no TLS, and most have none: they have a door of their own then.
  const address = options.tls && LOOPBACK;
  return new OwnBoards({ labFile, lab, dataDir, log, allowFiles, namespaces, address, buildDoor });
}

async function readLab(file: string): Promise<LabFile> {
  return readLabFile(file).catch((error: unknown) => {
    throw error instanceof LabRefused ? new ServerRefused(error.message) : error;
  });
}

async function listen(
  app: FastifyInstance,
  { host, port, scheme }: { host: string; port: number; scheme: 'http' | 'https' },
): Promise<string> {
  try {
    return (await app.listen({ host, port })).replace(/^https?(?=:)/, scheme);
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

/** The doors: all of the HTTP API on one app. It is built here; listening is for whoever puts the parts together. */
import type { FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { BoardHands } from '../wire/board-hands.ts';
import type { LabChange } from '../wire/lab-change.ts';
import { handsFrom } from './hands.ts';
import { History } from './history/history.ts';
import { Streams } from './history/streaming.ts';
import { httpServer } from './http-server.ts';
import { LabMemory } from './lab-facts.ts';
import { LabPast } from './lab-past.ts';
import { watchLatencies } from './latencies.ts';
import { metricsOf, watchLongWaits } from './metrics.ts';
import { OpenRequests } from './open-requests.ts';
import type { AppParts } from './parts.ts';
import { PastRuns } from './past-runs.ts';
import { ApiProblem, problemOf, sendProblem } from './problems.ts';
import { answerRoutes } from './routes/answers.ts';
import { attachmentRoutes } from './routes/attachments.ts';
import { boardRoutes } from './routes/board.ts';
import { consoleRoutes } from './routes/consoles.ts';
import { deviceRoutes } from './routes/devices.ts';
import { describeRoutes, docsRoutes } from './routes/docs.ts';
import { eventRoutes } from './routes/events.ts';
import { explanationRoutes } from './routes/explanation.ts';
import { HEALTH_URL, healthRoute, metricsRoute } from './routes/health.ts';
import { jobRoutes } from './routes/jobs.ts';
import { lintRoutes } from './routes/lint.ts';
import { longWaitRoutes } from './routes/long-waits.ts';
import { operatorRoutes } from './routes/operators.ts';
import { pageRoutes } from './routes/page.ts';
import { queueRoutes } from './routes/queue.ts';
import { resultRoutes } from './routes/results.ts';
import { WorkerDoor } from './routes/worker.ts';
import { workerRoutes } from './routes/workers.ts';
import type { SessionRecords } from './session-records.ts';
import type { TlsDoor } from './tls-door.ts';
import { bearerToken, isSame } from './tokens.ts';
import { takeUpgrades } from './upgrades.ts';
import { Watchdog } from './watchdog.ts';

/**
 * `heldMsMax`, `heartbeatMs`: how long a wait is held, and how often a silent stream says that it lives. `tls`: it speaks
 * HTTPS.
 */
export interface AppOptions extends AppParts {
  tls?: TlsDoor;
  /** Of the server's own boards, where it has some. @throws ApiProblem */
  ownLab?: { worker: string; reload(): Promise<LabChange>; hands(): BoardHands | undefined };
  /** Where what operators' consoles printed is kept; absent: nobody gets one. */
  operatorRecords?: SessionRecords;
  heldMsMax?: number;
  /** Events of a job, above which there are no answers made of all of them. */
  answerEventsMax?: number;
  /** The lab as it was; absent: what was folded of it is kept as long as this process lives. */
  labPast?: LabPast;
  heartbeatMs?: number;
}

/** Builds the whole API. Close the app before the engine: held waits are answered then. */
export async function buildApp(parts: AppOptions): Promise<FastifyInstance> {
  const { engine, version, apiToken, attachments, heartbeatMs } = parts;
  const app = httpServer(parts.log, parts.tls);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  acceptEmptyJson(app);
  const metrics = metricsOf(app, engine);
  app.addHook('onClose', watchLatencies(metrics.registry, engine));
  const history = new History(engine);
  const streams = new Streams();
  await describeRoutes(app, version);
  refuseToWrite(app, parts);

  await app.register(boardRoutes, parts);
  const workers = parts.worker && new WorkerDoor(app, { ...parts, worker: parts.worker });
  const { operatorRecords: records } = parts;
  const hasConsoles = records !== undefined;
  takeUpgrades(app, { workers, hasConsoles });
  await app.register(healthRoute, parts);
  if (parts.pageFolder !== undefined)
    await app.register(pageRoutes, { pageFolder: parts.pageFolder });
  await app.register(async (api) => {
    const open = new OpenRequests(api);
    if (apiToken === undefined) requireLocal(api);
    else requireToken(api, apiToken);
    sayWhatIsArchived(api, parts);
    const { keepSecret, consoleFile, openDefinition } = parts;
    const memory = new LabMemory(engine, history);
    const handing = { keepSecret, openDefinition, memory };
    await api.register(jobRoutes, { engine, history, open, consoleFile, ...handing });
    await api.register(lintRoutes, { memory, open });
    await api.register(resultRoutes, { engine, history, open });
    await api.register(eventRoutes, { engine, history, streams, open, heartbeatMs });
    await api.register(attachmentRoutes, { attachments, history, streams, open });
    await api.register(consoleRoutes, { history, streams, open, consoleFile });
    const now = () => engine.now();
    const past = new PastRuns({ engine, history });
    const watchdog = new Watchdog({ engine, past });
    api.addHook('onClose', async () => watchdog.stop());
    watchLongWaits(metrics, watchdog);
    await api.register(longWaitRoutes, { watchdog, streams, open });
    const labPast = parts.labPast ?? new LabPast();
    const { answerEventsMax } = parts;
    const evidence = {
      ...{ engine, history, past, labPast, attachments, consoleFile },
      answerEventsMax,
    };
    await api.register(answerRoutes, { ...evidence, streams, open, version, now });
    await api.register(explanationRoutes, { ...evidence, open });
    await api.register(deviceRoutes, { engine });
    const endLine = async (worker: string, reason: string) => workers?.end(worker, reason);
    await api.register(workerRoutes, { engine, endLine, reloadLab: reloadsOf(parts, workers) });
    const handsOf = handsFrom(engine, handsOfWorker(parts, workers));
    if (records !== undefined)
      await api.register(operatorRoutes, { engine, handsOf, records, log: parts.log });
    await api.register(queueRoutes, { engine, history, open });
    await api.register(metricsRoute, { metrics });
    await api.register(docsRoutes);
  });
  await app.ready();
  return app;
}

/** Of this server's own lab, or of a worker that has a line to it. */
const reloadsOf =
  ({ ownLab }: AppOptions, workers: WorkerDoor | undefined) =>
  async (worker?: string): Promise<LabChange> => {
    if (ownLab !== undefined && (worker ?? ownLab.worker) === ownLab.worker) return ownLab.reload();
    if (worker !== undefined && workers !== undefined) return workers.reloadLab(worker);
    const whose = 'this server was started without --lab: name one of the workers';
    throw new ApiProblem('no-lab', whose);
  };

/** Of this server's own worker, or of one that has a line to it. */
const handsOfWorker =
  ({ ownLab }: AppOptions, workers: WorkerDoor | undefined) =>
  (worker: string): BoardHands => {
    const hands = ownLab?.worker === worker ? ownLab.hands() : workers?.hands(worker);
    if (hands !== undefined) return hands;
    throw new ApiProblem('worker-away', `worker ${worker} is not driven from this server`);
  };

/** A job that retention took out of the log is not unknown: every route of it says where it is. */
function sayWhatIsArchived(app: FastifyInstance, { archivedIn }: AppParts): void {
  if (archivedIn === undefined) return;
  app.setErrorHandler(async (error, request, reply) => {
    const { id } = request.params as { id?: number };
    const isUnknown = id !== undefined && problemOf(error).code === 'no-such-job';
    const file = isUnknown ? await archivedIn(id) : undefined;
    if (file === undefined) return sendProblem(error, request, reply);
    const how = `muster import --data NEW-FOLDER ${file} makes a log of it again`;
    const detail = `job ${id} was archived in ${file}; ${how}`;
    return sendProblem(
      new ApiProblem('job-archived', detail, { extras: { file } }),
      request,
      reply,
    );
  });
}

/** While nothing can be written, whoever asks for more than to read is told so, and health says that not all is well. */
function refuseToWrite(app: FastifyInstance, { readOnly }: AppParts): void {
  app.addHook('onRequest', async ({ method, routeOptions: { url } }) => {
    const why = readOnly?.();
    if (why === undefined || (READING.includes(method) && url !== HEALTH_URL)) return;
    const headers = { 'retry-after': '2' };
    throw new ApiProblem('store-unavailable', `${why}; everything can be read`, { headers });
  });
}

const READING: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/** Every route of this scope needs the token. */
function requireToken(app: FastifyInstance, apiToken: string): void {
  app.addHook('onRequest', async (request) => {
    const given = bearerToken(request.headers.authorization);
    if (given === undefined)
      throw new ApiProblem('token-missing', 'the header Authorization: Bearer is missing', {
        headers: { 'www-authenticate': 'Bearer realm="muster"' },
      });
    if (!isSame(given, apiToken))
      throw new ApiProblem('token-refused', 'this is not the API token of this server');
  });
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Without a token whoever is on this machine may do everything. A page of another site in a browser on this
 * machine may not, neither by its own address nor by a name of its own that leads here.
 */
function requireLocal(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers: { host = '', origin } }) => {
    for (const url of [`http://${host}`, ...(origin === undefined ? [] : [origin])])
      if (!URL.canParse(url) || !LOOPBACK.test(new URL(url).hostname))
        throw new ApiProblem(
          'origin-refused',
          'without an API token this server answers requests to localhost only, and no pages of other sites',
        );
  });
}

/** A request that needs no body may say that it is JSON: many clients always do. */
function acceptEmptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string' },
    (request, body, done) => {
      if (body === '') done(null, undefined);
      else parse(request, body, done);
    },
  );
}

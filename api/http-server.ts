/** What every listener has in common: its limits, one error format, and quick ends. */
import type { RequestListener, Server } from 'node:http';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  LogController,
  type onRequestHookHandler,
} from 'fastify';
import { ApiProblem, invalidRequest, pathOf, sendProblem, stopping } from './problems.ts';
import { Refusals } from './refusals.ts';
import type { TlsDoor } from './tls-door.ts';

/** For the whole of a request to arrive. An answer may take as long as it takes: waits are held. */
const REQUEST_RECEIVED_MS_MAX = 60_000;
/** Above the pause between two requests of a board or of a page that polls. */
export const KEEP_ALIVE_MS = 75_000;
/** Of one part of a path: a job's number, a device, a verb. */
const PATH_PART_CHARACTERS_MAX = 100;
const JSON_BODY_BYTES_MAX = 1024 * 1024;

/** A Fastify app with the limits of this house, without a route. `tls`: it speaks HTTPS. */
export function httpServer(log: FastifyBaseLogger, tls?: TlsDoor): FastifyInstance {
  const refusals = new Refusals();
  const app = Fastify({
    ...(tls !== undefined && { serverFactory: withLimits(tls) }),
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // A child logger a request would cost more than a board's whole message.
    childLoggerFactory: (logger) => logger,
    bodyLimit: JSON_BODY_BYTES_MAX,
    // A held wait is a silent socket: it is never idle for too long.
    connectionTimeout: 0,
    requestTimeout: REQUEST_RECEIVED_MS_MAX,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // By then every answer has gone out (OpenRequests): what is left are idle sockets.
    forceCloseConnections: true,
    routerOptions: { maxParamLength: PATH_PART_CHARACTERS_MAX, ignoreTrailingSlash: true },
    // What Node or Fastify would answer in a format of their own is answered here.
    http: { requireHostHeader: false },
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => refusals.clientError(error, socket),
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
  });
  app.setErrorHandler(sendProblem);
  refusals.attach(app.server);
  if (tls !== undefined) app.addHook('preClose', async () => tls.close());
  refuseUnheard(app);
  refuseUnknownFields(app);
  refuseUnknown(app);
  return app;
}

/** A server that Fastify did not make has what it gives those that it makes. */
const withLimits =
  (tls: TlsDoor) =>
  (handler: RequestListener): Server => {
    const server = tls.server(handler);
    server.requestTimeout = REQUEST_RECEIVED_MS_MAX;
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    server.setTimeout(0);
    return server;
  };

/** Requests that no route hears of: those that come as the server stops, and those that say no host. */
function refuseUnheard(app: FastifyInstance): void {
  let isStopping = false;
  app.addHook('preClose', async () => {
    isStopping = true;
  });
  app.addHook('onRequest', (request, _reply, done) => {
    if (isStopping) return done(stopping());
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1')
      return done(invalidRequest([{ path: 'headers.host', message: 'is missing' }]));
    done();
  });
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Its query is for whoever shows the document, not for this server. */
    takesAnyQuery?: boolean;
  }
}

/** The pages of the documentation have addresses of their own, with what browsers add to them. */
const NOT_OURS = /^\/docs(?:\/|$)/;

/** A field of a query that a route does not know is an error: the wish that it stands for would be lost. */
function refuseUnknownFields(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (NOT_OURS.test(route.url) || route.config?.takesAnyQuery === true) return;
    const { querystring } = (route.schema ?? {}) as { querystring?: { shape?: object } };
    const known = Object.keys(querystring?.shape ?? {});
    const takes = known.length === 0 ? 'no fields' : known.join(', ');
    const check: onRequestHookHandler = (request, _reply, done) => {
      if (!request.url.includes('?')) return done();
      const unknown = Object.keys(request.query as object).filter((name) => !known.includes(name));
      if (unknown.length === 0) return done();
      const problems = unknown.map((name) => ({
        path: `query.${name.slice(0, 60)}`,
        message: `is unknown; this address takes ${takes}`,
      }));
      done(invalidRequest(problems));
    };
    route.onRequest = [route.onRequest ?? [], check].flat();
  });
}

/** 404, or 405 where the address is right and the method is not. */
function refuseUnknown(app: FastifyInstance): void {
  const known = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = url
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/:\w+/g, '[^/]+')
      .replace('*', '.*');
    const route = known.get(url) ?? { pattern: new RegExp(`^${pattern}/?$`), methods: new Set() };
    for (const each of [method].flat()) route.methods.add(each);
    known.set(url, route);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request.url);
    const allowed = new Set(
      [...known.values()].flatMap(({ pattern, methods }) =>
        pattern.test(path) ? [...methods] : [],
      ),
    );
    const problem =
      allowed.size > 0
        ? new ApiProblem('method', `${request.method} is not for this address`, {
            headers: { allow: [...allowed].sort().join(', ') },
          })
        : new ApiProblem('not-found', `there is nothing at ${path.slice(0, 200)}`);
    return sendProblem(problem, request, reply);
  });
}

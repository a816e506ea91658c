/** What every listener has in common: its limits, one error format, and quick ends. */
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { ApiProblem, pathOf, sendProblem } from './problems.ts';

/** For the whole of a request to arrive. An answer may take as long as it takes: waits are held. */
const REQUEST_RECEIVED_MS_MAX = 60_000;
/** Above the pause between two requests of a board or of a page that polls. */
export const KEEP_ALIVE_MS = 75_000;
/** Of one part of a path: a job's number, a device, a verb. */
const PATH_PART_CHARACTERS_MAX = 100;
const JSON_BODY_BYTES_MAX = 1024 * 1024;

/** A Fastify app with the limits of this house, without a route. */
export function httpServer(log: FastifyBaseLogger): FastifyInstance {
  const app = Fastify({
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
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
  });
  app.setErrorHandler(sendProblem);
  refuseUnknown(app);
  return app;
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

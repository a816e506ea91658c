/**
 * The one error format of the doors: RFC 9457 problems, and the one table from code to status.
 * What went wrong inside is hidden from the caller and logged once.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { AnswerRefused } from '../answers/refused.ts';
import { CommandRefused } from '../engine/live-stream.ts';
import type { RejectionCode } from '../machines/deciding.ts';
import { UnreadableEvent } from '../machines/events.ts';
import { AppendTooLarge, StoreUnavailable } from '../store/port.ts';

const titles = {
  'invalid-request': [400, 'The request is not right'],
  'https-only': [400, 'This server speaks HTTPS'],
  'token-missing': [401, 'A token is needed'],
  'origin-refused': [403, 'This page or address is not accepted'],
  'token-refused': [403, 'The token is not accepted'],
  'not-found': [404, 'There is nothing here'],
  'no-such-job': [404, 'There is no such job'],
  'no-such-member': [404, 'The job has no such member'],
  'no-such-device': [404, 'There is no such device'],
  'no-such-worker': [404, 'There is no such worker'],
  'no-such-attachment': [404, 'The job has no such attachment'],
  'no-such-event': [404, 'The job has no such event'],
  'no-good-run': [404, 'No run of the same definition has passed'],
  'no-such-source': [404, 'No such file ran, or it was not kept'],
  'no-such-console': [404, 'There is no such console'],
  'no-such-wait': [404, 'There is no such wait'],
  'job-archived': [410, 'The job is in the archive'],
  'too-slow': [408, 'The request took too long'],
  method: [405, 'This method is not for this address'],
  'job-ended': [409, 'The job has ended'],
  'job-exists': [409, 'The job exists already'],
  'job-not-allocated': [409, 'The job has no boards yet'],
  'member-ended': [409, 'The member has ended'],
  'member-not-booted': [409, 'The board has not booted'],
  'not-owed': [409, 'This is not owed now'],
  'not-holder': [409, 'Somebody else holds the device'],
  'not-idle': [409, 'The device is not idle'],
  'not-waiting': [409, 'The job does not wait for boards'],
  'board-taken': [409, 'Another worker has this board'],
  'console-taken': [409, 'Somebody else has the console'],
  'not-possible': [409, 'The device cannot do this'],
  'power-failed': [409, 'The power could not be switched'],
  'console-failed': [409, 'The console could not be opened'],
  'worker-lost': [409, 'The worker counts as lost'],
  'worker-here': [409, 'Another worker of this name is here'],
  'worker-away': [409, 'The worker has no line to this server'],
  'no-lab': [409, 'This server has no boards of its own'],
  retired: [409, 'The device is retired'],
  'lease-void': [409, 'The reservation has lapsed'],
  'too-new': [409, 'Not every server on this log knows this yet'],
  'key-reused': [409, 'The key was used for something else'],
  'too-large': [413, 'The request is too large'],
  'too-many-events': [422, 'The job has too many events for a server to answer about'],
  'media-type': [415, 'This kind of content is not understood'],
  'range-not-satisfiable': [416, 'The range begins after the end'],
  expectation: [417, 'The expectation cannot be met'],
  'invalid-job': [422, 'The job is not right'],
  'invalid-lab': [422, "The lab's file cannot be used"],
  'upgrade-needed': [426, 'This address is a WebSocket'],
  'head-too-large': [431, 'The head of the request is too large'],
  'unreadable-event': [500, 'The log is damaged'],
  'attachment-damaged': [500, 'An attachment is damaged'],
  internal: [500, 'The server failed'],
  stopping: [503, 'The server is stopping'],
  'too-many-streams': [503, 'Too many streams are open'],
  'store-unavailable': [503, 'The log cannot be written or read now'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof titles;
// Every refusal of the rules has its place in the table.
titles satisfies Record<RejectionCode, readonly [number, string]>;

export const statusOf = (code: ProblemCode): number => titles[code][0];

/** One thing that is wrong with a request. */
export interface RequestProblem {
  /** Where: `query.limit`, `body.reason`. */
  path: string;
  message: string;
}

/** An error that its caller may read. Everything else is `internal`. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly code: ProblemCode;
  readonly extras: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    code: ProblemCode,
    detail: string,
    is: { extras?: Record<string, unknown>; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.code = code;
    this.extras = is.extras ?? {};
    this.headers = is.headers ?? {};
  }
}

/** Any error as a problem that may be shown. */
export function problemOf(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof CommandRefused) return new ApiProblem(error.code, error.message);
  if (error instanceof AnswerRefused) return new ApiProblem(error.code, error.message);
  if (error instanceof AppendTooLarge) return new ApiProblem('too-large', error.message);
  if (error instanceof StoreUnavailable)
    return new ApiProblem(
      'store-unavailable',
      'the server cannot reach its log now, and says why in its own output: nothing was changed, or it cannot be told; the same request may be sent again',
      { headers: { 'retry-after': '1' } },
    );
  if (error instanceof UnreadableEvent)
    return new ApiProblem(error.code, `${error.message}; muster verify names all such events`);
  if (error instanceof Error && 'code' in error && error.code === 'object-damaged')
    return new ApiProblem('attachment-damaged', error.message);
  return framework(error as Partial<FastifyError>);
}

/** What Fastify itself refuses; anything unknown is ours, and hidden. */
function framework(error: Partial<FastifyError>): ApiProblem {
  if (error.validation !== undefined) {
    const where = error.validationContext === 'querystring' ? 'query' : error.validationContext;
    const problems = error.validation.map(({ instancePath, message }) => ({
      path: [where, ...instancePath.split('/').filter((part) => part !== '')].join('.'),
      message: message ?? 'not right',
    }));
    return invalidRequest(problems);
  }
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new ApiProblem('too-large', 'the body is larger than this address takes');
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new ApiProblem('media-type', 'the content type is not one that this address takes');
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500)
    return new ApiProblem('invalid-request', error.message ?? 'the request is not right');
  return new ApiProblem('internal', 'the cause is in the log of the server');
}

/** A request that is not right, with all that is wrong with it. */
export function invalidRequest(problems: readonly RequestProblem[]): ApiProblem {
  const detail = problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return new ApiProblem('invalid-request', detail, { extras: { problems } });
}

/** For whoever waits, or comes, as the server stops. */
export const stopping = () =>
  new ApiProblem('stopping', 'the server is stopping: ask again', {
    headers: { 'retry-after': '1' },
  });

/** The body of a problem. */
export function problemBody(problem: ApiProblem): Record<string, unknown> {
  const [status, title] = titles[problem.code];
  const { code } = problem;
  return {
    type: `urn:muster:${code}`,
    title,
    status,
    detail: problem.message,
    code,
    ...problem.extras,
  };
}

/** The server is as it should be, and the client comes again. */
const OF_NO_FAULT: ReadonlySet<ProblemCode> = new Set(['stopping', 'too-many-streams']);

/** Answers with a problem. An error that is the server's own is logged here, and nowhere else. */
export function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const problem = problemOf(error);
  const status = statusOf(problem.code);
  // What was written to be read by its caller has no more behind it.
  const isTold = error instanceof ApiProblem || OF_NO_FAULT.has(problem.code);
  if (status >= 500 && !isTold) logOnce(error, request);
  return reply
    .code(status)
    .headers(problem.headers)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(problemBody(problem)));
}

/** The address without its query: a query may carry what is nobody else's. */
export const pathOf = (url: string): string => url.split('?', 1)[0] ?? url;

export function logOnce(error: unknown, request: FastifyRequest): void {
  const { method, id } = request;
  request.log.error(
    { err: error, request: id, method, path: pathOf(request.url) },
    'request failed',
  );
}

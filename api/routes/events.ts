/** Events as they were recorded: of a job, and of the whole log; in pages, or as Server-Sent Events. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { isOver } from '../../machines/job/job.ts';
import { jobStream } from '../../machines/names.ts';
import { EVENT_STREAM, type Source, streamEvents } from '../history/event-stream.ts';
import type { History, Stream } from '../history/history.ts';
import { jsonOf, type Page } from '../history/pages.ts';
import type { Streams } from '../history/streaming.ts';
import { ANY_STREAM, EventTail } from '../history/tail.ts';
import type { OpenRequests } from '../open-requests.ts';
import type { ApiEngine } from '../parts.ts';
import { invalidRequest, pathOf } from '../problems.ts';
import {
  EventPage,
  JobParams,
  noSuchJob,
  numberInUrl,
  plainNumber,
  problemResponses,
} from '../schemas.ts';

const PAGE_EVENTS_MAX = 1_000;
/** A page ends early when its text is longer: a submission carries its whole document. */
const PAGE_BYTES_MAX = 2 * 1024 * 1024;

const JSON_TYPE = 'application/json; charset=utf-8';

const Query = z.object({
  after: numberInUrl(0).default(0),
  limit: numberInUrl(1, PAGE_EVENTS_MAX).default(PAGE_EVENTS_MAX),
});
const stream =
  `With \`Accept: ${EVENT_STREAM}\` a stream instead of a page: history, then live, without a hole; ` +
  '`Last-Event-ID` (or `after`) says where to go on.';

export interface EventsOptions {
  engine: ApiEngine;
  history: History;
  streams: Streams;
  open: OpenRequests;
  heartbeatMs?: number | undefined;
}

export const eventRoutes: FastifyPluginAsyncZod<EventsOptions> = async (app, is) => {
  const { engine, history } = is;
  const tail = new EventTail(engine, is.streams.turns);
  app.addHook('onClose', () => tail.stop());

  app.get(
    '/api/jobs/:id/events',
    {
      exposeHeadRoute: false,
      schema: {
        tags: ['events'],
        summary: 'The events of a job, by version',
        description: `${stream} The stream of a job that has ended ends with \`event: end\`.`,
        params: JobParams,
        querystring: Query,
        response: { 200: EventPage, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { signal } = is.open.open(reply);
      if ((await history.job(id, signal)) === undefined) throw noSuchJob(id);
      const stream = { job: id };
      if (!wantsStream(request)) return sendPage(reply, stream, request.query, signal);
      const source = {
        stream,
        after: resumeAfter(request, request.query.after),
        lastWords: async () => {
          const job = await history.job(id, signal);
          if (job === undefined || !isOver(job)) return undefined;
          return `event: end\ndata: ${JSON.stringify({ job: id, state: job.state })}\n\n`;
        },
      };
      return sendStream(request, reply, source, signal);
    },
  );

  app.get(
    '/api/events',
    {
      exposeHeadRoute: false,
      schema: {
        tags: ['events'],
        summary: 'All events of the log, by position',
        description: stream,
        querystring: Query,
        response: { 200: EventPage, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const { signal } = is.open.open(reply);
      if (!wantsStream(request)) return sendPage(reply, 'all', query, signal);
      const after = resumeAfter(request, query.after);
      const source = { stream: 'all', after, lastWords: async () => undefined } as const;
      return sendStream(request, reply, source, signal);
    },
  );

  async function sendStream(
    request: FastifyRequest,
    reply: FastifyReply,
    source: Source,
    signal: AbortSignal,
  ): Promise<FastifyReply> {
    const { stream } = source;
    const followed = await tail.follow(stream === 'all' ? ANY_STREAM : jobStream(stream.job));
    try {
      const out = is.streams.open(reply, signal, { 'content-type': EVENT_STREAM });
      await streamEvents(out, history, followed, source, is.heartbeatMs).catch((error: unknown) => {
        // The head is out: all that is left to say is the end. The client resumes when it likes.
        if (!signal.aborted)
          request.log.error({ err: error, path: pathOf(request.url) }, 'an event stream broke off');
      });
      out.end();
      return reply;
    } finally {
      followed.stop();
    }
  }

  /** Sends a page as the text it is, once all of it was read: events were checked then. */
  async function sendPage(
    reply: FastifyReply,
    stream: Stream,
    { after, limit }: z.infer<typeof Query>,
    signal: AbortSignal,
  ): Promise<FastifyReply> {
    const parts: Buffer[] = [];
    let next: number | undefined = after;
    for (let count = 0, bytes = 0; next !== undefined && bytes < PAGE_BYTES_MAX; ) {
      const page: Page = await history.page(stream, next, { reader: 'request', signal });
      const left = limit - count;
      const isCut = page.events.length > left;
      const part = isCut ? jsonOf(page.events.slice(0, left)) : page.json;
      if (part.length > 0) parts.push(part);
      bytes += part.length;
      count += page.events.length;
      next = (isCut ? page.events[left - 1] : page.events.at(-1))?.place;
      if (page.isLast && !isCut) next = undefined;
      if (count >= limit) break;
    }
    const out = is.streams.open(reply, signal, { 'content-type': JSON_TYPE });
    const commas = parts.flatMap((part, at) => (at === 0 ? [part] : [',', part]));
    const end = next === undefined ? ']}' : `],"next":${next}}`;
    await out.write('{"events":[', ...commas, end);
    out.end();
    return reply;
  }
};

const wantsStream = (request: FastifyRequest): boolean =>
  request.headers.accept?.includes(EVENT_STREAM) === true;

/** @throws ApiProblem `invalid-request` */
function resumeAfter(request: FastifyRequest, after: number): number {
  const last = request.headers['last-event-id'];
  if (last === undefined || last === '') return after;
  const place = typeof last === 'string' ? plainNumber(last) : undefined;
  if (place !== undefined) return place;
  throw invalidRequest([
    { path: 'headers.last-event-id', message: 'the id of an event is expected' },
  ]);
}

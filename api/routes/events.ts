/** Events as they were recorded: of a job, and of the whole log; in pages, or as Server-Sent Events. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { isOver } from '../../machines/job/job.ts';
import { jobStream } from '../../machines/names.ts';
import { EVENT_STREAM, READ_EVENTS_MAX, type Source, streamEvents } from '../event-stream.ts';
import { EventTail } from '../event-tail.ts';
import type { OpenRequests } from '../open-requests.ts';
import type { ApiEngine } from '../parts.ts';
import { invalidRequest, pathOf } from '../problems.ts';
import { EventPage, JobParams, noSuchJob, problemResponses } from '../schemas.ts';
import { Streaming } from '../streaming.ts';

const PAGE_EVENTS_MAX = 1_000;
/** A page ends early when its text is longer: a submission carries its whole document. */
const PAGE_CHARACTERS_MAX = 8 * 1024 * 1024;

const Query = z.object({
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(PAGE_EVENTS_MAX).default(PAGE_EVENTS_MAX),
});
const stream =
  `With \`Accept: ${EVENT_STREAM}\` a stream instead of a page: history, then live, without a hole; ` +
  '`Last-Event-ID` (or `after`) says where to go on.';

export interface EventsOptions {
  engine: ApiEngine;
  open: OpenRequests;
  heartbeatMs?: number | undefined;
}

export const eventRoutes: FastifyPluginAsyncZod<EventsOptions> = async (app, is) => {
  const { engine } = is;
  const tail = new EventTail(engine);
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
      if ((await engine.job(id)) === undefined) throw noSuchJob(id);
      const read = (after: number) => engine.jobEvents(id, after);
      if (!wantsStream(request)) return sendPage(reply, read, request.query, (e) => e.version);
      return sendStream(request, reply, {
        stream: jobStream(id),
        after: resumeAfter(request, request.query.after),
        read,
        placeOf: (event) => event.version,
        lastWords: async () => {
          const job = await engine.job(id);
          if (job === undefined || !isOver(job)) return undefined;
          return `event: end\ndata: ${JSON.stringify({ job: id, state: job.state })}\n\n`;
        },
      });
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
      if (!wantsStream(request))
        return sendPage(
          reply,
          (after) => engine.allEvents(after, query.limit),
          query,
          (e) => e.position,
        );
      return sendStream(request, reply, {
        after: resumeAfter(request, query.after),
        read: (after) => engine.allEvents(after, READ_EVENTS_MAX),
        placeOf: (event) => event.position,
        lastWords: async () => undefined,
      });
    },
  );

  async function sendStream(
    request: FastifyRequest,
    reply: FastifyReply,
    source: Source,
  ): Promise<FastifyReply> {
    await tail.ready();
    const { signal } = is.open.open(reply);
    const out = new Streaming(reply, signal, { 'content-type': EVENT_STREAM });
    try {
      await streamEvents(out, tail, source, is.heartbeatMs);
    } catch (error) {
      // The head is out: all that is left to say is the end. The client resumes when it likes.
      request.log.error({ err: error, path: pathOf(request.url) }, 'an event stream broke off');
    }
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
  const place = Number(last);
  if (typeof last === 'string' && /^\d+$/.test(last) && Number.isSafeInteger(place)) return place;
  throw invalidRequest([
    { path: 'headers.last-event-id', message: 'the id of an event is expected' },
  ]);
}

/** Sends a page as the text it is: events were checked when they were read. */
async function sendPage<E>(
  reply: FastifyReply,
  read: (after: number) => AsyncIterable<E>,
  { after, limit }: { after: number; limit: number },
  placeOf: (event: E) => number,
): Promise<FastifyReply> {
  const texts: string[] = [];
  let characters = 0;
  let next: number | undefined;
  for await (const event of read(after)) {
    const text = JSON.stringify(event);
    texts.push(text);
    characters += text.length;
    if (texts.length < limit && characters < PAGE_CHARACTERS_MAX) continue;
    next = placeOf(event);
    break;
  }
  const more = next === undefined ? '' : `,"next":${next}`;
  return reply
    .header('content-type', 'application/json; charset=utf-8')
    .send(`{"events":[${texts.join(',')}]${more}}`);
}

/** Events as they were recorded: of a job, and of the whole log; in pages, or as Server-Sent Events. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { isOver, type JobStateName, jobTable } from '../../machines/job/job.ts';
import { jobStream } from '../../machines/names.ts';
import { EVENT_STREAM, type Seen, type Source, streamEvents } from '../history/event-stream.ts';
import type { History, Reading, Stream } from '../history/history.ts';
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
const JobQuery = Query.extend({
  form: z
    .enum(['whole', 'rows'])
    .default('whole')
    .meta({
      description:
        'rows: of a stream alone. Many events in each `event: rows`, whose `id` is the version of the last one; its data is ' +
        '`{"names":{},"rows":[]}`, a row `[version, type, at, position, actor, data]` and the rarer parts of `meta`, ' +
        'where there are any; a number for type or actor is that of a name. Ids and causes are left out, and a row is ' +
        'not checked against its schema: a long job is read in a third of the time',
    }),
});
const stream =
  `With \`Accept: ${EVENT_STREAM}\` a stream instead of a page: history, then live, without a hole; ` +
  '`Last-Event-ID` (or `after`) says where to go on. The comment `: live` stands behind the history.';

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
        querystring: JobQuery,
        response: { 200: EventPage, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { signal } = is.open.open(reply);
      const stream = { job: id };
      const isStream = wantsStream(request);
      const after = isStream ? resumeAfter(request, request.query.after) : request.query.after;
      const isRows = request.query.form === 'rows';
      if (isRows && !isStream)
        throw invalidRequest([
          {
            path: 'query.form',
            message: `rows are for a stream: ask with Accept: ${EVENT_STREAM}`,
          },
        ]);
      const read = (from: number, is: Reading) =>
        isRows ? history.rows(id, from, is) : history.page(stream, from, is);
      await assertThere(id, after, signal, read);
      if (!isStream) return sendPage(reply, stream, request.query, signal);
      const lastWords = (seen: Seen) => lastWordsOf(id, seen, signal);
      return sendStream(request, reply, jobStream(id), { read, after, lastWords }, signal);
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
      const lastWords = async () => undefined;
      const read = (from: number, is: Reading) => history.page('all', from, is);
      return sendStream(request, reply, ANY_STREAM, { read, after, lastWords }, signal);
    },
  );

  /**
   * That there is such a job, and that what is asked for can be read: the first page of it, which is wanted anyway.
   *
   * @throws ApiProblem `no-such-job`; UnreadableEvent
   */
  async function assertThere(
    id: number,
    after: number,
    signal: AbortSignal,
    read: Source['read'],
  ): Promise<void> {
    for (const from of after > 0 ? [after, 0] : [0])
      if ((await read(from, { reader: 'request', signal })).last !== undefined) return;
    throw noSuchJob(id);
  }

  /** What ends the stream of a job that is over. One of very many events is not folded for that: its last event says it. */
  async function lastWordsOf(
    id: number,
    { type, isCaughtUp }: Seen,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const isHeld = engine.directory.jobs.has(id);
    const ended = isHeld || type === undefined ? undefined : ENDS.get(type);
    if (ended === undefined && !isHeld && !isCaughtUp) return undefined;
    const job = ended === undefined ? await history.job(id, signal) : undefined;
    const state = ended ?? (job !== undefined && isOver(job) ? job.state : undefined);
    if (state === undefined) return undefined;
    return `event: end\ndata: ${JSON.stringify({ job: id, state })}\n\n`;
  }

  async function sendStream(
    request: FastifyRequest,
    reply: FastifyReply,
    stream: string,
    source: Source,
    signal: AbortSignal,
  ): Promise<FastifyReply> {
    const followed = await tail.follow(stream);
    try {
      const out = is.streams.open(reply, signal, { 'content-type': EVENT_STREAM });
      await streamEvents(out, followed, source, is.heartbeatMs).catch((error: unknown) => {
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

/** Events after which none of their job can come, with the state that it ends in. */
const ENDS: ReadonlyMap<string, JobStateName> = new Map(
  jobTable.steps.flatMap(([, type, to]) => (jobTable.isFinal(to) ? [[type, to]] : [])),
);

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

/** Jobs: submit, list, show, cancel; their barriers. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { UnreadableEvent } from '../../machines/events.ts';
import type { JobStateName } from '../../machines/job/job.ts';
import { barriersOf } from '../../projections/barriers.ts';
import { jobView } from '../../projections/job-view.ts';
import { JobView } from '../../projections/views.ts';
import { DOCUMENT_BYTES_MAX } from '../../submission/tree.ts';
import { byOf, KeyHeaders } from '../by.ts';
import { openConsole } from '../evidence.ts';
import type { History } from '../history/history.ts';
import { withLastLines, withMissingLines } from '../last-lines.ts';
import type { OpenRequests } from '../open-requests.ts';
import { cancel, checkJob, type SubmitParts, submit } from '../orders.ts';
import { type ApiEngine, REASON_CHARACTERS_MAX } from '../parts.ts';
import { logOnce } from '../problems.ts';
import {
  Barriers,
  CheckedJob,
  JobPage,
  JobParams,
  noSuchJob,
  numberInUrl,
  problemResponses,
  Submitted,
} from '../schemas.ts';

const JOBS_PAGE_MAX = 200;
/** Jobs that one page looks at: a filter may pass over many. */
const JOBS_SCANNED_MAX = 1_000;

const stateNames = JobView.shape.state.options;

const States = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(stateNames)))
  .meta({ description: `some of ${stateNames.join(', ')}, with commas` });

export interface JobsOptions {
  engine: ApiEngine;
  history: History;
  open: OpenRequests;
  keepSecret(address: string): string;
  openDefinition?: SubmitParts['openDefinition'];
  memory?: SubmitParts['memory'];
  consoleFile(job: number, device: string): string;
}

export const jobRoutes: FastifyPluginAsyncZod<JobsOptions> = async (app, is) => {
  const { engine, history, open, keepSecret, consoleFile } = is;
  const { openDefinition, memory } = is;
  await app.register(submitRoute, { engine, keepSecret, openDefinition, memory });

  const view = async (id: number, signal: AbortSignal) => {
    const job = await history.job(id, signal);
    if (job === undefined) throw noSuchJob(id);
    return jobView(id, job, engine.now());
  };

  app.get(
    '/api/jobs',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Jobs, newest first',
        querystring: z.object({
          limit: numberInUrl(1, JOBS_PAGE_MAX).default(50),
          /** Only jobs with a lower number. */
          before: numberInUrl(1).optional(),
          state: States.optional(),
        }),
        response: { 200: JobPage, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { limit, before, state } = request.query;
      const { signal } = open.open(reply);
      const jobs: JobView[] = [];
      const wanted = new Set<JobStateName>(state ?? stateNames);
      let scanned = 0;
      for (const id of candidates(engine, wanted, before)) {
        if (jobs.length >= limit || scanned >= JOBS_SCANNED_MAX) return { jobs, next: id + 1 };
        scanned += 1;
        const job = await history.job(id, signal).catch((error: unknown) => {
          // Whoever asks for it alone is told; the others of the page are to be had.
          if (!(error instanceof UnreadableEvent)) throw error;
          logOnce(error, request);
        });
        if (job !== undefined && wanted.has(job.state)) jobs.push(jobView(id, job, engine.now()));
      }
      return { jobs };
    },
  );

  app.get(
    '/api/jobs/:id',
    {
      schema: {
        tags: ['jobs'],
        summary: 'A job and its members',
        params: JobParams,
        response: { 200: JobView, ...problemResponses },
      },
    },
    async ({ params: { id } }, reply) => {
      const { signal } = open.open(reply);
      const job = await view(id, signal);
      const console = (device: string) => openConsole(consoleFile(id, device));
      return history.file(signal, () => withLastLines(job, console));
    },
  );

  app.post(
    '/api/jobs/:id/cancel',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Cancel a whole group; one that has ended is answered as it is',
        params: JobParams,
        body: z
          .strictObject({ reason: z.string().max(REASON_CHARACTERS_MAX).optional() })
          .nullish(),
        response: { 200: JobView, ...problemResponses },
      },
    },
    async (request) => {
      const { id } = request.params;
      const order = { job: id, reason: request.body?.reason };
      return jobView(id, await cancel(engine, order, byOf(request)), engine.now());
    },
  );

  app.get(
    '/api/jobs/:id/document',
    {
      schema: {
        tags: ['jobs'],
        summary: 'The document as it was submitted',
        params: JobParams,
        produces: ['text/plain'],
        response: { 200: z.string(), ...problemResponses },
      },
    },
    async ({ params: { id } }, reply) => {
      const [event] = await history.events(id, open.open(reply).signal, 1);
      if (event?.type !== 'JobSubmitted') throw noSuchJob(id);
      return reply
        .headers({
          'content-type': 'text/plain; charset=utf-8',
          'x-content-type-options': 'nosniff',
        })
        .serializer((text: string) => text)
        .send(event.data.document);
    },
  );

  app.get(
    '/api/jobs/:id/barriers',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Who waited for whom: every barrier, who arrived when, who is missing',
        params: JobParams,
        response: { 200: Barriers, ...problemResponses },
      },
    },
    async ({ params: { id } }, reply) => {
      const { signal } = open.open(reply);
      await view(id, signal);
      const barriers = barriersOf(await history.events(id, signal));
      const console = (device: string) => openConsole(consoleFile(id, device));
      return {
        job: id,
        barriers: await history.file(signal, () => withMissingLines(barriers, console)),
      };
    },
  );
};

const LIVE: ReadonlySet<JobStateName> = new Set(['submitted', 'allocated']);

/** The numbers of jobs that may be in these states, newest first. Those of all jobs that are not over are known. */
function* candidates(
  engine: ApiEngine,
  wanted: ReadonlySet<JobStateName>,
  before = Number.POSITIVE_INFINITY,
): Iterable<number> {
  const { jobs, uncounted } = engine.directory;
  const newestFirst = (ids: Iterable<number>) =>
    [...ids].filter((id) => id < before).sort((a, b) => b - a);
  if ([...wanted].every((state) => LIVE.has(state))) return yield* newestFirst(jobs.keys());
  yield* newestFirst(uncounted);
  const isLive = (id: number) => LIVE.has(jobs.get(id)?.state as JobStateName);
  const wantsLive = [...wanted].some((state) => LIVE.has(state));
  for (let id = Math.min(before - 1, engine.jobCount); id >= 1; id--)
    if (wantsLive || !isLive(id)) yield id;
}

/** `POST /api/jobs`, with a parser of its own: the document is taken as the text that it is. */
type SubmitOptions = Pick<JobsOptions, 'engine' | 'keepSecret' | 'openDefinition' | 'memory'>;

const submitRoute: FastifyPluginAsyncZod<SubmitOptions> = async (app, is) => {
  const { engine, keepSecret, openDefinition, memory } = is;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  checkRoute(app, { engine, openDefinition, memory });

  app.post(
    '/api/jobs',
    {
      bodyLimit: DOCUMENT_BYTES_MAX,
      schema: {
        tags: ['jobs'],
        summary: 'Submit a job',
        description: 'The body is the document itself. Problems name their line, column and path.',
        consumes: ['application/json', 'application/yaml', 'text/plain'],
        querystring: z.object({
          /** Whether a wait counts its own caller; absent: as the form of the job has it. */
          countsSelf: z.enum(['true', 'false']).optional(),
          /** Refuse a job that lint warns of. */
          strict: z.enum(['true', 'false']).optional(),
        }),
        headers: KeyHeaders,
        response: { 201: Submitted, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { countsSelf, strict } = request.query;
      const document = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
      const order = {
        document,
        strict: strict === 'true',
        ...(countsSelf && { countsSelf: countsSelf === 'true' }),
      };
      const parts = { engine, keepSecret, openDefinition, memory };
      const { id, state, warnings, unread, short } = await submit(parts, order, byOf(request));
      return reply
        .code(201)
        .header('location', `/api/jobs/${id}`)
        .send({ id, state: jobViewState(state), warnings, ...(unread && { unread }), short });
    },
  );
};

/** Beside the submission, with the same parser: what it would say of a document. */
function checkRoute(app: ZodApp, parts: Parameters<typeof checkJob>[0]): void {
  app.post(
    '/api/jobs/check',
    {
      bodyLimit: DOCUMENT_BYTES_MAX,
      schema: {
        tags: ['jobs'],
        summary: 'What submitting a job would say; nothing is recorded',
        description: 'The body is the document itself, as it would be submitted.',
        consumes: ['application/json', 'application/yaml', 'text/plain'],
        response: { 200: CheckedJob, ...problemResponses },
      },
    },
    async (request) => {
      const document = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
      const { definition, warnings, unread, fitting, short } = await checkJob(parts, document);
      const { name, form, timeoutSeconds, priority, actions } = definition;
      const roles = definition.roles.map((role, at) => ({
        ...role,
        fit: fitting[at]?.fit ?? 0,
        free: fitting[at]?.free ?? 0,
      }));
      return {
        name,
        form,
        timeoutSeconds,
        priority,
        actions: actions.length,
        roles,
        warnings,
        ...(unread && { unread }),
        short,
      };
    },
  );
}

type ZodApp = Parameters<FastifyPluginAsyncZod>[0];

/** A job that was submitted is in some state that is seen. */
const jobViewState = (state: JobStateName): JobView['state'] =>
  state === 'none' ? 'submitted' : state;

/** The results of a whole group, as JSON or as a document for other programs, and of one case over many jobs. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { UnreadableEvent } from '../../machines/events.ts';
import { jobView } from '../../projections/job-view.ts';
import { ResultsFold } from '../../projections/results.ts';
import { caseHistory, EVENTS_READ_MAX, JOBS_LOOKED_AT_MAX } from '../case-history.ts';
import { RESULT_FORMATS, resultFormats } from '../formats/formats.ts';
import type { History } from '../history/history.ts';
import type { OpenRequests } from '../open-requests.ts';
import type { ApiEngine } from '../parts.ts';
import { logOnce } from '../problems.ts';
import {
  CaseHistory,
  JobParams,
  noSuchJob,
  numberInUrl,
  problemResponses,
  Results,
} from '../schemas.ts';

export interface ResultsOptions {
  engine: ApiEngine;
  history: History;
  open: OpenRequests;
}

const CASE_CHARACTERS_MAX = 1_024;
const PATTERN_CHARACTERS_MAX = 200;
const LAST_DEFAULT = 20;
const LAST_MAX = 200;

const documents = Object.fromEntries(
  Object.values(resultFormats).map(({ mediaType }) => [mediaType, { schema: z.string() }]),
);

export const resultRoutes: FastifyPluginAsyncZod<ResultsOptions> = async (app, is) => {
  const { engine, history, open } = is;
  app.get(
    '/api/jobs/:id/results',
    {
      schema: {
        tags: ['jobs'],
        summary: 'The results of the whole group',
        description:
          'As JSON, or as a document to download. The form is chosen by the address alone: what a browser says that it ' +
          'accepts would give its user XML.',
        params: JobParams,
        querystring: z.object({
          format: z
            .enum(['json', ...RESULT_FORMATS])
            .default('json')
            .meta({ description: 'yaml is the JSON document in YAML; csv is for spreadsheets' }),
        }),
        response: {
          200: {
            description: 'The results so far; all of them once the job has ended',
            content: { 'application/json': { schema: Results }, ...documents },
          },
          ...problemResponses,
        },
      },
    },
    async ({ params: { id }, query: { format } }, reply) => {
      const { signal } = open.open(reply);
      const job = await history.job(id, signal);
      if (job === undefined) throw noSuchJob(id);
      const { state, reason } = jobView(id, job, engine.now());
      const fold = new ResultsFold();
      for (const event of await history.events(id, signal)) fold.take(event);
      const results = { job: id, state, ...(reason && { reason }), ...fold.results() };
      if (format === 'json') return results;
      const { mediaType, extension, write } = resultFormats[format];
      return reply
        .headers({
          'content-type': `${mediaType}; charset=utf-8`,
          'content-disposition': `attachment; filename="job-${id}-results.${extension}"`,
          'x-content-type-options': 'nosniff',
        })
        .serializer((text: string) => text)
        .send(write(results));
    },
  );

  app.get(
    '/api/results',
    {
      schema: {
        tags: ['jobs'],
        summary: 'One case over the last runs: where its measurements lie, and what changed',
        description:
          `Of jobs that are over, the newest first; at most ${JOBS_LOOKED_AT_MAX} jobs are looked at and about ` +
          `${EVENTS_READ_MAX} events read for one answer, which says how many.`,
        querystring: z.object({
          case: z.string().min(1).max(CASE_CHARACTERS_MAX),
          name: z
            .string()
            .min(1)
            .max(PATTERN_CHARACTERS_MAX)
            .optional()
            .meta({ description: "The jobs' name: * is any run of characters, ? is one" }),
          last: numberInUrl(1, LAST_MAX)
            .default(LAST_DEFAULT)
            .meta({ description: 'How many jobs in which the case came' }),
          before: numberInUrl(1).optional().meta({ description: 'Only jobs with a lower number' }),
        }),
        response: { 200: CaseHistory, ...problemResponses },
      },
    },
    (request, reply) => {
      const { signal } = open.open(reply);
      const onUnreadable = (error: UnreadableEvent) => logOnce(error, request);
      return caseHistory({ engine, history }, request.query, signal, onUnreadable);
    },
  );
};

/** The results of a whole group, as JSON or as a document for other programs. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { jobView } from '../../projections/job-view.ts';
import { ResultsFold } from '../../projections/results.ts';
import { RESULT_FORMATS, resultFormats } from '../formats/formats.ts';
import type { History } from '../history/history.ts';
import type { OpenRequests } from '../open-requests.ts';
import type { ApiEngine } from '../parts.ts';
import { JobParams, noSuchJob, problemResponses, Results } from '../schemas.ts';

export interface ResultsOptions {
  engine: ApiEngine;
  history: History;
  open: OpenRequests;
}

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
};

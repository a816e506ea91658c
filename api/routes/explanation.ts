/** Why a job ended as it did: what went wrong first, and the line that did it. Made of the evidence alone. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { explain } from '../../answers/explain/explain.ts';
import { Explanation } from '../../answers/explain/explanation.ts';
import { type EvidenceParts, evidenceOf } from '../evidence.ts';
import type { OpenRequests } from '../open-requests.ts';
import { JobParams, problemResponses } from '../schemas.ts';

export interface ExplanationOptions extends EvidenceParts {
  open: OpenRequests;
}

export const explanationRoutes: FastifyPluginAsyncZod<ExplanationOptions> = async (app, is) => {
  app.get(
    '/api/jobs/:id/explanation',
    {
      schema: {
        tags: ['answers'],
        summary: 'Why a job ended as it did: the first cause, with member, file and line',
        description:
          '`kind` is one of a fixed list; `ranked` are all causes that fit, by what happened first. ' +
          '`unknown` where nobody can tell.',
        params: JobParams,
        response: { 200: Explanation, ...problemResponses },
      },
    },
    async ({ params: { id } }, reply) => {
      const { signal } = is.open.open(reply);
      return explain(await evidenceOf(is, id, signal));
    },
  );
};

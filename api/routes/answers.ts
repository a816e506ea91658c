/** Answers: what a job was at any of its events, and what follows from them. Each is made of the evidence alone. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Moments } from '../../answers/moments.ts';
import { stateAt } from '../../answers/state-at.ts';
import { StateView } from '../../answers/views.ts';
import { type EvidenceParts, evidenceOf } from '../evidence.ts';
import type { OpenRequests } from '../open-requests.ts';
import { JobParams, problemResponses } from '../schemas.ts';

export interface AnswersOptions extends EvidenceParts {
  open: OpenRequests;
}

const AtText = z
  .string()
  .max(40)
  .meta({ description: 'The number of an event, or a time in ISO 8601; absent: the last event' });

export const answerRoutes: FastifyPluginAsyncZod<AnswersOptions> = async (app, is) => {
  app.get(
    '/api/jobs/:id/state',
    {
      schema: {
        tags: ['answers'],
        summary: 'The whole state of a job at one of its events',
        description:
          'Its members, barriers and mailboxes, and what each board could read: equal to what was so then.',
        params: JobParams,
        querystring: z.object({ at: AtText.optional() }),
        response: { 200: StateView, ...problemResponses },
      },
    },
    async ({ params: { id }, query: { at } }, reply) => {
      const { signal } = is.open.open(reply);
      const { events } = await evidenceOf(is, id, signal, { sources: false });
      const moments = new Moments(events);
      return stateAt(id, moments, moments.versionOf(at));
    },
  );
};

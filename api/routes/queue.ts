/** The queue: every job that waits for boards, with the reason. */

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { iso } from '../../projections/views.ts';
import type { ApiEngine } from '../parts.ts';
import { problemResponses, Queue } from '../schemas.ts';

export const queueRoutes: FastifyPluginAsyncZod<{ engine: ApiEngine }> = async (
  app,
  { engine },
) => {
  app.get(
    '/api/queue',
    {
      schema: {
        tags: ['jobs'],
        summary: 'The jobs that wait for boards, in their order, each with the reason',
        response: { 200: Queue, ...problemResponses },
      },
    },
    () => ({
      queue: engine.queue().map(({ submittedAt, ...is }) => ({
        ...is,
        submittedAt: iso(submittedAt),
      })),
    }),
  );
};

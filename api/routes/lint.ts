/** What `muster lint` asks a server for. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { LabMemory } from '../lab-facts.ts';
import type { OpenRequests } from '../open-requests.ts';
import { LintFacts, problemResponses } from '../schemas.ts';

export interface LintOptions {
  memory: Pick<LabMemory, 'facts'>;
  open: OpenRequests;
}

export const lintRoutes: FastifyPluginAsyncZod<LintOptions> = async (app, { memory, open }) => {
  app.get(
    '/api/lint/facts',
    {
      exposeHeadRoute: false,
      schema: {
        tags: ['jobs'],
        summary: 'What lint is told of the lab: its boards, and what they lately took to be ready',
        response: { 200: LintFacts, ...problemResponses },
      },
    },
    async (_, reply) => memory.facts(open.open(reply).signal),
  );
};

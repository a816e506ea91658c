/** Whether the server can do its work: for people, for watchdogs, and for Prometheus. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { iso } from '../../projections/views.ts';
import type { Metrics } from '../metrics.ts';
import type { AppParts } from '../parts.ts';
import { HealthView, problemResponses } from '../schemas.ts';

export const HEALTH_URL = '/api/health';

export const healthRoute: FastifyPluginAsyncZod<
  Pick<AppParts, 'engine' | 'version' | 'storeName'>
> = async (app, { engine, version, storeName }) => {
  const since = iso(engine.now());
  app.get(
    HEALTH_URL,
    {
      schema: {
        tags: ['server'],
        summary: 'Whether the server can reach its log; needs no token',
        security: [],
        response: { 200: HealthView, ...problemResponses },
      },
    },
    async () => {
      const position = await engine.head();
      return { status: 'ok' as const, version, since, store: storeName, position };
    },
  );
};

export const metricsRoute: FastifyPluginAsyncZod<{ metrics: Metrics }> = async (
  app,
  { metrics },
) => {
  app.get(
    '/metrics',
    {
      schema: {
        tags: ['server'],
        summary: 'Figures for Prometheus',
        produces: ['text/plain'],
        response: { 200: z.string(), ...problemResponses },
      },
    },
    async (_request, reply) =>
      reply
        .header('content-type', metrics.contentType)
        .serializer((text: string) => text)
        .send(await metrics.text()),
  );
};

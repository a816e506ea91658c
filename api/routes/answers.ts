/** Answers: what a job was at any of its events, and what follows from them. Each is made of the evidence alone. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Moments } from '../../answers/moments.ts';
import { sourcesView, sourceText } from '../../answers/sources.ts';
import { stateAt } from '../../answers/state-at.ts';
import { traceOf } from '../../answers/trace.ts';
import { SourcesView, StateView, TraceView } from '../../answers/views.ts';
import { bundleOf } from '../bundle.ts';
import { type EvidenceParts, evidenceOf } from '../evidence.ts';
import type { Streams } from '../history/streaming.ts';
import type { OpenRequests } from '../open-requests.ts';
import { JobParams, numberInUrl, problemResponses } from '../schemas.ts';

export interface AnswersOptions extends EvidenceParts {
  streams: Streams;
  open: OpenRequests;
  /** Of Muster. */
  version: string;
  now(): number;
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

  app.get(
    '/api/jobs/:id/trace',
    {
      schema: {
        tags: ['answers'],
        summary: 'What caused an event, and what it caused',
        description: 'Across the streams of the job, of its boards and of their workers.',
        params: JobParams,
        querystring: z.object({
          event: numberInUrl(1).meta({ description: 'Its version in the job' }),
        }),
        response: { 200: TraceView, ...problemResponses },
      },
    },
    async ({ params: { id }, query: { event } }, reply) => {
      const { signal } = is.open.open(reply);
      return traceOf(await evidenceOf(is, id, signal, { sources: false, related: true }), event);
    },
  );

  app.get(
    '/api/jobs/:id/sources',
    {
      schema: {
        tags: ['answers'],
        summary: 'What ran: the files of each suite, and where they came from',
        params: JobParams,
        response: { 200: SourcesView, ...problemResponses },
      },
    },
    async ({ params: { id } }, reply) =>
      sourcesView(await evidenceOf(is, id, is.open.open(reply).signal)),
  );

  app.get(
    '/api/jobs/:id/sources/:digest',
    {
      exposeHeadRoute: false,
      schema: {
        tags: ['answers'],
        summary: 'The text of a file that ran',
        params: JobParams.extend({ digest: z.string() }),
        produces: ['text/plain'],
        response: { 200: z.any(), ...problemResponses },
      },
    },
    async ({ params: { id, digest } }, reply) => {
      const text = sourceText(await evidenceOf(is, id, is.open.open(reply).signal), digest);
      return reply
        .headers({
          'content-type': 'text/plain; charset=utf-8',
          'content-security-policy': 'sandbox',
          'x-content-type-options': 'nosniff',
        })
        .send(text);
    },
  );

  app.get(
    '/api/jobs/:id/bundle',
    {
      exposeHeadRoute: false,
      schema: {
        tags: ['answers'],
        summary: 'All that is known of a job in one file',
        description:
          'A tar.gz: events, document, what ran, consoles with their times; last a part that names all others with their digests.',
        params: JobParams,
        produces: ['application/gzip'],
        response: { 200: z.any(), ...problemResponses },
      },
    },
    async ({ params: { id } }, reply) => {
      const { signal } = is.open.open(reply);
      const evidence = await evidenceOf(is, id, signal, { sources: true, related: true });
      const bundle = bundleOf(evidence, { version: is.version, now: is.now() });
      const out = is.streams.open(reply, signal, {
        'content-type': 'application/gzip',
        'content-disposition': `attachment; filename="job-${id}.tar.gz"`,
        'x-content-type-options': 'nosniff',
      });
      for await (const chunk of bundle) {
        if (!out.isOpen) break;
        await out.write(chunk as Buffer);
      }
      out.end();
      return reply;
    },
  );
};

/** Answers: what a job was at any of its events, and what follows from them. Each is made of the evidence alone. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { DiffView, OrdersView, WhatIfView } from '../../answers/compared-views.ts';
import { diffOf, goodRun } from '../../answers/diff-view.ts';
import { scriptLines } from '../../answers/script-lines.ts';
import { sourcesView, sourceText } from '../../answers/sources.ts';
import { stateOf } from '../../answers/state-at.ts';
import { traceOf } from '../../answers/trace.ts';
import { ScriptLinesView, SourcesView, StateView, TraceView } from '../../answers/views.ts';
import { ordersOf, whatIf } from '../../answers/what-if-view.ts';
import { bundleOf } from '../bundle.ts';
import { type EvidenceParts, evidenceOf } from '../evidence.ts';
import type { Streams } from '../history/streaming.ts';
import { JobPast } from '../job-past.ts';
import type { OpenRequests } from '../open-requests.ts';
import { JobParams, numberInUrl, problemResponses } from '../schemas.ts';

export interface AnswersOptions extends EvidenceParts {
  streams: Streams;
  open: OpenRequests;
  /** Of Muster. */
  version: string;
  now(): number;
}

/** It takes the server's own time, and boards wait for that: a fraction of a second. */
const ORDER_STATES_MAX = 1_000;

/** What ran is looked up and not worked out: of a long job too. */
const WHAT_RAN = { sources: true, isWhole: true };

/** One, or several: `drop=3&drop=5`. */
const Several = z
  .union([z.string().max(200), z.array(z.string().max(200)).max(20)])
  .transform((is) => (typeof is === 'string' ? [is] : is));

const AtText = z
  .string()
  .max(40)
  .meta({ description: 'The number of an event, or a time in ISO 8601; absent: the last event' });

export const answerRoutes: FastifyPluginAsyncZod<AnswersOptions> = async (app, is) => {
  const past = new JobPast(is);
  app.get(
    '/api/jobs/:id/state',
    {
      schema: {
        tags: ['answers'],
        summary: 'The whole state of a job at one of its events',
        description:
          'Its members, barriers and mailboxes, what each board could read, the queue and the boards of the lab: equal to what was so then.',
        params: JobParams,
        querystring: z.object({ at: AtText.optional() }),
        response: { 200: StateView, ...problemResponses },
      },
    },
    async ({ params: { id }, query: { at } }, reply) => {
      const { signal } = is.open.open(reply);
      const told = await past.told(id, at, signal);
      return stateOf(id, told, await past.lab(id, told, signal));
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
    '/api/jobs/:id/diff',
    {
      schema: {
        tags: ['answers'],
        summary: 'What differs between two runs, the first divergence first',
        description:
          'Boards are aligned by role, calls by number; times are compared with the last runs that passed.',
        params: JobParams,
        querystring: z.object({
          with: numberInUrl(1).optional().meta({
            description: 'The good run; absent: the last one of the same definition that passed',
          }),
        }),
        response: { 200: DiffView, ...problemResponses },
      },
    },
    async ({ params: { id }, query }, reply) => {
      const { signal } = is.open.open(reply);
      const bad = await evidenceOf(is, id, signal, { sources: 'lists', past: true });
      const other = query.with ?? goodRun(bad);
      const good = await evidenceOf(is, other, signal, { sources: 'lists' });
      return diffOf(good, bad, query.with === undefined);
    },
  );

  app.get(
    '/api/jobs/:id/what-if',
    {
      schema: {
        tags: ['answers'],
        summary: 'A recorded job again, through the same rules, with something changed',
        params: JobParams,
        querystring: z.object({
          delay: Several.optional().meta({ description: 'DEVICE:20s, or DEVICE@EVENT:20s' }),
          drop: Several.optional().meta({ description: 'The event of a message that is lost' }),
          crash: Several.optional().meta({ description: 'DEVICE@EVENT' }),
          events: z.enum(['true', 'false']).default('false').meta({
            description: 'Whether the log that would be is a part of the answer',
          }),
        }),
        response: { 200: WhatIfView, ...problemResponses },
      },
    },
    async ({ params: { id }, query }, reply) => {
      const { signal } = is.open.open(reply);
      const { events } = await evidenceOf(is, id, signal, { sources: false });
      return whatIf(id, events, query, query.events === 'true');
    },
  );

  app.get(
    '/api/jobs/:id/orders',
    {
      schema: {
        tags: ['answers'],
        summary: 'Every order of a recorded conversation that causality allows',
        description: `At most ${ORDER_STATES_MAX} states are looked at here; muster what-if --interleave looks at more.`,
        params: JobParams,
        response: { 200: OrdersView, ...problemResponses },
      },
    },
    async ({ params: { id } }, reply) => {
      const { signal } = is.open.open(reply);
      const { events } = await evidenceOf(is, id, signal, { sources: false });
      return ordersOf(id, events, ORDER_STATES_MAX);
    },
  );

  app.get(
    '/api/jobs/:id/script-lines',
    {
      schema: {
        tags: ['answers'],
        summary: 'Where boards were in their scripts: of each call the line that made it',
        params: JobParams,
        response: { 200: ScriptLinesView, ...problemResponses },
      },
    },
    async ({ params: { id } }, reply) =>
      scriptLines(await evidenceOf(is, id, is.open.open(reply).signal)),
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
      sourcesView(await evidenceOf(is, id, is.open.open(reply).signal, WHAT_RAN)),
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
      const evidence = await evidenceOf(is, id, is.open.open(reply).signal, WHAT_RAN);
      const text = sourceText(evidence, digest);
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
      const evidence = await evidenceOf(is, id, signal, {
        sources: true,
        related: true,
        past: true,
        lab: true,
        isWhole: true,
      });
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

/** The console of a member, byte for byte: whole, from a byte on, or followed until the member has ended. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { isOver, memberOf } from '../../machines/job/job.ts';
import { isTerminal } from '../../machines/job/member.ts';
import { timesFile } from '../../wire/console-index.ts';
import { Consoles } from '../history/consoles.ts';
import type { History } from '../history/history.ts';
import type { Streams } from '../history/streaming.ts';
import type { OpenRequests } from '../open-requests.ts';
import type { AppParts } from '../parts.ts';
import { ApiProblem } from '../problems.ts';
import { MemberParams, noSuchJob, numberInUrl, problemResponses } from '../schemas.ts';
import { consoleHead, sendFile } from '../send-file.ts';

export interface ConsolesOptions extends Pick<AppParts, 'consoleFile'> {
  history: History;
  streams: Streams;
  open: OpenRequests;
}

export const consoleRoutes: FastifyPluginAsyncZod<ConsolesOptions> = async (app, is) => {
  const { history } = is;
  const consoles = new Consoles();

  app.get(
    '/api/jobs/:id/members/:device/console',
    {
      exposeHeadRoute: false,
      schema: {
        tags: ['jobs'],
        summary: 'The console of a member, byte for byte',
        description:
          'With `Range: bytes=N-` from byte N on. `follow=true`: until the member has ended.',
        params: MemberParams,
        querystring: z.object({
          follow: z.enum(['true', 'false']).default('false'),
          /** Where a followed console begins, in bytes. */
          from: numberInUrl(0).default(0),
        }),
        produces: ['application/octet-stream'],
        response: { 200: z.any(), 206: z.any(), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id, device } = request.params;
      const { follow, from } = request.query;
      const { signal } = is.open.open(reply);
      if (!(await history.job(id, signal))) throw noSuchJob(id);
      const isEnded = () => memberHasEnded(history, id, device, signal);
      await isEnded();
      const file = is.consoleFile(id, device);
      if (follow === 'false') return sendFile(file, request, reply);
      const out = is.streams.open(reply, signal, consoleHead);
      await consoles.follow(out, file, from, isEnded).catch((error: unknown) => {
        if (!signal.aborted)
          request.log.error({ err: error, job: id, device }, 'a console could not be followed');
      });
      out.end();
      return reply;
    },
  );

  app.get(
    '/api/jobs/:id/members/:device/console/times',
    {
      exposeHeadRoute: false,
      schema: {
        tags: ['jobs'],
        summary: 'When the lines of a console came',
        description:
          'Lines `OFFSET MILLISECONDS`: by that time (since the epoch) so many bytes had come. Empty: nobody knows.',
        params: MemberParams,
        produces: ['application/octet-stream'],
        response: { 200: z.any(), 206: z.any(), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id, device } = request.params;
      const { signal } = is.open.open(reply);
      if (!(await history.job(id, signal))) throw noSuchJob(id);
      await memberHasEnded(history, id, device, signal);
      return sendFile(timesFile(is.consoleFile(id, device)), request, reply);
    },
  );
};

/** @throws ApiProblem `no-such-member` */
async function memberHasEnded(
  history: History,
  id: number,
  device: string,
  signal: AbortSignal,
): Promise<boolean> {
  const job = await history.job(id, signal);
  const member = job && memberOf(job, device);
  if (job === undefined || member === undefined)
    throw new ApiProblem('no-such-member', `${device} is no member of job ${id}`);
  return isOver(job) || isTerminal(member);
}

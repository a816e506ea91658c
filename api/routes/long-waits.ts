/** Waits that are longer than their like in the last runs: those of now, or each as it becomes one. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { LongWaits } from '../../answers/compared-views.ts';
import { EVENT_STREAM } from '../history/event-stream.ts';
import type { Streams } from '../history/streaming.ts';
import type { OpenRequests } from '../open-requests.ts';
import { problemResponses } from '../schemas.ts';
import type { Watchdog } from '../watchdog.ts';

export interface LongWaitsOptions {
  watchdog: Pick<Watchdog, 'waits'>;
  streams: Streams;
  open: OpenRequests;
}

/** How often a stream looks for new ones, and after how many looks without one it says that it lives. */
const LOOK_EVERY_MS = 500;
const HEARTBEAT_LOOKS = 30;

export const longWaitRoutes: FastifyPluginAsyncZod<LongWaitsOptions> = async (app, is) => {
  app.get(
    '/api/long-waits',
    {
      exposeHeadRoute: false,
      schema: {
        tags: ['answers'],
        summary: 'Waits that wait longer than their like in the last runs of the same definition',
        description: `With \`Accept: ${EVENT_STREAM}\` a stream: \`event: long-wait\` for each as it becomes one.`,
        response: { 200: LongWaits, ...problemResponses },
      },
    },
    async (request, reply) => {
      if (!request.headers.accept?.includes(EVENT_STREAM)) return { waits: [...is.watchdog.waits] };
      const { signal } = is.open.open(reply);
      const out = is.streams.open(reply, signal, { 'content-type': EVENT_STREAM });
      let told = new Set<string>();
      for (let quiet = 0; out.isOpen; quiet++) {
        const now = new Set<string>();
        for (const wait of is.watchdog.waits) {
          const name = `${wait.job}/${wait.event}`;
          now.add(name);
          if (told.has(name)) continue;
          await out.write(`event: long-wait\ndata: ${JSON.stringify(wait)}\n\n`);
          quiet = 0;
        }
        told = now;
        if (quiet >= HEARTBEAT_LOOKS) {
          await out.write(': it lives\n\n');
          quiet = 0;
        }
        await out.sleep(LOOK_EVERY_MS);
      }
      out.end();
      return reply;
    },
  );
};

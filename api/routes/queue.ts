/** The queue: every job that waits for boards, why it does, and its priority. */
import { setImmediate as turn } from 'node:timers/promises';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { RoleRequest } from '../../machines/definition.ts';
import { PRIORITY_MAX } from '../../machines/names.ts';
import { jobView } from '../../projections/job-view.ts';
import { iso, JobView } from '../../projections/views.ts';
import type { Explanation } from '../../scheduler/types.ts';
import { byOf } from '../by.ts';
import type { History } from '../history/history.ts';
import type { OpenRequests } from '../open-requests.ts';
import { jobIsNotWaiting, setPriority } from '../orders.ts';
import type { ApiEngine } from '../parts.ts';
import { JobParams, noSuchJob, numberInUrl, problemResponses, Queue, WhyView } from '../schemas.ts';

const QUEUE_PAGE_MAX = 1_000;
const QUEUE_PAGE_DEFAULT = 200;
/** So many are explained in one turn; then others have theirs. */
const QUEUE_SLICE_MAX = 100;

export interface QueueOptions {
  engine: ApiEngine;
  history: History;
  open: OpenRequests;
}

export const queueRoutes: FastifyPluginAsyncZod<QueueOptions> = async (app, is) => {
  const { engine, history, open } = is;
  app.get(
    '/api/queue',
    {
      schema: {
        tags: ['jobs'],
        summary: 'The jobs that wait for boards, in their order, each with the reason',
        querystring: z.object({
          limit: numberInUrl(1, QUEUE_PAGE_MAX).default(QUEUE_PAGE_DEFAULT),
          /** Only jobs behind this place. */
          after: numberInUrl(0).default(0),
        }),
        response: { 200: Queue, ...problemResponses },
      },
    },
    async ({ query: { limit, after } }) => {
      const end = after + limit;
      const queue: QueueEntry[] = [];
      for (let from = after; from < end; from += QUEUE_SLICE_MAX) {
        if (from > after) await turn();
        const slice = engine.queue(from, Math.min(QUEUE_SLICE_MAX, end - from));
        queue.push(...slice.map(entryOf));
        if (slice.length < QUEUE_SLICE_MAX) break;
      }
      const total = engine.queueLength;
      const oldest = oldestOf(engine);
      return {
        ...{ queue, total },
        ...(oldest !== undefined && { oldest: iso(oldest) }),
        ...(end < total && { next: end }),
      };
    },
  );

  app.get(
    '/api/jobs/:id/why',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Why a job waits: its place, and what keeps every board that it could have',
        params: JobParams,
        response: { 200: WhyView, ...problemResponses },
      },
    },
    async ({ params: { id } }, reply) => {
      const job = await history.job(id, open.open(reply).signal);
      if (job === undefined) throw noSuchJob(id);
      const why = engine.why(id);
      if (why === undefined || !job.definition) throw jobIsNotWaiting(id, job);
      const { name, priority, roles } = job.definition;
      return { ...whyView(why, roles), name, priority, submittedAt: iso(job.submittedAt) };
    },
  );

  app.put(
    '/api/jobs/:id/priority',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Change the priority of a whole group that waits for its boards',
        params: JobParams,
        body: z.strictObject({ priority: z.number().int().min(0).max(PRIORITY_MAX) }),
        response: { 200: JobView, ...problemResponses },
      },
    },
    async (request) => {
      const { id } = request.params;
      const order = { job: id, priority: request.body.priority };
      return jobView(id, await setPriority(engine, order, byOf(request)), engine.now());
    },
  );
};

/** When the one was submitted that has waited longest. */
function oldestOf({ directory }: Pick<ApiEngine, 'directory'>): number | undefined {
  let oldest: number | undefined;
  for (const { state, submittedAt } of directory.jobs.values())
    if (state === 'submitted' && submittedAt < (oldest ?? Infinity)) oldest = submittedAt;
  return oldest;
}

type QueueEntry = z.infer<typeof Queue>['queue'][number];

function entryOf({
  submittedAt,
  guaranteedStart,
  ...is
}: ReturnType<ApiEngine['queue']>[number]): QueueEntry {
  return { ...is, submittedAt: iso(submittedAt), guaranteedStart: isoOrNull(guaranteedStart) };
}

/** `roles`: of the job; the explanation has its slots in the same order. */
function whyView(
  { guaranteedStart, slots, ...is }: Explanation,
  roles: readonly RoleRequest[],
): Omit<WhyView, 'name' | 'priority' | 'submittedAt'> {
  return {
    ...is,
    guaranteedStart: isoOrNull(guaranteedStart),
    slots: slots.map(({ candidates, ...slot }, at) => ({
      ...slot,
      ...(roles[at]?.deviceType !== undefined && { deviceType: roles[at].deviceType }),
      ...(roles[at]?.device !== undefined && { device: roles[at].device }),
      tags: [...(roles[at]?.tags ?? [])],
      candidates: candidates.map(({ board, why, until }) => ({
        board,
        why,
        ...(until !== undefined && { until: iso(until) }),
      })),
    })),
  };
}

const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

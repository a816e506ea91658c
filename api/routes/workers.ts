/** The workers that drive the devices: who is here, who may connect, and which take no new jobs. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { WorkerState } from '../../machines/worker.ts';
import { iso } from '../../projections/views.ts';
import { LabChange } from '../../wire/lab-change.ts';
import { byOf } from '../by.ts';
import { orderWorker, type WorkerOrder } from '../orders.ts';
import type { ApiEngine } from '../parts.ts';
import {
  problemResponses,
  Reason,
  WorkerParams,
  Workers,
  WorkerToken,
  WorkerView,
} from '../schemas.ts';
import { newWorkerToken } from '../worker-parts.ts';

export interface WorkersOptions {
  engine: ApiEngine;
  /** Ends the line of a worker, if it has one here. */
  endLine(worker: string, reason: string): Promise<void>;
  /** A worker reads its lab's file again; without a name, the one that lives in this server. */
  reloadLab(worker?: string): Promise<LabChange>;
}

export const workerRoutes: FastifyPluginAsyncZod<WorkersOptions> = async (
  app,
  { engine, endLine, reloadLab },
) => {
  app.get(
    '/api/workers',
    {
      schema: {
        tags: ['workers'],
        summary: 'The workers that drive the devices, by name, and how many of theirs are in use',
        response: { 200: Workers, ...problemResponses },
      },
    },
    () => {
      const used = usedBy(engine);
      return { workers: engine.workers().map((each) => workerView(each.name, each.state, used)) };
    },
  );

  app.post(
    '/api/workers/:name/token',
    {
      schema: {
        tags: ['workers'],
        summary:
          'Make the token with which a worker on another machine connects; an earlier one is worth nothing then',
        params: WorkerParams,
        response: { 200: WorkerToken, ...problemResponses },
      },
    },
    async (request) => {
      const worker = request.params.name;
      const { token, digest } = newWorkerToken(worker);
      await orderWorker(engine, { worker, order: 'token', digest }, byOf(request));
      await endLine(worker, `worker ${worker} has another token now`);
      return { worker, token };
    },
  );

  const ordered = async (request: FastifyRequest, order: WorkerOrder) => {
    const state = await orderWorker(engine, order, byOf(request));
    return workerView(order.worker, state, usedBy(engine));
  };
  const summaries = {
    revoke: 'Make the token of a worker worthless, and end its line',
    drain: 'Give the boards of a worker no new jobs; those that run go on',
  } as const;
  for (const order of ['revoke', 'drain'] as const)
    app.post(
      `/api/workers/:name/${order}`,
      {
        schema: {
          tags: ['workers'],
          summary: summaries[order],
          params: WorkerParams,
          body: z.strictObject({ reason: Reason }),
          response: { 200: WorkerView, ...problemResponses },
        },
      },
      async (request) => {
        const { name: worker } = request.params;
        const { reason } = request.body;
        const view = await ordered(request, { order, worker, reason });
        if (order === 'revoke')
          await endLine(worker, `the token of ${worker} was revoked: ${reason}`);
        return view;
      },
    );

  app.post(
    '/api/workers/:name/undrain',
    {
      schema: {
        tags: ['workers'],
        summary: 'Give the boards of a worker jobs again',
        params: WorkerParams,
        response: { 200: WorkerView, ...problemResponses },
      },
    },
    (request) => ordered(request, { order: 'undrain', worker: request.params.name }),
  );

  const reloadSchema = { tags: ['workers'], response: { 200: LabChange, ...problemResponses } };
  app.post(
    '/api/lab/reload',
    {
      schema: {
        ...reloadSchema,
        summary:
          "Read the lab's file of this server again; jobs that run keep their boards as they are",
      },
    },
    () => reloadLab(),
  );
  app.post(
    '/api/workers/:name/reload',
    {
      schema: {
        ...reloadSchema,
        summary:
          "Have a worker read its lab's file again; jobs that run keep their boards as they are",
        params: WorkerParams,
      },
    },
    (request) => reloadLab(request.params.name),
  );
};

function usedBy({ directory }: ApiEngine): ReadonlyMap<string, number> {
  const used = new Map<string, number>();
  for (const board of directory.held) {
    const worker = directory.devices.get(board)?.state.worker ?? '';
    used.set(worker, (used.get(worker) ?? 0) + 1);
  }
  return used;
}

function workerView(
  name: string,
  is: WorkerState,
  used: ReadonlyMap<string, number>,
): z.infer<typeof WorkerView> {
  return {
    name,
    state: is.state === 'none' ? 'expected' : is.state,
    since: iso(is.since),
    ...(is.state === 'away' && is.until !== null && { until: iso(is.until) }),
    ...(is.reason !== null && { reason: is.reason }),
    boards: [...is.boards],
    ...(is.jobLimit !== null && { jobLimit: is.jobLimit }),
    used: used.get(name) ?? 0,
    ...(is.drained !== null && { drained: is.drained }),
    ...(is.line !== null && { version: is.line.version }),
    hasToken: is.tokenDigest !== null,
  };
}

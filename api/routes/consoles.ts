/** The console of a member, byte for byte: whole, from a byte on, or followed until the member has ended. */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { isOver, memberOf } from '../../machines/job/job.ts';
import { isTerminal } from '../../machines/job/member.ts';
import type { OpenRequests } from '../open-requests.ts';
import type { AppParts } from '../parts.ts';
import { ApiProblem } from '../problems.ts';
import { MemberParams, noSuchJob, problemResponses } from '../schemas.ts';
import { Streaming } from '../streaming.ts';

/** How often a followed console is looked at for more. */
const LOOK_EVERY_MS = 200;
/** The last words come after the member's end: a followed console ends when it was quiet for so long. */
const QUIET_MS = 1_000;
const CHUNK_BYTES = 64 * 1024;

const consoleHead = {
  'content-type': 'application/octet-stream',
  'x-content-type-options': 'nosniff',
};

export interface ConsolesOptions extends Pick<AppParts, 'engine' | 'consoleFile'> {
  open: OpenRequests;
}

export const consoleRoutes: FastifyPluginAsyncZod<ConsolesOptions> = async (app, is) => {
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
          from: z.coerce.number().int().nonnegative().default(0),
        }),
        produces: ['application/octet-stream'],
        response: { 200: z.any(), 206: z.any(), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id, device } = request.params;
      const { follow, from } = request.query;
      if (!(await is.engine.job(id))) throw noSuchJob(id);
      const isEnded = () => memberHasEnded(is.engine, id, device);
      await isEnded();
      const file = is.consoleFile(id, device);
      if (follow === 'false') return sendFile(file, request, reply);
      const out = new Streaming(reply, is.open.open(reply).signal, consoleHead);
      try {
        await followFile(out, file, from, isEnded);
      } catch (error) {
        request.log.error({ err: error, job: id, device }, 'a console could not be followed');
      }
      out.end();
      return reply;
    },
  );
};

/** @throws ApiProblem `no-such-member` */
async function memberHasEnded(
  engine: ConsolesOptions['engine'],
  id: number,
  device: string,
): Promise<boolean> {
  const job = await engine.job(id);
  const member = job && memberOf(job, device);
  if (job === undefined || member === undefined)
    throw new ApiProblem('no-such-member', `${device} is no member of job ${id}`);
  return isOver(job) || isTerminal(member);
}

/** Sends what there is now. A console that was never written to is empty. */
async function sendFile(
  file: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const size = await sizeOf(file);
  const range = rangeOf(request.headers.range, size);
  reply.headers({ ...consoleHead, 'accept-ranges': 'bytes' });
  if (range === undefined) {
    reply.header('content-length', size);
    return reply.send(size === 0 ? Buffer.alloc(0) : createReadStream(file, { end: size - 1 }));
  }
  const { start, end } = range;
  return reply
    .code(206)
    .headers({
      'content-range': `bytes ${start}-${end}/${size}`,
      'content-length': end - start + 1,
    })
    .send(createReadStream(file, { start, end }));
}

/**
 * The bytes that `Range` asks for, both ends included; other forms than `N-` and `N-M` are left alone.
 *
 * @throws ApiProblem `range-not-satisfiable`
 */
function rangeOf(
  header: string | undefined,
  size: number,
): { start: number; end: number } | undefined {
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})?$/.exec(header ?? '') ?? [];
  if (first === undefined) return undefined;
  const [start, end] = [Number(first), Math.min(Number(last ?? size), size - 1)];
  if (last !== undefined && Number(last) < start) return undefined;
  if (start < size) return { start, end };
  throw new ApiProblem('range-not-satisfiable', `the console has ${size} bytes so far`, {
    headers: { 'content-range': `bytes */${size}` },
  });
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** Writes a file out from a byte on, and what is added to it, until `isEnded` and nothing more comes. */
async function followFile(
  out: Streaming,
  file: string,
  from: number,
  isEnded: () => Promise<boolean>,
): Promise<void> {
  let at = from;
  let quietMs = 0;
  while (out.isOpen) {
    const before = at;
    at = await copy(out, file, at);
    quietMs = at > before || !(await isEnded()) ? 0 : quietMs + LOOK_EVERY_MS;
    if (quietMs > QUIET_MS) return;
    await out.sleep(LOOK_EVERY_MS);
  }
}

/** Copies from a byte to the end as it is now; returns where that is. */
async function copy(out: Streaming, file: string, from: number): Promise<number> {
  if ((await sizeOf(file)) <= from) return from;
  const handle = await open(file, 'r');
  try {
    let at = from;
    while (out.isOpen) {
      const { bytesRead, buffer } = await handle.read(
        Buffer.alloc(CHUNK_BYTES),
        0,
        CHUNK_BYTES,
        at,
      );
      if (bytesRead === 0) break;
      await out.write(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    return at;
  } finally {
    await handle.close();
  }
}

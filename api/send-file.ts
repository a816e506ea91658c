/** A console's file as an answer: whole, or from a byte on. */
import { createReadStream } from 'node:fs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sizeOf } from './history/consoles.ts';
import { ApiProblem } from './problems.ts';

export const consoleHead = {
  'content-type': 'application/octet-stream',
  'x-content-type-options': 'nosniff',
};

/** Sends what there is now. A console that was never written to is empty. */
export async function sendFile(
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

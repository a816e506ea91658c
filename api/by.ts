/** Who asks, as it is recorded: read from a request here and nowhere else. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { By } from './orders.ts';
import { API_ACTOR } from './parts.ts';

const Key = z.string().regex(/^[\x21-\x7e]{1,200}$/, '1 to 200 characters without blanks');

/** Of a route that takes a key: the same key with the same words is answered the same, and done once. */
export const KeyHeaders = z.object({ 'idempotency-key': Key.optional() });

/** A key counts where the route says that it takes one (`KeyHeaders`). */
export function byOf({ headers, routeOptions }: FastifyRequest): By {
  const key = routeOptions.schema?.headers === KeyHeaders ? headers['idempotency-key'] : undefined;
  return { actor: API_ACTOR, ...(typeof key === 'string' && { key }) };
}

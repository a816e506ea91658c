/** The page of `web/`, as it was built: its addresses, its files, and what a browser may do with them. */
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** What the page calls its places. Each is the same document: which of them is shown is for the page to read. */
const PLACES = [
  '/',
  '/jobs',
  '/jobs/:id',
  '/jobs/:id/compare',
  '/boards/:name',
  '/results',
  '/submit',
  '/log',
  '/operations',
] as const;

/** Nothing but what this server sends, no script or style within a document, and no frame around it. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
} as const;

/** `folder`: what the build of `web/` made. The page needs no token: all that it shows comes over the API. */
export async function pageRoutes(
  app: FastifyInstance,
  { pageFolder }: { pageFolder: string },
): Promise<void> {
  app.addHook('onSend', async (_request, reply) => {
    reply.headers(headers);
  });
  // The names of files change with what is in them.
  await app.register(fastifyStatic, {
    root: join(pageFolder, 'assets'),
    prefix: '/assets/',
    preCompressed: true,
    immutable: true,
    maxAge: '1y',
    index: false,
  });
  const document = { maxAge: 0, immutable: false, cacheControl: true };
  for (const place of PLACES)
    app.get(place, { schema: { hide: true }, config: { takesAnyQuery: true } }, (_request, reply) =>
      reply.sendFile('index.html', pageFolder, document),
    );
  app.get('/favicon.svg', { schema: { hide: true } }, (_request, reply) =>
    reply.sendFile('favicon.svg', pageFolder, document),
  );
}

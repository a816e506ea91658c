/** The API's own description: OpenAPI 3.1, made from the schemas of the routes, and a page that shows it. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';

const DESCRIPTION = `Jobs for whole groups of boards, their messages and barriers, and the log of it all.
Errors are problems (RFC 9457); their \`code\` is for programs.`;

/** Listens to every route that is added from now on. */
export async function describeRoutes(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Muster', version, description: DESCRIPTION },
      tags: [
        { name: 'jobs', description: 'What was asked, and what came of it' },
        { name: 'answers', description: 'What a job was at any of its events, and why' },
        { name: 'devices', description: 'Boards' },
        { name: 'events', description: 'What happened' },
        { name: 'board', description: 'What boards say' },
        { name: 'server', description: 'The server itself' },
      ],
      components: {
        securitySchemes: {
          api: { type: 'http', scheme: 'bearer', description: 'The API token, where one is set' },
          member: { type: 'http', scheme: 'bearer', description: 'The token of a member' },
        },
      },
      security: [{ api: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
}

/** `/docs` and `/openapi.json`. Everything that the page needs comes from this server. */
export async function docsRoutes(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { validatorUrl: null, deepLinking: true },
  });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
}

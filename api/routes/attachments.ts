/** What tests of a job handed in: the list, and each file. Whatever is in them, no browser takes it for a page. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { attachmentsOf } from '../attachments.ts';
import type { History } from '../history/history.ts';
import type { Streams } from '../history/streaming.ts';
import type { OpenRequests } from '../open-requests.ts';
import type { KeptFiles } from '../parts.ts';
import { ApiProblem } from '../problems.ts';
import { AttachmentList, JobParams, noSuchJob, problemResponses } from '../schemas.ts';

export interface AttachmentsOptions {
  attachments: KeptFiles;
  history: History;
  streams: Streams;
  open: OpenRequests;
}

export const attachmentRoutes: FastifyPluginAsyncZod<AttachmentsOptions> = async (app, is) => {
  const listOf = async (job: number, signal: AbortSignal) => {
    const events = await is.history.events(job, signal);
    if (events.length === 0) throw noSuchJob(job);
    return attachmentsOf(events);
  };

  app.get(
    '/api/jobs/:id/attachments',
    {
      schema: {
        tags: ['jobs'],
        summary: 'The files that the tests of a job handed in',
        params: JobParams,
        response: { 200: AttachmentList, ...problemResponses },
      },
    },
    async ({ params: { id } }, reply) => ({
      job: id,
      attachments: await listOf(id, is.open.open(reply).signal),
    }),
  );

  app.get(
    '/api/jobs/:id/attachments/:digest',
    {
      exposeHeadRoute: false,
      schema: {
        tags: ['jobs'],
        summary: 'A file that a test handed in, byte for byte',
        params: JobParams.extend({ digest: z.string() }),
        produces: ['application/octet-stream'],
        response: { 200: z.any(), ...problemResponses },
      },
    },
    async ({ params: { id, digest } }, reply) => {
      const { signal } = is.open.open(reply);
      const kept = (await listOf(id, signal)).find((file) => file.digest === digest);
      if (kept === undefined)
        throw new ApiProblem('no-such-attachment', `job ${id} has no attachment with this digest`);
      const bytes = await is.history.file(signal, () => wholeOf(is.attachments, digest));
      const out = is.streams.open(reply, signal, {
        'content-type': 'application/octet-stream',
        'content-length': String(bytes.length),
        'content-disposition': `attachment; filename*=UTF-8''${inHeader(kept.name)}`,
        'content-security-policy': 'sandbox',
        'x-content-type-options': 'nosniff',
      });
      await out.write(bytes);
      out.end();
      return reply;
    },
  );
};

/** RFC 8187: whatever else encodeURIComponent leaves is no letter of a header. */
const inHeader = (name: string): string =>
  encodeURIComponent(Buffer.from(name).toString()).replace(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** All of a file, once it is known to be what was handed in. @throws ApiProblem `attachment-damaged` */
async function wholeOf(files: KeptFiles, digest: string): Promise<Buffer> {
  const content = await files.get(digest);
  if (content === undefined)
    throw new ApiProblem('attachment-damaged', 'the file of this attachment is not there any more');
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * The board's endpoints, `/board/v1/*`: each call with its member's own token, in the shell dialect (one word a
 * line) or as JSON. What a board says is for itself and its own job: neither is in the request, both are in the token.
 */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { BoardAnswer, BoardTrouble } from '../../wire/board-answers.ts';
import { ATTACHMENT_BYTES_MAX, Attachments } from '../attachments.ts';
import { troubleTeller } from '../board-trouble.ts';
import { type BoardVerb, KEY, runVerb, verbNames, verbOf } from '../board-verbs.ts';
import { answerText, readWordLines, stopping, WORDS_CONTENT_TYPE } from '../board-words.ts';
import { HELD_MS_MAX, type OpenRequest, OpenRequests } from '../open-requests.ts';
import type { BoardParts } from '../parts.ts';
import { ApiProblem, invalidRequest, logOnce, sendProblem } from '../problems.ts';
import { bearerToken, type MemberName, MemberTokens } from '../tokens.ts';

/** A message of 65 KiB is for the rules to refuse and to record; this much is not even read. */
const BOARD_BODY_BYTES_MAX = 2 * 1024 * 1024;
const FILE_CONTENT_TYPE = 'application/octet-stream';
type Verb = { Params: { verb: string } };

/** Adds `/board/v1/*` to an app, with its own parsers, errors and token: nothing of it is the app's. */
export async function boardRoutes(
  app: FastifyInstance,
  { heldMsMax = HELD_MS_MAX, ...parts }: BoardParts & { heldMsMax?: number },
): Promise<void> {
  const open = new OpenRequests(app);
  const tokens = new MemberTokens(parts.tokenKeys);
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.addContentTypeParser(WORDS_CONTENT_TYPE, { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.decorateRequest('member', null);
  app.addHook('onRequest', async (request) => {
    request.setDecorator('member', speakerOf(request, tokens));
  });
  app.setErrorHandler(errorHandler());

  app.post<Verb>(
    '/board/v1/:verb',
    { bodyLimit: BOARD_BODY_BYTES_MAX, schema: postSchema },
    (request, reply) =>
      answer(isShell(request) ? shellWords(request) : jsonWords(request), request, reply),
  );
  app.get<Verb>('/board/v1/:verb', { schema: getSchema }, async (request, reply) => {
    if (verbOf(request.params.verb).kind !== 'question')
      throw new ApiProblem('method', 'this verb changes something: POST it', {
        headers: { allow: 'POST' },
      });
    const { word } = request.query as { word?: string | string[] };
    return answer(word === undefined ? [] : [word].flat(), request, reply);
  });

  await app.register(attachmentRoutes, { attachments: new Attachments(parts), run });

  async function answer(
    words: string[] | undefined,
    request: FastifyRequest<Verb>,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const verb = verbOf(request.params.verb);
    if (words === undefined)
      return send(request, reply, { status: 'refused', reason: 'the words are not UTF-8' });
    return run(verb, words, request, reply);
  }

  async function run(
    verb: BoardVerb,
    words: string[],
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    let held: OpenRequest | undefined;
    const end = await runVerb(parts, verb, {
      member: request.getDecorator<MemberName>('member'),
      words,
      key: request.headers['muster-key'],
      from: request.headers['muster-from'],
      hold: () => {
        held ??= open.open(reply, heldMsMax);
        return held.signal;
      },
    });
    const ending = end.status === 'wait' ? held?.ending() : undefined;
    if (ending === 'gone') return reply.hijack();
    if (ending !== 'stopping') return send(request, reply, end);
    reply.header('connection', 'close');
    return send(request, reply, isShell(request) ? stopping : end);
  }
}

interface AttachmentOptions {
  attachments: Attachments;
  run(
    verb: BoardVerb,
    words: string[],
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply>;
}

/** A file that a test hands in: its bytes are the body. busybox's wget knows no PUT. */
async function attachmentRoutes(
  app: FastifyInstance,
  { attachments, run }: AttachmentOptions,
): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  app.route<{ Querystring: { name?: string; suite?: string } }>({
    method: ['PUT', 'POST'],
    url: '/board/v1/attachment',
    schema: attachmentSchema,
    // What is read of it is bounded where it is kept.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    handler: async (request, reply) => {
      const { name, suite } = request.query;
      const content = request.body instanceof Readable ? request.body : Readable.from([]);
      const length = request.headers['content-length'];
      const handed = { name, ...(suite !== undefined && { suite: String(suite) }), content };
      const verb = attachments.verb(length ? { ...handed, bytes: Number(length) } : handed);
      // Whatever is left of a body that nobody reads goes with its connection.
      if (Number(length ?? 0) > ATTACHMENT_BYTES_MAX) reply.header('connection', 'close');
      return run(verb, [], request, reply);
    },
  });
}

/** A file is handed in by a script: it hears the shell dialect. */
const isShell = ({ headers: { 'content-type': type = '' } }: FastifyRequest): boolean =>
  type.startsWith(WORDS_CONTENT_TYPE) || type.startsWith(FILE_CONTENT_TYPE);

/** @throws ApiProblem `token-missing`, `token-refused` */
function speakerOf(request: FastifyRequest, tokens: MemberTokens): MemberName {
  const token = bearerToken(request.headers.authorization);
  if (token === undefined)
    throw new ApiProblem(
      'token-missing',
      "the header Authorization: Bearer with the member's token is missing",
      {
        headers: { 'www-authenticate': 'Bearer realm="muster board"' },
      },
    );
  const member = tokens.read(token);
  if (member === undefined) throw new ApiProblem('token-refused', 'this token is none of ours');
  return member;
}

function shellWords(request: FastifyRequest): string[] | undefined {
  return request.body instanceof Buffer ? readWordLines(request.body) : [];
}

/** @throws ApiProblem `invalid-request` */
function jsonWords(request: FastifyRequest): string[] {
  const body = request.body ?? {};
  if (typeof body !== 'object' || Array.isArray(body))
    throw invalidRequest([{ path: 'body', message: 'an object with "words" is expected' }]);
  const unknown = Object.keys(body).filter((name) => name !== 'words');
  if (unknown.length > 0)
    throw invalidRequest(unknown.map((name) => ({ path: `body.${name}`, message: 'is unknown' })));
  const words: unknown = 'words' in body ? body.words : [];
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string'))
    throw invalidRequest([{ path: 'body.words', message: 'a list of strings is expected' }]);
  return words;
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  is: BoardAnswer | BoardTrouble,
): FastifyReply {
  if (!isShell(request)) return reply.send(is.status === 'ok' ? is : { lines: [], ...is });
  return reply.code(200).header('content-type', 'text/plain; charset=utf-8').send(answerText(is));
}

/** In the shell dialect an error is a text with status 200 too: busybox wget hides every other body. */
function errorHandler() {
  const trouble = troubleTeller();
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    isShell(request)
      ? send(
          request,
          reply,
          trouble(error, () => logOnce(error, request)),
        )
      : sendProblem(error, request, reply);
}

/** For the documentation alone: requests of boards are checked by hand. */
const Answer = z.object({
  status: z.enum(['ok', 'wait', 'fail', 'refused']),
  lines: z.array(z.string()),
  reason: z.string().optional(),
  note: z.string().optional(),
});
const described = {
  tags: ['board'],
  security: [{ member: [] }],
  params: z.object({ verb: z.string().meta({ examples: verbNames() }) }),
};
const postSchema = {
  ...described,
  summary: 'A verb of a board',
  description:
    `With the member's token, and a Muster-Key of the board's own making that stays the same on every retry. ` +
    `A wait is held for up to ${HELD_MS_MAX / 1000} s and then answered \`wait\`: come again with the same key. ` +
    `With content type ${WORDS_CONTENT_TYPE}: one word a line in, text out, always status 200.`,
  headers: z.object({ 'muster-key': z.string().regex(KEY).optional() }),
  body: z.object({ words: z.array(z.string()).optional() }).optional(),
  response: { 200: Answer },
};
const getSchema = {
  ...described,
  summary: 'A question of a board: self, role, group',
  querystring: z.object({ word: z.array(z.string()).optional() }),
  response: { 200: Answer },
};
const attachmentSchema = {
  tags: ['board'],
  security: [{ member: [] }],
  summary: 'A file that a test hands in, at most 1 MiB: its bytes are the body',
  description: `With content type ${FILE_CONTENT_TYPE}: text out, always status 200, as with words.`,
  headers: postSchema.headers,
  consumes: [FILE_CONTENT_TYPE],
  querystring: z.object({ name: z.string(), suite: z.string().optional() }),
  response: { 200: Answer },
};

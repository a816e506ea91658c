/** The doors around a real engine in memory: an app, its members' tokens, and what it logged. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import pino from 'pino';
import { onTestFinished } from 'vitest';
import { type AppOptions, buildApp } from '../../api/app.ts';
import { WORDS_CONTENT_TYPE } from '../../api/board-words.ts';
import type { ApiEngine } from '../../api/parts.ts';
import { SessionRecords } from '../../api/session-records.ts';
import { memberToken, tokenKeyOf } from '../../api/tokens.ts';
import { systemClock } from '../../engine/clock.ts';
import type { Engine } from '../../engine/engine.ts';
import type { WorkerFacts } from '../../engine/registry.ts';
import { openAddressSecrets } from '../../server/address-secrets.ts';
import { workersDoor } from '../../server/workers-door.ts';
import { Objects } from '../../store/objects.ts';
import { allocated, booted, jobOf, startEngine } from '../engine/bench.ts';

export { countsOf, finish, until } from '../engine/bench.ts';

export const secret = Buffer.from('a secret of the tests');

/** A log that can be read. */
export function readableLog(): { log: FastifyBaseLogger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  return { log, lines };
}

/** A server with boards, none of them busy. It is closed when the test ends. */
export async function doors(
  options: Partial<AppOptions> = {},
  boards = 3,
  facts: WorkerFacts = {},
) {
  let aheadMs = 0;
  const clock = (notBefore: number) => {
    const system = systemClock(notBefore);
    return { ...system, now: () => system.now() + aheadMs };
  };
  const lab = await startEngine({ clock }, boards, facts);
  const folder = mkdtempSync(join(tmpdir(), 'muster-api-'));
  const { log, lines } = readableLog();
  const consoleFile = (job: number, device: string) => join(folder, `${job}-${device}`);
  const attachments = await Objects.open(join(folder, 'objects'));
  const engine = (options.engine ?? lab.engine) as Engine;
  const secrets = openAddressSecrets(folder, secret);
  const parts: AppOptions = {
    engine,
    version: '1.2.3',
    log,
    tokenKeys: () => [tokenKeyOf(secret)],
    consoleFile,
    consoleSize: () => 7,
    attachments,
    openSet: async () => ({}),
    storeName: 'memory',
    operatorRecords: new SessionRecords(join(folder, 'consoles')),
    keepSecret: () => '0'.repeat(32),
    worker: workersDoor({
      ...{ engine, dataDir: folder, secret, objects: attachments, secrets, version: '1.2.3' },
    }),
    ...options,
  };
  const app = await buildApp(parts);
  onTestFinished(async () => {
    await app.close();
    await lab.engine.stop();
    rmSync(folder, { recursive: true });
  });
  /** A minute later a board whose member has ended is off, or never will be. */
  const boardsAreOff = () => {
    aheadMs += 60_000;
  };
  return { ...lab, app, lines, log, consoleFile, folder, attachments, boardsAreOff };
}

/** The engine with some of its methods replaced: for failures that a real one does not have on demand. */
export function engineBut(engine: Engine, methods: Partial<ApiEngine>): ApiEngine {
  return new Proxy<ApiEngine>(engine, {
    get(_, name: keyof Engine) {
      if (name in methods) return methods[name as keyof ApiEngine];
      const is: unknown = engine[name];
      return typeof is === 'function' ? is.bind(engine) : is;
    },
  });
}

/** A job of one server and one client on booted boards, and its devices in group order. */
export async function pair(engine: Engine) {
  const job = await allocated(engine, jobOf({ server: 1, client: 1 }));
  const [server = '', client = ''] = await booted(engine, job);
  return { job, server, client };
}

let calls = 0;
export const newKey = (): string => `key-of-the-test-${++calls}`;

/** A call as the board's scripts make it. */
export function said(verb: string, words: string[], is: { token?: string; key?: string }) {
  return {
    method: 'POST' as const,
    url: `/board/v1/${verb}`,
    headers: {
      'content-type': WORDS_CONTENT_TYPE,
      'muster-key': is.key ?? newKey(),
      ...(is.token !== undefined && { authorization: `Bearer ${is.token}` }),
    },
    payload: words
      .map((word) => `${word.replaceAll('%', '%25').replaceAll('\n', '%0A')}\n`)
      .join(''),
  };
}

/** Says a verb in the shell dialect as a member; gives the text of the answer. */
export async function say(
  app: FastifyInstance,
  member: { job: number; device: string; key?: string },
  verb: string,
  ...words: string[]
): Promise<string> {
  const token = memberToken(secret, member.job, member.device);
  const key = member.key === undefined ? {} : { key: member.key };
  const response = await app.inject(said(verb, words, { token, ...key }));
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
  return response.body;
}

/** Listens on a port of loopback. */
export async function listening(app: FastifyInstance): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as AddressInfo).port;
}

/** Opens a request on a real socket; `head` resolves with the response's head, `text` grows as it comes. */
export function opened(
  port: number,
  is: { method?: string; url: string; headers?: Record<string, string>; payload?: string },
) {
  let text = '';
  const client = httpRequest({
    port,
    host: '127.0.0.1',
    method: is.method ?? 'GET',
    path: is.url,
    headers: is.headers ?? {},
    agent: false,
  });
  const head = new Promise<IncomingMessage>((resolve, reject) => {
    client.once('response', (response) => {
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', () => {});
      resolve(response);
    });
    client.once('error', reject);
  });
  head.catch(() => {});
  const ended = head.then(
    (response) =>
      new Promise<void>((resolve) => {
        if (response.readableEnded || response.destroyed) resolve();
        response.once('end', resolve).once('close', resolve);
      }),
  );
  ended.catch(() => {});
  client.end(is.payload ?? '');
  return { client, head, ended, text: () => text };
}

/** A job as somebody submits it. */
export const document = (count = 2) =>
  JSON.stringify({
    timeout: 600,
    job_name: 'a pair',
    device_group: [{ role: 'server', count, device_type: 'panda' }],
    actions: [{ command: 'lava_command_run', parameters: { commands: ['lava-sync ready'] } }],
  });

/** Hands a document in. */
export const submit = (
  payload: string | Buffer,
  headers: Record<string, string> = {},
  query = '',
) => ({
  method: 'POST' as const,
  url: `/api/jobs${query}`,
  headers: { 'content-type': 'application/json', ...headers },
  payload,
});

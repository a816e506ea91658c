import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import { memberToken } from '../../api/tokens.ts';
import { StoreUnavailable } from '../../store/port.ts';
import { doors, finish, listening, newKey, pair, say, secret } from './bench.ts';

const MIB = 1024 * 1024;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** As `lava-test-attach` hands a file in. */
async function attach(
  app: FastifyInstance,
  is: { job: number; device: string; name?: string; query?: string; key?: string; bytes?: Buffer },
) {
  const query = is.query ?? `name=${encodeURIComponent(is.name ?? 'a file')}`;
  const response = await app.inject({
    method: 'PUT',
    url: `/board/v1/attachment?${query}`,
    headers: {
      'content-type': 'application/octet-stream',
      'muster-key': is.key ?? newKey(),
      authorization: `Bearer ${memberToken(secret, is.job, is.device)}`,
    },
    payload: is.bytes ?? Buffer.from('bytes'),
  });
  expect([response.statusCode, response.headers['content-type']]).toEqual([
    200,
    'text/plain; charset=utf-8',
  ]);
  return response.body;
}

const listed = async (app: FastifyInstance, job: number) =>
  (await app.inject(`/api/jobs/${job}/attachments`)).json().attachments;

describe('a file that a test hands in', () => {
  it('is kept with the suite that runs, listed, and comes back byte for byte', async () => {
    const { app, engine } = await doors();
    const { job, server, client } = await pair(engine);
    const bytes = Buffer.from([0, 1, 2, 255, 10, 13, 37]);
    await say(app, { job, device: server }, 'suite', 'start', '0_smoke');
    expect(await attach(app, { job, device: server, name: 'log.bin', bytes })).toBe('ok\n');
    expect(await attach(app, { job, device: client, query: 'name=b&suite=1_x', bytes })).toBe(
      'ok\n',
    );
    const digest = sha256(bytes);
    const same = { bytes: 7, digest, at: expect.stringMatching(/Z$/) };
    expect(await listed(app, job)).toEqual([
      { member: server, suite: '0_smoke', name: 'log.bin', ...same },
      { member: client, suite: '1_x', name: 'b', ...same },
    ]);
    const file = await app.inject(`/api/jobs/${job}/attachments/${digest}`);
    expect(file.rawPayload).toEqual(bytes);
    expect(file.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '7',
      'content-disposition': "attachment; filename*=UTF-8''log.bin",
      'x-content-type-options': 'nosniff',
    });
  });

  it('may have any name that is one line, and no name is a header or a path of its own', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    for (const name of [
      '../../etc/passwd',
      'a "b"; c',
      'höhe % ☃',
      "it's (1)*",
      '%0d%0a',
      'x'.repeat(255),
    ]) {
      const bytes = Buffer.from(name);
      expect([name, await attach(app, { job, device: server, name, bytes })]).toEqual([
        name,
        'ok\n',
      ]);
      const file = await app.inject(`/api/jobs/${job}/attachments/${sha256(bytes)}`);
      const [, said = ''] = String(file.headers['content-disposition']).split("''");
      expect(said).toMatch(/^[\w.%~!-]+$/);
      expect(decodeURIComponent(said)).toBe(name);
    }
    for (const query of [
      '',
      'name=',
      'name=a%0Ab',
      'name=a&name=b',
      `name=${'x'.repeat(256)}`,
      'name=%20',
    ])
      expect(await attach(app, { job, device: server, query })).toMatch(/^refused .*name/);
    expect(await listed(app, job)).toHaveLength(6);
  });

  it('is the same for the same key, and something else under that key is refused', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    const key = newKey();
    for (let i = 0; i < 2; i++)
      expect(await attach(app, { job, device: server, key })).toBe('ok\n');
    expect(await listed(app, job)).toHaveLength(1);
    for (const other of [{ name: 'other' }, { bytes: Buffer.from('others') }])
      expect(await attach(app, { job, device: server, key, ...other })).toMatch(/^refused .*key/);
    expect(await attach(app, { job, device: server, key: 'short' })).toMatch(
      /^refused .*Muster-Key/,
    );
    expect(await listed(app, job)).toHaveLength(1);
  });

  it('has at most 1 MiB, whether or not its length is said before', async () => {
    const { app, engine } = await doors();
    const port = await listening(app);
    const { job, server } = await pair(engine);
    expect(await attach(app, { job, device: server, bytes: Buffer.alloc(MIB) })).toBe('ok\n');
    expect(await attach(app, { job, device: server, bytes: Buffer.alloc(MIB + 1) })).toMatch(
      /^refused too large/,
    );
    const chunked = httpRequest({
      port,
      method: 'POST',
      path: '/board/v1/attachment?name=x',
      headers: {
        'content-type': 'application/octet-stream',
        'muster-key': newKey(),
        'transfer-encoding': 'chunked',
        authorization: `Bearer ${memberToken(secret, job, server)}`,
      },
      agent: false,
    });
    const answer = new Promise<string>((resolve, reject) => {
      chunked.once('error', reject).once('response', (response) => {
        response.setEncoding('utf8').on('data', resolve);
      });
    });
    chunked.end(Buffer.alloc(MIB + 1));
    expect(await answer).toMatch(/^refused too large/);
    expect(await listed(app, job)).toHaveLength(1);
  });

  it('finds room in its job up to 100 MiB to the byte, and a repeat finds its own', async () => {
    const { app, engine } = await doors();
    const { job, server } = await pair(engine);
    const by = { actor: `board:${server}`, key: 'before' };
    const kept = { member: server, name: 'x', digest: '0'.repeat(64), bytes: 100 * MIB - 10 };
    await engine.member(job, { type: 'KeepAttachment', ...kept }, by);
    const eleven = { job, device: server, bytes: Buffer.alloc(11) };
    expect(await attach(app, eleven)).toMatch(/^refused .*100 MiB/);
    const key = newKey();
    const ten = { job, device: server, key, bytes: Buffer.alloc(10) };
    expect(await attach(app, ten)).toBe('ok\n');
    expect(await attach(app, { ...ten, key: newKey() })).toMatch(/^refused .*100 MiB/);
    expect(await attach(app, ten)).toBe('ok\n');
  });

  it('counts for its job while it is on its way', async () => {
    const { app, engine } = await doors();
    const { job, server, client } = await pair(engine);
    const by = { actor: `board:${server}`, key: 'before' };
    const kept = { member: server, name: 'x', digest: '0'.repeat(64), bytes: 99 * MIB };
    await engine.member(job, { type: 'KeepAttachment', ...kept }, by);
    const answers = await Promise.all(
      [server, client].map((device) => attach(app, { job, device, bytes: Buffer.alloc(MIB) })),
    );
    expect(answers.filter((answer) => answer === 'ok\n')).toHaveLength(1);
  });

  it('of a member that has ended is not kept', async () => {
    const { app, engine, folder, boardsAreOff } = await doors();
    const { job, server } = await pair(engine);
    await finish(engine, job, server);
    boardsAreOff();
    expect(await attach(app, { job, device: server })).toMatch(/^denied /);
    expect(readdirSync(join(folder, 'objects'))).toEqual([]);
  });

  it('is asked for again while it cannot be written, as any verb', async () => {
    const put = () => Promise.reject(new StoreUnavailable('full'));
    const { app, engine } = await doors({ attachments: { put, get: async () => undefined } });
    const { job, server } = await pair(engine);
    expect(await attach(app, { job, device: server })).toMatch(/^retry /);
  });

  it('that is damaged on the disk is a problem, and not given out', async () => {
    const { app, engine, folder } = await doors();
    const { job, server } = await pair(engine);
    const digest = sha256(Buffer.from('bytes'));
    await attach(app, { job, device: server });
    writeFileSync(join(folder, 'objects', digest.slice(0, 2), digest), 'bytez');
    const file = await app.inject(`/api/jobs/${job}/attachments/${digest}`);
    expect([file.statusCode, file.json().code]).toEqual([500, 'attachment-damaged']);
  });

  it('is given out by its own job alone', async () => {
    const { app, engine } = await doors({}, 4);
    const { job, server } = await pair(engine);
    const { job: other } = await pair(engine);
    await attach(app, { job, device: server });
    const digest = sha256(Buffer.from('bytes'));
    expect((await app.inject(`/api/jobs/${job}/attachments/${digest}`)).statusCode).toBe(200);
    for (const [url, code] of [
      [`/api/jobs/${other}/attachments/${digest}`, 'no-such-attachment'],
      [`/api/jobs/${job}/attachments/..%2F..`, 'no-such-attachment'],
      ['/api/jobs/9/attachments', 'no-such-job'],
    ] as const)
      expect([url, (await app.inject(url)).json().code]).toEqual([url, code]);
  });
});

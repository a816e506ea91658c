/** A job with secrets in its addresses, on a real server with a real worker: nobody but the worker ever sees them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startServer } from '../../server/server.ts';

test('the definition behind a password is fetched, and the password is in no answer, event or console', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-secrets-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const asked: string[] = [];
  const web = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization ?? ''}`);
    response.end('run: {steps: ["true"]}\n');
  });
  await new Promise<void>((done) => web.listen(0, '127.0.0.1', done));
  onTestFinished(() => void web.close());
  const { port } = web.address() as AddressInfo;
  writeFileSync(
    join(folder, 'lab.yaml'),
    'device_types: {panda: {}}\ndevices: {panda01: {type: panda}}\n',
  );
  const dataDir = join(folder, 'data');
  const server = await startServer({
    dataDir,
    labFile: join(folder, 'lab.yaml'),
    host: '127.0.0.1',
    port: 0,
    log: pino({ level: 'silent' }),
    namespaces: false,
  });
  onTestFinished(() => server.stop({ killBoards: true }));
  const document = JSON.stringify({
    timeout: 60,
    job_name: 'x',
    device_type: 'panda',
    actions: [
      {
        command: 'lava_test_shell',
        parameters: { testdef_urls: [`http://127.0.0.1:${port}/t.yaml?sig=topsecret`] },
      },
    ],
  });
  const posted = await fetch(`${server.url}/api/jobs`, { method: 'POST', body: document });
  expect(posted.status).toBe(201);
  const get = async (path: string) => (await fetch(server.url + path)).text();
  await expect
    .poll(() => get('/api/jobs/1'), { timeout: 25_000 })
    .toMatch(/"state":"(complete|failed)"/);
  expect(asked).toEqual(['/t.yaml?sig=topsecret ']);
  const seen = [
    await get('/api/jobs/1'),
    await get('/api/jobs/1/document'),
    await get('/api/jobs/1/results'),
    await get('/api/events'),
    readFileSync(join(dataDir, 'jobs/1/panda01.console'), 'utf8'),
  ];
  expect(seen[4]).toContain(`fetching http://127.0.0.1:${port}/t.yaml\n`);
  for (const text of seen) expect(text).not.toContain('topsecret');
  // On the disk it lies in one file, which is the server's alone.
  const found = execFileSync('grep', ['-rl', 'topsecret', dataDir], { encoding: 'utf8' })
    .trim()
    .split('\n');
  expect(found).toEqual(
    readdirSync(join(dataDir, 'secrets')).map((name) => join(dataDir, 'secrets', name)),
  );
  expect(statSync(found[0] ?? '').mode & 0o777).toBe(0o600);
});

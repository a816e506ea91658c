/** Servers with TLS, by name and by IP address. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { openEventStoreDb } from '../../store/eventstoredb/eventstoredb.ts';
import { many, skipBecause, type Undo, undoAll } from './events.ts';
import { startStandIn } from './eventstore-grpc-server.ts';

const undo: Undo = [];
afterEach(() => undoAll(undo));

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
beforeEach((context) => {
  if (!hasOpenssl) skipBecause(context, 'no openssl to make certificates with');
});

/** A server whose certificate is for `subject`, such as `IP:10.0.0.1`. */
async function startSecure(subject: string) {
  const folder = mkdtempSync(join(tmpdir(), 'muster-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=db -addext subjectAltName=${subject} -keyout ${keyFile} -out ${certificateFile}`;
  execFileSync('openssl', words.split(' '), { stdio: 'ignore' });
  const tls = { key: readFileSync(keyFile), certificate: readFileSync(certificateFile) };
  const { port, stop } = await startStandIn({ tls });
  undo.push(() => stop());
  return { port, certificateFile };
}

it.each([
  ['one by its IP address', ['127.0.0.1'], 'IP:127.0.0.1'],
  ['one by its name', ['localhost'], 'DNS:localhost'],
  ['a cluster by IP addresses', ['127.0.0.1', '127.0.0.1'], 'IP:127.0.0.1'],
])('are used: %s', async (_, names, subject) => {
  const { port, certificateFile } = await startSecure(subject);
  const warned: Error[] = [];
  const onWarning = (warning: Error) => warned.push(warning);
  process.on('warning', onWarning);
  const hosts = names.map((name) => `${name}:${port}`).join(',');
  const connection = `esdb://${hosts}?tlsCAFile=${certificateFile}`;
  const store = await openEventStoreDb({ connection });
  undo.push(() => store.close());
  expect(await store.append('job-1', 0, many(2))).toMatchObject({ version: 2 });
  process.off('warning', onWarning);
  expect(warned).toEqual([]);
});

it.each(['IP:10.0.0.1', 'DNS:eventstoredb'])(
  'are refused as 127.0.0.1 when the certificate is for %s',
  async (subject) => {
    const { port, certificateFile } = await startSecure(subject);
    const connection = `esdb://127.0.0.1:${port}?tlsCAFile=${certificateFile}`;
    await expect(openEventStoreDb({ connection })).rejects.toMatchObject({
      code: 'store-refused',
      message: expect.stringMatching(/no secure connection: .*127\.0\.0\.1/s),
    });
  },
);

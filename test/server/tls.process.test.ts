/** A server that speaks HTTPS: to people, programs, browsers and workers; and how its certificate is changed. */
import { copyFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { request } from '../../cli/http.ts';
import type { JobView } from '../../projections/views.ts';
import { here } from '../cli/fake-server.ts';
import { ServerProcess } from '../lab/server-process.ts';
import { skipBecause, type Undo, undoAll } from '../store/events.ts';
import { until, WorkerProcess } from '../worker/worker-process.ts';
import { Authority, hasOpenssl, type SignedFiles } from './authority.ts';

beforeEach((context) => {
  if (!hasOpenssl) skipBecause(context, 'no openssl to make certificates with');
});

const LAB = 'device_types: { panda: {} }\ndevices: { panda01: { type: panda } }';
const JOB = {
  timeout: 60,
  job_name: 'secure',
  device_group: [{ role: 'one', count: 1, device_type: 'panda' }],
  actions: [
    { command: 'lava_command_run', parameters: { commands: ['lava-send up && lava-self'] } },
  ],
};

/** Its files are copies, which a test may write over. @param undo is told how all of it is taken away */
async function secure(
  { lab, names }: { lab?: string; names?: string } = {},
  undo: (step: Undo[number]) => void = onTestFinished,
) {
  const authority = new Authority(undo);
  const files = {
    cert: join(authority.folder, 'cert.pem'),
    key: join(authority.folder, 'key.pem'),
  };
  const put = ({ cert, key }: SignedFiles) => {
    copyFileSync(cert, files.cert);
    copyFileSync(key, files.key);
  };
  put(authority.sign(names === undefined ? {} : { names }));
  const words = ['--tls-cert', files.cert, '--tls-key', files.key];
  const server = lab ? await ServerProcess.make(lab, words) : await ServerProcess.bare(words);
  server.ca = authority.ca;
  await server.start();
  undo(async () => {
    await server.end('SIGTERM');
    await server.remove();
  });
  return { authority, server, files, put };
}

/** One for all that only ask it, started by the first. */
let asked: ReturnType<typeof secure> | undefined;
const undoAsked: Undo = [];
afterAll(() => undoAll(undoAsked));
function secureForAll() {
  asked ??= secure({}, (step) => undoAsked.push(step));
  return asked;
}

const serialOf = ({ port, ca = '' }: ServerProcess) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', ca }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', reject);
  });

/** What comes back for bytes in the clear. */
const inTheClear = (port: number, text: string) =>
  new Promise<string>((resolve, reject) => {
    let said = '';
    const socket = connectTcp(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (bytes) => {
      said += bytes;
    });
    socket.on('close', () => resolve(said)).on('error', reject);
  });

async function assertComplete(server: ServerProcess): Promise<number> {
  const { id } = await server.post('/api/jobs', JOB);
  await until(async () => (await server.get<JobView>(`/api/jobs/${id}`)).state === 'complete');
  return id;
}

describe('the command line', () => {
  it('believes a server whose certificate was signed by the one that --ca or MUSTER_CA names', async () => {
    const { server, authority } = await secureForAll();
    expect(server.url).toMatch(/^https:/);
    const jobs = ['jobs', '--json', '--url', server.url];
    expect(await here([...jobs, '--ca', authority.caFile])).toMatchObject({ exit: 0, err: '' });
    const env = { MUSTER_CA: authority.caFile };
    expect(await here(jobs, { env })).toMatchObject({ exit: 0, err: '' });
  });

  it('believes nobody else, and says what to do', async () => {
    const { server } = await secureForAll();
    const stranger = new Authority().caFile;
    for (const words of [[], ['--ca', stranger]]) {
      const { exit, err } = await here(['jobs', '--url', server.url, ...words], { columns: 200 });
      expect([exit, err]).toEqual([3, expect.stringContaining('name the one that did with --ca')]);
    }
  });

  it('does not take a certificate for another name', async () => {
    const { server, authority } = await secure({ names: 'DNS:muster.lab' });
    const words = ['jobs', '--url', server.url, '--ca', authority.caFile];
    const { exit, err } = await here(words, { columns: 200 });
    expect([exit, err]).toEqual([3, expect.stringContaining('is for another name')]);
  });

  it.each([
    ['is not there', '/nowhere/ca.pem', /--ca .*cannot be read: ENOENT/],
    ['is no certificate', 'package.json', /--ca package.json: it holds no certificate in PEM/],
  ])('says so when the file of --ca %s', async (_, file, why) => {
    const { exit, err } = await here(['jobs', '--ca', file], { columns: 200 });
    expect([exit, err]).toEqual([2, expect.stringMatching(why)]);
  });

  it('that says http is told that the server speaks https, and the other way round', async () => {
    const { server } = await secureForAll();
    const http = server.url.replace('https', 'http');
    const first = await here(['jobs', '--url', http], { columns: 200 });
    expect([first.exit, first.err]).toEqual([
      1,
      expect.stringContaining(`this server speaks https: its address is ${server.url}`),
    ]);
    const plain = await ServerProcess.bare();
    await plain.start();
    onTestFinished(() => plain.end('SIGTERM'));
    const https = plain.url.replace('http', 'https');
    const second = await here(['jobs', '--url', https], { columns: 200 });
    expect([second.exit, second.err]).toEqual([
      3,
      expect.stringContaining('it does not speak https: its address begins with http://'),
    ]);
  });
});

describe('whoever speaks http to it', () => {
  it('is sent to the https address when it is a browser', async () => {
    const { port } = (await secureForAll()).server;
    const host = `127.0.0.1:${port}`;
    const head = `GET /jobs/12?at=3 HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html,*/*\r\n\r\n`;
    const said = await inTheClear(port, head);
    expect(said).toMatch(/^HTTP\/1\.1 307 /);
    expect(said).toContain(`\r\nlocation: https://${host}/jobs/12?at=3\r\n`);
  });

  it('is told the address otherwise', async () => {
    const { port } = (await secureForAll()).server;
    const host = 'Host: muster.lab:7077';
    for (const head of [
      `GET /api/jobs HTTP/1.1\r\n${host}\r\nAuthorization: Bearer secret\r\n\r\n`,
      `POST /api/jobs HTTP/1.1\r\n${host}\r\nAccept: text/html\r\nContent-Length: 9\r\n\r\n{"a": 1}\n`,
      `GET /worker/v1/connect HTTP/1.1\r\n${host}\r\nUpgrade: websocket\r\n\r\n`,
    ]) {
      const said = await inTheClear(port, head);
      expect(said).toMatch(/^HTTP\/1\.1 400 /);
      expect(said).not.toContain('location:');
      expect(said).toContain('"code":"https-only"');
      expect(said).toContain('https://muster.lab:7077');
    }
  });

  it('or says anything else, gets an end of it', async () => {
    const { port } = (await secureForAll()).server;
    for (const text of ['hello\r\n', `\u0016${'a'.repeat(100)}`, `GET /${'a'.repeat(100_000)}`])
      expect(await inTheClear(port, text).catch(() => '')).not.toContain(' 200 ');
  });
});

it('boards of the server itself have a door without TLS, and jobs on them run', async () => {
  const { server } = await secure({ lab: LAB });
  await assertComplete(server);
});

it('a worker that is told who signed it comes over https, and jobs on its boards run', async () => {
  const { server, authority } = await secureForAll();
  const words = ['--ca', authority.caFile];
  const worker = await WorkerProcess.make(server, { lab: LAB, words });
  onTestFinished(() => worker.remove());
  expect(await worker.start()).toBeUndefined();
  await worker.letGo(await assertComplete(server));
});

it.each([
  ['does not know who signed it', [], /nobody that is known here signed its certificate.*--ca/s],
  ['is told another one', ['--ca', 'other'], /nobody that is known here signed/],
])('a worker that %s says so, and tries again', async (_, words, why) => {
  const { server } = await secureForAll();
  const real = words.map((word) => (word === 'other' ? new Authority().caFile : word));
  const worker = await WorkerProcess.make(server, { lab: LAB, words: real });
  onTestFinished(() => worker.remove());
  void worker.start();
  await until(async () => why.test(worker.output) && worker.output.includes('trying again'));
});

it('a worker that says http to it is told the address', async () => {
  const { server } = await secureForAll();
  const servers = [server.url.replace('https', 'http')];
  const worker = await WorkerProcess.make(server, { lab: LAB, servers });
  onTestFinished(() => worker.remove());
  void worker.start();
  await until(async () =>
    worker.output.includes(`this server speaks https: its address is ${server.url}`),
  );
});

describe('SIGHUP', () => {
  it('shows a new certificate to whoever comes then; a stream that is open goes on', async () => {
    const { server, authority, put } = await secure();
    const before = await serialOf(server);
    const signal = AbortSignal.timeout(60_000);
    const stream = await request(`${server.url}/api/events`, {
      ...{ method: 'GET', headers: { accept: 'text/event-stream' }, signal, ca: authority.ca },
    });
    const parts = stream.body[Symbol.asyncIterator]();
    put(authority.sign());
    server.signal('SIGHUP');
    await until(async () => (await serialOf(server)) !== before);
    await server.post('/api/workers/lab9/token', undefined);
    let said = '';
    while (!said.includes('WorkerTokenMade')) {
      const { value, done } = await parts.next();
      if (done === true) throw new Error('the stream has ended');
      said += value;
    }
    await parts.return?.(undefined);
  });

  it('changes nothing when the files are wrong, and says what is', async () => {
    const { server, authority, files } = await secure();
    const before = await serialOf(server);
    copyFileSync(authority.sign().cert, files.cert);
    server.signal('SIGHUP');
    await until(async () => server.output.includes('it is not the certificate of the key'));
    expect(server.output).toContain('the certificate has not changed');
    expect(await serialOf(server)).toBe(before);
  });
});

it('it ends at once though somebody is connected who has said nothing', async () => {
  const { server } = await secure();
  const silent = connectTcp(server.port, '127.0.0.1');
  await new Promise((resolve) => silent.once('connect', resolve));
  const gone = new Promise((resolve) => silent.on('close', resolve).on('error', () => {}));
  // Whoever comes later was taken later.
  await serialOf(server);
  await server.end('SIGTERM');
  await gone;
});

it.each(['cert', 'key'])('--tls-%s alone is refused', async (option) => {
  const { cert, key } = new Authority().sign();
  const file = option === 'cert' ? cert : key;
  const { exit, err } = await here(['serve', `--tls-${option}`, file]);
  expect([exit, err]).toEqual([2, expect.stringContaining(`--tls-${option} needs --tls-`)]);
});

/** The lab's file is read again while jobs run: by the server that has boards of its own, and by a worker. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JobView } from '../../projections/views.ts';
import { here } from '../cli/fake-server.ts';
import { ServerProcess } from '../lab/server-process.ts';
import { until, WorkerProcess } from './worker-process.ts';

type Board = { type?: string; tags?: string[] };
const labOf = (boards: Record<string, Board>, more = '') =>
  `device_types: { panda: {}, beagle: {} }\n${more}\ndevices: ${JSON.stringify(
    Object.fromEntries(
      Object.entries(boards).map(([name, is]) => [name, { type: 'panda', ...is }]),
    ),
  )}\n`;
const TWO = labOf({ panda01: {}, panda02: {} });

interface Kind {
  server: ServerProcess;
  worker?: WorkerProcess;
  write(lab: string): Promise<void>;
  reload(): ReturnType<typeof here>;
  hangUp(): void;
  output(): string;
}

async function started(server: ServerProcess): Promise<ServerProcess> {
  await server.start();
  onTestFinished(async () => {
    await server.end('SIGTERM');
    await server.remove();
  });
  return server;
}

async function onServer(lab: string): Promise<Kind> {
  const server = await started(await ServerProcess.make(lab));
  return {
    server,
    write: (text) => writeFile(join(server.folder, 'lab.yaml'), text),
    reload: () => here(['lab', 'reload', '--url', server.url], { columns: 200 }),
    hangUp: () => server.signal('SIGHUP'),
    output: () => server.output,
  };
}

async function onWorker(lab: string): Promise<Kind> {
  const server = await started(await ServerProcess.bare());
  const worker = await WorkerProcess.make(server, { lab });
  onTestFinished(() => worker.remove());
  expect(await worker.start()).toBeUndefined();
  return {
    server,
    worker,
    write: (text) => writeFile(worker.labFile, text),
    reload: () => here(['lab', 'reload', 'lab2', '--url', server.url], { columns: 200 }),
    hangUp: () => worker.signal('SIGHUP'),
    output: () => worker.output,
  };
}

const jobOn = (device: string, ...commands: string[]) => ({
  timeout: 100,
  job_name: 'one board',
  device_group: [{ role: 'one', count: 1, device }],
  actions: [{ command: 'lava_command_run', parameters: { commands } }],
});

const stateOf = async (server: ServerProcess, id: number) =>
  (await server.get<JobView>(`/api/jobs/${id}`)).state;

const completes = (server: ServerProcess, id: number) =>
  until(async () => (await stateOf(server, id)) === 'complete');

let sleeps = 0;

/** A job on the board that runs until the test ends a program of it. */
async function held({ server, worker }: Kind, device: string) {
  sleeps += 1;
  const sleep = `sleep ${process.pid}${String(sleeps).padStart(4, '0')}`;
  const commands = [`lava-send begun; ${sleep} || true; lava-send over`];
  const { id } = await server.post('/api/jobs', jobOn(device, ...commands));
  await until(async () => (await processOf(sleep)) !== undefined);
  const end = async () => {
    process.kill((await processOf(sleep)) ?? 0);
    await completes(server, id);
    await worker?.letGo(id);
  };
  return { id, end };
}

/** Boards are namespaces of this machine: it sees what runs in them. */
async function processOf(commandLine: string): Promise<number | undefined> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (text.replaceAll('\0', ' ').trim() === commandLine) return Number(pid);
  }
  return undefined;
}

async function runs(of: Kind, device: string, ...commands: string[]): Promise<number> {
  const { id } = await of.server.post('/api/jobs', jobOn(device, ...commands, 'true'));
  await completes(of.server, id);
  await of.worker?.letGo(id);
  return id;
}

const rejection = async ({ server }: Kind, device: string) => {
  const { id } = await server.post('/api/jobs', jobOn(device, 'true'));
  const { state, reason } = await server.get<JobView>(`/api/jobs/${id}`);
  return [state, reason];
};

const deviceOf = ({ server }: Kind, name: string) =>
  server.get<{ type: string; tags: string[]; driver: string }>(`/api/devices/${name}`);

describe.each([
  ['a server', onServer],
  ['a worker', onWorker],
])('%s that reads its lab file again', { timeout: 90_000 }, (_, start) => {
  it('has the boards that were added, and not those that were removed', async () => {
    const of = await start(TWO);
    await of.write(labOf({ panda03: {}, panda02: {} }));
    expect(await of.reload()).toEqual({
      ...{ exit: 0, err: '' },
      out: '2 boards; new: panda03; gone: panda01\n',
    });
    await runs(of, 'panda03');
    expect(await rejection(of, 'panda01')).toEqual([
      'rejected',
      expect.stringMatching(/panda01 is no longer a board of its worker/),
    ]);
  });

  it('lets a board that was removed finish its job, and gives it no other', async () => {
    const of = await start(TWO);
    const job = await held(of, 'panda01');
    await of.write(labOf({ panda02: {} }));
    expect((await of.reload()).out).toBe(
      '1 board; gone: panda01; when their jobs have ended: panda01\n',
    );
    const waits = await of.server.post('/api/jobs', jobOn('panda01', 'true'));
    await runs(of, 'panda02');
    await job.end();
    expect(await of.server.get(`/api/jobs/${waits.id}/why`)).toMatchObject({
      reason: expect.stringMatching(/no longer a board of its worker/),
    });
    await of.server.post(`/api/jobs/${waits.id}/cancel`, { reason: 'enough' });
    expect((await rejection(of, 'panda01'))[0]).toBe('rejected');
    await of.write(TWO);
    expect((await of.reload()).out).toBe('2 boards; new: panda01\n');
    await runs(of, 'panda01');
  });

  it('changes the type and tags of a board; a job that has it goes on as it began', async () => {
    const of = await start(TWO);
    const job = await held(of, 'panda01');
    await of.write(labOf({ panda01: { type: 'beagle', tags: ['usb3'] }, panda02: {} }));
    expect((await of.reload()).out).toBe(
      '2 boards; changed: panda01; when their jobs have ended: panda01\n',
    );
    expect(await deviceOf(of, 'panda01')).toMatchObject({ type: 'beagle', tags: ['usb3'] });
    const group = [{ role: 'one', count: 1, device_type: 'beagle', tags: ['usb3'] }];
    const { id } = await of.server.post('/api/jobs', {
      ...jobOn('panda01', 'true'),
      device_group: group,
    });
    expect(await stateOf(of.server, id)).toBe('submitted');
    await job.end();
    await completes(of.server, id);
    await of.worker?.letGo(id);
  });

  it('drives a board by another driver once it is nobody’s', async () => {
    const of = await start(TWO);
    const job = await held(of, 'panda01');
    const board = '{ type: line }\n  panda02: { type: panda }';
    const types =
      "{ panda: {}, line: { driver: console, console: { connect: 'echo no board is here', power_on: 'true', power_off: 'true', silent_seconds: 1 } } }";
    await of.write(`device_types: ${types}\ndevices:\n  panda01: ${board}\n`);
    expect((await of.reload()).out).toContain('changed: panda01');
    expect(await deviceOf(of, 'panda01')).toMatchObject({ driver: 'console' });
    await job.end();
    const { id } = await of.server.post('/api/jobs', jobOn('panda01', 'true'));
    await until(async () => (await stateOf(of.server, id)) === 'failed');
    const { reason } = await of.server.get<JobView>(`/api/jobs/${id}`);
    expect(reason).toMatch(/did not boot/);
    await of.worker?.letGo(id);
  });

  it('has other limits for boards that boot from then on, and for how many are in use', async () => {
    const of = await start(TWO);
    await of.write(`${TWO}limits: { console_bytes: 6000 }\nworker: { job_limit: 1 }\n`);
    expect((await of.reload()).exit).toBe(0);
    const full = await of.server.post('/api/jobs', jobOn('panda01', 'seq 1 100000'));
    await until(async () => (await stateOf(of.server, full.id)) === 'failed');
    expect((await of.server.get<JobView>(`/api/jobs/${full.id}`)).reason).toMatch(
      /more than 6000 bytes on its console/,
    );
    await of.worker?.letGo(full.id);
    const job = await held(of, 'panda01');
    const { id } = await of.server.post('/api/jobs', jobOn('panda02', 'true'));
    const { reason } = await of.server.get<{ reason: string }>(`/api/jobs/${id}/why`);
    expect(reason).toMatch(/limit/);
    await job.end();
    await completes(of.server, id);
    await of.worker?.letGo(id);
  });

  it('changes nothing when the file is wrong, and says where it is', async () => {
    const of = await start(TWO);
    const job = await held(of, 'panda01');
    await of.write(`${TWO}limits:\n  processes: none\n`);
    const { exit, err } = await of.reload();
    expect([exit, err]).toEqual([1, expect.stringMatching(/lab\.yaml:5:14.*processes/s)]);
    of.hangUp();
    await until(async () => /changed nothing: .*lab\.yaml:5:14/s.test(of.output()));
    await runs(of, 'panda02');
    await job.end();
    await runs(of, 'panda01');
  });

  it('refuses another bridge than the one that boards are on', async () => {
    const of = await start(TWO);
    await of.write(`${TWO}bridge: { subnet: 10.99.0.0/24 }\n`);
    expect(await of.reload()).toMatchObject({
      exit: 1,
      err: expect.stringMatching(/bridge.*restart/s),
    });
  });

  it('does so on SIGHUP too, and says what has changed', async () => {
    const of = await start(TWO);
    await of.write(labOf({ panda01: {}, panda02: {}, panda03: {} }));
    of.hangUp();
    await until(async () => of.output().includes('3 boards; new: panda03'));
    await runs(of, 'panda03');
  });

  it('finds boards that run where they were when it is killed after that', async () => {
    const of = await start(labOf({ panda02: {} }));
    const job = await held(of, 'panda02');
    await of.write(labOf({ panda01: {}, panda02: {} }));
    expect((await of.reload()).exit).toBe(0);
    await runs(of, 'panda01');
    const process = of.worker ?? of.server;
    await process.end('SIGKILL');
    await process.start();
    await job.end();
    await runs(of, 'panda01');
  });
});

it('a worker that reads of a board of another worker has none of what is new', {
  timeout: 90_000,
}, async () => {
  const of = await onWorker(labOf({ panda01: {} }));
  const other = await WorkerProcess.make(of.server, { name: 'lab3', lab: labOf({ panda03: {} }) });
  onTestFinished(() => other.remove());
  await other.start();
  await of.write(labOf({ panda01: {}, panda02: {}, panda03: {} }));
  expect(await of.reload()).toMatchObject({
    exit: 1,
    err: expect.stringMatching(/panda03 is a board of worker lab3, which is here/),
  });
  expect((await rejection(of, 'panda02'))[0]).toBe('rejected');
  await runs(of, 'panda01');
  // Once the other one has given it up, it may.
  await writeFile(other.labFile, labOf({ panda04: {} }));
  const url = ['--url', of.server.url];
  expect((await here(['lab', 'reload', 'lab3', ...url])).exit).toBe(0);
  expect(await of.reload()).toMatchObject({ exit: 0, out: expect.stringContaining('panda03') });
  await runs(of, 'panda03');
});

it('a worker that is away, or that nobody knows, is not reloaded, and a server without boards neither', async () => {
  const of = await onWorker(TWO);
  const reload = (...words: string[]) =>
    here(['lab', 'reload', ...words, '--url', of.server.url], { columns: 200 });
  expect(await reload()).toMatchObject({ exit: 1, err: expect.stringMatching(/without --lab/) });
  expect(await reload('lab9')).toMatchObject({
    exit: 1,
    err: expect.stringMatching(/no worker lab9/),
  });
  await of.worker?.end('SIGTERM');
  await until(async () => /no line to this server \(it is away\)/.test((await reload('lab2')).err));
});

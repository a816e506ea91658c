/** A worker reads its lab's file again, beside other workers and without its server. */
import { writeFile } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { here } from '../cli/fake-server.ts';
import { describeReload, labOf, onWorker, rejection, runs, TWO } from './reload.ts';
import { until, WorkerProcess } from './worker-process.ts';

describeReload('a worker', onWorker);

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

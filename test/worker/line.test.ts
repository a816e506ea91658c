/** A worker's line: what is asked is answered once, whatever becomes of the connection. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RecordedEvent } from '../../machines/events.ts';
import { Refusal } from '../../worker/line.ts';
import { type BareServer, bareServer, lineTo } from './bare-server.ts';

const JOB = {
  timeout: 300,
  job_name: 'far',
  device_group: [{ role: 'one', count: 1, device: 'panda01' }],
  actions: [{ command: 'lava_command_run', parameters: { commands: ['true'] } }],
};

/** Passes everything on, and when it is told to, so many bytes more in one direction, and then cuts. */
async function cutter(target: number) {
  let left: { up: number; down: number } | undefined;
  const server = createServer((client) => {
    const there = connect(target, '127.0.0.1');
    const end = () => {
      client.destroy();
      there.destroy();
    };
    const pass = (way: 'up' | 'down', to: typeof client) => (bytes: Buffer) => {
      if (left === undefined) return void to.write(bytes);
      const part = bytes.subarray(0, left[way]);
      left[way] -= part.length;
      if (part.length > 0) to.write(part);
      if (left[way] > 0 || part.length === bytes.length) return;
      left = undefined;
      // What was passed on is to arrive, half a frame too.
      setImmediate(end);
    };
    client.on('data', pass('up', there)).on('close', end).on('error', end);
    there.on('data', pass('down', client)).on('close', end).on('error', end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutAfter(way: 'up' | 'down', bytes: number) {
      const all = Number.MAX_SAFE_INTEGER;
      left = { up: all, down: all, [way]: bytes };
    },
  };
}

/** A member of a job on the line's board, in the middle of a suite. */
async function inASuite(server: BareServer, line: ReturnType<typeof lineTo>['line']) {
  const answer = await fetch(`${server.url}/api/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(JOB),
  });
  const { id } = (await answer.json()) as { id: number };
  const member = 'panda01';
  let key = 0;
  const report = (command: object) =>
    line.ask('report', { job: id, command: { member, ...command } as never, key: `k${++key}` });
  for (;;) if ((await line.ask('owed', {})).owed.length > 0) break;
  await report({ type: 'StartBoot' });
  await report({ type: 'ConfirmBoot' });
  await report({ type: 'StartAction', action: 0 });
  await report({ type: 'StartSuite', suite: '0_x' });
  return { id, report };
}

const casesOf = (events: readonly RecordedEvent[]) =>
  events.flatMap((event) => (event.type === 'ResultRecorded' ? [event.data.case] : []));

describe('a line that is cut', () => {
  it.each(['up', 'down'] as const)(
    'after every byte of a frame that goes %s loses nothing and repeats nothing',
    { timeout: 120_000 },
    async (way) => {
      const server = await bareServer();
      const proxy = await cutter(Number(new URL(server.url).port));
      const { line, next } = lineTo([proxy.url], { token: await server.token() });
      const up = next();
      line.start();
      await up;
      const { id, report } = await inASuite(server, line);
      // A frame of a report has fewer bytes than that, and its answer too.
      const frame = way === 'up' ? 170 : 24;
      const cases: string[] = [];
      for (let bytes = 0; bytes <= frame; bytes++) {
        const name = `cut-after-${String(bytes).padStart(3, '0')}`;
        cases.push(name);
        proxy.cutAfter(way, bytes);
        await report({ type: 'RecordResult', case: name, result: 'pass' });
      }
      expect(casesOf(await server.events(id))).toEqual(cases);
    },
  );
});

it('what is asked while there is no line is asked on the next one, in order', async () => {
  const server = await bareServer();
  const { line, next } = lineTo([server.url], { token: await server.token() });
  let up = next();
  line.start();
  await up;
  const { id, report } = await inASuite(server, line);
  const port = Number(new URL(server.url).port);
  up = next();
  await server.stop();
  const cases = Array.from({ length: 20 }, (_, n) => `case-${n}`);
  const reports = cases.map((name) => report({ type: 'RecordResult', case: name, result: 'pass' }));
  const later = await server.again(port);
  await up;
  await Promise.all(reports);
  expect(casesOf(await later.events(id))).toEqual(cases);
});

it('speaks for its own boards alone', async () => {
  const server = await bareServer();
  const first = lineTo([server.url], { token: await server.token() });
  let up = first.next();
  first.line.start();
  await up;
  const { id } = await inASuite(server, first.line);
  const other = lineTo([server.url], { token: await server.token('lab3'), boards: ['panda03'] });
  up = other.next();
  other.line.start();
  await up;
  const device = 'panda01';
  const about = { job: id, device };
  const command = { type: 'FailMember', member: device, reason: 'mine' } as const;
  const body = { text: 'x' };
  const asked = [
    () => other.line.ask('report', { job: id, command, key: 'k' }),
    () => other.line.ask('ended', about),
    () => other.line.ask('console', { ...about, at: 0, body, times: [], clock: 0 }),
    () => other.line.ask('console-end', { ...about, size: 0 }),
    () =>
      other.line.ask('board', {
        ...{ ...about, method: 'POST', url: '/board/v1/send', body, console: 0, set: {} },
      }),
  ];
  for (const ask of asked) {
    const refused = await ask().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Refusal);
    expect((refused as Refusal).code).toBe('no-such-member');
  }
  expect((await other.line.ask('owed', {})).owed).toEqual([]);
});

it('a worker that is drained has no new jobs, and those that it has go on', async () => {
  const server = await bareServer();
  const { line, next } = lineTo([server.url], {
    token: await server.token(),
    boards: ['panda01', 'panda02'],
  });
  const up = next();
  line.start();
  await up;
  const { id, report } = await inASuite(server, line);
  const by = { actor: 'test' };
  const drain = { type: 'DrainWorker', reason: 'a new power supply' } as const;
  await server.engine.changeWorker('lab2', drain, by);
  const body = JSON.stringify(JOB).replace('panda01', 'panda02');
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${server.url}/api/jobs`, { method: 'POST', headers, body });
  const { id: waits } = (await answer.json()) as { id: number };
  await report({ type: 'RecordResult', case: 'goes-on', result: 'pass' });
  expect(casesOf(await server.events(id))).toEqual(['goes-on']);
  const why = await (await fetch(`${server.url}/api/jobs/${waits}/why`)).json();
  expect(JSON.stringify(why)).toContain('lab2 takes no new jobs: a new power supply');
  await server.engine.changeWorker('lab2', { type: 'UndrainWorker' }, by);
  for (;;) if ((await line.ask('owed', {})).owed.some(({ job }) => job === waits)) break;
});

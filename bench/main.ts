/**
 * `npm run bench`: appends a second, and the latency of a barrier (last arrival to all released) over real HTTP on
 * the sqlite store. The peer in the same run is the disk itself: one write with fdatasync.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { buildBoardApp } from '../api/board-app.ts';
import { memberToken } from '../api/tokens.ts';
import { Engine } from '../engine/engine.ts';
import type { NewEvent } from '../machines/events.ts';
import { memoryCheckpoints } from '../store/checkpoints.ts';
import { openSqliteStore } from '../store/sqlite.ts';

const GROUPS = [2, 8, 32, 128];
const ROUNDS = 60;
const APPENDS = 2_000;
const secret = Buffer.alloc(32, 7);
const log = pino({ level: 'silent' });
const say = (line: string) => process.stdout.write(`${line}\n`);

function quantile(times: readonly number[], q: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
}
const ms = (n: number) => `${n.toFixed(2)} ms`;

/** Median of a 4 KiB write with fdatasync, in milliseconds. */
function diskMs(folder: string): number {
  const file = openSync(join(folder, 'disk'), 'w');
  const block = Buffer.alloc(4096, 1);
  const times = Array.from({ length: 200 }, () => {
    const from = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return performance.now() - from;
  });
  closeSync(file);
  return quantile(times, 0.5);
}

const message = (stream: string): NewEvent => ({
  id: crypto.randomUUID(),
  type: 'MessageSent',
  data: {
    member: 'panda01',
    verb: 'send',
    message: 'ready',
    count: 1,
    pairs: [['ip', '10.1.2.3']],
  },
  meta: { at: 0, actor: 'board:panda01', causationId: crypto.randomUUID(), correlationId: stream },
});

async function appends(folder: string, disk: number): Promise<void> {
  const store = await openSqliteStore({ file: join(folder, 'appends.db') });
  for (const lanes of [1, 16, 64]) {
    const from = performance.now();
    await Promise.all(
      Array.from({ length: lanes }, async (_, lane) => {
        const stream = `job-${lanes * 1000 + lane}`;
        for (let i = 0; i < APPENDS / lanes; i++) await store.append(stream, i, [message(stream)]);
      }),
    );
    const rate = (APPENDS / (performance.now() - from)) * 1000;
    const ratio = (rate * disk) / 1000;
    say(
      `appends, ${String(lanes).padStart(2)} in flight: ${Math.round(rate)}/s, ${ratio.toFixed(2)} x the disk's fdatasyncs a second`,
    );
  }
  await store.close();
}

/** One board's request; resolves with the first line of the answer. */
function ask(
  agent: Agent,
  port: number,
  token: string,
  verb: string,
  words: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/x-muster-words',
      'muster-key': crypto.randomUUID(),
      'content-length': Buffer.byteLength(words),
    };
    const path = `/board/v1/${verb}`;
    const call = request(
      { agent, host: '127.0.0.1', port, path, method: 'POST', headers },
      (answer) => {
        let text = '';
        answer.on('data', (bytes) => {
          text += bytes;
        });
        answer.on('end', () => resolve(text.split('\n')[0] ?? ''));
      },
    );
    call.on('error', reject);
    call.end(words);
  });
}

async function barrier(folder: string, members: number, disk: number): Promise<void> {
  const store = await openSqliteStore({ file: join(folder, `barrier-${members}.db`) });
  const engine = new Engine({ store, checkpoints: memoryCheckpoints() });
  await engine.start();
  const boards = Array.from({ length: members }, (_, i) => `board${String(i).padStart(3, '0')}`);
  await engine.connectWorker(
    'bench',
    boards.map((device) => ({ device, deviceType: 'x', tags: [], driver: 'local' })),
  );
  const definition = {
    name: 'barrier',
    form: 'json' as const,
    countsSelf: false,
    priority: 50,
    timeoutSeconds: 3600,
    onUnreachable: 'fail' as const,
    unreachableGraceSeconds: 30,
    roles: [{ role: 'peer', count: members, deviceType: 'x', tags: [] }],
    actions: [
      {
        command: 'lava_command_run' as const,
        roles: null,
        timeoutSeconds: 3600,
        parameters: { commands: ['true'] },
      },
    ],
  };
  const { id } = await engine.submit({ definition, document: '' }, { actor: 'user:bench' });
  while ((await engine.job(id))?.state !== 'allocated') await new Promise(setImmediate);
  for (const member of boards) {
    await engine.member(id, { type: 'StartBoot', member }, { actor: 'worker:bench' });
    await engine.member(id, { type: 'ConfirmBoot', member }, { actor: 'worker:bench' });
  }
  const app = await buildBoardApp({ engine, secret, consoleSize: () => 0, log });
  const port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port);
  const agent = new Agent({ keepAlive: true, maxSockets: members });
  const tokens = boards.map((device) => memberToken(secret, id, device));
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const early = tokens.slice(1).map((token) => ask(agent, port, token, 'sync', 'go\n'));
    while (engine.heldWaits < members - 1) await new Promise(setImmediate);
    const from = performance.now();
    const all = await Promise.all([...early, ask(agent, port, tokens[0] ?? '', 'sync', 'go\n')]);
    times.push(performance.now() - from);
    if (!all.every((line) => line.startsWith('ok'))) throw new Error(`not released: ${all.join()}`);
  }
  const median = quantile(times, 0.5);
  say(
    `barrier, ${String(members).padStart(3)} members: median ${ms(median)}, p99 ${ms(quantile(times, 0.99))}, ${(median / disk).toFixed(1)} x one fdatasync`,
  );
  agent.destroy();
  await app.close();
  await engine.stop();
  await store.close();
}

const folder = await mkdtemp(join(tmpdir(), 'muster-bench-'));
try {
  const disk = diskMs(folder);
  say(
    `node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}; one 4 KiB write with fdatasync: median ${ms(disk)}`,
  );
  await appends(folder, disk);
  for (const members of GROUPS) await barrier(folder, members, disk);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/**
 * Boards behind workers beside boards of the server itself: what a verb takes, and what it costs a server when 2,000
 * members wait. The boards are simulated: at the workers' lines, and for the server's own at its boards' door.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { MemberCommand } from '../machines/commands.ts';
import { BoardDoor, boardToken } from '../worker/board-door.ts';
import type { Line } from '../worker/line.ts';
import { median, ms, quantile, table } from './figures.ts';
import { startMuster } from './muster-process.ts';
import { Pipe, readHttp } from './peers/pipe.ts';
import { openLine, sayBehind } from './peers/worker-line.ts';

const GROUP = 10;
const SENDS = 500;
const UNDER_LOAD_SENDS = 200;
const WATCHED_MS = 20_000;
const HELD_MS = 20_000;
const TICKS_PER_SECOND = 100;
const SHAPES = [
  { workers: 1, boards: 200 },
  { workers: 20, boards: 100 },
];

const secret = Buffer.alloc(32, 7);

/** One way for boards to speak, and the process of the server that hears them. */
interface Lab {
  pid: number;
  /** A verb of a member, by its number; resolves with its answer. */
  say(member: number, verb: string, ...words: string[]): Promise<string>;
  /** A report of its worker; absent: none lives here. */
  report?(member: number): Promise<unknown>;
  stop(): Promise<unknown>;
}

export async function workersTable(
  newFolder: () => Promise<string>,
  say: (line: string) => void,
): Promise<string> {
  const verbs: string[][] = [];
  for (const [name, open] of [
    ['of the server, at its door', () => directLab(newFolder, GROUP)],
    ['behind a worker, at the worker’s door', () => doorLab(newFolder)],
  ] as const) {
    const lab = await open();
    const taken = await sendsOf(lab, 0, SENDS);
    verbs.push([name, ms(median(taken)), ms(quantile(taken, 0.99))]);
    await lab.stop();
  }
  const loads: string[][] = [];
  for (const { workers, boards } of SHAPES)
    for (const [name, open] of [
      ['of the server', () => directLab(newFolder, workers * boards)],
      [`${workers} x ${boards} behind workers`, () => lineLab(newFolder, workers, boards)],
    ] as const) {
      const members = workers * boards;
      const row = await loadOf(await open(), members);
      loads.push([`${members} ${name}`, ...row]);
      say(`${members} ${name}: ${row.join('  ')}  (load ${loadavg()[0]?.toFixed(1)})`);
    }
  return [
    table(['lava-send of a board', 'median ms', 'p99 ms'], verbs),
    table(
      [
        'members in waits',
        'CPU of the server, %',
        'memory, MB',
        'a verb, median ms',
        'p99',
        'a report, median ms',
        'p99',
      ],
      loads,
    ),
  ].join('\n\n');
}

/** All but the first member of each group wait; what that costs, and how long verbs and reports take meanwhile. */
async function loadOf(lab: Lab, members: number): Promise<string[]> {
  let isOver = false;
  const wait = async (member: number) => {
    while (!isOver) await lab.say(member, 'wait', 'never').catch(() => undefined);
  };
  for (let member = 0; member < members; member += 1) if (member % GROUP > 0) void wait(member);
  await delay(HELD_MS / 4);
  const before = cpuSeconds(lab.pid);
  await delay(WATCHED_MS);
  const cpu = ((cpuSeconds(lab.pid) - before) / (WATCHED_MS / 1000)) * 100;
  const memory = residentMb(lab.pid);
  const sends = await sendsOf(lab, 0, UNDER_LOAD_SENDS);
  const reports: number[] = [];
  for (let n = 0; lab.report !== undefined && n < UNDER_LOAD_SENDS; n += 1) {
    const from = performance.now();
    await lab.report(0);
    reports.push(performance.now() - from);
  }
  isOver = true;
  await lab.stop();
  return [
    cpu.toFixed(1),
    memory.toFixed(0),
    ms(median(sends)),
    ms(quantile(sends, 0.99)),
    ms(median(reports)),
    ms(quantile(reports, 0.99)),
  ];
}

async function sendsOf(lab: Lab, member: number, count: number): Promise<number[]> {
  for (let n = 0; n < count / 5; n += 1) await lab.say(member, 'send', 'warm');
  const taken: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const from = performance.now();
    await lab.say(member, 'send', 'ready', 'ip=10.1.2.3');
    taken.push(performance.now() - from);
  }
  return taken;
}

/** Boards of the server itself, each with a connection of its own. */
async function directLab(newFolder: () => Promise<string>, members: number): Promise<Lab> {
  const sizes = Array.from({ length: members / GROUP }, () => GROUP);
  const muster = await startMuster({ folder: await newFolder(), sizes, heldMsMax: HELD_MS });
  const tokens = muster.groups.flat().map(({ token }) => token);
  const pipes = await Promise.all(tokens.map(() => Pipe.open(muster.port, readHttp)));
  return {
    pid: muster.pid,
    say: (member, verb, ...words) => ask(pipes[member], tokens[member] ?? '', verb, words),
    async stop() {
      for (const pipe of pipes) pipe.close();
      await muster.stop();
    },
  };
}

function ask(pipe: Pipe<string> | undefined, token: string, verb: string, words: string[]) {
  const body = words.map((word) => `${word}\n`).join('');
  const head = [
    `POST /board/v1/${verb} HTTP/1.1`,
    'host: muster',
    `authorization: Bearer ${token}`,
    'content-type: application/x-muster-words',
    `muster-key: ${randomUUID()}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return (pipe as Pipe<string>).ask(`${head.join('\r\n')}\r\n\r\n${body}`);
}

interface Member {
  line: Line;
  job: number;
  device: string;
}

/** A whole server in a process of its own, and lines of workers whose boards have booted. */
async function lineLab(
  newFolder: () => Promise<string>,
  workers: number,
  boards: number,
): Promise<Lab & { members: Member[] }> {
  const server = await serve(await newFolder());
  const names = Array.from({ length: workers }, (_, at) => `w${at}`);
  const lines = await Promise.all(names.map((name) => lineOf(server.url, name, boards)));
  const groups = (workers * boards) / GROUP;
  await Promise.all(Array.from({ length: groups }, () => submit(server.url)));
  const members = (await Promise.all(lines.map((line) => booted(line, boards)))).flat();
  members.sort((a, b) => a.job - b.job);
  const one = (at: number): Member => members[at] as Member;
  let reports = 0;
  return {
    ...{ pid: server.child.pid ?? 0, members },
    say(at, verb, ...words) {
      const member = one(at);
      return sayBehind(member.line, member, verb, words);
    },
    report(at) {
      const { line, job, device: member } = one(at);
      reports += 1;
      const command = { type: 'RecordResult', member, case: 'x', result: 'pass' } as const;
      return line.ask('report', { job, command, key: `r${reports}` });
    },
    async stop() {
      await Promise.all(lines.map((line) => line.stop()));
      const gone = once(server.child, 'exit');
      server.child.kill('SIGTERM');
      await gone;
    },
  };
}

/** A board that asks its worker over HTTP, which asks the server. */
async function doorLab(newFolder: () => Promise<string>): Promise<Lab> {
  const lab = await lineLab(newFolder, 1, GROUP);
  const [member] = lab.members;
  if (member === undefined) throw new Error('the worker has no member');
  const door = new BoardDoor({ secret, dataDir: await newFolder(), line: member.line });
  const url = await door.listen('127.0.0.1', 0);
  const pipe = await Pipe.open(Number(new URL(url).port), readHttp);
  const token = boardToken(secret, member.job, member.device);
  return {
    ...lab,
    say: (_, verb, ...words) => ask(pipe, token, verb, words),
    async stop() {
      pipe.close();
      await door.close();
      await lab.stop();
    },
  };
}

async function serve(folder: string): Promise<{ child: ChildProcess; url: string }> {
  const main = new URL('../cli/main.js', import.meta.url).pathname;
  const words = [main, 'serve', '--data', folder, '--listen', '127.0.0.1:0'];
  const child = spawn(process.execPath, ['--max-semi-space-size=64', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const part of child.stdout as AsyncIterable<Buffer>) {
    said += part;
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
    if (url !== undefined) return { child, url };
  }
  throw new Error('the server ended');
}

async function lineOf(url: string, name: string, boards: number): Promise<Line> {
  const answer = await fetch(`${url}/api/workers/${name}/token`, { method: 'POST' });
  const { token } = (await answer.json()) as { token: string };
  const announced = Array.from({ length: boards }, (_, at) => ({
    ...{ device: `${name}-b${at}`, deviceType: 'qa', tags: [], driver: 'local' },
  }));
  return openLine({ url, token, instance: randomUUID(), boards: announced });
}

async function submit(url: string): Promise<void> {
  const body = JSON.stringify({
    timeout: 24 * 3600,
    job_name: 'bench',
    device_group: [{ role: 'peer', count: GROUP, device_type: 'qa' }],
    actions: [{ command: 'lava_command_run', parameters: { commands: ['true'] } }],
  });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/api/jobs`, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(await answer.text());
}

/** Boots what is owed to all boards of a line, and begins their suites. */
async function booted(line: Line, boards: number): Promise<Member[]> {
  let { owed } = await line.ask('owed', {});
  while (owed.length < boards) {
    await delay(50);
    owed = (await line.ask('owed', {})).owed;
  }
  return Promise.all(
    owed.map(async ({ job, device }) => {
      const steps: MemberCommand[] = [
        { type: 'StartBoot', member: device },
        { type: 'ConfirmBoot', member: device },
        { type: 'StartAction', member: device, action: 0 },
        { type: 'StartSuite', member: device, suite: '0_x' },
      ];
      for (const command of steps)
        await line.ask('report', { job, command, key: `${job}.${device}.${command.type}` });
      return { line, job, device };
    }),
  );
}

/** User and system time of a process, of all its threads. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function residentMb(pid: number): number {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kb) / 1024;
}

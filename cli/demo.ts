/**
 * `npm run demo`: the seed's four examples as four jobs on six boards, live, with a summary at the end. The boards are
 * local ones, or with `--boards qemu` a QEMU each; with `--worker` they are behind a worker that shares nothing with the
 * server but their line.
 * Exit status 0 only if all four completed and every case in them passed.
 */
import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { fetchKernel } from '../dispatcher/debian-kernel.ts';
import { jobOf } from '../machines/names.ts';
import { measuredText } from '../projections/result-words.ts';
import { narrator } from '../projections/timeline.ts';
import type { BarrierView, CaseView, JobView } from '../projections/views.ts';
import { packageRoot } from '../server/package-root.ts';
import { ServerRefused } from '../server/refused.ts';
import { type RunningServer, startServer } from '../server/server.ts';
import { StoreRefused } from '../store/port.ts';
import { ensurePrograms, type Need } from './debian-programs.ts';
import { type DemoWorker, filesIn, settled, startApart, workersData } from './demo-apart.ts';
import { withRepository } from './examples.ts';
import { hang, hangLines } from './pages/text.ts';
import { plainLog } from './plain-log.ts';

const EXAMPLES = ['example1.json', 'example2.json', 'example3.json', 'example4.json'];
const DEFAULT_PORT = 7077;
const COLUMNS_DEFAULT = 80;
const columns = process.stdout.columns ?? COLUMNS_DEFAULT;
const write = (text: string) => process.stdout.write(text);
const say = (line: string) => write(`${line}\n`);
/** `head` once, then the text beside it, as wide as the terminal. */
const sayBeside = (head: string, text: string) => write(hang(head, text, columns));

/** The boards to choose from: their lab's file, and what they need of this machine. */
const LABS = new Map<string, { lab: string; needs: Need[]; ready(): Promise<unknown> }>([
  ['local', { lab: 'lab.yaml', needs: [], ready: async () => undefined }],
  [
    'qemu',
    {
      lab: 'lab-qemu.yaml',
      needs: [
        ['qemu-system-x86_64', 'qemu-system-x86'],
        ['busybox', 'busybox-static'],
        ['cpio', 'cpio'],
      ],
      ready: () => fetchKernel('x86_64', say),
    },
  ],
]);

/** Events that a person follows; the others only matter to whoever looks closer. */
const shown = /^(Job|Action|Member|Wait|Message|RequestRefused|ResultRecorded)/;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean' },
      data: { type: 'string' },
      boards: { type: 'string', default: 'local' },
      worker: { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  });
  const boards = LABS.get(values.boards);
  if (values.help || boards === undefined) {
    say(
      'npm run demo [-- --once] [-- --data DIR] [-- --boards local|qemu] [-- --worker]\n\n' +
        'Runs the four examples on six boards: namespaces of this machine, or a QEMU each; with --worker behind a ' +
        'worker that shares nothing with the server but their line.',
    );
    return values.help ? 0 : 2;
  }
  const lacking = await ensurePrograms(
    [['git', 'git'], ['ip', 'iproute2'], ['iperf', 'iperf'], ['curl', 'curl'], ...boards.needs],
    say,
  );
  if (lacking !== undefined) {
    say(`The examples need programs from Debian. Run this, then again:\n  ${lacking}`);
    return 2;
  }
  await boards.ready();
  const dataDir = resolve(values.data ?? 'muster-data');
  const place = values.worker ? apart(dataDir) : together(dataDir);
  const server = await start(place, boards.lab);
  let worker: DemoWorker | undefined;
  let ended = false;
  const stop = async () => {
    if (ended) return;
    ended = true;
    await worker?.stop();
    await server.stop({ killBoards: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      say(`\n${signal}: stopping`);
      void stop().then(() => process.exit(130));
    });
  const run = async () => {
    if (values.worker) worker = await startWorker(server, place, boards.lab);
    return runExamples(server, place.boards);
  };
  const good = await run().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  if (values.worker) await showFolders(place);
  if (process.stdout.isTTY && !values.once) {
    sayBeside('', `\nThe server stays up, with the lab on a page: ${server.url}/`);
    say(`Its API is documented at ${server.url}/docs. Ctrl-C ends it.`);
    await new Promise(() => {});
  }
  await stop();
  return good ? 0 : 1;
}

/** The folders of the server and of whoever drives the boards: what jobs read lies with the boards. */
interface Place {
  server: string;
  boards: string;
}

const together = (dataDir: string): Place => ({ server: dataDir, boards: dataDir });
const apart = (dataDir: string): Place => ({
  server: join(dataDir, 'server'),
  boards: join(dataDir, 'worker'),
});

async function start(place: Place, lab: string): Promise<RunningServer> {
  const isOne = place.server === place.boards;
  const options = {
    dataDir: place.server,
    host: '127.0.0.1',
    ...(isOne && {
      labFile: join(packageRoot, 'examples', lab),
      allowFiles: [repositoryIn(place.boards)],
    }),
    log: plainLog((text) => process.stderr.write(text), columns),
  };
  const server = await startServer({ ...options, port: DEFAULT_PORT }).catch((error: unknown) => {
    if (!(error instanceof ServerRefused) || !error.message.includes('taken')) throw error;
    return startServer({ ...options, port: 0 });
  });
  const boards = isOne ? `${server.boardCount} boards (${server.boards})` : 'no boards of its own';
  sayBeside('', `server ${server.url}, log in ${place.server}, ${boards}`);
  return server;
}

async function startWorker(server: RunningServer, place: Place, lab: string): Promise<DemoWorker> {
  const worker = await startApart(server, {
    folder: place.boards,
    labFile: join(packageRoot, 'examples', lab),
    allowFiles: repositoryIn(place.boards),
  });
  const boards = `${worker.boardCount} boards (${worker.boards})`;
  sayBeside('', `worker lab2, a process of its own in ${place.boards}, ${boards}`);
  return worker;
}

async function showFolders(place: Place): Promise<void> {
  const folder = workersData(place.boards);
  await settled({ folder });
  say('\nThe two share no file; what boards printed and ran came over the line.');
  sayBeside('  the server has  ', (await filesIn(place.server)).join('  '));
  sayBeside('  the worker has  ', (await filesIn(folder)).join('  '));
}

const repositoryIn = (dataDir: string): string => join(dataDir, 'examples.git');

/** The examples' test definitions and scripts as the git repository that the boards' jobs name. */
async function makeRepository(dataDir: string): Promise<string> {
  const work = join(dataDir, 'examples.work');
  const repository = repositoryIn(dataDir);
  for (const folder of [work, repository]) await rm(folder, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  await cp(join(packageRoot, 'examples', 'tests'), work, { recursive: true });
  const git = (...words: string[]) => execa('git', words, { cwd: work });
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '--all');
  const who = ['-c', 'user.name=muster', '-c', 'user.email=muster@localhost'];
  await git(
    ...who,
    'commit',
    '--quiet',
    '--message',
    'The examples of the Multi-Node LAVA document',
  );
  await git('clone', '--quiet', '--bare', work, repository);
  await rm(work, { recursive: true });
  return repository;
}

/** Submits all four at once, follows them to their end, and sums up. */
async function runExamples(server: RunningServer, dataDir: string): Promise<boolean> {
  const repository = await makeRepository(dataDir);
  const ids: number[] = [];
  const left = new Set<number>();
  let finished = () => {};
  const allOver = new Promise<void>((done) => {
    finished = done;
  });
  const tell = narrator();
  const head = await server.engine.head();
  const began = server.engine.now();
  const following = server.engine.follow(head, (events) => {
    for (const event of events) {
      const job = jobOf(event.stream);
      if (job === undefined) continue;
      const { lines } = tell(event);
      const seconds = ((event.meta.at - began) / 1000).toFixed(1).padStart(6);
      if (shown.test(event.type))
        write(hangLines(`${seconds} s  ${event.stream.padEnd(7)} `, lines, columns));
      if (!/^Job(Rejected|Completed|Failed|TimedOut|Cancelled)$/.test(event.type)) continue;
      left.delete(job);
      if (ids.length === EXAMPLES.length && left.size === 0) finished();
    }
  });
  for (const file of EXAMPLES) {
    const text = await readFile(join(packageRoot, 'examples', file), 'utf8');
    const response = await fetch(`${server.url}/api/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: withRepository(text, repository),
    });
    if (!response.ok) throw new Error(`${file}: ${await response.text()}`);
    const { id } = (await response.json()) as { id: number };
    left.add(id);
    ids.push(id);
  }
  for (const id of ids) {
    const state = (await server.engine.job(id))?.endedAt;
    if (state !== null && state !== undefined) left.delete(id);
  }
  if (left.size > 0) await allOver;
  await following.stop();
  const good: boolean[] = [];
  for (const id of ids) good.push(await summary(server.url, id));
  const wrong = good.filter((g) => !g).length;
  say(
    wrong === 0
      ? '\nAll four examples completed, and every case passed.'
      : `\n${wrong} of four examples did not pass.`,
  );
  return wrong === 0;
}

async function get<T>(url: string): Promise<T> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${await response.text()}`);
  return (await response.json()) as T;
}

/** One job for a person: members, barriers with who came when, results. Returns whether all of it is good. */
async function summary(base: string, id: number): Promise<boolean> {
  const url = `${base}/api/jobs/${id}`;
  const job = await get<JobView>(url);
  const { barriers } = await get<{ barriers: BarrierView[] }>(`${url}/barriers`);
  const { cases } = await get<{ cases: CaseView[] }>(`${url}/results`);
  const start = Date.parse(job.allocatedAt ?? job.submittedAt);
  const after = (at: string) => `${((Date.parse(at) - start) / 1000).toFixed(2)} s`;
  const took = job.endedAt === undefined ? '' : ` after ${after(job.endedAt)}`;
  say('');
  const why = job.reason ? `: ${job.reason}` : '';
  write(hangLines(`job ${id}  `, `${job.name}: ${job.state}${took}${why}`.split('\n'), columns));
  for (const m of job.members)
    write(
      hangLines(
        `  ${m.device.padEnd(12)} ${m.role.padEnd(8)} `,
        `${m.state}${m.reason ? `: ${m.reason}` : ''}`.split('\n'),
        columns,
      ),
    );
  for (const b of barriers) {
    const name = `lava-${b.verb} ${b.id}${b.role ? ` ${b.role}` : ''}${b.round > 1 ? ` #${b.round}` : ''}`;
    const order = b.arrivals.map((a) => `${a.member} ${after(a.at)}`).join(', ');
    const last = b.arrivals.length > 1 ? `; last ${b.last}` : '';
    const state = b.released ? '' : ` NOT RELEASED, missing ${b.missing.join(', ')}`;
    sayBeside('  ', `${name}: ${order || 'nobody'}${last}${state}`);
  }
  for (const c of cases) {
    const measured = c.measurement === undefined ? '' : `  ${measuredText(c)}`;
    sayBeside(
      `  ${c.result.padEnd(7)} ${c.device.padEnd(12)} `,
      `${c.suite}  ${c.case}${measured}`,
    );
  }
  return job.state === 'complete' && cases.every((c) => !c.counts || c.result === 'pass');
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    const known = error instanceof ServerRefused || error instanceof StoreRefused;
    process.stderr.write(
      `muster demo: ${known ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
    );
    process.exit(2);
  },
);

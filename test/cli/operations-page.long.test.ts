/** docs/operations.md: its commands are run as they stand there, and what it quotes is what the product says. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { PastLab } from '../../bench/past-jobs.ts';
import { archiveJobs } from '../../store/archive/archive.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite.ts';
import { startStandIn } from '../store/eventstore-grpc-server.ts';

const page = readFileSync('docs/operations.md', 'utf8');
const JOBS = 12;
const JANUARY = Date.UTC(2026, 0, 15);

const section = (title: string): string =>
  page.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
const blocks = (title: string): string[] =>
  [...section(title).matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block ?? '');

const sources = ['api', 'cli', 'dispatcher', 'engine', 'machines', 'server', 'store', 'wire']
  .flatMap((room) =>
    readdirSync(room, { recursive: true, encoding: 'utf8' }).map((name) => join(room, name)),
  )
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n')
  // A sentence of the product may go over several strings of its source.
  .replaceAll(/['"`] \+\n\s*['"`]/g, '');

/** Its `muster` is the command line; a server ends once it has begun. */
const MUSTER = `#!/bin/sh
cd '${process.cwd()}'
run() { exec '${process.execPath}' --import tsx cli/main.ts "$@"; }
[ "$1" = serve ] || run "$@"
run "$@" --listen 127.0.0.1:0 > "$MUSTER_OUT" &
until grep -q docs "$MUSTER_OUT"; do kill -0 $! || exit 1; sleep 0.1; done
kill $! && wait $!
`;

async function shell(script: string, dir: string) {
  const bin = join(dir, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'muster'), MUSTER, { mode: 0o755 });
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, MUSTER_OUT: join(dir, 'out') };
  const sh = spawn('/bin/sh', ['-ec', script], { cwd: dir, env });
  let said = '';
  sh.stdout.on('data', (text) => {
    said += text;
  });
  sh.stderr.on('data', (text) => {
    said += text;
  });
  const [exit] = await once(sh, 'close');
  return { exit, said };
}

/** A data folder with finished jobs, and folders for all that the page names. */
async function lab() {
  const dir = mkdtempSync(join(tmpdir(), 'muster-page-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'data'), { mode: 0o700 });
  mkdirSync(join(dir, 'backup'));
  const store = await openSqliteStore({ file: join(dir, 'data', 'muster.db') });
  const past = new PastLab(['panda01', 'panda02']);
  const appends = past.register(JANUARY);
  for (let id = 1; id <= JOBS; id += 1) appends.push(...past.finished(id, JANUARY + id));
  for (const { stream, expectedVersion, events } of appends)
    await store.append(stream, expectedVersion, events);
  return { dir, store };
}

/** The words of a block, with this test's folders and servers for those of the page. */
const here = (block: string, dir: string, store = ''): string =>
  block
    .replaceAll(/"esdb:[^"]*"/g, `"${store}"`)
    .replaceAll('/backup/', `${dir}/backup/`)
    .replaceAll(/\bNEW-DIR\b/g, join(dir, 'new'))
    .replaceAll(/\bDIR\b/g, join(dir, 'data'))
    .replaceAll(/(?<= )(?=(?:job-12|log)\.jsonl)/g, `${dir}/`);

describe('the commands of the page, as they stand there', () => {
  it('back a log up, restore it, and verify it', { timeout: 120_000 }, async () => {
    const { dir, store } = await lab();
    await store.close();
    const [backup = ''] = blocks('Back up');
    const [restore = ''] = blocks('Restore');
    const [verify = ''] = blocks('Verify');
    const lose = `rm -r ${join(dir, 'data')}\n`;
    const { exit, said } = await shell(here(backup + lose + restore + verify, dir), dir);
    expect(said).toContain('all is well');
    expect(exit).toBe(0);
  });

  it('carry a log to another folder, to a cluster, and a job out of the archive', {
    timeout: 120_000,
  }, async () => {
    const standIn = await startStandIn();
    onTestFinished(() => standIn.stop());
    const { dir, store } = await lab();
    await store.close();
    const address = `esdb://127.0.0.1:${standIn.port}?tls=false`;
    const script = [
      ...blocks('Export and import'),
      `rm ${dir}/log.jsonl ; rm -r ${dir}/new\n`,
      ...blocks('Grow to a cluster'),
      ...blocks('Back up').slice(1),
    ].join('');
    const first = await shell(here(script, dir, address), dir);
    expect(first.said).toMatch(/all is well/);
    expect(first.exit).toBe(0);
    const log = await openSqliteStore({ file: join(dir, 'data', 'muster.db') });
    const isInUse = () => false;
    const old = {
      dataDir: join(dir, 'data'),
      jobCount: JOBS,
      endedBefore: JANUARY + JOBS,
      isInUse,
    };
    await archiveJobs(log, old);
    await log.close();
    const [archive = ''] = blocks('Retention');
    const second = await shell(here(archive, dir), dir);
    expect(second.said).toMatch(/events of \d+\s+streams/);
    expect(second.exit).toBe(0);
  });

  it('make a file dense', { timeout: 120_000 }, async () => {
    const { dir, store } = await lab();
    await store.close();
    const [shrink = ''] = blocks('Shrink');
    const { exit, said } = await shell(here(shrink, dir), dir);
    expect(said).toContain('all is well');
    expect(exit).toBe(0);
    expect(readdirSync(join(dir, 'data'))).not.toContain('before');
  });

  const lines = [...page.matchAll(/\bmuster (\w+)((?: [^\n`#]*)?)/g)];
  const options = lines.flatMap(([, command = '', rest = '']) =>
    [...rest.matchAll(/(--[a-z-]+)/g)].map(([, option]) => `${command} ${option}`),
  );
  it.each([...new Set(options)].sort())('muster %s is there', (used) => {
    const [command, option] = used.split(' ');
    const files = [
      `cli/${command}.ts`,
      `cli/commands/${command}.ts`,
      `cli/commands/${command}s.ts`,
    ];
    const own = readFileSync(files.find((file) => existsSync(file)) ?? '', 'utf8');
    const shared =
      readFileSync('cli/log-command.ts', 'utf8') + readFileSync('cli/command.ts', 'utf8');
    expect(own + shared).toMatch(new RegExp(`'${option}[ ']`));
  });
});

describe('what the page quotes', () => {
  const heads = [...section('When something is wrong').matchAll(/^- \*\*(.*?)\*\*/gms)];
  const quoted = [
    ...heads.flatMap(([, head = '']) => [...head.matchAll(/`([^`]+)`/g)]),
    ...[
      'the server cannot write',
      'the log takes what is written again',
      'could not read the log',
    ].map((text) => [text, text]),
    ...['is ahead of this machine', "the machine's clock has jumped"].map((text) => [text, text]),
    ['', 'a newer version of Muster works on this log'],
  ]
    .flatMap(([, text = '']) => text.replaceAll(/\s+/g, ' ').split('...'))
    .map((text) => text.replace(/^\/?\S*muster\.db\S*,? ?/, '').trim())
    .filter((text) => text.length > 3 && text !== 'verify');

  it.each([...new Set(quoted)])('"%s" is what the product says', (text) => {
    expect(page.replaceAll(/\s+/g, ' ')).toContain(text);
    expect(sources.replaceAll(/\$\{[^}]*\}/g, '').replaceAll(/\s+/g, ' ')).toContain(
      text === 'could not read the log' ? 'could not' : text,
    );
  });

  const table = [...section('The data folder').matchAll(/^\| (`.*?) \|/gm)];
  const files = table.flatMap(([, cell = '']) => [...cell.matchAll(/`([\w.-]+)\/?`/g)]);
  it.each(files.map(([, file = '']) => file))('%s is made by the product', (file) => {
    expect(sources).toMatch(new RegExp(`'${file.replace(/-(wal|shm)$/, '')}'`));
  });

  test('is in the unit, in compose.yaml and in package.json', () => {
    const unit = readFileSync('examples/muster.service', 'utf8');
    expect(unit).toContain('KillMode=process');
    expect(unit).toContain('NODE_OPTIONS=--max-semi-space-size=64');
    const [, size] = /EVENTSTORE_MAX_APPEND_SIZE=(\d+)/.exec(page) ?? [];
    expect(readFileSync('compose.yaml', 'utf8')).toMatch(
      new RegExp(`EVENTSTORE_MAX_APPEND_SIZE\\W+${size}`),
    );
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    for (const [, script = ''] of page.matchAll(/npm run (\w+)/g))
      expect(scripts).toHaveProperty(script);
  });
});

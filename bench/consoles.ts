/**
 * What a board prints, read by a whole server that has the board: many cases, much text under a pattern, many suites.
 * Nothing may be lost, and the memory must not follow what is printed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { table } from './figures.ts';
import { committed, type Lab, startLab } from './lab-process.ts';

const JOB_SECONDS = 600;

interface Row {
  printed: string;
  files: Record<string, string>;
  cases: number;
}

export async function consolesTable(newFolder: () => Promise<string>): Promise<string> {
  const [folder, repositories] = [await newFolder(), await newFolder()];
  const lab = await startLab({ folder, lab: oneBoard(repositories), namespaces: false });
  try {
    // The first job pays for what every server loads once.
    await measured(lab, repositories, { printed: '', files: signals(10, 1), cases: 10 });
    const lines: string[][] = [];
    for (const row of rows()) lines.push(await measured(lab, repositories, row));
    return table(HEAD, lines);
  } finally {
    await lab.stop();
  }
}

const oneBoard = (repositories: string) =>
  `device_types: {panda: {}}\ndevices: {panda01: {type: panda}}\nallow_files: [${JSON.stringify(repositories)}]\n`;

const HEAD = [
  'printed',
  'cases recorded',
  'printed in, s',
  'the last case is durable after the end, ms',
  'memory before, MiB',
  'at most',
  'console, MiB',
];

// what is printed

const rows = (): Row[] => [
  { printed: '10,000 cases by signals in 5 s', files: signals(10_000, 5), cases: 10_000 },
  { printed: '10,000 cases by signals at once', files: signals(10_000, 0), cases: 10_000 },
  { printed: '100 MB of text, no pattern', files: text(''), cases: 1 },
  { printed: '100 MB of text, a pattern, 10,000 matches', files: text(PATTERN), cases: 10_000 },
  { printed: '200 suites, a case each', files: suites(200), cases: 200 },
];

const runs = (step: string, more = '') => `run: {steps: [${JSON.stringify(step)}]}\n${more}`;
const CASE = (name: string) => `echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=${name} RESULT=pass>"`;

/** Evenly in so many seconds; 0: as fast as the shell can. */
function signals(count: number, seconds: number): Record<string, string> {
  const turns = seconds === 0 ? 1 : seconds * 20;
  const script = [
    '#!/bin/sh',
    'i=0 t=0',
    `while [ $t -lt ${turns} ]; do`,
    '  t=$((t + 1))',
    `  while [ $i -lt $((t * ${count} / ${turns})) ]; do ${CASE('c$i')}; i=$((i + 1)); done`,
    seconds === 0 ? '' : '  sleep 0.045',
    'done',
  ];
  return { 't.yaml': runs('./s.sh'), 's.sh': `${script.join('\n')}\n` };
}

const PATTERN =
  "parse: {pattern: '^(?!.+ED)(?P<test_case_id>case\\w+) took (?P<measurement>[\\d.]+) (?P<units>ms)$'}\n";

/** A thousand kilobytes a hundred times: in each ten thousand bytes, one line that the pattern takes. */
function text(parse: string): Record<string, string> {
  const page = (n: number) =>
    [...Array.from({ length: 124 }, () => 'x'.repeat(79)), `case${n} took 1.5 ms`, ''].join('\n');
  const lines = Array.from({ length: 100 }, (_, n) => page(n)).join('');
  const script = '#!/bin/sh\ni=0\nwhile [ $i -lt 100 ]; do cat lines; i=$((i + 1)); done\n';
  const one = parse === '' ? CASE('one') : ':';
  return { 't.yaml': runs('./s.sh', parse), 's.sh': `${script}${one}\n`, lines };
}

const suites = (count: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, n) => [
      `t${String(n).padStart(3, '0')}.yaml`,
      runs(CASE('one')),
    ]),
  );

// what came of it

async function measured(
  lab: Lab,
  repositories: string,
  { printed, files, cases }: Row,
): Promise<string[]> {
  const repository = committed(join(repositories, String(performance.now())), files);
  const definitions = Object.keys(files).filter((name) => name.endsWith('.yaml'));
  const testdef_repos = definitions.map((testdef) => ({ 'git-repo': repository, testdef }));
  const before = memoryMiB(lab.pid);
  let most = before;
  const id = await lab.run(
    {
      ...{ timeout: JOB_SECONDS, job_name: 'printed', device_type: 'panda' },
      actions: [{ command: 'lava_test_shell', parameters: { testdef_repos } }],
    },
    () => {
      most = Math.max(most, memoryMiB(lab.pid));
    },
  );
  const results = await lab.answer<Results>(`/jobs/${id}/results`);
  const console = await fetch(`${lab.url}/api/jobs/${id}/members/panda01/console`);
  const bytes = (await console.arrayBuffer()).byteLength;
  const begin = Math.min(...results.suites.map(({ startedAt }) => Date.parse(startedAt)));
  const end = Math.max(...results.suites.map(({ endedAt }) => Date.parse(endedAt)));
  const last = Math.max(...results.cases.map(({ at }) => Date.parse(at)));
  return [
    printed,
    `${results.cases.length} of ${cases}`,
    ((end - begin) / 1_000).toFixed(1),
    String(Math.max(0, last - end)),
    before.toFixed(0),
    most.toFixed(0),
    (bytes / 1024 ** 2).toFixed(1),
  ];
}

interface Results {
  suites: { startedAt: string; endedAt: string }[];
  cases: { at: string }[];
}

/** What the kernel says that a process has in memory. */
function memoryMiB(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(found) / 1024;
}

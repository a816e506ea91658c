/**
 * Whole jobs on boards of this machine: a small one from its submission to its end, many rounds of a barrier, and a
 * server that starts with many boards that it has not seen before. Beside them the same rounds by upstream's dispatcher
 * and coordinator, as they are shipped.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median, table } from './figures.ts';
import { committed, type Lab, startLab } from './lab-process.ts';
import { openDispatchers } from './peers/dispatcher.ts';

const MEMBERS = 8;
const ROUNDS = 200;
/** Each takes seconds there. */
const UPSTREAM_ROUNDS = 8;
const SMALL_JOBS = 15;
const NEW_BOARDS = 1_000;
const MUSTER = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export async function jobsTable(
  newFolder: () => Promise<string>,
  say: (line: string) => void,
): Promise<string> {
  const rows: string[][] = [];
  const add = (row: readonly string[]) => {
    rows.push([...row]);
    say(row.join(': '));
  };
  const repository = committed(await newFolder(), {
    'one.yaml': 'run: {steps: [lava-test-case one --result pass]}\n',
    'rounds.yaml': 'run: {steps: [./rounds.sh]}\n',
    'rounds.sh': `#!/bin/bash\nfor i in {1..${ROUNDS}}; do lava-sync round; done\n`,
  });
  const lab = await startLab({
    ...{ folder: await newFolder(), lab: labOf(MEMBERS, repository), namespaces: true },
  });
  try {
    for (const row of await smallJobs(lab, repository, await newFolder())) add(row);
    add(await manyRounds(lab, repository));
  } finally {
    await lab.stop();
  }
  for (const row of await upstream(newFolder, say)) add(row);
  add(await newBoards(newFolder));
  return table(['what', 'seconds'], rows);
}

const labOf = (boards: number, repository: string): string =>
  [
    'device_types: {panda: {image: "host:"}}',
    'devices:',
    ...Array.from({ length: boards }, (_, at) => `  panda${at}: {type: panda}`),
    `allow_files: [${JSON.stringify(repository)}]`,
    '',
  ].join('\n');

const jobOf = (repository: string, testdef: string, count: number) => ({
  ...{
    timeout: 600,
    job_name: testdef,
    device_group: [{ role: 'peer', count, device_type: 'panda' }],
  },
  actions: [
    {
      command: 'lava_test_shell',
      parameters: { testdef_repos: [{ 'git-repo': repository, testdef }] },
    },
  ],
});

/** By the events, and by the clock of whoever waits for the command line. */
async function smallJobs(lab: Lab, repository: string, folder: string): Promise<string[][]> {
  const job = jobOf(repository, 'one.yaml', 2);
  const file = join(folder, 'job.json');
  const env = { ...process.env, MUSTER_URL: lab.url };
  await writeFile(file, JSON.stringify(job));
  const [byEvents, booted, byHand]: number[][] = [[], [], []];
  for (let i = 0; i < SMALL_JOBS; i++) {
    const id = await lab.run(job);
    const { events } = await lab.answer<{ events: { type: string; meta: { at: number } }[] }>(
      `/jobs/${id}/events`,
    );
    const at = (type: string) =>
      events.findLast((event) => event.type === type)?.meta.at ?? Number.NaN;
    const from = events[0]?.meta.at ?? Number.NaN;
    byEvents?.push((at('JobCompleted') - from) / 1_000);
    booted?.push((at('SuiteStarted') - from) / 1_000);
    const start = performance.now();
    await promisify(execFile)('node', [MUSTER, 'submit', file, '--wait'], { env });
    byHand?.push((performance.now() - start) / 1_000);
  }
  const seconds = (taken: readonly number[] = []) => median(taken).toFixed(2);
  return [
    ['a job of two boards and one command, submitted to ended', seconds(byEvents)],
    ['of it, until the last of them begins its tests', seconds(booted)],
    ['the same by `muster submit --wait`, its own start in it', seconds(byHand)],
  ];
}

async function manyRounds(lab: Lab, repository: string): Promise<string[]> {
  const id = await lab.run(jobOf(repository, 'rounds.yaml', MEMBERS));
  const { suites } = await lab.answer<{ suites: { startedAt: string; endedAt: string }[] }>(
    `/jobs/${id}/results`,
  );
  const begin = Math.min(...suites.map(({ startedAt }) => Date.parse(startedAt)));
  const end = Math.max(...suites.map(({ endedAt }) => Date.parse(endedAt)));
  return [
    `${MEMBERS} boards, ${ROUNDS} rounds of one \`lava-sync\``,
    ((end - begin) / 1_000).toFixed(1),
  ];
}

async function upstream(
  newFolder: () => Promise<string>,
  say: (line: string) => void,
): Promise<string[][]> {
  const group = await openDispatchers(await newFolder(), MEMBERS, say);
  if (group === undefined) return [];
  try {
    const [send = [], sync = []]: number[][] = [[], []];
    for (let round = 0; round < UPSTREAM_ROUNDS; round++) {
      send.push(await group.send(`said${round}`));
      sync.push(await group.sync(`round${round}`));
    }
    const each = sync.reduce((sum, taken) => sum + taken, 0) / sync.length;
    return [
      [
        `lava-dispatcher ${group.version}: ${MEMBERS} members, ${ROUNDS} rounds of one \`lava-sync\`, from ${UPSTREAM_ROUNDS}`,
        ((each * ROUNDS) / 1_000).toFixed(0),
      ],
      ['a round of it, median', (median(sync) / 1_000).toFixed(2)],
      ['a `lava-send` of it, from the dispatcher on', (median(send) / 1_000).toFixed(3)],
    ];
  } finally {
    await group.stop();
  }
}

/** From the start of the process until its API answers, with as many boards as it has never seen. */
async function newBoards(newFolder: () => Promise<string>): Promise<string[]> {
  const repository = await newFolder();
  const from = performance.now();
  const lab = await startLab({
    ...{ folder: await newFolder(), lab: labOf(NEW_BOARDS, repository), namespaces: true },
  });
  await lab.answer('/health');
  const seconds = (performance.now() - from) / 1_000;
  await lab.stop();
  return [`a start with ${NEW_BOARDS.toLocaleString('en')} new boards`, seconds.toFixed(2)];
}

/** `muster check-lab` on files: its page, its JSON, its exit codes, and a broken scheduler's timeline. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import picocolors from 'picocolors';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderLabCheck } from '../../cli/pages/lab-check-page.ts';
import { checkLab } from '../../simulation/check-lab.ts';
import { board, needs } from '../simulation/labs.ts';
import { MUTANTS } from '../simulation/mutants.ts';
import { here, widest } from './fake-server.ts';

const LAB = `device_types:
  panda: {}
  beagle: {}
devices:
  panda01: { type: panda, tags: [wifi] }
  panda02: { type: panda }
  beagle01: { type: beagle }
`;
const job = (group: object[]) =>
  JSON.stringify({
    timeout: 600,
    job_name: 'a job',
    device_group: group,
    actions: [{ command: 'lava_command_run', parameters: { commands: ['true'] } }],
  });

let dir = '';
const write = async (name: string, text: string): Promise<string> => {
  const file = join(dir, name);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, text);
  return file;
};
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-check-lab-'));
  await write('lab.yaml', LAB);
  await write('good/pair.json', job([{ role: 'a', count: 2, device_type: 'panda' }]));
  await write('mixed/pair.json', job([{ role: 'a', count: 2, device_type: 'panda' }]));
  await write('mixed/three.json', job([{ role: 'a', count: 3, device_type: 'panda' }]));
});
afterAll(() => rm(dir, { recursive: true }));

const muster = (...args: string[]) =>
  here(['check-lab', ...args.map((arg) => arg.replace('DIR', dir)), '--runs', '20']);

test('a lab on which every rule holds ends with 0, with a line and its runs for each rule', async () => {
  const { exit, out, err } = await muster('DIR/lab.yaml', '--jobs', 'DIR/good');
  expect([exit, err]).toEqual([0, '']);
  expect(widest(out)).toBeLessThanOrEqual(80);
  expect(out.match(/^ {2}ok {4}/gm)).toHaveLength(8);
  expect(out.match(/\(20 runs\)/g)).toHaveLength(8);
  expect(out).toContain('Used by none of the jobs: beagle01');
});

test('the shipped examples can all run on the shipped lab', async () => {
  const { exit, out } = await muster('examples/lab.yaml', '--jobs', 'examples');
  expect(exit).toBe(0);
  expect(out).not.toContain('Can never run');
});

test('without jobs some are made up', async () => {
  const { exit, out } = await muster('DIR/lab.yaml');
  expect(exit).toBe(0);
  expect(out).not.toContain('Used by none');
});

test('a job that can never run ends with 1, and says why', async () => {
  const { exit, out } = await muster('DIR/lab.yaml', '--jobs', 'DIR/mixed');
  expect(exit).toBe(1);
  expect(out.replace(/\s+/g, ' ')).toContain(
    'Can never run here: three.json role a: 2 of 3 boards of type panda',
  );
  const json = await muster('DIR/lab.yaml', '--jobs', 'DIR/mixed', '--json');
  expect(json.exit).toBe(1);
  expect(JSON.parse(json.out)).toMatchObject({ seed: 1, never: [{ job: 'three.json' }] });
});

test('a lab file that contradicts itself ends with 2, with line and column', async () => {
  const bad = await write(
    'bad.yaml',
    `${LAB}  panda01: { type: beagle }\n  other: { type: pand }\nworker: { job_limit: -1 }\n`,
  );
  const { exit, err } = await muster(bad);
  expect(exit).toBe(2);
  expect(err).toMatch(/bad\.yaml:8:3 .*panda01/);
  expect(err).toMatch(/bad\.yaml:9:18 /);
  expect(err).toMatch(/bad\.yaml:10:22 /);
});

test('a job file that is wrong ends with 2, with line and column', async () => {
  await write('broken/a.json', '{ "timeout": 5 }');
  const { exit, err } = await muster('DIR/lab.yaml', '--jobs', 'DIR/broken');
  expect(exit).toBe(2);
  expect(err).toMatch(/a\.json:1:1 /);
});

test.each([
  [['DIR/none.yaml'], /cannot be read/],
  [['DIR/lab.yaml', '--jobs', 'DIR/none'], /there is no such folder/],
  [['DIR/lab.yaml', '--jobs', 'DIR'], /no file that ends in \.json/],
])('%j ends with 2', async (args, message) => {
  const { exit, err } = await muster(...args);
  expect(exit).toBe(2);
  expect(err.replace(/\s+/g, ' ')).toMatch(message);
});

test('a broken scheduler is shown as a timeline that a person can read', () => {
  const single = { name: 'single.json', priority: 50, timeoutSeconds: 300 };
  const wide = { name: 'wide.json', priority: 50, timeoutSeconds: 1_200 };
  const lab = {
    boards: ['panda01', 'panda02', 'panda03'].map((name) => board(name, 'panda')),
    jobs: [
      { ...single, roles: [needs('only', 1, 'panda')] },
      { ...wide, roles: [needs('all', 3, 'panda')] },
    ],
  };
  const report = checkLab(lab, { runs: 150, seed: 1 }, MUTANTS['guaranteed start']);
  const page = renderLabCheck(report, 1, { columns: 80, colors: picocolors.createColors(false) });
  expect(widest(page)).toBeLessThanOrEqual(80);
  expect(page.replace(/\s+/g, ' ')).toMatch(
    /FAIL guaranteed start .* is submitted: all 3 panda; .* is promised to start by .* WRONG: the promised start of job/,
  );
});

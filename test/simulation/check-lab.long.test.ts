/** The rules on labs of all kinds, and what each broken scheduler looks like. */
import { describe, expect, test } from 'vitest';
import { checkLab, type LabToCheck } from '../../simulation/check-lab.ts';
import { PROPERTIES } from '../../simulation/properties.ts';
import { board, needs } from './labs.ts';
import { MUTANTS } from './mutants.ts';

const RUNS = 150;
const SEED = 11;

const model = (name: string, timeoutSeconds: number, ...roles: ReturnType<typeof needs>[]) => ({
  name,
  priority: 50,
  timeoutSeconds,
  roles,
});

const lab: LabToCheck = {
  boards: [
    board('panda01', 'panda', 'wifi'),
    board('panda02', 'panda'),
    board('panda03', 'panda'),
    board('beagle01', 'beagle'),
  ],
  jobs: [
    model('single.json', 300, needs('only', 1, 'panda')),
    model('long.json', 4_000, needs('only', 1, 'panda')),
    model('tangled.json', 900, needs('any', 1, 'panda'), needs('wifi', 1, 'panda', 'wifi')),
    model(
      'wide.json',
      1_200,
      needs('a', 2, 'panda'),
      needs('b', 1, 'beagle'),
      needs('c', 1, 'panda'),
    ),
  ],
};
const how = { runs: RUNS, seed: SEED };

test.each([
  ['its own jobs', lab],
  ['made-up jobs', { ...lab, jobs: [] }],
  ['a worker that may have two boards in use', { ...lab, jobLimit: 2, jobs: [] }],
  ['one board', { boards: [board('panda01', 'panda')], jobs: [] }],
])('every rule holds on a lab with %s', (_, of) => {
  const { properties } = checkLab(of, how);
  expect(properties.map(({ name }) => name)).toEqual(PROPERTIES.map(({ name }) => name));
  expect(properties.filter(({ failure }) => failure !== undefined)).toEqual([]);
  expect(properties.map(({ runs }) => runs)).toEqual(PROPERTIES.map(() => RUNS));
});

describe.each(PROPERTIES.map(({ name }) => [name]))('%s', (name) => {
  test('catches the scheduler that breaks it, with a run of few events', () => {
    const broken = MUTANTS[name];
    const verdict = checkLab(lab, how, broken).properties.find((each) => each.name === name);
    expect(verdict?.failure?.wrong).toMatch(/job|plan|board/);
    const timeline = verdict?.failure?.timeline ?? [];
    expect(timeline.length).toBeLessThan(30);
    expect(timeline.map(({ seconds }) => seconds)).toEqual(
      timeline.map(({ seconds }) => seconds).sort((a, b) => a - b),
    );
  });
});

test('a plan that depends on the order of its inputs is told by what it says otherwise', () => {
  const { properties } = checkLab(lab, how, MUTANTS['order of inputs']);
  const wrong = properties.find(({ name }) => name === 'order of inputs')?.failure?.wrong;
  expect(wrong).toMatch(/^with jobs and boards listed otherwise job \d+ starts on \w+ \(\w+\)/);
});

test('says which jobs can never run, and why, and which boards nothing uses', () => {
  const jobs = [
    model('single.json', 300, needs('only', 1, 'panda')),
    model('four.json', 300, needs('all', 4, 'panda')),
    model('twice.json', 300, needs('a', 1, 'panda', 'wifi'), needs('b', 1, 'panda', 'wifi')),
  ];
  const { never, unused } = checkLab({ ...lab, jobs }, { runs: 1, seed: 1 });
  expect(never.map(({ job }) => job)).toEqual(['four.json', 'twice.json']);
  expect(never[0]?.reasons.join()).toContain('3 of 4 boards of type panda');
  expect(unused).toEqual(['beagle01']);
});

test('a job that the worker lets have too few boards at once can never run', () => {
  const { never } = checkLab({ ...lab, jobLimit: 3 }, { runs: 1, seed: 1 });
  expect(never).toEqual([
    {
      job: 'wide.json',
      reasons: ['it needs more boards at once than "job_limit: 3" of the worker lets it have'],
    },
  ]);
});

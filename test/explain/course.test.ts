/** What a script came to, and which of its commands ended it. */
import { describe, expect, it } from 'vitest';
import { type Course, courseOf, endsAll } from '../../answers/explain/course.ts';
import { choose, type End } from '../../answers/explain/death-choice.ts';

const definition = (...steps: string[]) =>
  `run:\n  steps:\n${steps.map((step) => `    - ${step}\n`).join('')}`;

function courseIn(files: Record<string, string>, ...steps: string[]): Course {
  const entry = {
    kind: 'definition' as const,
    file: 't.yaml',
    text: definition(...steps),
    readFile: (path: string) => files[path],
    paths: Object.keys(files),
  };
  const roles = [
    { role: 'a', count: 1, device: 'panda01' },
    { role: 'b', count: 1, device: 'panda02' },
  ];
  const course = courseOf(entry, { role: 'a', roles, member: 0, parameters: [] }, 'run.sh');
  if (course === undefined) throw new Error('no course');
  return course;
}

const ends = (course: Course): string[] =>
  course.points
    .filter((point) => endsAll(course, point))
    .map(({ file, line, text }) => `${file}:${line} ${text}`);

describe('a script may end at', () => {
  it('what set -e looks at, in scripts and in functions, and not in conditions', () => {
    const course = courseIn(
      {
        'x.sh': '#!/bin/bash -e\nf() {\n  cp a b\n}\nif cmp a b; then true; fi\nrm c || true\nf\n',
      },
      './x.sh',
    );
    expect(ends(course)).toEqual(['t.yaml:2 ./x.sh', 'x.sh:7 f', 'x.sh:3 cp a b'].map(at3));
  });

  it('its last command, where it has no set -e', () => {
    const course = courseIn({ 'x.sh': 'cp a b\n[ -e /dev/x ] && echo there\n' }, 'sh ./x.sh');
    expect(ends(course).map((one) => one.split(' ')[0])).toEqual(['t.yaml:3', 'x.sh:2', 'x.sh:2']);
  });

  it('no command of another role, and none of a function that nobody calls', () => {
    const course = courseIn(
      {
        'x.sh':
          '#!/bin/sh -e\nf() { cp a b; }\ncase $(lava-role) in b) rm x ;; a) mv y z ;; esac\n',
      },
      './x.sh',
    );
    expect(ends(course).filter((one) => one.startsWith('x.sh'))).toEqual(['x.sh:3 mv y z']);
  });

  it('those of files that a loop over a folder reads in', () => {
    const course = courseIn(
      { x: '#!/bin/bash -e\nfor f in conf/*.sh; do . "$f"; done\n', 'conf/1.sh': 'grep -q a b\n' },
      './x',
    );
    expect(ends(course)).toContain('conf/1.sh:1 grep -q a b');
  });

  it('a read that comes to the end of its file, a program that runs others, and what a file is opened for', () => {
    const text = [
      '#!/bin/bash -e',
      'read -r line',
      'taskset -c 99 true',
      'mapfile -t rows < /etc/list',
      'echo 1 > /sys/class/gpio/export',
      'echo 2 > /tmp/scratch',
      'mapfile -t members < <(echo a)',
      'echo "$line" >&2',
    ];
    const said = ends(courseIn({ 'x.sh': `${text.join('\n')}\n` }, './x.sh'));
    expect(said.flatMap((one) => /^x\.sh:(\d+)/.exec(one)?.[1] ?? []).slice(0, 4)).toEqual([
      '2',
      '3',
      '4',
      '5',
    ]);
    const course = courseIn({ 'x.sh': `${text.join('\n')}\n` }, './x.sh');
    const opened = course.points.filter(({ opensFile }) => opensFile).map(({ line }) => line);
    expect(opened).toEqual([4, 5]);
  });

  it('the exit of who asks whether it has a function of that name', () => {
    const text = 'f() { :; }\ndeclare -F "step_$(lava-role)" >/dev/null || exit 0\nlava-send up\n';
    const exits = (script: string) =>
      courseIn({ 'x.sh': script }, 'bash ./x.sh').points.filter(({ kind }) => kind === 'exit');
    expect(exits(text)).toHaveLength(1);
    expect(exits(text.replace('step_$(lava-role)', 'f'))).toHaveLength(0);
  });

  it('nothing that a lava-test-case hides, but for that case', () => {
    const course = courseIn(
      { 'x.sh': '#!/bin/sh -e\ncp a b\nlava-send up\n' },
      'lava-test-case c --shell ./x.sh',
    );
    expect(ends(course).filter((one) => one.startsWith('x.sh'))).toEqual([]);
    const [hidden] = course.calls.filter(({ verb }) => verb === 'send');
    const cp = course.points.find(({ text }) => text === 'cp a b');
    expect(cp !== undefined && endsAll(course, cp, hidden?.hiddenBy)).toBe(true);
  });
});

/** The lines of a definition count from its `run:`. */
const at3 = (text: string): string => text.replace('t.yaml:2', 't.yaml:3');

describe('of several commands it was', () => {
  const end = (more: Partial<End>): End => ({
    status: 1,
    signal: undefined,
    command: undefined,
    traced: undefined,
    inCase: undefined,
    said: [],
    from: 0,
    to: Number.POSITIVE_INFINITY,
    ...more,
  });
  const said = (...lines: string[]) => lines.map((text, offset) => ({ text, offset }));
  const chosen = (script: string, more: Partial<End>) => {
    const { point, within } = choose(courseIn({ 'x.sh': script }, 'bash ./x.sh'), end(more));
    return point === undefined ? `within ${within?.file}` : point.line;
  };

  it.each([
    [
      'that whose program spoke',
      'set -e\ncp a b\nmv c d\ntest -e x\n',
      { said: said("mv: cannot stat 'c'") },
      3,
    ],
    [
      'of two with one program that which the message names',
      'set -e\ncat /etc/one\ncat /etc/two\n',
      { said: said('cat: /etc/two: No such file') },
      3,
    ],
    [
      'that which says nothing when it fails, where nothing was said',
      'set -e\ncp a b\ntest -e x\n',
      {},
      3,
    ],
    [
      'that behind what was said last',
      'set -e\ntest -e x\necho begins\ntest -e y\necho ends\n',
      { said: said('begins') },
      4,
    ],
    [
      'the exit of that status',
      'set -e\ntest -e x || exit 4\ntest -e y || exit 5\n',
      { status: 5 },
      3,
    ],
    [
      'that which ran while the last line came',
      'set -e\nrun() {\n  echo "runs it"\n  return 3\n}\nrun\n',
      { status: 3, said: said('runs it') },
      4,
    ],
  ] as const)('%s', (_, script, more, line) => {
    expect(chosen(script, more)).toBe(line);
  });

  it('none, where two may have been it: then the command in which they stand', () => {
    expect(chosen('set -e\ntest -e x\ntest -e y\n', {})).toBe('within t.yaml');
  });

  it('none behind the next call that was not made', () => {
    const course = courseIn(
      { 'x.sh': 'set -e\ntest -e x\nlava-sync a\ntest -e y\n' },
      'bash ./x.sh',
    );
    const to = course.calls[0]?.at ?? 0;
    expect(choose(course, end({ to })).point?.line).toBe(2);
  });
});

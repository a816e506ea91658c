/** `muster check-definition` on files and folders: its page, its JSON, its exit codes. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { here } from './fake-server.ts';

const GOOD = `metadata: {format: Lava-Test Test Definition 1.0, name: disk}
params: {SIZE: 010}
install: {deps: [fio], deps-debian: [apt], git-repos: [{url: git://h/a, branch: b, destination: c}], steps: [make]}
run:
  steps:
  - |
    if true; then
      ./go.sh
    fi
parse: {pattern: '(?P<test_case_id>a)', fixupdict: {OK: pass}}
expected: [a]
`;

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-check-definition-'));
  const write = async (name: string, text: string) => {
    await mkdir(join(dir, name, '..'), { recursive: true });
    await writeFile(join(dir, name), text);
  };
  await write('good.yaml', GOOD);
  await write('tree/good.yaml', GOOD);
  await write('tree/deep/noted.yml', 'run: {steps: [a]}\nextra: 1\n');
  await write('tree/deep/wrong.yaml', 'run:\n  steps: make\n');
  await write('tree/job.yaml', 'actions:\n- test: {}\nmetadata: {format: Lava-Test}\n');
  await write('tree/other.yaml', 'a: [\n');
  await write('tree/.git/x.yaml', 'run: [\n');
  await write('empty/x.txt', '');
  await symlink(dir, join(dir, 'tree/loop'));
  await write('odd/flow.yaml', '{run: {steps: [a]}}');
  await write('odd/mark.yaml', '\ufeffrun: {steps: [a]}\r\n');
  await symlink('flow.yaml', join(dir, 'odd/link.yaml'));
  await symlink('nowhere.yaml', join(dir, 'odd/lost.yaml'));
  await writeFile(join(dir, 'binary.yaml'), Buffer.from([0x1b, 0x5b, 0x33, 0x31, 0x6d, 0, 0xff]));
  await write('job.json', '{"job_name": "j", "actions": [{"command": "x"}]}');
});
afterAll(() => rm(dir, { recursive: true }));
const muster = (...args: string[]) =>
  here(['check-definition', ...args.map((arg) => arg.replace('DIR', dir))]);

test('a definition is shown in the order in which it runs', async () => {
  const { exit, out, err } = await muster('DIR/good.yaml');
  expect([exit, err]).toEqual([0, '']);
  expect(out.replaceAll(dir, 'DIR')).toBe(`DIR/good.yaml: disk
  parameters  SIZE=010
  install     packages fio
              packages on debian apt
              git git://h/a at b into c
              make
  run         if true; then
                ./go.sh
              fi
  patterns    (?P<test_case_id>a)
  results     OK = pass
  expected    a
`);
});

test('of a folder every problem is said with its place, and what is no definition is passed over', async () => {
  const { exit, out } = await muster('DIR/tree');
  expect(exit).toBe(1);
  // Where its line is broken depends on the folder's name.
  const shown = out
    .replaceAll(dir, 'DIR')
    .replace(/DIR\S*wrong\.yaml:2:10 .*\n .*value\n/, 'WRONG\n');
  expect(shown).toBe(`DIR/tree/deep/noted.yml:2:1  extra: is not used
    extra: 1
    ^
WRONG
      steps: make
             ^
3 definitions: 1 wrong, 1 with notes; 2 other files
`);
});

test('as JSON it has each definition, its problems and a summary', async () => {
  const { exit, out } = await muster('DIR/tree', '--json');
  expect(exit).toBe(1);
  const { definitions, summary } = JSON.parse(out);
  expect(summary).toEqual({ definitions: 3, wrong: 1, noted: 1, passedOver: 2 });
  expect(definitions).toMatchObject([
    { file: `${dir}/tree/deep/noted.yml`, definition: { steps: ['a'] }, notes: [{ line: 2 }] },
    { problems: [{ line: 2, column: 10 }] },
    { definition: { name: 'disk', parameters: [['SIZE', '010']], expected: ['a'] } },
  ]);
});

test('of a folder, definitions are found in whatever style and behind a link', async () => {
  const { exit, out } = await muster('DIR/odd');
  expect([exit, out]).toEqual([0, '3 definitions: 0 wrong, 0 with notes; 0 other files\n']);
});

test.each([
  ['DIR/binary.yaml', 'it is no text in UTF-8: it holds a NUL'],
  ['DIR/job.json', 'it looks like a job, not like a test definition'],
])('%s is no definition, and its bytes move no cursor: %s', async (path, why) => {
  const { exit, out } = await muster(path);
  expect(exit).toBe(1);
  expect(out.replace(/\s+/g, ' ')).toContain(why);
  expect(out).not.toContain('\u001b');
});

test.each(['DIR/nowhere.yaml', 'DIR/empty', '', '/dev/null'])(
  '%s has no definition: exit 2',
  async (path) => {
    const { exit, err } = await muster(path);
    expect(exit).toBe(2);
    expect(err).toMatch(/there is no|is no file/);
  },
);

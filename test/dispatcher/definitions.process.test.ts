/** Test definitions from anywhere, good and bad, on plain boards: what is fetched does not depend on the walls. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Action, TestSource } from '../../machines/definition.ts';
import { commands, definition, git, gitRepository, Lab, shell, until } from './harness.ts';

let lab: Lab;
let allowed: string;
beforeEach(async () => {
  lab = new Lab(['panda01'], { local: { namespaces: false } });
  allowed = join(lab.folder, 'allowed');
  mkdirSync(allowed);
  lab.given.allowFiles = [allowed, join(lab.folder, 'repos')];
  await lab.open();
});
afterEach(() => lab.close());

let jobs = 0;
async function run(...actions: Action[]): Promise<string> {
  jobs += 1;
  lab.server.allocate(jobs, [{ device: 'panda01', actions }]);
  return (await lab.ends(jobs)).panda01 ?? '';
}
const tests = (source: TestSource): Promise<string> => run(shell(source));
const repo = (files: Record<string, string>): string =>
  gitRepository(join(lab.folder, 'repos', `repo${Math.random()}`), files);
const text = () => lab.console(jobs, 'panda01');
const url = (at: string): TestSource => ({ from: 'url', url: at, parameters: [] });

describe('a definition from git', () => {
  test('is checked out at a branch, a tag or a commit', async () => {
    const folder = repo({ 't.yaml': definition('echo "at first"') });
    const inRepo = (...args: string[]) =>
      execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
        encoding: 'utf8',
      });
    const first = inRepo('rev-parse', 'HEAD').trim();
    inRepo('checkout', '-q', '-b', 'topic/two');
    writeFileSync(join(folder, 't.yaml'), definition('echo "at second"'));
    inRepo('commit', '-q', '-a', '-m', 'two');
    inRepo('tag', 'v2');
    inRepo('checkout', '-q', 'main');
    for (const [revision, seen] of [
      ['topic/two', 'at second'],
      ['v2', 'at second'],
      [first, 'at first'],
      [undefined, 'at first'],
    ] as const) {
      expect(await tests(git(folder, 't.yaml', [], revision))).toBe('complete');
      expect(text()).toContain(`\n${seen}\n`);
    }
    expect(await tests(git(folder, 't.yaml', [], 'nowhere'))).toContain(
      `${folder}: no branch, tag or commit "nowhere"`,
    );
  });

  test('comes from a repository of another user and from a file: URL', async () => {
    const folder = repo({ 't.yaml': definition('echo "it came"') });
    if (process.getuid?.() === 0) execFileSync('chown', ['-R', '65534:65534', folder]);
    expect(await tests(git(pathToFileURL(folder).href, 't.yaml'))).toBe('complete');
    expect(await tests(git(folder, 't.yaml'))).toBe('complete');
  });

  test('that does not exist fails with the repository and the last word of git', async () => {
    mkdirSync(join(allowed, 'empty'));
    const empty = join(allowed, 'empty');
    expect(await tests(git(empty, 't.yaml'))).toMatch(
      new RegExp(`^git repository ${empty}: fatal: repository .*does not exist`),
    );
    expect(await tests(git(`${empty}/x`, 't.yaml'))).toContain('there is no such file');
    const folder = repo({ 't.yaml': definition('true') });
    expect(await tests(git(folder, 'missing.yaml'))).toBe(
      `testdef missing.yaml of ${folder}: there is no such file`,
    );
  });

  test('runs no program that the address names', async () => {
    const proof = join(lab.folder, 'proof');
    for (const address of [
      `ext::sh -c touch% ${proof}`,
      `--upload-pack=touch ${proof}`,
      `-u touch ${proof}`,
      `fd::17/foo`,
      'ssh://-oProxyCommand=true/x',
    ])
      expect(await tests(git(address, 't.yaml')), address).toMatch(/^git repository /);
    const folder = repo({ 't.yaml': definition('true') });
    expect(await tests(git(folder, 't.yaml', [], `--upload-pack=touch ${proof}`))).toMatch(/"-"/);
    expect(existsSync(proof)).toBe(false);
  });

  test('never shows the secrets of an address', async () => {
    const end = await tests(git('http://me:hunter2@127.0.0.1:1/x.git', 't.yaml'));
    expect(end).toContain('git repository http://127.0.0.1:1/x.git: ');
    expect(text()).not.toContain('hunter2');
  });

  test('on this machine lies in a folder that the lab allows, whatever leads there', async () => {
    const outside = gitRepository(join(lab.folder, 'outside'), { 't.yaml': definition('true') });
    symlinkSync(outside, join(allowed, 'link'));
    const inside = repo({ 't.yaml': `install: {git-repos: [{url: '${outside}'}]}` });
    const refused = 'it lies in no folder that the lab lets jobs read (allow_files: ';
    for (const address of [
      outside,
      pathToFileURL(outside).href,
      join(allowed, 'link'),
      '/nowhere/at-all',
    ])
      expect(await tests(git(address, 't.yaml')), address).toContain(refused);
    expect(await tests(git(inside, 't.yaml'))).toContain(refused);
    for (const address of ['../outside', `${allowed}/../outside`, 'outside', './x'])
      expect(await tests(git(address, 't.yaml')), address).toContain('expected an https');
  });

  test('must lie inside its repository', async () => {
    const folder = repo({ 't.yaml': definition('true') });
    const outside = join(lab.folder, 'outside.yaml');
    writeFileSync(outside, definition('echo stolen'));
    symlinkSync(outside, join(folder, 'link.yaml'));
    symlinkSync(lab.folder, join(folder, 'folder'));
    execFileSync('git', ['-C', folder, 'add', '-A']);
    execFileSync('git', [
      '-C',
      folder,
      '-c',
      'user.name=t',
      '-c',
      'user.email=t@t',
      'commit',
      '-qm',
      'l',
    ]);
    for (const path of [
      'link.yaml',
      'folder/outside.yaml',
      '/etc/passwd',
      '../../../../../../../../../../etc/passwd',
    ])
      expect(await tests(git(folder, path)), path).toContain('it lies outside the repository');
    expect(await tests(git(folder, '.'))).toContain('it is not a file');
    expect(text()).not.toContain('stolen');
  });

  test('that is malformed fails with file, line and column', async () => {
    const folder = repo({
      'dir/broken.yaml': 'run:\n  steps:\n    - "unclosed\n',
      'map.yaml': 'run:\n  steps:\n    - fine\n    - echo a: b\n',
    });
    expect(await tests(git(folder, 'dir/broken.yaml'))).toMatch(
      /^test definition dir\/broken\.yaml, line \d+, column \d+: /,
    );
    expect(await tests(git(folder, 'map.yaml'))).toBe(
      'test definition map.yaml, line 4, column 7: an entry of "steps" must be a text, not a mapping (quote a text with ": " in it)',
    );
  });

  test('is broken off while it is fetched', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
    const { port } = silent.address() as AddressInfo;
    jobs += 1;
    const actions = [shell(git(`http://127.0.0.1:${port}/x.git`, 't.yaml'))];
    lab.server.allocate(jobs, [{ device: 'panda01', actions }]);
    await until(() => text().includes('fetching'), text);
    lab.server.end(jobs, 'panda01', 'cancelled');
    await lab.empty();
    silent.closeAllConnections();
    silent.close();
  });

  test('brings its parameters, its install steps and its other repositories along', async () => {
    const other = repo({ 'tool.sh': '#!/bin/sh\necho "a tool"\n' });
    const folder = repo({
      't.yaml': [
        'metadata: {format: Lava-Test Test Definition 1.0, name: "all of it"}',
        `install:\n  deps: [dpkg]\n  git-repos:\n    - {url: '${other}', destination: tools}\n  steps: ['echo "installed $A" > installed']`,
        "params: {A: '$HOME `id`', B: two}",
        'run:\n  steps:\n    - cat installed\n    - tools/tool.sh\n    - echo "$A/$B/$C"\n    - lava-test-case one --shell true\n    - false\n    - echo never',
      ].join('\n'),
    });
    const next = definition('echo "next suite"');
    const second = repo({ 'next.yaml': next });
    const end = await run(
      shell(
        git(folder, 't.yaml', [
          ['B', "o'ne\ntwo"],
          ['C', ''],
        ]),
        git(second, 'next.yaml'),
      ),
      shell(git(second, 'next.yaml')),
    );
    expect(end).toBe('complete');
    expect(text()).toContain('installed $HOME `id`\n');
    expect(text()).toContain('\na tool\n');
    expect(text()).toContain("\n$HOME `id`/o'ne\ntwo/\n");
    expect(text()).not.toContain('\nnever\n');
    expect(text()).toContain('\nnext suite\n');
    const calls = lab.server.calls.filter((call) => /suite|result/.test(call));
    expect(calls).toEqual([
      'panda01: suite start 0_all-of-it all of it',
      'panda01: result case=one result=pass',
      'panda01: result case=exit result=fail note=status 1',
      'panda01: suite end 0_all-of-it',
      'panda01: suite start 1_tests tests',
      'panda01: suite end 1_tests',
      'panda01: suite start 2_tests tests',
      'panda01: suite end 2_tests',
    ]);
  });

  test('cannot clone its other repositories out of its checkout', async () => {
    const other = repo({ x: '' });
    for (const destination of [
      '../out',
      '/tmp/out',
      '.git',
      'there',
      '-x',
      'a/../../out',
      'a/.git/b',
      'link/b',
      './',
    ]) {
      const folder = repo({
        't.yaml': `install: {git-repos: [{url: '${other}', destination: '${destination}'}]}\nrun: {steps: ['true']}`,
        'there/x': '',
      });
      execFileSync('sh', [
        '-c',
        `cd ${folder} && ln -s /tmp link && git add . && git -c user.name=x -c user.email=x@x commit -qm x`,
      ]);
      expect(await tests(git(folder, 't.yaml')), destination).toMatch(/^git-repos /);
    }
  });
});

describe('a definition from a URL', () => {
  test('comes from a folder that the lab allows, and from no other', async () => {
    const file = join(allowed, 'alone.yaml');
    writeFileSync(file, 'run: {steps: ["ls; echo alone"]}');
    expect(await tests(url(pathToFileURL(file).href))).toBe('complete');
    expect(lab.server.calls).toContain('panda01: suite start 0_alone alone');
    const outside = join(lab.folder, 'outside.yaml');
    writeFileSync(outside, 'run: {steps: ["true"]}');
    symlinkSync(outside, join(allowed, 'link.yaml'));
    for (const path of [outside, join(allowed, 'link.yaml')])
      expect(await tests(url(pathToFileURL(path).href))).toContain(
        'lies in no folder that the lab lets',
      );
    expect(await tests(url(`file://${allowed}/missing.yaml`))).toContain(
      `${allowed}/missing.yaml: there is no such file`,
    );
  });

  test('comes over HTTP, with a limit on its size', async () => {
    const web = createServer((request, response) => {
      if (request.url === '/t.yaml') response.end(definition('echo "from the web"'));
      else if (request.url === '/large.yaml') response.end(Buffer.alloc(2_000_000, 35));
      else response.writeHead(404).end();
    });
    await new Promise<void>((done) => web.listen(0, '127.0.0.1', done));
    const base = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
    expect(await tests(url(`${base}/t.yaml`))).toBe('complete');
    expect(text()).toContain('\nfrom the web\n');
    expect(await tests(url(`${base}/large.yaml`))).toContain('more than 1048576 bytes');
    expect(await tests(url(`${base}/no.yaml`))).toContain('the server answered 404');
    web.close();
    web.closeAllConnections();
    expect(await tests(url(`${base}/t.yaml`))).toContain('ECONNREFUSED');
  });
});

test('each command of a lava_command_run is a case, and a failing one does not end the others', async () => {
  expect(await run(commands('echo one', 'false', 'echo "three $(lava-self)"'))).toBe('complete');
  expect(text()).toContain('\nthree panda01\n');
  const results = lab.server.calls.filter((call) => call.includes(': result'));
  expect(results.map((call) => /result=(\w+)/.exec(call)?.[1])).toEqual(['pass', 'fail', 'pass']);
  expect(lab.server.calls).toContain('panda01: suite start 0_lava-command-run lava-command-run');
  expect(await run(commands('echo a\necho b'))).toContain('must be one line');
});

import { expect, it } from 'vitest';
import { scriptOf } from '../../answers/callers.ts';
import { foreignSitesOf } from '../../answers/foreign-sites.ts';
import { lineAt, Places } from '../../answers/places.ts';
import { lineOfProgram, matched, sitesOf } from '../../answers/shell-sites.ts';
import type { SourceList } from '../../wire/sources.ts';

const words = (text: string) =>
  sitesOf(text).map(({ words: all }) => all.map((one) => one.join('*')));

it.each([
  ['lava-sync ready', [['ready']]],
  ['lava-send "a b" k="v w"', [['a b', 'k=v w']]],
  ['lava-sync "step-$i" # as often', [['step-*']]],
  ["lava-test-case x --shell 'lava-wait up'", [['x', '--shell', 'lava-wait up'], ['up']]],
  [
    'lava-test-case x --shell "lava-send \\"a\\" k=1"',
    [
      ['x', '--shell', 'lava-send "a" k=1'],
      ['a', 'k=1'],
    ],
  ],
  ['lava-wait ready || exit 1', [['ready']]],
  ['lava-send a \\\n  k=1', [['a', 'k=1']]],
  ['# lava-sync old', []],
  ['echo "#"; lava-sync new', [['new']]],
  ['if x; then lava-sync "$(lava-role)-up"; fi', [['*-up']]],
  ['my-lava-sync x', []],
  ['"$BIN/lava-sync" x', [['x']]],
])('finds the calls of %j', (text, sites) => {
  expect(words(text)).toEqual(sites);
});

it.each([
  [['step-', ''], 'step-3', 5],
  [['', '-up'], 'server-up', 3],
  [['a', 'b', 'c'], 'axbyc', 3],
  [['ab', 'b'], 'ab', undefined],
  [['ready'], 'ready', 6],
  [['ready'], 'raedy', undefined],
])('a word of %j and %s agree in so many characters', (pattern, word, count) => {
  expect(matched(pattern, word)).toBe(count);
});

it.each([
  [['/bin/bash', '-ex', '/lava-1/0/0_t/run.sh'], { path: '/lava-1/0/0_t/run.sh' }],
  [['/bin/sh', './helper.sh', 'server'], { path: './helper.sh' }],
  [['bash', '-c', 'lava-sync x'], { command: 'lava-sync x' }],
  [['busybox', 'sh', 'x.sh'], { path: 'x.sh' }],
  [['bash', '-o', 'pipefail', 'x.sh'], { path: 'x.sh' }],
  [['timeout', '5', 'lava-wait', 'x'], {}],
  [['python3', 'x.py'], { path: 'x.py' }],
  [['/usr/bin/python3', '-u', './tool', 'a'], { path: './tool' }],
  [['perl', '-e', 'print 1'], {}],
])('what is run by %j', (argv, script) => {
  expect(scriptOf({ argv })).toEqual(script);
});

const RUN = 'export A=1\nlava-sync one\n./go.sh server\nfor i in 1 2; do\n  lava-sync two\ndone\n';
const GO =
  '#!/bin/sh\r\nif [ "$1" = server ]; then\r\n  lava-send up\r\nelse\r\n  lava-wait up\r\nfi\r\n';
const YAML =
  'run:\n  steps:\n    - lava-sync one\n    - ./go.sh server\n    - |\n      for i in 1 2; do\n        lava-sync two\n      done\n';
const list: SourceList = {
  definition: 't.yaml',
  files: [
    { path: 't.yaml', bytes: 1, digest: 'yaml' },
    { path: 'go.sh', bytes: 1, digest: 'go' },
    { path: 'tool', bytes: 1, digest: 'tool', notKept: 'binary' },
  ],
  scripts: [
    {
      name: 'run.sh',
      bytes: 1,
      digest: 'run',
      steps: [
        [2, 3],
        [3, 4],
        [4, 5],
      ],
    },
  ],
};
const texts: Record<string, string> = { yaml: YAML, go: GO, run: RUN };
const places = new Places([
  { member: 'a', suite: '0_t', list, text: (digest) => texts[digest] },
  { member: 'b', suite: '0_t', list, text: () => undefined },
  { member: 'c', suite: '0_t', list: undefined, text: () => undefined },
]);
const wanted = {
  role: 'server',
  roles: new Set(['server', 'client']),
  suite: '0_t',
  from: undefined,
  isWhole: false,
};

it('a step of several lines is found in the definition at its own line', () => {
  const run = { argv: ['/bin/bash', '-ex', '/lava-1/0/0_t/run.sh'], read: RUN.length };
  const two = places.find({ ...wanted, member: 'a', verb: 'sync', words: ['two'], from: [run] });
  expect(two).toEqual({ suite: '0_t', file: 't.yaml', line: 7, text: 'lava-sync two' });
});

it('a helper is found by the way that its caller went, line ends of any kind', () => {
  const from = [
    { argv: ['/bin/sh', './go.sh', 'server'] },
    { argv: ['/bin/bash', '-ex', '/lava-1/0/0_t/run.sh'], read: 40 },
  ];
  const up = places.find({ ...wanted, member: 'a', verb: 'send', words: ['up'], from });
  expect(up).toMatchObject({ file: 'go.sh', line: 3, text: 'lava-send up' });
});

it('what was not kept, or is no text, has no lines and is no reason to fail', () => {
  for (const member of ['b', 'c', 'nobody'])
    expect(places.find({ ...wanted, member, verb: 'sync', words: ['one'] })).toBeUndefined();
});

it('counts how far a shell had read in bytes', () => {
  const script = { suite: '', path: '', isMade: true, text: 'echo ä\nlava-sync x\n', sites: [] };
  expect(lineAt(script, 8)).toBe(1);
  expect(lineAt(script, 20)).toBe(2);
  expect(lineAt(script, 999)).toBe(2);
});

it.each([
  ['call(["lava-sync", "ready"])', 'sync', ['ready']],
  ["call(['lava-wait', f'{other}-up'])", 'wait', ['*-up']],
  ['call(["lava-send", "a", "data=" + text])', 'send', ['a', 'data=*']],
  ['system("lava-sync", $id) == 0 or die;', 'sync', ['*']],
  ['system("lava-sync lap") == 0', 'sync', ['lap']],
  ['run(f"lava-wait {word}", shell=True)', 'wait', ['*']],
  ['os.system("lava-send " + name)', 'send', ['*']],
  ['step("lava-wait-all", "up-%d" % n, role)', 'wait-all', ['up-*', '*']],
])('finds the call of %j in another language', (text, verb, expected) => {
  const [site] = foreignSitesOf(text);
  expect([site?.verb, site?.words.map((one) => one.join('*'))]).toEqual([verb, expected]);
});

it('the line that runs a program is that which says most of its words', () => {
  const script = 'cat > /tmp/w.sh\ntimeout 300 /tmp/w.sh ready\ntimeout 300 /tmp/w.sh done\nfi\n';
  expect(lineOfProgram(script, ['timeout', '300', '/tmp/w.sh', 'done'])).toBe(3);
  expect(lineOfProgram(script, ['perl', 'x.pl'])).toBeUndefined();
});

/** A suite of files, as a member ran it, and the line that its call is told to have come from. */
function foundIn(files: Record<string, string>, from: string[][], verb: string, words: string[]) {
  const all = { 'run.sh': 'true\n', ...files };
  const list = {
    definition: 't.yaml',
    files: Object.entries(files).map(([path, text]) => ({
      path,
      digest: path,
      bytes: text.length,
    })),
    scripts: [{ name: 'run.sh', digest: 'run.sh', bytes: 5, steps: [] }],
  };
  const text = (digest: string) => (all as Record<string, string>)[digest];
  const suite = new Places([{ member: 'a', suite: '0_t', list: list as never, text }]);
  const callers = from.map((argv) => ({ argv }));
  const at = suite.find({ ...wanted, member: 'a', verb, words, from: callers, isWhole: true });
  return at === undefined ? undefined : `${at.file}:${at.line}`;
}

it('a call of a rule of a Makefile, of awk, of Tcl and of a module of Python is found in its file', () => {
  const make = { 'sub/Makefile': 'all: up\nup:\n\tlava-send $(RUN)-up\n' };
  const shell = ['/bin/sh', '-c', 'lava-send x-up'];
  expect(foundIn(make, [shell, ['make', '-C', 'sub', '-s', 'all']], 'send', ['x-up'])).toBe(
    'sub/Makefile:3',
  );
  const awk = { 'r.awk': 'BEGIN {\n  system("lava-sync round")\n}\n' };
  expect(
    foundIn(
      awk,
      [
        ['sh', '-c', '..'],
        ['awk', '-f', './r.awk'],
      ],
      'sync',
      ['round'],
    ),
  ).toBe('r.awk:2');
  const tcl = { 't.tcl': 'proc up {} {\n  exec lava-send up port=1\n}\nexec lava-send up\n' };
  expect(foundIn(tcl, [['tclsh', 't.tcl']], 'send', ['up'])).toBe('t.tcl:4');
  const python = { 'lib/link.py': 'import os\nos.system("lava-sync linked")\n' };
  expect(foundIn(python, [['python3', '-m', 'lib.link']], 'sync', ['linked'])).toBe(
    'lib/link.py:2',
  );
});

it('a call is found in the file that its script imports, or sources in a loop', () => {
  const perl = {
    'run.pl': 'use lib ".";\nuse My::Peers;\n',
    'My/Peers.pm': 'system("lava-sync", "x");\n',
  };
  expect(foundIn(perl, [['perl', 'run.pl']], 'sync', ['x'])).toBe('My/Peers.pm:1');
  const python = {
    'go.py': 'from lib.net import up\nup()\n',
    'lib/net.py': 'import os\nos.system("lava-send up")\n',
  };
  expect(foundIn(python, [['python3', './go.py']], 'send', ['up'])).toBe('lib/net.py:2');
  const hooks = {
    run: '#!/bin/sh\nfor h in ./hooks-"$(lava-role)"/[0-9]*; do\n  . "$h"\ndone\n',
    'hooks-server/10-clock': 'lava-sync clock\n',
  };
  expect(foundIn(hooks, [['/bin/sh', './run']], 'sync', ['clock'])).toBe('hooks-server/10-clock:1');
});

it('a line that sends more than was sent did not send it', () => {
  const files = { 'x.sh': 'lava-send up port=1\nlava-send up\n' };
  const from = [['/bin/sh', './x.sh']];
  expect(foundIn(files, from, 'send', ['up'])).toBe('x.sh:2');
  expect(foundIn(files, from, 'send', ['up', 'port=1'])).toBe('x.sh:1');
});

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

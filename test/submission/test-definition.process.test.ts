/** Test definitions: what they mean, what is wrong with them and where, and that a shell reads back what is quoted. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shellQuoted } from '../../dispatcher/programs.ts';
import {
  asUpstream,
  exportLines,
  installScript,
  runScript,
} from '../../dispatcher/suite-scripts.ts';
import {
  MalformedDefinition,
  parseTestDefinition,
  readTestDefinition,
  suiteName,
} from '../../submission/test-definition.ts';

const parse = (text: string) => parseTestDefinition(text, 't.yaml').definition;
const notes = (text: string) =>
  readTestDefinition(text).notes.map(({ line, path, message }) => `${line} ${path} ${message}`);
const EMPTY = {
  ...{ keys: [], sources: [], deps: [], distributionDeps: [], repositories: [], installSteps: [] },
  ...{ parameters: [], steps: [], fixups: [], rules: [], expected: [] },
  ...{ installStepLines: [], stepLines: [] },
};

describe('a test definition', () => {
  test("may be as short as the seed's: steps alone", () => {
    const text =
      'run:\n    steps:\n        - lava-group >> /etc/hosts\n        - ./run-`lava-role`.sh\n';
    expect(parse(text)).toEqual({
      ...EMPTY,
      steps: ['lava-group >> /etc/hosts', './run-`lava-role`.sh'],
      stepLines: [3, 4],
    });
  });

  test('has all that upstream writes', () => {
    const text = `
metadata: {format: Lava-Test Test Definition 1.0, name: smoke, description: x, os: [debian]}
install:
  keys: [A1B2]
  sources: ['deb http://h/debian stable main']
  deps: [iperf, libstdc++6, 'linux-headers-$(uname -r)', 'a  b']
  deps-debian: [apt]
  deps-fedora: []
  git-repos: ['git://h/a.git', {url: 'https://h/b', branch: 2.0, destination: b2}]
  steps: [make]
params: {A: 1, B: 'two'}
parameters: {B: three, C: null}
run: {steps: [true, 12, ~, 'echo x']}
parse:
  pattern: '^(?P<test_case_id>[a-z]+):\\s+(?P<result>OK|NO)$'
  fixupdict: {OK: pass, NO: fail}
expected: [a, b]
`;
    const fixups = [
      ['OK', 'pass'],
      ['NO', 'fail'],
    ];
    expect(parse(text)).toMatchObject({
      ...EMPTY,
      name: 'smoke',
      keys: ['A1B2'],
      sources: ['deb http://h/debian stable main'],
      deps: ['iperf', 'libstdc++6', 'linux-headers-$(uname -r)', 'a b'],
      distributionDeps: [
        ['debian', ['apt']],
        ['fedora', []],
      ],
      repositories: [
        { url: 'git://h/a.git' },
        { url: 'https://h/b', branch: '2.0', destination: 'b2' },
      ],
      installSteps: ['make'],
      installStepLines: [10],
      parameters: [
        ['A', '1'],
        ['B', 'two'],
        ['B', 'three'],
        ['C', ''],
      ],
      steps: ['true', '12', 'echo x'],
      stepLines: [13, 13, 13],
      fixups,
      rules: [{ fixups, groups: { test_case_id: 'g1', result: 'g2' } }],
      expected: ['a', 'b'],
    });
    expect(notes(text)).toEqual([]);
  });

  test.each([
    ['metadata: {name: x}\n'],
    ['metadata: {name: x}\nrun:\n'],
    ['metadata: {name: x}\nrun: {}\n'],
    ['metadata: {name: x}\nrun: {steps: }\n'],
    ['metadata: {name: x}\nrun: {steps: []}\ninstall:\nparams:\nparse:\nexpected:\n'],
  ])('may have no steps: %j', (text) => {
    expect(parse(text)).toEqual({ ...EMPTY, name: 'x' });
  });

  test('names what it has and nobody uses, once, with its line', () => {
    const text = [
      'metadata: {name: x, version: 2, author: me}',
      'run: {steps: [a], expected: [b]}',
      'install: {bzr-repos: [c]}',
      'parse: {pattern: "(?P<test_case_id>a)", appendall: {result: pass}}',
      'environment: x',
      'my-param: 1',
      'params: {my-param: 1, OK: 2}',
    ].join('\n');
    expect(notes(text)).toEqual([
      '2 run.expected is not used',
      '3 install.bzr-repos is not used',
      '4 parse.appendall is not used',
      '5 environment is not used',
      '6 my-param is not used',
      '7 params.my-param cannot be a variable of a shell: it is not exported',
    ]);
    expect(runScript(parse(text), [])).toBe("export OK='2'\na\n");
  });

  test('may have several patterns, in a list, under names, or each in a parse of its own', () => {
    const one = '(?P<test_case_id>\\w+) ok';
    for (const parts of [
      `{pattern: ['${one}', '${one}']}`,
      `{pattern: {a: '${one}', b: '${one}'}}`,
      `[{pattern: '${one}'}, {pattern: '${one}'}]`,
    ])
      expect(parse(`parse: ${parts}`).rules.map(({ pattern }) => pattern)).toEqual([one, one]);
    expect(notes("parse: {pattern: ''}")).toEqual([
      '1 parse.pattern is empty: no case comes of it',
    ]);
    expect(notes('parse: {pattern: abc}')[0]).toContain('names no group test_case_id');
  });

  test('may be JSON, and may use anchors', () => {
    expect(parse('{"run": {"steps": ["a"]}}').steps).toEqual(['a']);
    expect(parse('x: &s [a, b]\nrun: {steps: *s}').steps).toEqual(['a', 'b']);
    expect(parse('x: &s a\nrun: {steps: [*s]}').steps).toEqual(['a']);
  });

  test.each([
    ['', 1, 1, 'the document is empty'],
    ['- a\n', 1, 1, 'a definition must be a mapping, not a list'],
    ['run: x\n', 1, 6, '"run" must be a mapping, not a single value'],
    ['run:\n  steps: make\n', 2, 10, '"steps" must be a list, not a single value'],
    ['run:\n  steps:\n  - a\n  - b: c\n', 4, 5, 'quote a text with ": " in it'],
    ['parse: {pattern: "(?P<a>"}\n', 1, 18, 'a ( without its ) (character 1 of'],
    ['parse: {fixupdict: {A: perhaps}}\n', 1, 24, '"perhaps" is not pass, fail, skip or unknown'],
    ['run: {steps: [a]}\nparams: {a: [x]}\n', 2, 13, 'parameter "a" must be a text'],
    ['run: {steps: [a]}\ninstall: {deps: ["-y"]}\n', 2, 18, '"-y" is no name of a package'],
    ['run: {steps: [a]}\nmetadata: {name: "a\\nb"}\n', 2, 18, 'one line of text'],
    ['run:\n\tsteps: []\n', 2, 1, 'abs'],
    ['run: {steps: [a]}\0', 1, 18, 'NUL'],
  ])('%j is refused at line %i, column %i', (text, line, column, message) => {
    const error = (() => {
      try {
        return parse(text);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(MalformedDefinition);
    expect(error).toMatchObject({ line, column, message: expect.stringContaining(message) });
    expect((error as Error).message).toContain(`t.yaml, line ${line}, column ${column}: `);
  });

  test('throws nothing but that, whatever the text', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        'run:',
        '\n',
        '  ',
        'steps:',
        '- ',
        '&a ',
        '*a',
        '{',
        '}',
        '[',
        ']',
        '"',
        '? ',
        '!!set ',
        '<<: *a',
        '%YAML 1.1\n',
        '---\n',
        'params:',
        'install:',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 15 }), (pieces) => {
        try {
          const { steps } = parse(pieces.join(''));
          expect(steps.every((step) => typeof step === 'string')).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedDefinition);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a script', () => {
  const definition = {
    ...parse('run: {steps: [one, two]}'),
    parameters: [
      ['A', 'own'],
      ['B', 'own'],
    ] as [string, string][],
  };

  test("exports the job's parameters before the definition's", () => {
    expect(
      runScript(definition, [
        ['B', 'job'],
        ['C', 'job'],
      ]),
    ).toBe("export A='own'\nexport B='job'\nexport C='job'\none\ntwo\n");
  });

  test('to install with is there only when there is something to install', () => {
    expect(installScript(definition, [])).toBeUndefined();
    const script = installScript({ ...definition, deps: ['git'], installSteps: ['make'] }, []);
    expect(script).toBe("export A='own'\nexport B='own'\nlava-install-packages git\nmake\n");
  });

  const installing = {
    ...parse('x:'),
    ...{ keys: ['A1'], sources: ['deb x y'], deps: ['git'], installSteps: ['make'] },
  };
  test('to install with has keys, sources, packages and steps in that order', () => {
    expect(installScript(installing, [])).toBe(
      "lava-add-keys A1\nlava-add-sources 'deb x y'\nlava-install-packages git\nmake\n",
    );
  });
  test.each([
    ['keys', /A1/],
    ['sources', /deb x/],
    ['deps', /git/],
    ['steps', /make/],
  ] as const)('to install with leaves out the %s that a job skips', (what, gone) => {
    expect(installScript(installing, [])).toMatch(gone);
    expect(installScript(installing, [], [what])).not.toMatch(gone);
    expect(installScript(installing, [], ['all'])).toBeUndefined();
  });

  test("installs a distribution's packages where the board is that distribution", () => {
    const of = (...distributionDeps: [string, string[]][]) => {
      const script = installScript({ ...parse('x:'), deps: ['git'], distributionDeps }, []);
      const verb = 'install() { echo "$*"; }\n';
      const text = script?.replaceAll('lava-install-packages', 'install') ?? '';
      return execFileSync('sh', ['-euc', verb + text], { encoding: 'utf8' });
    };
    const own = execFileSync('sh', ['-c', '. /etc/os-release; printf %s "$ID"'], {
      encoding: 'utf8',
    });
    expect(of([own, ['one', 'two']], ['elsewhere', ['three']])).toBe('git one two\n');
    expect(of(['elsewhere', ['three']])).toBe(
      `muster: no deps of this board's own distribution (${own}) are listed\ngit\n`,
    );
  });

  test.each([
    [
      `lava-test-case a --shell "ls | awk '{print $1}'"`,
      `lava-test-case a --shell "ls | awk '{print \\$1}'"`,
    ],
    ["lava-test-case a --shell awk '{print $1}' x", "lava-test-case a --shell awk '{print $1}' x"],
    [
      'lava-test-case a --shell echo $12 \\$1 $1x $x',
      'lava-test-case a --shell echo \\$12 \\$1 $1x $x',
    ],
    ['echo $1', 'echo $1'],
  ])('passes %s on as upstream does', (step, written) => {
    expect(asUpstream(step)).toBe(written);
  });

  test('gives a parameter to the shell exactly as it was written', () => {
    const value = fc.string({ unit: 'binary' }).filter((text) => !/[\0\uD800-\uDFFF]/.test(text));
    const readBack = (quote: (text: string) => string) =>
      fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), (values) => {
        const script = values.map((v) => `printf '%s\\0' ${quote(v)}\n`).join('');
        const out = execFileSync('sh', ['-c', script], { stdio: 'pipe' }).toString('utf8');
        expect(out).toBe(values.map((v) => `${v}\0`).join(''));
      });
    fc.assert(readBack(shellQuoted), { numRuns: 60 });
    const mutants = [(v: string) => `'${v}'`, (v: string) => JSON.stringify(v)];
    const nasty = fc.check(readBack(shellQuoted), {
      examples: [[["'", '$HOME', '`id`', '\\', '"']]],
      numRuns: 1,
    });
    expect(nasty.failed).toBe(false);
    for (const mutant of mutants)
      expect(
        fc.check(readBack(mutant), { examples: [[["it's", '$HOME']]], numRuns: 1 }).failed,
      ).toBe(true);
    expect(exportLines([['A', "'; rm -rf /; '"]])).toBe("export A=''\\''; rm -rf /; '\\'''\n");
  });
});

test('the name of a suite can be a folder, whatever the definition is called', () => {
  expect(suiteName(0, 'example1')).toBe('0_example1');
  expect(suiteName(3, '../../x y')).toBe('3_..-..-x-y');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      expect(suiteName(1, name)).toMatch(/^1_[A-Za-z0-9_.-]{1,200}$/);
    }),
  );
});

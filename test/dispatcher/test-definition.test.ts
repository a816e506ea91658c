/** Test definitions: what they mean, what is wrong with them and where, and that a shell reads back what is quoted. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shellQuoted } from '../../dispatcher/programs.ts';
import {
  exportLines,
  installScript,
  MalformedDefinition,
  parseTestDefinition,
  runScript,
  suiteName,
} from '../../dispatcher/test-definition.ts';

const parse = (text: string) => parseTestDefinition(text, 't.yaml');

describe('a test definition', () => {
  test("may be as short as the seed's: steps alone", () => {
    const text =
      'run:\n    steps:\n        - lava-group >> /etc/hosts\n        - ./run-`lava-role`.sh\n';
    expect(parse(text)).toEqual({
      ...{ deps: [], repositories: [], installSteps: [], parameters: [] },
      steps: ['lava-group >> /etc/hosts', './run-`lava-role`.sh'],
    });
  });

  test('has all that upstream writes', () => {
    const text = `
metadata: {format: Lava-Test Test Definition 1.0, name: smoke, description: x, os: [debian]}
install:
  deps: [iperf, libstdc++6]
  git-repos: ['git://h/a.git', {url: 'https://h/b', branch: main, destination: b2}]
  steps: [make]
params: {A: 1, B: 'two'}
parameters: {B: three, C: null}
run: {steps: [true, 12, 'echo x']}
parse: {pattern: '.*'}
`;
    expect(parse(text)).toEqual({
      name: 'smoke',
      deps: ['iperf', 'libstdc++6'],
      repositories: [
        { url: 'git://h/a.git' },
        { url: 'https://h/b', branch: 'main', destination: 'b2' },
      ],
      installSteps: ['make'],
      parameters: [
        ['A', '1'],
        ['B', 'two'],
        ['B', 'three'],
        ['C', ''],
      ],
      steps: ['true', '12', 'echo x'],
    });
  });

  test('may be JSON, and may use anchors', () => {
    expect(parse('{"run": {"steps": ["a"]}}').steps).toEqual(['a']);
    expect(parse('x: &s [a, b]\nrun: {steps: *s}').steps).toEqual(['a', 'b']);
    expect(parse('x: &s a\nrun: {steps: [*s]}').steps).toEqual(['a']);
  });

  test.each([
    ['', 1, 1, 'it is empty'],
    ['- a\n', 1, 1, 'a definition must be a mapping, not a list'],
    ['metadata: {name: x}\n', 1, 1, '"run" with its "steps" is missing'],
    ['run:\n', 1, 5, '"run" must be a mapping'],
    ['run: {}\n', 1, 6, '"steps" is missing in "run"'],
    ['run:\n  steps: make\n', 2, 10, '"steps" must be a list, not a single value'],
    ['run:\n  steps:\n  - a\n  - b: c\n', 4, 5, 'quote a text with ": " in it'],
    ['run:\n  steps:\n  - a\n  -\n', 4, 4, 'must be a text, not nothing'],
    ['run: {steps: [a]}\nparams: {1a: x}\n', 2, 10, '"1a" cannot be a variable of a shell'],
    ['run: {steps: [a]}\nparams: {a: [x]}\n', 2, 13, 'parameter "a" must be a text'],
    ['run: {steps: [a]}\ninstall: {deps: ["-y"]}\n', 2, 17, '"-y" is no name of a package'],
    ['run: {steps: [a]}\nmetadata: {name: "a\\nb"}\n', 2, 18, 'one line of text'],
    ['a: 1\na: 2\n', 2, 1, 'unique'],
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
    expect(script).toMatch(
      /^export A='own'\nexport B='own'\ndpkg -s 'git' .*apt-get install -y .*'git'\nmake\n$/,
    );
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

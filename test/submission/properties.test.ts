/**
 * What holds for every text, with a mutant for each property that it must catch.
 * A failing run prints its seed and path; `fc.assert(property, { seed, path })` repeats it.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JobDefinition } from '../../machines/definition.ts';
import { readDocument } from '../../submission/document.ts';
import { formatProblems, PROBLEM_COLUMNS_MAX } from '../../submission/format.ts';
import { type ParsedJob, parseJob } from '../../submission/job.ts';
import { Lab, parseLab } from '../../submission/lab.ts';
import {
  PROBLEMS_MAX,
  type Problem,
  plain,
  type Reading,
  type Tree,
} from '../../submission/tree.ts';
import { LAB, SEED_JOB } from './jobs.ts';

const RUNS = 1_500;

/** Pieces that mean something to a parser, to be planted anywhere. */
const piece = fc.oneof(
  fc.constantFrom(
    ...[
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      "'",
      '\\',
      '\\u',
      '#',
      '//',
      '/*',
      '&a ',
      '*a',
      '!!omap ',
    ],
    ...[
      '!!set ',
      '!!binary ',
      '- ',
      '? ',
      '| ',
      '> ',
      '%',
      '---\n',
      '...\n',
      '\n',
      '\r\n',
      '\t',
      '\0',
    ],
    ...['\u2028', '\uFEFF', '\ud800', '__proto__', 'constructor', 'null', '-1', '1e999', '0', '""'],
    ...['<<: *a', '[]', '{}', '"__proto__": 1,', '@', '`', '😀', '\u001b[2J', '%YAML 1.1\n---\n'],
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
);

/** A valid document with some of its text deleted, doubled or replaced. */
function mutated(valid: string): fc.Arbitrary<string> {
  const edit = fc.record({
    kind: fc.constantFrom('delete', 'duplicate', 'replace', 'insert'),
    at: fc.nat(valid.length),
    length: fc.nat(30),
    piece,
  });
  return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) =>
    edits.reduce((text, { kind, at, length, piece }) => {
      const cut = text.slice(at, at + length);
      const middle = { delete: '', duplicate: cut + cut, replace: piece, insert: piece + cut }[
        kind
      ];
      return text.slice(0, at) + middle + text.slice(at + length);
    }, valid),
  );
}

const anyText = fc.oneof(
  mutated(SEED_JOB),
  mutated(LAB),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
  fc.json(),
);

type Parser = (text: string) => { problems: Problem[] } | { warnings: Problem[] } | { lab: Lab };
const problemsOf = (parsed: ReturnType<Parser>): Problem[] =>
  'problems' in parsed ? parsed.problems : 'warnings' in parsed ? parsed.warnings : [];

function isInside(problem: Problem, text: string): boolean {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  const line = lines[problem.line - 1];
  return line !== undefined && problem.column >= 1 && problem.column <= line.length + 1;
}

const isBefore = (a: Problem, b: Problem) =>
  a.line < b.line || (a.line === b.line && a.column <= b.column);

/** Never throws; says something when it refuses; every place lies inside the text, in the text's order. */
const pointsInside = (parse: Parser) =>
  fc.property(anyText, (text) => {
    const parsed = parse(text);
    const problems = problemsOf(parsed);
    expect('problems' in parsed && problems.length === 0).toBe(false);
    expect(problems.length).toBeLessThanOrEqual(PROBLEMS_MAX + 1);
    for (const problem of problems) expect(isInside(problem, text)).toBe(true);
    problems.slice(1).forEach((problem, i) => {
      expect(isBefore(problems[i]!, problem)).toBe(true);
    });
  });

describe('the parsers, on any text', () => {
  const catches = (parse: Parser) =>
    expect(fc.check(pointsInside(parse), { numRuns: RUNS }).failed).toBe(true);
  const shifted = (parse: Parser, shift: (problem: Problem, text: string) => Problem): Parser => {
    return (text) => ({ problems: problemsOf(parse(text)).map((p) => shift(p, text)) });
  };

  it.each([
    ['parseJob', parseJob],
    ['parseLab', parseLab],
  ] as const)(
    '%s never throws and every problem points inside the text, in its order',
    (_, parse) => {
      fc.assert(pointsInside(parse), { numRuns: RUNS });
    },
  );

  it('the property catches a parser that throws', () => {
    catches((text) => {
      JSON.parse(text);
      return { warnings: [] };
    });
  });

  it('the property catches places that are one off, refusals without a word and problems out of order', () => {
    catches(shifted(parseJob, (p) => ({ ...p, column: p.column - 1 })));
    catches(shifted(parseLab, (p) => ({ ...p, line: p.line + 1 })));
    catches(shifted(parseJob, (p, text) => ({ ...p, column: p.column + text.length })));
    catches(() => ({ problems: [] }));
    catches((text) => ({ problems: [...problemsOf(parseJob(text))].reverse() }));
  });
});

describe('what is accepted', () => {
  /** Valid documents with single values changed, so that many are still accepted. */
  const nearlyValid = fc
    .record({
      timeout: fc.integer({ min: 1, max: 3_000 }),
      count: fc.integer({ min: 0, max: 3 }),
      role: fc.constantFrom('omap4', 'omap3', 'other'),
      name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
    })
    .map(({ timeout, count, role, name }) =>
      SEED_JOB.replace('18000', String(timeout))
        .replace('"count": 2', `"count": ${count}`)
        .replace('"role": "omap3"\n            }', `"role": "${role}"\n            }`)
        .replace('"simple multinode job"', JSON.stringify(name)),
    );

  let accepted = 0;
  const keepsTheRules = (parse: (text: string) => ParsedJob) =>
    fc.property(fc.oneof(nearlyValid, mutated(SEED_JOB)), (text) => {
      const parsed = parse(text);
      if ('problems' in parsed) return;
      accepted += 1;
      const { definition } = parsed;
      expect(JobDefinition.safeParse(definition).error).toBeUndefined();
      const roles = definition.roles.map((r) => r.role);
      expect(new Set(roles).size).toBe(roles.length);
      for (const role of definition.roles) expect(role.count).toBeGreaterThanOrEqual(1);
      for (const action of definition.actions) {
        expect(action.timeoutSeconds).toBeLessThanOrEqual(definition.timeoutSeconds);
        expect(roles).toEqual(expect.arrayContaining(action.roles ?? []));
      }
    });

  it('every job that is accepted keeps the rules of a definition', () => {
    fc.assert(keepsTheRules(parseJob), { numRuns: RUNS });
    expect(accepted).toBeGreaterThan(RUNS / 20);
  });

  it.each<[string, (d: JobDefinition) => JobDefinition]>([
    ['does not cap timeouts', (d) => ({ ...d, timeoutSeconds: Math.min(d.timeoutSeconds, 100) })],
    ['drops a role', (d) => ({ ...d, roles: d.roles.slice(0, 1) })],
    [
      'lets a count of zero pass',
      (d) => ({ ...d, roles: d.roles.map((r) => ({ ...r, count: 0 })) }),
    ],
    ['adds a field', (d) => ({ ...d, extra: 1 }) as JobDefinition],
  ])('the property catches a parser that %s', (_, change) => {
    const mutant = (text: string): ParsedJob => {
      const parsed = parseJob(text);
      return 'problems' in parsed ? parsed : { ...parsed, definition: change(parsed.definition) };
    };
    expect(fc.check(keepsTheRules(mutant), { numRuns: RUNS }).failed).toBe(true);
  });

  it('every lab that is accepted is a lab', () => {
    let labs = 0;
    fc.assert(
      fc.property(mutated(LAB), (text) => {
        const parsed = parseLab(text);
        if ('problems' in parsed) return;
        labs += 1;
        expect(Lab.safeParse(parsed.lab).error).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
    expect(labs).toBeGreaterThan(0);
  });
});

describe('the JSON reader beside JSON.parse', () => {
  type Reader = (text: string) => Reading & { text: string };
  const read: Reader = (text) => readDocument(text, 'json');

  const spaced = fc
    .tuple(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 1, '\t', 4), fc.boolean())
    .map(([value, indent, crlf]) => {
      const text = JSON.stringify(value, null, indent);
      return crlf ? text.replaceAll('\n', '\r\n') : text;
    })
    .filter((text) => !text.includes('__proto__'));
  const broken = fc
    .tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.constantFrom(...',:{}[]"\'0-1.eEtfn \\/', ''))
    .map(([text, at, c]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + c + text.slice(place + (at % 2));
    });

  function parsed(text: string): { value: unknown } | undefined {
    try {
      return { value: JSON.parse(text) };
    } catch {
      return undefined;
    }
  }

  /** What the text at each place of the tree says is the value that stands there. */
  function holds(tree: Tree, text: string): void {
    expect(JSON.parse(text.slice(tree.start, tree.end))).toEqual(plain(tree));
    if (tree.kind === 'list') for (const item of tree.items) holds(item, text);
    if (tree.kind !== 'object') return;
    for (const [key, entry] of tree.entries) {
      expect(text.slice(entry.keyOffset).startsWith('"')).toBe(true);
      expect(JSON.parse(/^"(?:[^"\\]|\\.)*"/.exec(text.slice(entry.keyOffset))![0])).toBe(key);
      holds(entry.value, text);
    }
  }

  const agrees = (reader: Reader) =>
    fc.property(fc.oneof(spaced, broken), (text) => {
      const reading = reader(text);
      const expected = parsed(text);
      // Two rules of ours that JSON.parse does not have.
      const only = /twice|__proto__|surrogate/;
      const ours = reading.findings.some(({ message }) =>
        only.test(typeof message === 'string' ? message : message()),
      );
      if (ours) return;
      expect(reading.findings.length > 0).toBe(expected === undefined);
      if (expected === undefined) return;
      expect(reading.tree && plain(reading.tree)).toEqual(expected.value);
      if (reading.tree) holds(reading.tree, text);
    });

  it('accepts what it accepts, gives the same value, and knows where every value stands', () => {
    fc.assert(agrees(read), { numRuns: RUNS });
  });

  it.each<[string, Reader]>([
    ['lets a trailing comma pass', (text) => read(text.replace(/,(\s*[\]}])/g, '$1'))],
    [
      'lets a number with a leading zero pass',
      (text) => read(text.replace(/([[,:])0+([0-9])/g, '$1$2')),
    ],
    [
      'is off by one',
      (text) => {
        const reading = read(text);
        return reading.tree
          ? { ...reading, tree: { ...reading.tree, end: reading.tree.end - 1 } }
          : reading;
      },
    ],
    ['refuses escapes', (text) => (text.includes('\\') ? read('') : read(text))],
  ])('the property catches a reader that %s', (_, mutant) => {
    expect(fc.check(agrees(mutant), { numRuns: 20 * RUNS }).failed).toBe(true);
  });
});

describe('problems in print', () => {
  type Printer = typeof formatProblems;
  const fits = (print: Printer) =>
    fc.property(anyText, fc.boolean(), (text, isLab) => {
      const problems = problemsOf(isLab ? parseLab(text) : parseJob(text));
      const printed = print(problems, { file: 'some/folder/job.json', text });
      for (const line of printed.split('\n')) {
        expect(Array.from(line).length).toBeLessThanOrEqual(PROBLEM_COLUMNS_MAX);
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }
    });

  it('fit 80 columns and carry no control character, whatever the document', () => {
    fc.assert(fits(formatProblems), { numRuns: RUNS });
  });

  it.each<[string, Printer]>([
    ['does not wrap', (problems) => problems.map((p) => `${p.path}: ${p.message}\n`).join('')],
    [
      'prints the document as it is',
      (problems, { text }) =>
        problems.map((p) => `${text.split('\n')[p.line - 1]?.slice(0, 80)}\n`).join(''),
    ],
  ])('the property catches a printer that %s', (_, mutant) => {
    expect(fc.check(fits(mutant), { numRuns: RUNS }).failed).toBe(true);
  });
});

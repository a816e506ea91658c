import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { check, type Format, readDocument } from '../../submission/document.ts';
import {
  DOCUMENT_BYTES_MAX,
  DOCUMENT_DEPTH_MAX,
  DOCUMENT_VALUES_MAX,
  PROBLEMS_MAX,
  plain,
  settle,
} from '../../submission/tree.ts';

const read = (text: string, format: Format = 'json') => {
  const document = readDocument(text, format);
  return {
    problems: settle(document.text, document.findings),
    value: document.tree && plain(document.tree),
  };
};
/** `line:column message` of the one problem. */
const wrong = (text: string, format: Format = 'json'): string => {
  const { problems } = read(text, format);
  expect(problems).toHaveLength(1);
  return problems.map((p) => `${p.line}:${p.column} ${p.message}`).join();
};

describe('strict JSON', () => {
  it.each([
    ['a trailing comma in a list', '[1,\n 2,\n]', '2:3 a comma before "]" is not JSON; remove it'],
    ['a trailing comma in an object', '{"a": 1,}', '1:8 a comma before "}" is not JSON; remove it'],
    ['a line comment', '{\n // x\n}', '2:2 a comment is not JSON; remove it, expected'],
    ['a block comment', '[1 /* x */]', '1:4 a comment is not JSON; remove it, expected "," or "]"'],
    ['a shell comment', '# x\n{}', '1:1 a comment is not JSON'],
    ['single quotes', "{'a': 1}", '1:2 single quotes are not JSON; expected a field name'],
    ['a bare key', '{a: 1}', '1:2 expected a field name in double quotes, got "a"'],
    ['a missing colon', '{"a" 1}', '1:6 expected ":" after a field name, got "1"'],
    ['a missing comma', '[1 2]', '1:4 expected "," or "]", got "2"'],
    ['a wrong bracket', '[1}', '1:3 expected "," or "]", got "}"'],
    ['text behind the document', '{} {}', '1:4 expected the end of the document, got "{"'],
    ['a number with a leading zero', '[01]', '1:2 "01" is not a JSON number'],
    ['a number without a leading digit', '[.5]', '1:2 ".5" is not a JSON number'],
    ['a number with a plus', '[+1]', '1:2 "+1" is not a JSON number'],
    ['a number that ends in a dot', '[1.]', '1:2 "1." is not a JSON number'],
    ['a literal of another language', '[True]', 'got "True"; did you mean true?'],
    ['an unknown escape', '["\\x"]', '1:3 not an escape of JSON; expected one of'],
    ['a short unicode escape', '["\\u12"]', '1:3 not an escape of JSON'],
    ['a line break in a text', '{"a": "b\n"}', '1:7 this text has no closing double quote'],
    ['a text without an end', '["abc', '1:2 this text has no closing double quote'],
    ['a tab in a text', '["a\tb"]', '1:4 a control character in a text is written \\u0009'],
    ['half of a surrogate pair', '["\\ud800"]', '1:2 half of a surrogate pair'],
    ['an empty document', '', '1:1 the document is empty; expected a JSON object'],
    ['a document of blanks', ' \r\n\t', '1:1 the document is empty; expected a JSON object'],
  ])('%s is an error with its line and column', (_, text, expected) => {
    expect(wrong(text)).toContain(expected);
  });

  it('a document that ends too early points behind its last character and names the open bracket', () => {
    expect(wrong('{\n  "a": [1\n\n')).toBe(
      '2:10 the text ends here; expected "," or "]" for the "[" of line 2, column 8',
    );
  });

  it('says what was expected at a malformed place, and where in the document that is', () => {
    expect(read('{"a": [1, x]}').problems[0]).toMatchObject({
      path: 'a[1]',
      expected: expect.stringContaining('a value'),
    });
  });

  it('a key that is there twice is an error that names both places, and the rest is read', () => {
    const { problems, value } = read('{"a": 1,\n "b": {"c": 1, "c": 2}, "a": 3}');
    expect(problems).toMatchObject([
      {
        path: 'b.c',
        line: 2,
        column: 16,
        message: '"c" is here twice; the first is at line 2, column 8',
      },
      {
        path: 'a',
        line: 2,
        column: 25,
        message: '"a" is here twice; the first is at line 1, column 2',
      },
    ]);
    expect(value).toEqual({ a: 1, b: { c: 1 } });
  });

  it('a byte order mark is no part of the first column', () => {
    expect(wrong('\uFEFF[1 2]')).toContain('1:4 ');
    expect(read('\uFEFF{"a": 1}').value).toEqual({ a: 1 });
  });

  it('a line that ends in CR LF counts once', () => {
    expect(wrong('[\r\n1,\r\n 2 3]')).toContain('3:4 ');
  });

  it('reads every kind of value as JSON.parse does', () => {
    const text =
      '{"a": [1, -1.5e3, "x\\n\\u00e9\\ud83d\\ude00", true, false, null, {}, []], "": 0}';
    expect(read(text).value).toEqual(JSON.parse(text));
  });
});

describe.each(['json', 'yaml'] as const)('in %s', (format) => {
  it.each([
    ['lists', '['],
    ['objects', '{"a":'],
  ])('ten thousand nested %s are an error, not a stack overflow', (_, opener) => {
    expect(wrong(opener.repeat(10_000), format)).toContain(`deeper than ${DOCUMENT_DEPTH_MAX}`);
  });

  it('a document as deep as the limit is read', () => {
    const deep = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`;
    expect(read(deep(DOCUMENT_DEPTH_MAX), format).problems).toEqual([]);
    expect(wrong(deep(DOCUMENT_DEPTH_MAX + 1), format)).toContain('nested deeper');
  });

  it('a document above the limit in bytes is refused before it is read', () => {
    const text = (bytes: number) => `["${'x'.repeat(bytes - 4)}"]`;
    expect(read(text(DOCUMENT_BYTES_MAX), format).problems).toEqual([]);
    expect(wrong(text(DOCUMENT_BYTES_MAX + 1), format)).toContain('larger than 4 MiB');
    expect(wrong(text(5_000_000), format)).toContain('larger than 4 MiB');
  });

  it('the limit counts bytes of UTF-8, not characters', () => {
    expect(wrong(`["${'€'.repeat(DOCUMENT_BYTES_MAX / 3)}"]`, format)).toContain('larger than');
  });

  it('a document with too many values is refused', () => {
    expect(wrong(`[${'[],'.repeat(DOCUMENT_VALUES_MAX)}1]`, format)).toMatch(
      /^1:\d+ more than \d+/,
    );
  });

  it('__proto__ as a key is an error and touches no prototype', () => {
    const text = '{"__proto__": {"polluted": 1}, "a": 1}';
    const { problems, value } = read(text, format);
    expect(problems).toMatchObject([{ path: '__proto__', line: 1, column: 2 }]);
    expect(value).toEqual({ a: 1 });
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect({}).not.toHaveProperty('polluted');
  });
});

describe('YAML', () => {
  it.each([
    ['a list without its end', 'a: [1', '1:6 Flow sequence'],
    ['a mapping inside a line', 'a: b: c', '1:4 Nested mappings'],
    ['a tab as indentation', 'a:\n\tb: 1', '2:1 Tabs are not allowed'],
    ['a text without its end', 'a: "x', '1:6 Missing closing "quote'],
    ['a second document', 'a: 1\n---\nb: 1', '2:1 a second document; expected only one'],
    ['an unknown tag', '!foo x', '1:1 Unresolved tag'],
    ['a tag for bytes', '!!binary x', '1:10 expected a text, a number, true, false or null'],
    ['a tag for ordered pairs', '!!omap [a: 1]', 'not a YAML value'],
    ['an alias of nothing', 'a: *x', '1:4 no anchor "&x" ends before this alias'],
    ['an alias inside its own anchor', '&a [*a]', '1:5 no anchor "&a" ends before this alias'],
    ['a key that is a list', '? [a]\n: b', '1:3 '],
    ['half of a surrogate pair', 'a: "\\ud800"', '1:4 half of a surrogate pair'],
    ['an empty document', '', '1:1 the document is empty'],
    ['only a comment', '# x\n', '1:1 the document is empty'],
  ])('%s is an error with its line and column', (_, text, expected) => {
    expect(wrong(text, 'yaml')).toContain(expected);
  });

  it('a key that is there twice is an error that names both places', () => {
    expect(wrong('a: 1\nb: 2\na: 3\n', 'yaml')).toBe(
      '3:1 "a" is here twice; the first is at line 1, column 1',
    );
  });

  it('keys are texts as they are written, values follow the core schema', () => {
    expect(read('01: 1\ntrue: yes\nx: 0x10\ny: ~\n', 'yaml').value).toEqual({
      '01': 1,
      true: 'yes',
      x: 16,
      y: null,
    });
  });

  it('an alias stands for the anchored value', () => {
    expect(read('a: &x [1, 2]\nb: *x\n', 'yaml').value).toEqual({ a: [1, 2], b: [1, 2] });
  });

  it('an error at the end of the file points behind its last character', () => {
    expect(wrong('a: [1\n\n', 'yaml')).toMatch(/^1:6 /);
  });

  it('half of a surrogate pair is no key either', () => {
    expect(wrong('"\\ud800": 1', 'yaml')).toContain('1:1 half of a surrogate pair');
  });

  it('a document of nothing but signs is refused before it is composed', () => {
    expect(wrong('- \n'.repeat(DOCUMENT_VALUES_MAX), 'yaml')).toContain('words and signs');
  });

  it('reading stops after more errors than anybody reads', () => {
    expect(readDocument('}'.repeat(5_000), 'yaml').findings).toHaveLength(PROBLEMS_MAX + 1);
  });

  it('aliases that multiply are refused', () => {
    let bomb = 'a0: &a0 [x, x, x, x, x, x, x, x, x]\n';
    for (let i = 1; i < 20; i += 1)
      bomb += `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]\n`;
    expect(wrong(bomb, 'yaml')).toContain(`more than ${DOCUMENT_VALUES_MAX} values`);
  });

  it('aliases that nest are refused at the depth of the limit', () => {
    let nest = 'a0: &a0 [x]\n';
    for (let i = 1; i < 200; i += 1) nest += `a${i}: &a${i} [*a${i - 1}]\n`;
    expect(wrong(nest, 'yaml')).toContain(`deeper than ${DOCUMENT_DEPTH_MAX}`);
  });

  it.each(['- ', '? ', ': ', '[{a: '])('ten thousand times %j is an error', (piece) => {
    expect(wrong(piece.repeat(10_000), 'yaml')).toContain('nested deeper');
  });
});

describe('a schema held against a document', () => {
  const Schema = z.strictObject({
    count: z.int('a whole number').min(1, 'a whole number of at least 1'),
    colour: z.enum(['red', 'green']).optional(),
    inner: z.strictObject({ name: z.string() }).optional(),
    named: z.record(z.string().regex(/^[a-z]+$/, 'small letters'), z.number()).optional(),
  });
  const problems = (text: string) => {
    const { tree, text: source } = readDocument(text, 'json');
    return settle(source, tree ? check(Schema, tree).findings : []).map(
      (p) => `${p.line}:${p.column} ${p.path}: ${p.message}`,
    );
  };

  it('gives the value when all is right', () => {
    const { tree } = readDocument('{"count": 2}', 'json');
    expect(tree && check(Schema, tree)).toEqual({ value: { count: 2 }, findings: [] });
  });

  it('a wrong type says what was expected and what was found, at the value', () => {
    expect(problems('{"count":\n "2"}')).toEqual(['2:2 count: expected a whole number, got "2"']);
    expect(problems('{"count": 1, "inner": []}')).toEqual([
      '1:23 inner: expected an object, got a list',
    ]);
  });

  it('an unknown field points at its key and names the nearest known one', () => {
    expect(problems('{"count": 1,\n "color": "red"}')).toEqual([
      '2:2 color: unknown field "color"; did you mean "colour"?',
    ]);
  });

  it('an unknown field that is near to none lists those there are', () => {
    expect(problems('{"count": 1, "inner": {"name": "a", "zzzzzz": 1}}')).toEqual([
      '1:37 inner.zzzzzz: unknown field "zzzzzz"; expected one of name',
    ]);
  });

  it('a missing field points at the object that lacks it', () => {
    expect(problems('{"count": 1, "inner": {}}')).toEqual([
      '1:23 inner.name: missing; expected a text',
    ]);
  });

  it('a near miss of a word is named', () => {
    expect(problems('{"count": 1, "colour": "gren"}')).toEqual([
      '1:24 colour: expected one of red, green, got "gren"; did you mean "green"?',
    ]);
  });

  it('a bad name points at the name', () => {
    expect(problems('{"count": 1, "named": {"A": 1}}')).toEqual([
      '1:24 named.A: expected small letters, got "A"',
    ]);
  });

  it('a near miss may differ in case', () => {
    expect(problems('{"count": 1, "colour": "GREEN"}')[0]).toContain('did you mean "green"?');
  });

  it('one place has one problem, the first', () => {
    const Twice = z.strictObject({ a: z.string().min(3, 'three').regex(/^x/, 'an x') });
    const { tree } = readDocument('{"a": "b"}', 'json');
    expect(tree && check(Twice, tree).findings).toMatchObject([{ expected: 'three' }]);
  });

  it('long texts, long paths and long lists of words are cut', () => {
    const long = 'x'.repeat(500);
    expect(problems(`{"count": "${long}"}`)[0]?.length).toBeLessThan(130);
    expect(problems(`{"count": 1, "${long}": 1}`)[0]?.length).toBeLessThan(230);
    const deep = '{"kkkkkkkkkkkk":'.repeat(60);
    expect(read(deep).problems[0]?.path.length).toBeLessThan(250);
    const Many = z.enum(Array.from({ length: 30 }, (_, i) => `word${i}`));
    const { tree } = readDocument('"zzzzzzzzzzzz"', 'json');
    expect(tree && check(Many, tree).findings[0]?.expected).toMatch(/word19 and 10 more$/);
  });

  it('all problems come at once, in the order of the document', () => {
    expect(problems('{"x": 1, "inner": {"name": 1}, "count": 0, "y": 2}')).toEqual([
      '1:2 x: unknown field "x"; expected one of count, colour, inner, named',
      '1:28 inner.name: expected a text, got 1',
      '1:41 count: expected a whole number of at least 1, got 0',
      '1:44 y: unknown field "y"; expected one of count, colour, inner, named',
    ]);
  });

  it('more problems than anybody reads are counted, not listed', () => {
    const many = Array.from({ length: 5_000 }, (_, i) => `"k${i}": 1`).join();
    const got = problems(`{"count": 1, ${many}}`);
    expect(got).toHaveLength(PROBLEMS_MAX + 1);
    expect(got.at(-1)).toContain(`and ${5_000 - PROBLEMS_MAX} more problems from here on`);
  });

  it('names that every JavaScript object has are names like any other', () => {
    expect(problems('{"count": 1, "constructor": 1}')[0]).toContain('unknown field "constructor"');
    expect(problems('{"count": 1, "named": {"constructor": 1}}')).toEqual([]);
  });
});

/** Results as documents for other programs: whatever the names, each is one that its readers take. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { csv } from '../../api/formats/csv.ts';
import { junit } from '../../api/formats/junit.ts';
import { tap } from '../../api/formats/tap.ts';
import { visible } from '../../api/formats/visible.ts';
import { yaml } from '../../api/formats/yaml.ts';
import { caseName } from '../../projections/result-words.ts';
import { JUNIT_SCHEMA } from './junit-schema.ts';
import { answered, manyEvents, ODD_TEXTS, oddEvents, twiceAndNone } from './odd-results.ts';
import { readCsv, readTap, type TapPoint } from './readers.ts';

const odd = answered(oddEvents());
const burned = { state: 'failed', reason: 'the board <burned> & "died"' } as const;
const twice = answered(
  [{ type: 'JobAllocated', data: { lease: 'l', members: [{ device: 'panda01', role: 'r' }] } }],
  { state: 'complete' },
);
const small = answered([...twiceAndNone()], burned);
const { fail } = odd.summary;

describe('JUnit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-junit-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const hasXmllint = (() => {
    try {
      execFileSync('xmllint', ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      console.warn('some tests of JUnit documents are skipped: xmllint (libxml2-utils) is missing');
      return false;
    }
  })();
  const schema = join(folder, 'junit.xsd');
  writeFileSync(schema, JUNIT_SCHEMA);
  /** Checks a document against the schema; gives what an XPath of it says. */
  const ask = (document: string, path: string): string => {
    const file = join(folder, 'results.xml');
    writeFileSync(file, document);
    execFileSync('xmllint', ['--noout', '--schema', schema, file], { stdio: 'pipe' });
    return execFileSync('xmllint', ['--xpath', path, file], { stdio: 'pipe' }).toString().trimEnd();
  };

  it.skipIf(!hasXmllint)('is what the schema of CI servers wants, whatever the names', () => {
    expect(ask(junit(odd), 'count(//testsuite)')).toBe(String(odd.suites.length));
    expect(ask(junit(odd), 'count(//testcase)')).toBe(String(odd.cases.length));
    expect(ask(junit(odd), 'count(//failure)')).toBe(String(fail));
    expect(ask(junit(odd), 'string(/testsuites/@failures)')).toBe(String(fail));
    expect(ask(junit(odd), 'sum(//testsuite/@failures)')).toBe(String(fail));
    expect(ask(junit(odd), 'sum(//testsuite/@tests)')).toBe(String(odd.cases.length));
    expect(ask(junit(odd), 'sum(//testsuite/@skipped) - count(//skipped)')).toBe('0');
  });

  it.skipIf(!hasXmllint)('gives names back as they were; what XML cannot carry is shown', () => {
    for (const [at, text] of ODD_TEXTS.entries()) {
      const path = `string(//testsuite[@id=${at}]/testcase[1]/@name)`;
      const wanted = visible(`${text}/${text}pass`, /[\t\n\r]/);
      expect(ask(junit(odd), path)).toBe(wanted.trimEnd());
    }
  });

  it.skipIf(!hasXmllint)('names a suite without a case, and one that did not run', () => {
    const silent = '//testsuite[contains(@name, "91_silent")]';
    expect(ask(junit(small), `string(${silent}/@tests)`)).toBe('0');
    const never = '//testsuite[contains(@name, "92_never")]';
    expect(ask(junit(small), `string(${never}//failure/@message)`)).toBe(
      'expected, and did not come',
    );
    expect(ask(junit(small), `string(${never}//property[@name="path"]/@value)`)).toBe('a&b.yaml');
  });

  it.skipIf(!hasXmllint)('has a case that came again each time, and the last counts', () => {
    const again = '//testcase[@name="again"]';
    expect(ask(junit(small), `count(${again})`)).toBe('3');
    expect(ask(junit(small), `count(${again}/skipped)`)).toBe('2');
    expect(ask(junit(small), `string(${again}[2]/skipped/@message)`)).toBe(
      'fail; it came again, and the last counts',
    );
    expect(ask(junit(small), `count(${again}[3]/*[not(self::system-out)])`)).toBe('0');
  });

  it.skipIf(!hasXmllint)('says that the job ended badly as an error, and only then', () => {
    expect(ask(junit(small), 'string(//error/@message)')).toBe(`failed: ${burned.reason}`);
    expect(ask(junit(small), 'string(/testsuites/@errors)')).toBe('1');
    expect(ask(junit(odd), 'count(//error)')).toBe('0');
    expect(ask(junit(twice), 'count(//testcase)')).toBe('0');
  });
});

describe('TAP', () => {
  /** The points of the document with those of their subtests. */
  const points = (document: string): TapPoint[] => readTap(document);

  it('is TAP 14 whatever the names: each plan is kept, each subtest has its point', () => {
    const read = points(tap(odd));
    expect(read).toHaveLength(odd.suites.length);
    expect(read.flatMap(({ children }) => children)).toHaveLength(odd.cases.length);
    const failed = read.flatMap(({ children }) => children.filter(({ isOk }) => !isOk));
    expect(failed).toHaveLength(fail);
    expect(read.filter(({ isOk }) => !isOk)).toHaveLength(
      odd.suites.filter(({ summary }) => summary.fail > 0).length,
    );
  });

  it('says names so that no directive and no point arises from them', () => {
    const names = points(tap(odd)).flatMap(({ children }) => children.map(({ name }) => name));
    const wanted = odd.suites.flatMap(({ device, suite }) =>
      odd.cases
        .filter((is) => is.device === device && is.suite === suite)
        .map((is) => visible(caseName(is))),
    );
    expect(names).toEqual(wanted);
  });

  it('gives results, measurements and notes as YAML under each point', () => {
    const [first] = points(tap(odd));
    expect(first?.children[1]?.diagnostics).toMatchObject({
      result: 'fail',
      measurement: '0e21',
      units: 'plain',
      note: 'plain',
    });
    const notes = points(tap(odd)).flatMap((p) => p.children.map((c) => c.diagnostics.note));
    expect(new Set(notes)).toEqual(new Set(odd.cases.map(({ note }) => note)));
  });

  it('skips a suite without a case, earlier ones of a case that came again, and what is unknown', () => {
    const read = points(tap(small));
    expect(read.map(({ name, isOk, directive }) => [name, isOk, directive])).toEqual([
      ['panda01 90_twice', true, undefined],
      ['panda01 91_silent', true, 'SKIP no case came'],
      ['panda01 92_never', false, undefined],
      ['job 12 is failed', false, undefined],
    ]);
    expect(read[0]?.children.map(({ isOk, directive }) => [isOk, directive])).toEqual([
      [true, 'SKIP pass; it came again, and the last counts'],
      [true, 'SKIP fail; it came again, and the last counts'],
      [true, undefined],
    ]);
    expect(read[3]?.diagnostics).toEqual({ reason: burned.reason });
    expect(tap(twice)).toBe('TAP version 14\n1..0 # no suite ran\n');
  });
});

describe('CSV', () => {
  it('has a row for the job, each suite, case, file and unreadable signal, of equally many cells', () => {
    const [head = [], ...rows] = readCsv(csv(odd));
    for (const row of rows) expect(row).toHaveLength(head.length);
    const kinds = (kind: string) => rows.filter(([first]) => first === kind);
    expect(kinds('job')).toHaveLength(1);
    expect(kinds('suite')).toHaveLength(odd.suites.length);
    expect(kinds('case')).toHaveLength(odd.cases.length);
    expect(kinds('garbled')).toHaveLength(ODD_TEXTS.length);
    expect(kinds('attachment')).toHaveLength(ODD_TEXTS.length);
    expect(csv(odd).replace(/"(?:[^"]|"")*"/g, '')).not.toMatch(/[^\r]\n|\r[^\n]/);
  });

  it('gives texts back as they were; a formula gets an apostrophe, a measurement keeps its sign', () => {
    const [head = [], ...rows] = readCsv(csv(odd));
    const set = head.indexOf('set');
    const sets = new Set(rows.filter(([kind]) => kind === 'case').map((row) => row[set]));
    const formulas = /^\s*[=+@\-\uff1d]/;
    expect(sets).toEqual(
      new Set(
        ODD_TEXTS.map((text) => visible(text, /[\r\n]/)).map((text) =>
          formulas.test(text) ? `'${text}` : text,
        ),
      ),
    );
    const negative = answered([
      {
        type: 'ResultRecorded',
        data: { member: 'a', suite: 's', case: '-x', result: 'pass', measurement: '-7' },
      },
    ]);
    expect(csv(negative)).toContain(",'-x,pass,true,-7,");
  });

  it('names a suite without a case, and says which of several counts', () => {
    expect(csv(small)).toContain('suite,12,panda01,panda01,,91_silent,,,,,,,no case came,,');
    const again = readCsv(csv(small)).filter((row) => row.includes('again'));
    expect(again.map((row) => row.slice(8, 10))).toEqual([
      ['pass', 'false'],
      ['fail', 'false'],
      ['pass', 'true'],
    ]);
    expect(csv(small)).toContain('job,12,,,,,,,,,,,"failed: the board <burned> & ""died""",,');
  });
});

describe('YAML', () => {
  it.each(['1.1', '1.2'] as const)('is the JSON document to a reader of YAML %s', (version) => {
    for (const results of [odd, small, twice]) {
      const plain = JSON.parse(JSON.stringify(results));
      expect(parse(yaml(results), { version })).toEqual(plain);
    }
  });
});

it('ten thousand cases in two hundred suites are written in any form, nothing left out', () => {
  const many = answered(manyEvents(200, 50));
  for (const write of [junit, tap, csv, yaml]) {
    const text = write(many);
    expect(text.match(/case-\d+/g)).toHaveLength(10_000);
    expect(many.suites.filter(({ suite }) => !text.includes(suite))).toEqual([]);
  }
  expect(readTap(tap(many)).flatMap(({ children }) => children)).toHaveLength(10_000);
});

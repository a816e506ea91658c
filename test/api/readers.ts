/** Strict readers of CSV (RFC 4180) and of TAP 14 (its grammar on testanything.org), for the tests: they throw at anything odd. */
import { parse } from 'yaml';

export function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  let row: string[] = [];
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex;
    const found = cell.exec(text);
    if (found === null) throw new Error(`no cell at ${at}: ${text.slice(at, at + 60)}`);
    row.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    if (found[3] === ',') continue;
    rows.push(row);
    row = [];
  }
  if (row.length > 0) throw new Error('the last line has no end');
  return rows;
}

export interface TapPoint {
  isOk: boolean;
  name: string;
  directive?: string;
  diagnostics: Record<string, unknown>;
  children: TapPoint[];
}

/** @throws where the document is not what the grammar says, or a plan is not kept */
export function readTap(text: string): TapPoint[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const lines = new Lines(text.slice(0, -1).split('\n'));
  if (lines.take('') !== 'TAP version 14') throw new Error('the version is missing');
  return readPoints(lines, '');
}

class Lines {
  readonly #lines: readonly string[];
  #at = 0;
  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  get next(): string | undefined {
    return this.#lines[this.#at];
  }

  take(indent: string): string {
    const line = this.next;
    if (line === undefined || !line.startsWith(indent)) throw new Error(`odd line: ${line}`);
    this.#at += 1;
    const rest = line.slice(indent.length);
    if (/^\s|[\p{Cc}\u2028\u2029]/u.test(rest)) throw new Error(`odd line: ${line}`);
    return rest;
  }

  takeUpTo(end: string): string[] {
    const taken: string[] = [];
    for (this.#at += 1; this.next !== end; this.#at += 1) {
      if (this.next === undefined) throw new Error('a block has no end');
      taken.push(this.next);
    }
    this.#at += 1;
    return taken;
  }
}

const PLAN = /^1\.\.(\d+)(?: # .+)?$/;
const POINT = /^(not )?ok (\d+) - ((?:[^\\#]|\\[\\#])*?)(?: # (SKIP .+))?$/;

function readPoints(lines: Lines, indent: string): TapPoint[] {
  const plan = PLAN.exec(lines.take(indent));
  if (plan === null) throw new Error('a plan is missing');
  const points: TapPoint[] = [];
  while (lines.next?.startsWith(indent)) {
    let children: TapPoint[] = [];
    let subtest: string | undefined;
    if (lines.next.startsWith(`${indent}# Subtest: `)) {
      subtest = lines.take(indent).slice('# Subtest: '.length);
      children = readPoints(lines, `${indent}    `);
    }
    const point = readPoint(lines, indent, points.length + 1);
    if (subtest !== undefined && unescaped(subtest) !== point.name)
      throw new Error(`the point of ${subtest} is called ${point.name}`);
    points.push({ ...point, children });
  }
  if (points.length !== Number(plan[1]))
    throw new Error(`${plan[1]} points were planned, ${points.length} came`);
  return points;
}

const unescaped = (text: string): string => text.replace(/\\([\\#])/g, '$1');

function readPoint(lines: Lines, indent: string, number: number): Omit<TapPoint, 'children'> {
  const line = lines.take(indent);
  const found = POINT.exec(line);
  if (found === null) throw new Error(`no test point: ${line}`);
  if (Number(found[2]) !== number) throw new Error(`point ${found[2]} where ${number} is due`);
  let diagnostics: Record<string, unknown> = {};
  if (lines.next === `${indent}  ---`) {
    const block = lines.takeUpTo(`${indent}  ...`);
    diagnostics = parse(block.map((each) => each.slice(indent.length + 2)).join('\n'));
  }
  return {
    isOk: found[1] === undefined,
    name: unescaped(found[3] ?? ''),
    ...(found[4] !== undefined && { directive: found[4] }),
    diagnostics,
  };
}

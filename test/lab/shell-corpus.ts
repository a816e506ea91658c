/**
 * The corpus of test shells: each folder of test/corpus/shells is a job (`job.json`), the repository of its definitions
 * (`repo/`; the address of it stands for @REPO@ everywhere), and what must come of it (`expect.json`). They run for real,
 * on one server with boards of two types.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { z } from 'zod';
import type { Results } from '../../api/schemas.ts';
import type { CaseView } from '../../projections/views.ts';
import { type RunningServer, startServer } from '../../server/server.ts';
import { gitRepository } from '../dispatcher/harness.ts';

const FOLDER = fileURLToPath(new URL('../corpus/shells', import.meta.url));
const BOARDS = ['a01', 'a02', 'a03', 'b01', 'b02', 'b03'];

/** By `role[n]`, then by case: `null` where there must be none. */
type Of<T> = Record<string, Record<string, T | null>>;
interface Expected {
  /** It runs in `npm test`, too. */
  isShort?: true;
  state: string | string[];
  cases?: Of<string>;
  sets?: Of<string>;
  measurements?: Of<string>;
  units?: Of<string>;
  /** Regular expressions. */
  notes?: Of<string>;
  suites?: Record<string, string[]>;
  /** Of all cases but the calls of the API. */
  total?: number;
  garbled?: number;
  /** Regular expressions of the console's lines. */
  stdout?: Record<string, string[]>;
  notStdout?: Record<string, string[]>;
}
type JobResults = z.infer<typeof Results>;

export interface ShellCase {
  name: string;
  expected: Expected;
}

export const shellCorpus: readonly ShellCase[] = readdirSync(FOLDER).map((name) => ({
  name,
  expected: JSON.parse(readFileSync(join(FOLDER, name, 'expect.json'), 'utf8')) as Expected,
}));

export class ShellLab {
  readonly #folder = mkdtempSync(join(tmpdir(), 'muster-shells-'));
  #server: RunningServer | undefined;

  async start(): Promise<void> {
    const labFile = join(this.#folder, 'lab.yaml');
    const repositories = join(this.#folder, 'repositories');
    mkdirSync(repositories);
    const boards = BOARDS.map((name) => `  ${name}: {type: qemu-${name[0]}}\n`);
    const types = 'device_types: {qemu-a: {image: "host:"}, qemu-b: {image: "host:"}}\n';
    writeFileSync(labFile, `${types}devices:\n${boards.join('')}allow_files: [${repositories}]\n`);
    this.#server = await startServer({
      ...{ dataDir: join(this.#folder, 'data'), labFile, host: '127.0.0.1', port: 0 },
      log: pino({ level: 'silent' }),
    });
  }

  async stop(): Promise<void> {
    await this.#server?.stop({ killBoards: true });
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs it, and says what came otherwise than expected. */
  async differences({ name, expected }: ShellCase): Promise<string[]> {
    const repository = this.#commit(name);
    const document = readFileSync(join(FOLDER, name, 'job.json'), 'utf8');
    const job = JSON.parse(document.replaceAll('@REPO@', repository)) as object;
    const body = JSON.stringify({ job_name: name, ...job });
    const posted = await fetch(this.#url('/api/jobs'), { method: 'POST', body });
    if (!posted.ok) return [await posted.text()];
    const { id } = (await posted.json()) as { id: number };
    const headers = { accept: 'text/event-stream' };
    // The stream of its events ends with the job.
    await (await fetch(this.#url(`/api/jobs/${id}/events`), { headers })).text();
    const { state } = await this.#get<{ state: string }>(`/api/jobs/${id}`);
    const results = await this.#get<JobResults>(`/api/jobs/${id}/results`);
    const text = async (device: string) =>
      (await fetch(this.#url(`/api/jobs/${id}/members/${device}/console`))).text();
    return [
      ...([expected.state].flat().includes(state) ? [] : [`it is ${state}: ${results.reason}`]),
      ...differencesOf(results, expected),
      ...(await consoleDifferences(results, expected, text)),
    ];
  }

  #url = (path: string) => `${this.#server?.url}${path}`;
  #get = async <T>(path: string) => (await (await fetch(this.#url(path))).json()) as T;

  #commit(name: string): string {
    const from = join(FOLDER, name, 'repo');
    const to = join(this.#folder, 'repositories', name);
    const files = readdirSync(from, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const texts = files.map((file) => [
      relative(from, file),
      readFileSync(file, 'utf8').replaceAll('@REPO@', to),
    ]);
    return gitRepository(to, Object.fromEntries(texts) as Record<string, string>);
  }
}

function differencesOf(results: JobResults, expected: Expected): string[] {
  const said: string[] = [];
  const compare = <T>(
    what: string,
    wanted: Of<T> | undefined,
    read: (is?: CaseView) => unknown,
  ) => {
    for (const [place, cases] of Object.entries(wanted ?? {}))
      for (const [name, value] of Object.entries(cases)) {
        const came = read(lastOf(results, place, name)) ?? null;
        if (came !== value) said.push(`${place} ${name}: ${what} is ${came}, not ${value}`);
      }
  };
  compare('result', expected.cases, (is) => is?.result);
  compare('set', expected.sets, (is) => is?.set);
  compare('measurement', expected.measurements, (is) => is?.measurement);
  compare('units', expected.units, (is) => is?.units);
  for (const [place, cases] of Object.entries(expected.notes ?? {}))
    for (const [name, pattern] of Object.entries(cases)) {
      const note = lastOf(results, place, name)?.note ?? '';
      if (!new RegExp(pattern ?? '').test(note)) said.push(`${place} ${name}: note is ${note}`);
    }
  for (const [place, names] of Object.entries(expected.suites ?? {})) {
    const there = results.suites.filter(({ device }) => device === deviceAt(results, place));
    const missing = names.filter((name) => !there.some(({ suite }) => suite === name));
    if (missing.length > 0) said.push(`${place} has no suite ${missing.join(', ')}`);
  }
  const own = results.cases.filter((is) => !is.case.startsWith('multinode-'));
  if (expected.total !== undefined && own.length !== expected.total)
    said.push(`${own.length} cases, not ${expected.total}`);
  if (expected.garbled !== undefined && results.garbled.length !== expected.garbled)
    said.push(`garbled: ${results.garbled.map(({ text }) => text).join(', ')}`);
  return said;
}

async function consoleDifferences(
  results: JobResults,
  { stdout, notStdout }: Expected,
  textOf: (device: string) => Promise<string>,
): Promise<string[]> {
  const said: string[] = [];
  for (const [wanted, isThere] of [
    [stdout, true],
    [notStdout, false],
  ] as const)
    for (const [place, patterns] of Object.entries(wanted ?? {})) {
      const text = await textOf(deviceAt(results, place) ?? '');
      for (const pattern of patterns)
        if (new RegExp(pattern, 'm').test(text) !== isThere)
          said.push(`the console of ${place} ${isThere ? 'lacks' : 'has'} ${pattern}`);
    }
  return said;
}

const deviceAt = ({ members }: JobResults, place: string): string | undefined =>
  members.find(({ role, index }) => `${role}[${index}]` === place)?.device;

/** A case by its name, or by `suite/case` where there are several. */
const lastOf = (results: JobResults, place: string, name: string): CaseView | undefined =>
  results.cases.findLast(
    (is) =>
      is.device === deviceAt(results, place) &&
      (is.case === name || `${is.suite}/${is.case}` === name),
  );

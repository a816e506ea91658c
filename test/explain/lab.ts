/** A real server with real boards that runs a scenario of the corpus, and what it left as evidence. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Evidence, RanSource } from '../../answers/evidence.ts';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { startServer } from '../../server/server.ts';
import { SourceList } from '../../wire/sources.ts';
import { gitRepository } from '../dispatcher/harness.ts';
import { consoleOf } from './recorded.ts';
import type { Scenario } from './scenarios.ts';

/** How long a board may take to boot; the image of type `dead` takes for ever, that of `slow` less than this. */
const BOOT_SECONDS = 9;
const SLOW_BOOT_SECONDS = 5;
const BOARDS_A_TYPE = 4;
const TYPES = ['panda', 'beagle', 'slow', 'dead'];

export class ExplainLab {
  readonly folder: string;
  #server: Awaited<ReturnType<typeof startServer>> | undefined;
  #lost: readonly string[] = [];

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'muster-explain-'));
    mkdirSync(join(this.folder, 'repos'));
    for (const [type, seconds] of [
      ['slow', SLOW_BOOT_SECONDS],
      ['dead', 600],
    ] as const)
      makeImage(join(this.folder, `${type}.tar`), seconds);
    execFileSync('tar', ['-cf', join(this.folder, 'broken.tar'), '-C', this.folder, 'repos']);
  }

  async start(): Promise<void> {
    const labFile = join(this.folder, 'lab.yaml');
    writeFileSync(labFile, this.#labText());
    const listening = { dataDir: join(this.folder, 'data'), labFile, host: '127.0.0.1', port: 0 };
    this.#server = await startServer({ ...listening, log: pino({ level: 'silent' }) });
  }

  async stop(): Promise<void> {
    await this.#server?.stop({ killBoards: true });
    rmSync(this.folder, { recursive: true, force: true });
  }

  #labText(): string {
    const image = (type: string) => `{ image: "file://${this.folder}/${type}.tar" }`;
    const boards = TYPES.flatMap((type) =>
      Array.from({ length: BOARDS_A_TYPE }, (_, at) => `${type}0${at + 1}`)
        .filter((name) => !this.#lost.includes(name))
        .map((name) => `  ${name}: { type: ${type} }\n`),
    );
    return `limits: { boot_seconds: ${BOOT_SECONDS} }
allow_files: [${this.folder}]
device_types: { panda: {}, beagle: {}, slow: ${image('slow')}, dead: ${image('dead')} }
devices:
${boards.join('')}`;
  }

  /** Runs a scenario to its end. */
  async run({ name, document, repository, expected }: Scenario): Promise<Evidence> {
    const place = join(this.folder, 'repos', `${name}-${Date.now()}`);
    mkdirSync(place, { recursive: true });
    if (existsSync(repository)) cpSync(repository, place, { recursive: true });
    gitRepository(place, {});
    const body = document.replaceAll('REPOSITORY', place).replaceAll('IMAGES', this.folder);
    const posted = await fetch(`${this.#url}/api/jobs?${expected.query ?? ''}`, {
      method: 'POST',
      body,
    });
    const answer = (await posted.json()) as { id?: number };
    if (answer.id === undefined) throw new Error(`${name}: ${JSON.stringify(answer)}`);
    const { id } = answer;
    if (expected.outside !== undefined) await this.#fromOutside(id, expected.outside);
    await this.#ended(id);
    return this.evidence(id);
  }

  get #url(): string {
    return this.#server?.url ?? '';
  }

  async #ended(id: number): Promise<void> {
    for (;;) {
      try {
        const accept = { accept: 'text/event-stream' };
        const stream = await fetch(`${this.#url}/api/jobs/${id}/events`, { headers: accept });
        const text = await stream.text();
        if (text.includes('event: end')) return;
      } catch {
        // The server started anew under it.
      }
    }
  }

  async #fromOutside(
    id: number,
    outside: NonNullable<Scenario['expected']['outside']>,
  ): Promise<void> {
    for (;;) {
      const events = await this.#events(id);
      if (events.some(({ type }) => type === outside.at)) break;
    }
    if (outside.do === 'cancel') {
      const body = JSON.stringify({ reason: 'the lab moves' });
      const headers = { 'content-type': 'application/json' };
      await fetch(`${this.#url}/api/jobs/${id}/cancel`, { method: 'POST', body, headers });
      return;
    }
    const allocated = (await this.#events(id)).find(({ type }) => type === 'JobAllocated');
    const members = allocated?.type === 'JobAllocated' ? allocated.data.members : [];
    const boards = members.filter(({ role }) => role === outside.role).map(({ device }) => device);
    if (outside.do === 'take') {
      for (const board of boards) await this.#take(board);
      return;
    }
    this.#lost = boards;
    await this.#server?.stop();
    await this.start();
  }

  /** Into maintenance at once, and back when the job is over. */
  async #take(board: string): Promise<void> {
    const says = (body: object) =>
      fetch(`${this.#url}/api/devices/${board}/health`, {
        method: 'POST',
        body: JSON.stringify({ reason: 'smoke', ...body }),
        headers: { 'content-type': 'application/json' },
      });
    await says({ health: 'maintenance', force: true });
    await says({ health: 'good' });
  }

  async #events(id: number): Promise<RecordedEvent<JobEvent>[]> {
    const answer = await fetch(`${this.#url}/api/jobs/${id}/events`);
    return ((await answer.json()) as { events: RecordedEvent<JobEvent>[] }).events;
  }

  async evidence(id: number): Promise<Evidence> {
    const events = await this.#events(id);
    const file = (device: string) =>
      join(this.folder, 'data/jobs', String(id), `${device}.console`);
    const sources: RanSource[] = events.flatMap((event) => {
      if (event.type !== 'SuitePrepared' || event.data.sources === undefined) return [];
      const { member, suite, sources: digest } = event.data;
      const list = SourceList.parse(JSON.parse(this.#object(digest) ?? ''));
      return [{ member, suite, list, text: (one: string) => this.#object(one) }];
    });
    return {
      job: id,
      events,
      sources,
      console: (device) =>
        consoleOf(existsSync(file(device)) ? readFileSync(file(device), 'utf8') : ''),
    };
  }

  #object(digest: string): string | undefined {
    const file = join(this.folder, 'data/objects', digest.slice(0, 2), digest);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }
}

/** A root with nothing but busybox, whose first shell sleeps. */
function makeImage(file: string, sleepSeconds: number): void {
  const root = mkdtempSync(join(tmpdir(), 'muster-image-'));
  for (const folder of ['bin', 'etc', 'root', 'tmp', 'usr']) mkdirSync(join(root, folder));
  const busybox = execFileSync('which', ['busybox'], { encoding: 'utf8' }).trim();
  cpSync(busybox, join(root, 'bin/busybox'), { dereference: true });
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const applet of applets.filter((name) => name !== 'busybox' && name !== 'sh'))
    execFileSync('ln', ['-s', 'busybox', join(root, 'bin', applet)]);
  const shell = `#!/bin/busybox sh
if [ "$1" = -c ] && [ "\${2#*muster}" != "$2" ]; then echo "loading the kernel"; /bin/busybox sleep ${sleepSeconds}; fi
exec /bin/busybox sh "$@"
`;
  writeFileSync(join(root, 'bin/sh'), shell, { mode: 0o755 });
  execFileSync('tar', ['-cf', file, '-C', root, '.']);
  rmSync(root, { recursive: true, force: true });
}

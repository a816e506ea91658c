/** A server with real boards for the tests of the page, and a browser that looks at it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import type { BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { JobView } from '../../projections/views.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../server/server.ts';

export const LAB = `
device_types:
  panda: { driver: local, image: "host:" }
  beaglexm: { driver: local, image: "host:" }
devices:
  panda01: { type: panda, tags: [fast] }
  panda02: { type: panda }
  beaglexm01: { type: beaglexm }
`;

export class TestLab {
  readonly folder: string;
  readonly server: RunningServer;

  private constructor(folder: string, server: RunningServer) {
    this.folder = folder;
    this.server = server;
  }

  /** `FOLDER` in the lab's file: that of the lab. */
  static async start(lab = LAB, more: Partial<ServerOptions> = {}): Promise<TestLab> {
    const folder = await mkdtemp(join(tmpdir(), 'muster-page-'));
    const labFile = join(folder, 'lab.yaml');
    await writeFile(labFile, lab.replaceAll('FOLDER', folder));
    const log = pino({ level: 'silent' });
    const place = { dataDir: join(folder, 'data'), host: '127.0.0.1', port: 0 };
    const server = await startServer({ ...place, ...(lab !== '' && { labFile }), log, ...more });
    return new TestLab(folder, server);
  }

  get url(): string {
    return this.server.url;
  }

  async submit(job: object): Promise<number> {
    const response = await fetch(`${this.url}/api/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(job),
    });
    expect(response.status, await response.clone().text()).toBe(201);
    return ((await response.json()) as { id: number }).id;
  }

  /** Resolves when the job is over: by its stream of events, which ends then. */
  async over(id: number): Promise<JobView> {
    const headers = { accept: 'text/event-stream' };
    await (await fetch(`${this.url}/api/jobs/${id}/events`, { headers })).text();
    return (await (await fetch(`${this.url}/api/jobs/${id}`)).json()) as JobView;
  }

  async stop(): Promise<void> {
    await this.server.stop({ killBoards: true });
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A phone and a desk. */
export const VIEWPORTS = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
] as const;

/** Commands of one role. */
export const run = (role: string, ...commands: string[]) => ({
  command: 'lava_command_run',
  parameters: { role, commands },
});

export const job = (name: string, roles: Record<string, [number, string]>, actions: object[]) => ({
  timeout: 120,
  job_name: name,
  device_group: Object.entries(roles).map(([role, [count, device_type]]) => ({
    ...{ role, count, device_type },
  })),
  actions,
});

/** An event that the lanes name under the pointer. */
export interface Named {
  x: number;
  y: number;
  event: number;
  text: string;
}

/** What the lanes name along the middle of a lane, from left to right, each event once. */
export async function namedOn(page: Page, lane: number, lanes = 0): Promise<Named[]> {
  // What stands in a string runs in the page. A pointer goes over it there: from here it would take a minute.
  const told = (await page.evaluate(`(async () => {
    const all = document.querySelectorAll('.lanes')[${lanes}];
    const canvas = all.querySelector('canvas');
    const box = canvas.getBoundingClientRect();
    const row = all.querySelectorAll('.lane-name')[${lane}].getBoundingClientRect();
    const y = row.y + row.height / 2;
    const told = [];
    // A timer would be held back by four milliseconds each time.
    const { port1, port2 } = new MessageChannel();
    const turn = () => new Promise((done) => {
      port1.onmessage = done;
      port2.postMessage(undefined);
    });
    for (let x = box.x + 3; x < box.right - 3; x += 3) {
      canvas.dispatchEvent(new PointerEvent('pointermove', { clientX: x, clientY: y, bubbles: true }));
      await turn();
      told.push([x, y, all.querySelector('.tip')?.textContent ?? '']);
    }
    canvas.dispatchEvent(new PointerEvent('pointerleave', { clientX: 0, clientY: 0 }));
    return told;
  })()`)) as [number, number, string][];
  const found = new Map<number, Named>();
  for (const [x, y, tip] of told) {
    const [, event, text = ''] = /^(\d+) · .+? · (.*)$/.exec(tip) ?? [];
    if (event !== undefined && !found.has(Number(event)))
      found.set(Number(event), { x, y, event: Number(event), text });
  }
  return [...found.values()];
}

/** Resolves after the browser has painted so many times more. */
export const painted = (page: Page, times = 2): Promise<unknown> =>
  page.evaluate(`new Promise((done) => {
    let left = ${times};
    requestAnimationFrame(function next() {
      if (left-- > 0) requestAnimationFrame(next);
      else done();
    });
  })`);

/** A page that fails its test when the browser has anything to complain of. */
export async function openPage(context: BrowserContext): Promise<{ page: Page; said: string[] }> {
  const page = await context.newPage();
  page.setDefaultTimeout(25_000);
  const said: string[] = [];
  page.on('console', (message) => {
    // Boards come and go with their interfaces: Chromium then breaks off what it had open, and the page asks again.
    if (message.text().includes('ERR_NETWORK_CHANGED')) return;
    if (['error', 'warning'].includes(message.type()))
      said.push(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => said.push(error.message));
  return { page, said };
}

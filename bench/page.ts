/** The page in Debian's Chromium: its first view from a cold cache, and a job of very many events opened and scrubbed. */
import { existsSync } from 'node:fs';
import pino from 'pino';
import { type Browser, chromium, type Page } from 'playwright-core';
import { startServer } from '../server/server.ts';
import { median, ms, table } from './figures.ts';
import { pumped } from './messages.ts';
import { startMuster } from './muster-process.ts';
import { doorsOf, groupSizes } from './peers/muster.ts';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--enable-precise-memory-info',
];
const MEMBERS = 128;
const IN_FLIGHT = 16;
const LOG_SECONDS = [0.2, 4];
const RUNS = 3;
const SCRUB_MS = 4_000;

export async function pageTable(
  newFolder: () => Promise<string>,
  say: (line: string) => void,
): Promise<string | undefined> {
  if (!existsSync(CHROMIUM)) {
    say(`there is no ${CHROMIUM}: the page is not measured`);
    return undefined;
  }
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  const rows: string[][] = [];
  try {
    for (const seconds of LOG_SECONDS) {
      const folder = await newFolder();
      await writeLog(folder, seconds);
      rows.push(await measured(browser, folder));
    }
  } finally {
    await browser.close();
  }
  return table(
    [
      'events of the job',
      'first view of the lab, cold, ms',
      'the job: lanes, ms',
      'all of its events, ms',
      'scrubbing, frames/s',
      'the slowest frame, ms',
      'heap, MiB',
    ],
    rows,
  );
}

/** One job of 128 members that send and send. */
async function writeLog(folder: string, seconds: number): Promise<void> {
  const muster = await startMuster({ folder, sizes: groupSizes(MEMBERS) });
  const undo: (() => unknown)[] = [];
  const { line } = await doorsOf(muster, MEMBERS, undo);
  await pumped(line, IN_FLIGHT, seconds);
  for (const step of undo) await step();
  await muster.stop();
}

async function measured(browser: Browser, dataDir: string): Promise<string[]> {
  const log = pino({ level: 'silent' });
  const server = await startServer({ dataDir, host: '127.0.0.1', port: 0, log });
  try {
    const views: number[] = [];
    for (let run = 0; run < RUNS; run++)
      views.push(await inNewPage(browser, (page) => firstView(page, server.url)));
    const jobs = (await (await fetch(`${server.url}/api/jobs`)).json()) as {
      jobs: { id: number }[];
    };
    const id = jobs.jobs.at(-1)?.id ?? 1;
    return await inNewPage(browser, async (page) => {
      const from = performance.now();
      await page.goto(`${server.url}/jobs/${id}`);
      await page.locator('.lane-name').first().waitFor();
      const lanes = performance.now() - from;
      // A member of a worker that is not there has failed, and the job with it: its end is the last event.
      await page
        .locator('.standing .sentence', { hasText: /^the job / })
        .waitFor({ timeout: 60_000 });
      await page.waitForFunction(FULL, undefined, { timeout: 60_000 });
      const opened = performance.now() - from;
      const count = (await page.locator('.slider input').getAttribute('max')) ?? '';
      const { frames, slowest, heap } = (await page.evaluate(SCRUB)) as Record<string, number>;
      return [
        Number(count).toLocaleString('en'),
        ms(median(views)),
        ms(lanes),
        ms(opened),
        ((1_000 * (frames ?? 0)) / SCRUB_MS).toFixed(0),
        ms(slowest ?? 0),
        ((heap ?? 0) / 2 ** 20).toFixed(0),
      ];
    });
  } finally {
    await server.stop();
  }
}

async function inNewPage<T>(browser: Browser, use: (page: Page) => Promise<T>): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 } });
  try {
    return await use(await context.newPage());
  } finally {
    await context.close();
  }
}

async function firstView(page: Page, url: string): Promise<number> {
  const from = performance.now();
  await page.goto(url);
  await page.locator('.tile').first().waitFor();
  return performance.now() - from;
}

/** What stands in a string runs in the page. */
const FULL = `document.querySelector('.live') === null`;
const SCRUB = `new Promise((done) => {
  const slider = document.querySelector('.slider input');
  const max = Number(slider.max);
  const began = performance.now();
  let frames = 0, slowest = 0, last = began;
  requestAnimationFrame(function next(now) {
    frames++;
    slowest = Math.max(slowest, now - last);
    last = now;
    const part = (now - began) / ${SCRUB_MS};
    if (part >= 1) return done({ frames, slowest, heap: performance.memory.usedJSHeapSize });
    slider.value = String(1 + Math.floor(Math.abs(Math.sin(part * 9)) * (max - 1)));
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    requestAnimationFrame(next);
  });
})`;

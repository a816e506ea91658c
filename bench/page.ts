/**
 * The page in Debian's Chromium: its first view, a job of very many events, a lab of very many boards and jobs, its memory
 * while a lab is busy, and what many open pages cost the server.
 */
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { median, ms, quantile, table } from './figures.ts';
import { fullLab, largeJob, writeLog } from './page-logs.ts';
import { playPage } from './page-played.ts';
import { type PageServer, startPageServer } from './page-process.ts';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--enable-precise-memory-info',
];
const MEMBERS = 128;
const EVENTS = [5_000, 100_000];
const RUNS = 3;
/** A machine that does much else takes long. */
const WAITED_MS_MAX = 180_000;
const SCRUB_MS = 4_000;
const BOARDS = 10_000;
const JOBS = 10_000;
/** An hour of a lab with 5,000 events a minute, so many times as fast. */
const HOUR = { boards: 64, eventsPerSecond: 1_250, factor: 15 };
const HOUR_PARTS = 6;
const PAGES = [10, 100];
/** 5,000 events a minute; a board is given back a minute after its member ended. */
const PACE = { boards: 512, eventsPerSecond: 5_000 / 60, factor: 1 };
const PAGES_MEASURED_MS = 20_000;

type NewFolder = () => Promise<string>;
type Say = (line: string) => void;

export async function pageTable(newFolder: NewFolder, say: Say): Promise<string | undefined> {
  if (!existsSync(CHROMIUM)) {
    say(`there is no ${CHROMIUM}: the page is not measured`);
    return undefined;
  }
  const parts = [jobTable, labTable, memoryTable, costTable];
  const texts: string[] = [];
  for (const part of parts) {
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    try {
      texts.push(await part(browser, newFolder, say));
      say(texts.at(-1) ?? '');
    } finally {
      await browser.close();
    }
  }
  return [...texts, `Load of the machine at the end: ${loadavg()[0]?.toFixed(1)}.`].join('\n\n');
}

// a job

async function jobTable(browser: Browser, newFolder: NewFolder): Promise<string> {
  const rows: string[][] = [];
  for (const events of EVENTS) {
    const dataDir = join(await newFolder(), 'data');
    await writeLog(dataDir, largeJob(MEMBERS, events));
    rows.push(await jobRow(browser, dataDir));
  }
  const head = ['events of the job', 'first view of the lab, cold, ms', 'the job: lanes, ms'];
  head.push(
    'all of its events, ms',
    'opened again, ms',
    'scrubbing, frames/s',
    'frame, p99 ms',
    'longest frame, ms',
  );
  return table([...head, 'heap, MiB'], rows);
}

/** Each run has a server of its own: what the first who opens a job waits for, others find. */
async function jobRow(browser: Browser, dataDir: string): Promise<string[]> {
  const [views, lanes]: [number[], number[]] = [[], []];
  const [first, again]: [number[], number[]] = [[], []];
  for (let run = 0; run < RUNS; run++)
    await withServer({ dataDir }, async ({ url }) => {
      const view = () => inNewPage(browser, (page) => timed(page, url, '.panel'));
      // A server that has just started is not what anybody looks at.
      await view();
      for (const opened of [first, again])
        await inNewPage(browser, async (page) => {
          const from = performance.now();
          const shown = await timed(page, `${url}/jobs/1`, '.lane-name');
          if (opened === first) lanes.push(shown);
          await isRead(page);
          opened.push(performance.now() - from);
        });
      views.push(await view());
    });
  return withServer({ dataDir }, ({ url }) =>
    inNewPage(browser, async (page) => {
      await page.goto(`${url}/jobs/1`);
      await isRead(page);
      const count = Number(await page.locator('.slider input').getAttribute('max'));
      const frames = (await page.evaluate(SCRUB)) as number[];
      const heap = await heapMiB(page);
      return [
        count.toLocaleString('en'),
        ...[views, lanes, first, again].map((each) => ms(median(each))),
        ((1_000 * frames.length) / SCRUB_MS).toFixed(0),
        ms(quantile(frames, 0.99)),
        ms(Math.max(...frames)),
        heap,
      ];
    }),
  );
}

const isRead = (page: Page) =>
  page.locator('.standing .sentence', { hasText: 'the job is complete' }).waitFor();

/**
 * What stands in a string runs in the page: how long each frame took while something was moved with every one.
 *
 * @param move moves it; `part` goes from 0 to 1
 */
const framesWhile = (given: string, move: string) => `new Promise((done) => {
  ${given}
  const began = performance.now();
  const frames = [];
  let last = began;
  requestAnimationFrame(function next() {
    const now = performance.now();
    frames.push(now - last);
    last = now;
    const part = (now - began) / ${SCRUB_MS};
    if (part >= 1) return done(frames);
    ${move}
    requestAnimationFrame(next);
  });
})`;

const SCRUB = framesWhile(
  `const slider = document.querySelector('.slider input'); const max = Number(slider.max);`,
  `slider.value = String(1 + Math.floor(Math.abs(Math.sin(part * 9)) * (max - 1)));
    slider.dispatchEvent(new Event('input', { bubbles: true }));`,
);

const scroll = (list: string) =>
  framesWhile(
    `const box = document.querySelector(${JSON.stringify(list)});`,
    'box.scrollTop = Math.abs(Math.sin(part * 6)) * box.scrollHeight;',
  );

// a lab

async function labTable(browser: Browser, newFolder: NewFolder): Promise<string> {
  const dataDir = join(await newFolder(), 'data');
  await writeLog(dataDir, fullLab(BOARDS, JOBS));
  return withServer({ dataDir }, ({ url }) =>
    inNewPage(browser, async (page) => {
      const view = await timed(page, url, '.tile');
      await page.getByRole('heading', { name: `Queue ${JOBS}` }).waitFor();
      const boards = (await page.evaluate(scroll('.boards .rows'))) as number[];
      const queue = (await page.evaluate(scroll('.rows.queue'))) as number[];
      const from = performance.now();
      await page.getByRole('searchbox', { name: 'Search boards' }).fill('board09999');
      await page.locator('.tile', { hasText: 'board09999' }).first().waitFor();
      const found = performance.now() - from;
      const rate = (frames: readonly number[]) => ((1_000 * frames.length) / SCRUB_MS).toFixed(0);
      const head = [
        'boards and jobs that wait',
        'first view, cold, ms',
        'boards scrolled, frames/s',
      ];
      head.push('queue scrolled, frames/s', 'frame, p99 ms', 'searched, ms', 'heap, MiB');
      return table(head, [
        [
          `${BOARDS.toLocaleString('en')} and ${JOBS.toLocaleString('en')}`,
          ms(view),
          rate(boards),
          rate(queue),
          ms(quantile([...boards, ...queue], 0.99)),
          ms(found),
          await heapMiB(page),
        ],
      ]);
    }),
  );
}

// memory

async function memoryTable(browser: Browser, _: NewFolder, say: Say): Promise<string> {
  return withServer(HOUR, async (server) => {
    const places = ['/', '/log'];
    const contexts = await Promise.all(places.map(() => browser.newContext()));
    const pages = await Promise.all(contexts.map((context) => context.newPage()));
    for (const [n, page] of pages.entries()) await page.goto(server.url + (places[n] ?? ''));
    const rows: string[][] = [];
    const began = (await server.use()).simulatedMs;
    for (let part = 0; part <= HOUR_PARTS; part++) {
      const due = (part * 3_600_000) / HOUR_PARTS;
      for (;;) {
        const left = due - ((await server.use()).simulatedMs - began);
        if (left <= 0) break;
        await new Promise((resolve) => setTimeout(resolve, Math.min(1_000, left / HOUR.factor)));
      }
      const { events } = await server.use();
      const heaps = await Promise.all(pages.map(heapMiB));
      const nodes = await Promise.all(pages.map(nodeCount));
      rows.push([
        `${Math.round(due / 60_000)}`,
        events.toLocaleString('en'),
        ...heaps,
        ...nodes.map(String),
      ]);
      say(`memory: ${rows.at(-1)?.join(' ')}`);
    }
    for (const context of contexts) await context.close();
    const head = ['minute of the lab', 'events', 'heap of the lab, MiB', 'heap of the log, MiB'];
    return table([...head, 'DOM nodes of the lab', 'DOM nodes of the log'], rows);
  });
}

async function heapMiB(page: Page): Promise<string> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return (usedSize / 2 ** 20).toFixed(1);
}

async function nodeCount(page: Page): Promise<number> {
  return (await page.evaluate('document.getElementsByTagName("*").length')) as number;
}

// the server

async function costTable(browser: Browser, _: NewFolder, say: Say): Promise<string> {
  return withServer(PACE, (server) =>
    inNewPage(browser, async (page) => {
      const rows = [await costRow(server, 'none')];
      await page.goto(server.url);
      await page.locator('.tile').first().waitFor();
      rows.push(await costRow(server, '1, in Chromium'));
      const played: (() => void)[] = [];
      for (const count of PAGES) {
        while (played.length < count - 1) played.push(await playPage(server.url));
        rows.push(await costRow(server, `${count}, all but one played`));
        say(`pages: ${rows.at(-1)?.join(' ')}`);
      }
      for (const close of played) close();
      const head = ['open pages of the lab', 'events/s', 'of a core, %'];
      return table([...head, 'memory of the server, MiB', 'health, median ms', 'p99 ms'], rows);
    }),
  );
}

async function costRow(server: PageServer, pages: string): Promise<string[]> {
  const before = await server.use();
  const from = performance.now();
  const taken: number[] = [];
  while (performance.now() - from < PAGES_MEASURED_MS) {
    const asked = performance.now();
    await (await fetch(`${server.url}/api/health`)).text();
    taken.push(performance.now() - asked);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const after = await server.use();
  const seconds = (performance.now() - from) / 1_000;
  return [
    pages,
    ((after.events - before.events) / seconds).toFixed(0),
    ((100 * (after.cpuSeconds - before.cpuSeconds)) / seconds).toFixed(1),
    (after.bytes / 2 ** 20).toFixed(0),
    ms(median(taken)),
    ms(quantile(taken, 0.99)),
  ];
}

// parts

async function withServer<T>(
  asked: Parameters<typeof startPageServer>[0],
  use: (server: PageServer) => Promise<T>,
): Promise<T> {
  const server = await startPageServer(asked);
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

/** A cold cache: a context of its own. */
async function inNewPage<T>(browser: Browser, use: (page: Page) => Promise<T>): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 } });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(WAITED_MS_MAX);
    return await use(page);
  } finally {
    await context.close();
  }
}

async function timed(page: Page, url: string, seen: string): Promise<number> {
  const from = performance.now();
  await page.goto(url);
  await page.locator(seen).first().waitFor();
  return performance.now() - from;
}

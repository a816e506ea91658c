/** What happens while somebody looks: a busy log, very many members, a huge lab. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtPage } from '../../server/package-root.ts';
import { doors, listening } from '../api/bench.ts';
import { allocated, booted, call, finish, jobOf, until } from '../engine/bench.ts';
import { faultsOf } from './axe.ts';
import { browserLacks, openBrowser } from './browser.ts';
import { namedOn, openPage } from './lab.ts';

const reason = browserLacks === undefined ? '' : ` (skipped: ${browserLacks})`;

/** The doors with the page around an engine whose boards are driven by hand. */
async function labOf(boards: number) {
  const lab = await doors({ pageFolder: builtPage() ?? '' }, boards);
  return { ...lab, url: `http://127.0.0.1:${await listening(lab.app)}` };
}

/** The data of a stream of rows, cut after so many. */
function firstRows(stream: string, count: number): string {
  const [data = ''] = /(?<=^data: ).*/m.exec(stream) ?? [];
  const { names, rows } = JSON.parse(data) as { names: object; rows: unknown[] };
  return JSON.stringify({ names, rows: rows.slice(0, count) });
}

describe.skipIf(browserLacks !== undefined)(`a page that is open${reason}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  it('follows 5,000 events a minute of a job with 128 members, and answers at once', async () => {
    const { engine, url } = await labOf(128);
    const id = await allocated(engine, jobOf({ peer: 128 }));
    const members = await booted(engine, id);
    const { page, said } = await openPage(await browser.newContext());
    await page.goto(`${url}/jobs/${id}`);
    await page.locator('.lane-name').first().waitFor();
    // Four rounds of a barrier of all: 128 sends, waits and releases each, in a few seconds.
    for (let round = 0; round < 4; round++)
      await Promise.all(
        members.map((member) => call(engine, id, member, 'sync all', `${round} ${member}`)),
      );
    await page.locator('.slider-at', { hasText: 'live' }).waitFor();
    const shown = async () =>
      Number(/of (\d+)/.exec(await page.locator('.slider-at').innerText())?.[1]);
    const answer = await fetch(`${url}/api/jobs/${id}/events?after=1000`);
    const all = (await answer.json()) as { events: unknown[] };
    await until(async () => ((await shown()) === 1_000 + all.events.length ? true : undefined));
    const from = performance.now();
    await page.keyboard.press('Home');
    await page.locator('.standing .sentence', { hasText: 'the job is submitted' }).waitFor();
    expect(performance.now() - from).toBeLessThan(1_000);
    expect(await page.locator('.lane-name').count()).toBeLessThan(60);
    expect(await faultsOf(page)).toEqual([]);
    for (const member of members) await finish(engine, id, member);
    expect(said).toEqual([]);
  }, 90_000);

  it('grows with the clock while nothing happens: who waits is seen to wait, and for how long', async () => {
    const { engine, url } = await labOf(2);
    const id = await allocated(engine, jobOf({ peer: 2 }));
    const [first = '', second = ''] = await booted(engine, id);
    void call(engine, id, first, 'sync all');
    const { page, said } = await openPage(await browser.newContext());
    await page.goto(`${url}/jobs/${id}?device=${first}`);
    await page.locator('.lacks', { hasText: /for [2-9]\.\d+ s; .* is missing/ }).waitFor();
    // All of it happened in the first moments; most of what is seen is the wait.
    const waits = (await namedOn(page, 0)).find(({ text }) => text.includes('waits in lava-sync'));
    const canvas = await page.locator('.lanes canvas').boundingBox();
    expect((waits?.x ?? 0) - (canvas?.x ?? 0)).toBeLessThan((canvas?.width ?? 0) / 2);
    await call(engine, id, second, 'sync all');
    for (const member of [first, second]) await finish(engine, id, member);
    await page.locator('.standing .sentence', { hasText: 'the job is complete' }).waitFor();
    expect(said).toEqual([]);
  }, 60_000);

  it('holds no connection while nobody sees it, and has all that came when somebody does', async () => {
    const { engine, url } = await labOf(2);
    const id = await allocated(engine, jobOf({ peer: 2 }));
    const members = await booted(engine, id);
    const { page, said } = await openPage(await browser.newContext());
    const ended = page.waitForEvent('requestfailed', (is) => is.url().includes('/events'));
    await page.goto(`${url}/jobs/${id}`);
    await page.locator('.slider-at', { hasText: 'live' }).waitFor();
    const see = (state: string) =>
      page.evaluate(`{
        Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }`);
    await see('hidden');
    await ended;
    for (const member of members) await finish(engine, id, member);
    await page.locator('.standing .sentence', { hasText: 'starts action' }).waitFor();
    await see('visible');
    await page.locator('.standing .sentence', { hasText: 'the job is complete' }).waitFor();
    expect(said).toEqual([]);
  }, 60_000);

  it('says that it reads for as long as it does, and offers nothing then that is for a job that runs', async () => {
    const { engine, url } = await labOf(2);
    const id = await allocated(engine, jobOf({ peer: 2 }));
    const members = await booted(engine, id);
    for (const member of members) await finish(engine, id, member);
    const headers = { accept: 'text/event-stream' };
    const all = await (await fetch(`${url}/api/jobs/${id}/events?form=rows`, { headers })).text();
    const { page, said } = await openPage(await browser.newContext());
    let goOn = () => {};
    const more = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let asked = 0;
    await page.route('**/events?form=rows', async (route) => {
      if (asked++ > 0) return more.then(() => route.continue());
      const body = `id: 5\nevent: rows\ndata: ${firstRows(all, 5)}\n\n`;
      return route.fulfill({ contentType: 'text/event-stream', body });
    });
    await page.goto(`${url}/jobs/${id}`);
    await page.locator('.job-facts', { hasText: 'reading…' }).waitFor();
    await page.locator('.slider-at', { hasText: '5 of 5' }).waitFor();
    expect(await page.locator('.slider-at').innerText()).toContain('… reading');
    expect(await page.getByRole('button', { name: 'Cancel…' }).count()).toBe(0);
    goOn();
    await page.locator('.job-facts', { hasText: 'complete' }).waitFor();
    expect(said).toEqual([]);
  }, 60_000);

  it('says which event of its job cannot be read, where only its reader can see that', async () => {
    const { engine, url } = await labOf(2);
    const id = await allocated(engine, jobOf({ peer: 2 }));
    const { page, said } = await openPage(await browser.newContext());
    await page.route('**/events?form=rows', (route) => {
      const rows = '{"names":{},"rows":[[1,"JobSubmitted",0,1,"user:a",{}]]}';
      const body = `id: 1\nevent: rows\ndata: ${rows}\n\n`;
      return route.fulfill({ contentType: 'text/event-stream', body });
    });
    await page.goto(`${url}/jobs/${id}`);
    const words = `Event 1 of job ${id} (JobSubmitted) cannot be read; "muster verify" says`;
    await page.getByText(words).waitFor();
    expect(said).toEqual([]);
  });

  it('shows 10,000 boards and 10,000 jobs that wait, and makes no more of them than are in sight', async () => {
    const { url } = await labOf(1);
    const { page, said } = await openPage(await browser.newContext());
    // What a server of that size would say: it takes minutes to fill one.
    const [board] = ((await (await fetch(`${url}/api/devices`)).json()) as { devices: object[] })
      .devices;
    const devices = Array.from({ length: 10_000 }, (_, n) => ({ ...board, name: `board${n + 1}` }));
    await page.route('**/api/devices', (route) => route.fulfill({ json: { devices } }));
    await page.route('**/api/queue?*', (route) => {
      const { searchParams } = new URL(route.request().url());
      const [after, limit] = [Number(searchParams.get('after')), Number(searchParams.get('limit'))];
      const end = Math.min(10_000, after + limit);
      const queue = Array.from({ length: end - after }, (_, n) => ({
        ...{ job: after + n + 1, name: 'waits', priority: 50, place: after + n + 1 },
        ...{
          submittedAt: new Date().toISOString(),
          reason: 'no board is free',
          guaranteedStart: null,
        },
      }));
      return route.fulfill({ json: { queue, total: 10_000, ...(end < 10_000 && { next: end }) } });
    });
    const pages: string[] = [];
    page.on('request', (is) => is.url().includes('/api/queue') && pages.push(is.url()));
    await page.goto(url);
    await page.getByRole('heading', { name: 'Boards 10000' }).waitFor();
    await page.getByRole('heading', { name: 'Queue 10000' }).waitFor();
    expect(await page.locator('.tile').count()).toBeLessThan(400);
    await page.locator('.rows.queue').evaluate((box) => {
      const is = box as unknown as { scrollTop: number; scrollHeight: number };
      is.scrollTop = is.scrollHeight;
    });
    await page.locator('.queue-row .place', { hasText: /^10000$/ }).waitFor();
    expect(await page.locator('.queue-row').count()).toBeLessThan(100);
    // Of what lies between nothing is asked for.
    expect(pages.length).toBeLessThan(5);
    await page.getByRole('searchbox', { name: 'Search boards' }).fill('board9999');
    await page.getByRole('link', { name: 'board9999', exact: true }).waitFor();
    expect(await page.locator('.tile').count()).toBe(1);
    expect(said).toEqual([]);
  }, 60_000);
});

/** What somebody who keeps a lab does on the page: groups of boards, findings of lint, workers, latencies. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { faultsOf } from './axe.ts';
import { browserLacks, openBrowser } from './browser.ts';
import { job, openPage, run, TestLab } from './lab.ts';

const reason = browserLacks === undefined ? '' : ` (skipped: ${browserLacks})`;
const pair = (server: string, client: string) =>
  job('a pair', { client: [1, 'panda'], server: [1, 'beaglexm'] }, [
    run('server', server, 'lava-sync end'),
    run('client', client, 'lava-sync end'),
  ]);

describe.skipIf(browserLacks !== undefined)(`whoever keeps a lab${reason}`, () => {
  let browser: Browser;
  let lab: TestLab;
  let context: BrowserContext;
  let page: Page;
  let said: string[];
  beforeAll(async () => {
    [browser, lab] = await Promise.all([openBrowser(), TestLab.start()]);
    await lab.over(await lab.submit(pair('lava-send ready', 'lava-wait ready')));
  });
  afterAll(async () => {
    await browser?.close();
    await lab?.stop();
  });
  beforeEach(async () => {
    context = await browser.newContext();
    ({ page, said } = await openPage(context));
  });
  afterEach(async () => {
    expect(said).toEqual([]);
    await context.close();
  });

  it('sees boards in groups, filtered and searched, and can send that view to somebody', async () => {
    await page.goto(lab.url);
    await page.getByRole('combobox', { name: 'Group boards' }).selectOption('type');
    await page.locator('.tiles-title', { hasText: 'panda 2' }).waitFor();
    await page.locator('.tiles-title', { hasText: 'beaglexm 1' }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page.getByRole('searchbox', { name: 'Search boards' }).fill('fast');
    await page.locator('.tiles-title', { hasText: 'beaglexm' }).waitFor({ state: 'detached' });
    const { page: other } = await openPage(context);
    await other.goto(page.url());
    await other.locator('.tiles-title', { hasText: 'panda 1' }).waitFor();
    expect(await other.locator('.tile').count()).toBe(1);
    await other.getByRole('combobox', { name: 'Boards in this state' }).selectOption('bad');
    await other.getByText('No board of 3 boards is like this').waitFor();
  });

  it('sees what runs and who waits, in order, why and until when at the latest, and hears of each change', async () => {
    const sleeps = (name: string, count: number) =>
      job(name, { one: [count, 'panda'] }, [run('one', 'sleep 60')]);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    const holder = await lab.submit(sleeps('holds both', 2));
    await page.goto(`${lab.url}/?wall`);
    const tile = page.locator('.tile', { hasText: 'panda01' });
    await tile.filter({ hasText: `in use job ${holder} one` }).waitFor();
    const running = page.getByRole('region', { name: 'Running' });
    await running.getByText('2 boards').waitFor();
    const late = await lab.submit(sleeps('waits', 1));
    const urgent = await lab.submit({ ...sleeps('is urgent', 2), priority: 90 });
    const rows = page.locator('.queue-row');
    await rows.nth(1).waitFor();
    await rows.first().filter({ hasText: 'is urgent' }).waitFor();
    expect(await rows.first().innerText()).toMatch(/starts by \d\d:\d\d:\d\d · .*panda/s);
    expect(await rows.nth(1).innerText()).toContain('waits');
    expect(await faultsOf(page)).toEqual([]);
    await cancelled(holder);
    await running.getByRole('link', { name: `${urgent} is urgent` }).waitFor();
    const ended = page.getByRole('listitem').filter({ hasText: `${holder} holds both` });
    await ended.filter({ hasText: 'cancelled' }).filter({ hasText: 'seen enough' }).waitFor();
    // Who has a board is in the events that the page has anyway.
    expect(asked.filter((path) => path.startsWith('/api/devices/'))).toEqual([]);
    for (const id of [urgent, late]) await cancelled(id);
  });

  it('sees of a job that waits what keeps each of its boards, and its lanes as soon as it has them', async () => {
    const sleeps = job('sleeps', { one: [2, 'panda'] }, [run('one', 'sleep 60')]);
    const holder = await lab.submit(sleeps);
    const waiting = await lab.submit(sleeps);
    // Why it waits may be asked in the moment in which it gets its boards: the browser tells of the answer that it does not.
    const { page } = await openPage(context);
    await page.goto(`${lab.url}/jobs/${waiting}`);
    const why = page.getByRole('region', { name: 'Waits for boards place 1 in the queue' });
    await why.getByText(/starts by \d\d:\d\d:\d\d at the latest/).waitFor();
    await why
      .getByRole('heading', { name: /^one .* wants 2 of type panda; 0 free of 2 boards$/ })
      .waitFor();
    for (const board of ['panda01', 'panda02'])
      await why
        .getByText(new RegExp(`${board} held by job ${holder}, until .* at the latest`))
        .waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await cancelled(holder);
    await page.locator('.lane-name').nth(1).waitFor();
    await why.waitFor({ state: 'detached' });
    await cancelled(waiting);
  });

  const cancelled = async (id: number) => {
    const how = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const body = JSON.stringify({ reason: 'seen enough' });
    await fetch(`${lab.url}/api/jobs/${id}/cancel`, { ...how, body });
    await lab.over(id);
  };

  it('sees what lint finds in a job at its line, and can submit it all the same', async () => {
    await page.goto(`${lab.url}/submit`);
    const text = JSON.stringify(pair('lava-send redy', 'lava-wait ready'), null, 2);
    const editor = page.getByRole('textbox', { name: 'The job' });
    await editor.fill(text);
    const line = text.slice(0, text.indexOf('lava-wait ready')).split('\n').length;
    const finding = page.locator('.problems li', { hasText: 'wait-without-send' });
    await finding.getByRole('button', { name: `line ${line}, column` }).click();
    expect(
      await editor.evaluate(
        (area) => (area as unknown as { selectionStart: number }).selectionStart,
      ),
    ).toBe(text.indexOf('lava-wait ready'));
    await page.locator('.gutter .warn', { hasText: `▲ ${line}` }).waitFor();
    expect(await page.getByRole('button', { name: 'Submit', exact: true }).isEnabled()).toBe(true);
    expect(await faultsOf(page)).toEqual([]);
  });

  it('drains a worker with a reason, and gives it jobs again', async () => {
    await page.goto(`${lab.url}/operations`);
    await page.getByRole('button', { name: /^Drain / }).click();
    await page.getByRole('textbox', { name: /^Why .* is drained$/ }).fill('new kernel');
    await page.getByRole('button', { name: 'Give its boards no new jobs' }).click();
    await page.getByText('takes no new jobs: new kernel').waitFor();
    expect(await faultsOf(page)).toEqual([]);
    const id = await lab.submit(pair('true', 'true'));
    await page.getByText('1 job, the longest').waitFor();
    await page.getByRole('button', { name: 'Give it jobs again' }).click();
    await page.getByText('takes no new jobs: new kernel').waitFor({ state: 'detached' });
    expect((await lab.over(id)).state).toBe('complete');
  });

  it('sees how long store, queue and barriers took', async () => {
    await page.goto(`${lab.url}/operations`);
    const table = page.getByRole('region', { name: 'Latencies' });
    for (const what of ['Store', 'Queue', 'Barrier wait released', 'Barrier sync released'])
      await table.getByRole('row', { name: new RegExp(`^${what} `) }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
  });
});

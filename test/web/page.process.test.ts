/** The lab and a job of it, in a real browser, on real boards. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultsOf } from './axe.ts';
import { browserLacks, openBrowser } from './browser.ts';
import { job, openPage, run, TestLab } from './lab.ts';

const title = browserLacks === undefined ? 'the page' : `the page (skipped: ${browserLacks})`;

const twoClients = job(
  'two clients and a server',
  { client: [2, 'panda'], server: [1, 'beaglexm'] },
  [
    run('server', 'lava-send ready ip=10.0.0.1', 'lava-sync start', 'lava-wait-all done client'),
    run('client', 'lava-wait ready', 'lava-sync start', 'lava-send done took=3'),
  ],
);

describe.skipIf(browserLacks !== undefined)(title, () => {
  let browser: Browser;
  let lab: TestLab;
  let id: number;
  beforeAll(async () => {
    [browser, lab] = await Promise.all([openBrowser(), TestLab.start()]);
    id = await lab.submit(twoClients);
    expect((await lab.over(id)).state).toBe('complete');
  });
  afterAll(async () => {
    await browser?.close();
    await lab?.stop();
  });

  it('shows every board of the lab and how the last job ended, and leads to that job', async () => {
    const context = await browser.newContext();
    const { page, said } = await openPage(context);
    await page.goto(lab.url);
    for (const board of ['panda01', 'panda02', 'beaglexm01'])
      await page.getByRole('link', { name: board, exact: true }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page.getByRole('link', { name: twoClients.job_name }).click();
    await page.getByRole('heading', { name: `Job ${id}` }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/jobs/${id}`);
    await page.goBack();
    await page.getByRole('heading', { name: 'Boards' }).waitFor();
    expect(said).toEqual([]);
    await context.close();
  });

  it('steps through a job with keys, and says each event, the members and the cache file at it', async () => {
    const context = await browser.newContext();
    const { page, said } = await openPage(context);
    await page.goto(`${lab.url}/jobs/${id}?device=beaglexm01`);
    const sentence = page.locator('.standing .sentence');
    await sentence.filter({ hasText: 'the job is complete' }).waitFor();
    await page.keyboard.press('Home');
    await sentence.filter({ hasText: 'the job is submitted' }).waitFor();
    await page.getByRole('tab', { name: 'Barriers' }).click();
    await page.getByRole('button', { name: 'lava-sync start' }).click();
    const released = /^(\S+) is released from lava-sync start: (\S+) came last$/;
    await sentence.filter({ hasText: released }).waitFor();
    const [, device, last] = released.exec(await sentence.innerText()) ?? [];
    await page.locator('.causes', { hasText: `${last} arrives at lava-sync start` }).waitFor();
    await page.getByRole('button', { name: 'panda01 client' }).click();
    await page.locator('.cache', { hasText: 'ip=10.0.0.1' }).waitFor();
    const at = await page.locator('.slider-at b').innerText();
    await page.waitForURL(new RegExp(`at=${at}(&|$)`));
    const shared = page.url();
    expect(await faultsOf(page)).toEqual([]);
    const { page: other } = await openPage(context);
    await other.goto(shared);
    await other
      .locator('.standing .sentence', { hasText: `${device} is released from lava-sync start` })
      .waitFor();
    expect(said).toEqual([]);
    await context.close();
  });
});

/** Health checks on the page: of a real board, whose check runs, is due, waits for its board, and has been. */
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultsOf } from './axe.ts';
import { browserLacks, openBrowser } from './browser.ts';
import { job, openPage, run, TestLab } from './lab.ts';

const reason = browserLacks === undefined ? '' : ` (skipped: ${browserLacks})`;
const check = join(tmpdir(), `muster-check-of-the-page-${process.pid}.json`);
const LAB = `
device_types:
  checked: { driver: local, image: "host:", health_check: { job: ${check}, every_jobs: 1 } }
devices:
  checked01: { type: checked }
`;
const CHECK = {
  timeout: 60,
  job_name: 'is it well',
  device_type: 'checked',
  actions: [{ command: 'lava_command_run', parameters: { commands: ['sleep 6'] } }],
};

describe.skipIf(browserLacks !== undefined)(`a health check on the page${reason}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
    await writeFile(check, JSON.stringify(CHECK));
  });
  afterAll(async () => {
    await browser?.close();
    await rm(check, { force: true });
  });

  it('is seen as it runs, as it is due and why, and that a board which is away keeps it waiting', async () => {
    const lab = await TestLab.start(LAB);
    const { page, said } = await openPage(await browser.newContext());
    await page.goto(`${lab.url}/operations`);
    const checks = page.getByRole('region', { name: 'Health checks', exact: true });
    const row = checks.getByRole('row', { name: /^checked01 / });
    await row.getByText('job 1 checks it').waitFor();
    expect((await lab.over(1)).state).toBe('complete');
    await row.filter({ hasText: 'good' }).filter({ hasText: 'after 1 more job' }).waitFor();
    await page.getByRole('heading', { name: 'Health checks 1 board, 0 due' }).waitFor();

    const used = await lab.submit(job('uses it', { one: [1, 'checked'] }, [run('one', 'sleep 6')]));
    await page.goto(`${lab.url}/boards/checked01`);
    await page
      .getByRole('link', { name: `job ${used}` })
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Take offline' }).click();
    await page.getByRole('textbox', { name: 'Why' }).fill('moved to the next rack');
    await page.getByRole('button', { name: 'Do it' }).click();
    expect((await lab.over(used)).state).toBe('complete');
    const why = '1 jobs since the last check, one is due every 1';
    await page.getByText(`check due: ${why}`).waitFor();

    await page.goto(`${lab.url}/operations`);
    await page.getByRole('heading', { name: 'Health checks 1 board, 1 due' }).waitFor();
    await row.filter({ hasText: `due ${why} · offline: moved to the next rack` }).waitFor();
    expect(await faultsOf(page)).toEqual([]);

    await row.getByRole('link', { name: 'checked01' }).click();
    await page.getByRole('button', { name: 'Bring online' }).click();
    await page.getByRole('button', { name: 'Do it' }).click();
    await page
      .getByRole('link', { name: `job ${used + 1}` })
      .first()
      .waitFor();
    expect((await lab.over(used + 1)).state).toBe('complete');
    await page.goto(`${lab.url}/operations`);
    await page.getByRole('heading', { name: 'Health checks 1 board, 0 due' }).waitFor();
    await row.filter({ hasText: 'good' }).filter({ hasText: 'after 1 more job' }).waitFor();
    expect(said).toEqual([]);
    await lab.stop();
  }, 90_000);
});

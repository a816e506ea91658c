/** A page that is open for long: 5,000 events a minute for two minutes, and a job of 128 real boards. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtPage } from '../../server/package-root.ts';
import { doors, listening } from '../api/bench.ts';
import { allocated, booted, call, finish, jobOf } from '../engine/bench.ts';
import { browserLacks, openBrowser } from './browser.ts';
import { job, openPage, run, TestLab } from './lab.ts';

const reason = browserLacks === undefined ? '' : ` (skipped: ${browserLacks})`;
const EVENTS_A_MINUTE = 5_000;
const MINUTES = 2;
const BOARDS = 128;

describe.skipIf(browserLacks !== undefined)(`a page that is open for long${reason}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  it('is never far behind 5,000 events a minute, and holds no more than it held', async () => {
    const { engine, app } = await doors({ pageFolder: builtPage() ?? '' }, 16);
    const url = `http://127.0.0.1:${await listening(app)}`;
    const id = await allocated(engine, jobOf({ peer: 16 }));
    const members = await booted(engine, id);
    const { page, said } = await openPage(await browser.newContext());
    await page.goto(`${url}/jobs/${id}`);
    await page.locator('.slider-at', { hasText: 'live' }).waitFor();
    const lab = await (await browser.newContext()).newPage();
    await lab.goto(url);
    const shown = async () =>
      Number(/of (\d+)/.exec(await page.locator('.slider-at').innerText())?.[1]);
    const began = performance.now();
    let behindMax = 0;
    for (let round = 0; performance.now() - began < MINUTES * 60_000; round++) {
      await Promise.all(
        members.map((member) => call(engine, id, member, 'sync all', `${round} ${member}`)),
      );
      const made = (await engine.job(id))?.conversation.waitCount ?? 0;
      // 16 sends, waits and releases a round: it is looked at while the next round is due.
      const due = (round * 3 * members.length * 60_000) / EVENTS_A_MINUTE;
      do {
        const seen = await shown();
        behindMax = Math.max(behindMax, 3 * made - seen);
      } while (performance.now() - began < due);
    }
    // What two seconds bring, on a machine that does much else.
    expect(behindMax).toBeLessThan((EVENTS_A_MINUTE / 60) * 10);
    for (const member of members) await finish(engine, id, member);
    await page.locator('.standing .sentence', { hasText: 'the job is complete' }).waitFor();
    await lab.locator('.jobs', { hasText: 'a job' }).waitFor();
    expect(said).toEqual([]);
  }, 300_000);

  it('shows a job of 128 real boards that meet', async () => {
    const boards = Array.from({ length: BOARDS }, (_, n) => `  board${n + 1}: { type: panda }`);
    const lab = await TestLab.start(
      `device_types: { panda: { driver: local, image: "host:" } }\ndevices:\n${boards.join('\n')}\n`,
      { namespaces: false },
    );
    const id = await lab.submit({
      ...job('they meet', { peer: [BOARDS, 'panda'] }, [run('peer', 'lava-sync all')]),
      timeout: 600,
    });
    const { page, said } = await openPage(await browser.newContext());
    page.setDefaultTimeout(400_000);
    await page.goto(`${lab.url}/jobs/${id}`);
    await page.locator('.standing .sentence', { hasText: 'the job is complete' }).waitFor();
    await page.getByRole('tab', { name: 'Barriers' }).click();
    await page.getByRole('button', { name: /^lava-sync all .*of 128/ }).waitFor();
    expect(await page.locator('.lane-name').count()).toBeLessThan(60);
    expect(said).toEqual([]);
    await lab.stop();
  }, 500_000);
});

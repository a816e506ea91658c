/** `docs/how-to/read-the-page.md` tells of what is there. With MUSTER_SCREENSHOTS=1 its pictures are taken anew. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserLacks, openBrowser } from './browser.ts';
import { job, openPage, painted, run, TestLab } from './lab.ts';

const folder = new URL('../../docs/how-to/', import.meta.url);
const text = readFileSync(new URL('read-the-page.md', folder), 'utf8');
const reason = browserLacks === undefined ? '' : ` (skipped: ${browserLacks})`;

describe.skipIf(browserLacks !== undefined)(`the page on reading the page${reason}`, () => {
  let browser: Browser;
  let lab: TestLab;
  let failed: number;
  let good: number;
  beforeAll(async () => {
    [browser, lab] = await Promise.all([openBrowser(), TestLab.start()]);
    const roles = { client: [2, 'panda'], server: [1, 'beaglexm'] } as Record<
      string,
      [number, string]
    >;
    const meeting = job('two clients and a server', roles, [
      run(
        'server',
        'sleep 1',
        'lava-send ready ip=10.0.0.1',
        'lava-sync start',
        'lava-wait-all done client',
      ),
      run('client', 'lava-wait ready', 'lava-sync start', 'sleep 1', 'lava-send done took=3'),
    ]);
    good = await lab.submit(meeting);
    expect((await lab.over(good)).state).toBe('complete');
    failed = await lab.submit(
      job('a server that gives up', roles, [
        run('server', 'lava-sync start', 'sleep 1', 'lava-test-raise broken'),
        run('client', 'lava-sync start', 'lava-sync end'),
      ]),
    );
    expect((await lab.over(failed)).state).toBe('failed');
  });
  afterAll(async () => {
    await browser?.close();
    await lab?.stop();
  });

  it('names in bold only what stands on the page', async () => {
    const { page } = await openPage(await browser.newContext());
    let seen = '';
    for (const place of [
      '/',
      `/jobs/${failed}`,
      `/jobs/${failed}?tab=console`,
      `/jobs/${failed}/compare?with=${good}`,
      '/submit',
      '/log',
      '/operations',
    ]) {
      await page.goto(lab.url + place);
      await page.locator('.panel').first().waitFor();
      // It is asked for when the job was read.
      if (place === `/jobs/${failed}`) await page.locator('.panel.scripts').waitFor();
      seen += await page.locator('body').innerText();
    }
    const words = [...text.matchAll(/\*\*([^*]+)\*\*/g)].map(([, word = '']) => word);
    const ofThePage = words.filter(
      (word) => !/^(?:A lane a member\.|Marks\.|The slider)$/.test(word),
    );
    expect(ofThePage.length).toBeGreaterThan(10);
    expect(ofThePage.filter((word) => !seen.includes(word))).toEqual([]);
  });

  it('has keys that do what it says', async () => {
    const { page } = await openPage(await browser.newContext());
    await page.goto(`${lab.url}/jobs/${failed}`);
    const at = async () => Number(/^(\d+)/.exec(await page.locator('.slider-at').innerText())?.[1]);
    await page.locator('.lane-name').first().waitFor();
    await page.keyboard.press('Home');
    await page.locator('.slider-at', { hasText: /^1 of/ }).waitFor();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+ArrowRight');
    await page.locator('.slider-at', { hasText: /^12 of/ }).waitFor();
    await page.keyboard.press('j');
    await page.locator('.lane-name[aria-pressed=true]').waitFor();
    await page.keyboard.press(']');
    const device = await page.locator('.lane-name[aria-pressed=true] .lane-device').innerText();
    await page.locator('.standing .sentence', { hasText: device }).waitFor();
    expect(await at()).toBeGreaterThan(12);
    await page.keyboard.press('c');
    await page.getByRole('button', { name: 'causal', pressed: true }).waitFor();
    await page.keyboard.press('End');
    await page.locator('.explained').waitFor();
  });

  it('has pictures, which are taken anew on demand', async () => {
    const pictures = [...text.matchAll(/\]\((\.\.\/images\/[^)]+)\)/g)].map(
      ([, file = '']) => file,
    );
    const context = await browser.newContext({ viewport: { width: 1180, height: 760 } });
    const { page } = await openPage(context);
    const log = await (await fetch(`${lab.url}/api/jobs/${good}/events`)).json();
    const { events } = log as { events: { type: string; version: number }[] };
    const sent = events.find(({ type }) => type === 'MessageSent')?.version;
    // Something runs, and something waits for it.
    const busy = [
      await lab.submit(
        job('endurance', { client: [2, 'panda'] }, [run('client', 'lava-sync start', 'sleep 600')]),
      ),
      await lab.submit(
        job('nightly pair', { client: [1, 'panda'], server: [1, 'beaglexm'] }, [
          run('client', 'true'),
          run('server', 'true'),
        ]),
      ),
    ];
    /** Where each is taken, and what is there by then. */
    const places: Record<string, [string, string]> = {
      '../images/lab.png': ['/', '.queue-row .starts'],
      '../images/job.png': [`/jobs/${failed}`, '.explained'],
      '../images/what-if.png': [`/jobs/${good}?drop=${sent}`, '.verdict'],
      '../images/compare.png': [`/jobs/${failed}/compare?with=${good}`, '.beside .event'],
    };
    for (const file of pictures) {
      const [place, there] = places[file] ?? ['', ''];
      expect(place, `${file} is of no place that this test knows`).not.toBe('');
      await page.goto(`${lab.url}${place}`);
      await page.locator(there).first().waitFor();
      await painted(page);
      if (process.env.MUSTER_SCREENSHOTS === '1')
        await page.screenshot({ path: fileURLToPath(new URL(file, folder)) });
      expect(existsSync(new URL(file, folder))).toBe(true);
    }
    for (const id of busy) {
      await fetch(`${lab.url}/api/jobs/${id}/cancel`, { method: 'POST' });
      await lab.over(id);
    }
  });
});

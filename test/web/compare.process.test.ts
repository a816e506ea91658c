/** Two runs beside one another, and what would have been, in a real browser on real boards. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { faultsOf } from './axe.ts';
import { browserLacks, openBrowser } from './browser.ts';
import { job, namedOn, openPage, painted, run, TestLab } from './lab.ts';

const reason = browserLacks === undefined ? '' : ` (skipped: ${browserLacks})`;

/** A client and a server that meet. */
const meeting = (timeout: number) => ({
  ...job('a client and a server', { client: [1, 'panda'], server: [1, 'beaglexm'] }, [
    run('server', 'lava-send ready ip=10.0.0.1', 'lava-wait done', 'lava-sync end'),
    run('client', 'lava-wait ready', 'lava-send done', 'lava-sync end'),
  ]),
  timeout,
});

describe.skipIf(browserLacks !== undefined)(`two runs on a page${reason}`, () => {
  let browser: Browser;
  let lab: TestLab;
  let context: BrowserContext;
  let page: Page;
  let said: string[];
  let good = 0;
  let bad = 0;
  beforeAll(async () => {
    [browser, lab] = await Promise.all([openBrowser(), TestLab.start()]);
    good = await lab.submit(meeting(120));
    expect((await lab.over(good)).state).toBe('complete');
    bad = await lab.submit({
      ...meeting(120),
      actions: [
        ...meeting(120).actions.slice(0, 1),
        run('client', 'lava-wait ready', 'lava-test-raise broken', 'lava-sync end'),
      ],
    });
    expect((await lab.over(bad)).state).toBe('failed');
  });
  afterAll(async () => {
    await browser?.close();
    await lab?.stop();
  });
  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
    ({ page, said } = await openPage(context));
  });
  afterEach(async () => {
    // A browser tells of each answer that says no.
    expect(said.filter((line) => !/ (404|400) /.test(line))).toEqual([]);
    await context.close();
  });

  it('are compared: where they part first stands on top, on both lanes and at its line', async () => {
    await page.goto(`${lab.url}/jobs/${bad}/compare?with=${good}`);
    const top = page.getByRole('status');
    await top.getByText(/First divergence: .*\(client\)/).waitFor();
    await page.getByRole('heading', { name: `Job ${good} complete` }).waitFor();
    await page.getByRole('heading', { name: `Job ${bad} failed` }).waitFor();
    expect(await page.locator('.lanes canvas').count()).toBe(2);
    const parting = page.locator('.beside .parting');
    await parting.waitFor();
    expect(await parting.innerText()).toMatch(/broken|failed|done/);
    // What they did before it stands line by line beside one another.
    const rows = page.getByRole('region', { name: 'Events of both boards' }).getByRole('listitem');
    const before = await rows.first().innerText();
    expect(before.match(/boots/g)).toHaveLength(2);
    await page.getByRole('button', { name: 'causal', pressed: true }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await rows.nth(2).getByRole('button').click();
    await page.locator('.beside .now').waitFor();
    await page.getByRole('button', { name: 'show it' }).click();
    await page.locator('.beside .parting.now').waitFor();
    // The other pair of boards, by its lane.
    await page.locator('.lane-name', { hasText: 'beaglexm01' }).first().click();
    await page.waitForURL(/device=beaglexm01/);
    await page.locator('.beside-head', { hasText: `beaglexm01 in job ${good}` }).waitFor();
  });

  it('look for the last run that passed by themselves, and ask which it was where there is none', async () => {
    const again = await lab.submit(meeting(120));
    await lab.over(again);
    await page.goto(`${lab.url}/jobs/${again}`);
    await page.getByRole('link', { name: 'compare with another run' }).click();
    await page.getByRole('link', { name: `job ${good}`, exact: true }).waitFor();
    await page.getByText('No board did anything else than its counterpart').waitFor();
    await page.goto(`${lab.url}/jobs/${bad}/compare`);
    await page.getByText('no run of the definition').waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page
      .getByRole('link', { name: /a client and a server/ })
      .first()
      .click();
    await page.getByText('First divergence:').first().waitFor();
    await page.getByRole('spinbutton', { name: 'Number of the job' }).fill('999');
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByText('there is no job 999').waitFor();
  });

  it('are one with a message that is lost, from the menu on its mark: it says where it hangs, and draws it', async () => {
    await page.goto(`${lab.url}/jobs/${good}`);
    await page.locator('.lane-name').first().waitFor();
    await painted(page);
    const mark = (await namedOn(page, 1)).find(({ text }) => text.includes('sends ready'));
    await page.mouse.click(mark?.x ?? 0, mark?.y ?? 0, { button: 'right' });
    const menu = page.getByRole('menu', { name: 'What if' });
    await menu.getByRole('menuitem', { name: 'ready of beaglexm01 were lost' }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await menu.getByRole('menuitem', { name: 'ready of beaglexm01 were lost' }).click();
    const answer = page.getByRole('region', { name: 'What if' });
    await answer.locator('.verdict', { hasText: /✕ (hangs|fails)/ }).waitFor();
    await answer
      .getByText(/lava-wait ready/)
      .first()
      .waitFor();
    await page.waitForURL(/drop=\d+/);
    const would = (await namedOn(page, 0, 1)).map(({ text }) => text);
    expect(would.join('\n')).toContain('waits in lava-wait ready');
    expect(would.join('\n')).not.toContain('sends done');
    expect((await namedOn(page, 1, 1)).map(({ text }) => text).join('\n')).not.toContain(
      'sends ready',
    );
    expect(await faultsOf(page)).toEqual([]);
    await page.reload();
    await answer.locator('.verdict').waitFor();
    await answer.getByRole('button', { name: 'Back to what was' }).click();
    await answer.waitFor({ state: 'detached' });
    expect(page.url()).not.toContain('drop');
  });

  it('are one in which a member comes later or crashes, by the keyboard alone', async () => {
    await page.goto(`${lab.url}/jobs/${good}?device=panda01`);
    await page.getByRole('tab', { name: 'Barriers' }).press('Enter');
    await page.getByRole('button', { name: /^lava-wait ready/ }).press('Enter');
    await page
      .locator('.standing .sentence', { hasText: 'released from lava-wait ready' })
      .waitFor();
    await page.keyboard.press('w');
    const menu = page.getByRole('menu', { name: 'What if' });
    const chosen = menu.locator('[role=menuitem]:focus');
    await chosen.waitFor();
    await page.keyboard.press('Escape');
    await menu.waitFor({ state: 'detached' });
    await page.keyboard.press('w');
    await chosen.waitFor();
    // The first: that it came later to this; the second: from its start on.
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const answer = page.getByRole('region', { name: 'What if' });
    await answer.locator('.verdict', { hasText: '✓ converges' }).waitFor();
    const seconds = answer.getByRole('spinbutton', { name: /Seconds that panda/ });
    expect(await seconds.inputValue()).toBe('20');
    await seconds.fill('500');
    await seconds.press('Enter');
    await answer.locator('.verdict', { hasText: '✕ times out' }).waitFor();
    await page.waitForURL(/delay=panda\d+%3A500s/);
    await page.getByRole('button', { name: 'What if…' }).press('Enter');
    await chosen.waitFor();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.waitForURL(/crash=panda\d+%40\d+/);
    await answer.getByRole('button', { name: 'Take it back' }).first().press('Enter');
    await answer.locator('.verdict', { hasText: '✕' }).waitFor();
    await answer
      .getByText(/panda\d+ ends failed instead of complete|panda\d+.*end/)
      .first()
      .waitFor();
    expect(page.url()).not.toContain('delay');
  });
});

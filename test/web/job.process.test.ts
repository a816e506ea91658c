/** A job that failed, in a real browser: its lanes, what plays, and the ways from the cause to the line that did it. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { faultsOf } from './axe.ts';
import { browserLacks, openBrowser } from './browser.ts';
import { namedOn, openPage, painted } from './lab.ts';
import { ScriptsLab } from './scripts-lab.ts';

const reason = browserLacks === undefined ? '' : ` (skipped: ${browserLacks})`;

describe.skipIf(browserLacks !== undefined)(`the page of a job${reason}`, () => {
  let browser: Browser;
  let scripts: ScriptsLab;
  let url = '';
  let failed = 0;
  let context: BrowserContext;
  let page: Page;
  let said: string[];
  beforeAll(async () => {
    [browser, scripts] = await Promise.all([openBrowser(), ScriptsLab.start()]);
    await scripts.meet('done');
    failed = await scripts.meet('doen');
    url = `${scripts.lab.url}/jobs/${failed}`;
  });
  afterAll(async () => {
    await browser?.close();
    await scripts?.lab.stop();
  });
  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1200, height: 800 } });
    ({ page, said } = await openPage(context));
    await page.goto(url);
    await page.locator('.explained').waitFor();
  });
  afterEach(async () => {
    // A browser tells of each answer that says no.
    expect(said.filter((line) => !line.includes(' 404 '))).toEqual([]);
    await context.close();
  });
  const at = async () => Number(/^(\d+)/.exec(await page.locator('.slider-at').innerText())?.[1]);
  const count = async () =>
    Number(/of (\d+)/.exec(await page.locator('.slider-at').innerText())?.[1]);

  it('plays from its beginning, stands still where it is paused, and stops at its end', async () => {
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    await expect.poll(at).toBeGreaterThan(2);
    await page.getByRole('button', { name: 'Pause' }).click();
    const paused = await at();
    await painted(page, 6);
    expect(await at()).toBe(paused);
    const all = await count();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    await page.getByRole('slider', { name: 'Event' }).focus();
    await page.keyboard.press('Space');
    await expect.poll(at, { timeout: 10_000 }).toBe(all);
    await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
  });

  it('zooms, pans and fits its lanes, by keys, buttons, wheel and dragging', async () => {
    const range = async () => {
      const named = await namedOn(page, 1);
      return named.map(({ event }) => event);
    };
    const whole = await range();
    const middle = whole[Math.floor(whole.length / 2)] ?? 1;
    for (let n = 0; n < middle; n++) await page.keyboard.press(n === 0 ? 'Home' : 'ArrowRight');
    await page.keyboard.press('+');
    await page.getByRole('button', { name: 'Zoom in' }).click();
    await painted(page);
    const near = await range();
    expect(near.length).toBeLessThan(whole.length);
    expect(near).toContain(middle);
    // How far the next event is away is another thing in each run.
    const isLater = async () => {
      await page.keyboard.press('d');
      await painted(page);
      const there = await range();
      return (there[0] ?? 0) > (near[0] ?? 0) || (there.at(-1) ?? 0) > (near.at(-1) ?? 0);
    };
    await expect.poll(isLater, { timeout: 10_000 }).toBe(true);
    await page.getByRole('button', { name: 'fit' }).click();
    await painted(page);
    expect(await range()).toEqual(whole);
    const box = await page.locator('.lanes canvas').boundingBox();
    await page.mouse.move((box?.x ?? 0) + 600, (box?.y ?? 0) + 60);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -600);
    await page.keyboard.up('Control');
    await painted(page);
    const wheeled = await range();
    expect(wheeled.length).toBeLessThan(whole.length);
    await page.mouse.move((box?.x ?? 0) + 600, (box?.y ?? 0) + 60);
    await page.mouse.down();
    await page.mouse.move((box?.x ?? 0) + 200, (box?.y ?? 0) + 60, { steps: 4 });
    await page.mouse.up();
    await painted(page);
    expect(await range()).not.toEqual(wheeled);
    await page.keyboard.press('0');
    await painted(page);
    expect(await range()).toEqual(whole);
  });

  it('is larger on a wall, and names what is under the pointer there as well', async () => {
    const wall = await browser.newContext({ viewport: { width: 2560, height: 1440 } });
    const { page, said } = await openPage(wall);
    await page.goto(`${url}?wall`);
    await page.locator('.explained').waitFor();
    await painted(page);
    const text = await page.locator('.lane-device').first().boundingBox();
    expect(text?.height ?? 0).toBeGreaterThan(24);
    const canvas = await page.locator('.lanes canvas').boundingBox();
    const at = { x: (canvas?.x ?? 0) + (canvas?.width ?? 0) * 0.4, y: (canvas?.y ?? 0) + 90 };
    await page.mouse.move(at.x, at.y);
    await page.locator('.tip').waitFor();
    await painted(page);
    const tip = await page.locator('.tip').boundingBox();
    const apart = Math.min(
      Math.abs((tip?.x ?? 0) - at.x),
      Math.abs((tip?.x ?? 0) + (tip?.width ?? 0) - at.x),
    );
    expect(apart).toBeLessThan(40);
    expect(Math.abs((tip?.y ?? 0) - at.y)).toBeLessThan(60);
    expect(await faultsOf(page)).toEqual([]);
    expect(said.filter((line) => !line.includes(' 404 '))).toEqual([]);
    await wall.close();
  });

  it('has the causes of an event left of it in the causal order, and every event that the clock shows', async () => {
    const place = async (lane: number, text: string) =>
      (await namedOn(page, lane)).find((is) => is.text.includes(text))?.x ?? Number.NaN;
    const clock = await place(1, 'sends ready');
    await page.getByRole('button', { name: 'causal' }).click();
    await page.waitForURL(/order=causal/);
    await painted(page);
    const ready = await place(1, 'sends ready');
    const sent = await place(0, 'sends doen');
    expect(ready).toBeLessThan(sent);
    expect(ready).not.toBeCloseTo(clock, 0);
    await page.keyboard.press('c');
    await page.getByRole('button', { name: 'clock', pressed: true }).waitFor();
    await painted(page);
    expect(await place(1, 'sends ready')).toBe(clock);
  });

  it('leads from the explanation to the event, the lane, the place on a console and the line of the script', async () => {
    expect(await page.locator('.explained').innerText()).toContain('done');
    await page
      .locator('.culprit')
      .getByRole('button', { name: /\.sh:\d+$/ })
      .click();
    const [, file = '', line = ''] =
      /^(\S+):(\d+)$/.exec(
        await page
          .locator('.culprit')
          .getByRole('button', { name: /\.sh:\d+$/ })
          .innerText(),
      ) ?? [];
    const marked = page.locator('.source li.marked');
    await marked.waitFor();
    expect(await page.getByRole('combobox', { name: 'File' }).inputValue()).toBe(file);
    expect(await marked.innerText()).toContain(file === 'client.sh' ? 'lava-send' : 'lava-wait');
    expect(
      await page
        .locator('.source li')
        .nth(Number(line) - 1)
        .getAttribute('class'),
    ).toBe('marked');
    expect(await faultsOf(page)).toEqual([]);
    await page.locator('.culprit').getByRole('button').first().click();
    await page.locator('.lane-name[aria-pressed=true]').waitFor();
    const step = page.locator('.chain li button').first();
    const [, number] = /^(\d+)/.exec(await step.innerText()) ?? [];
    await step.click();
    await page.locator('.slider-at b', { hasText: new RegExp(`^${number}$`) }).waitFor();
    await page.waitForURL(new RegExp(`at=${number}`));
    // It stays for the next of its links.
    expect(await step.isVisible()).toBe(true);
  });

  it('marks the line that ended the job in its sources, and says who is on which line at an event', async () => {
    await page.getByRole('tab', { name: 'Sources' }).click();
    await page.locator('.source li.marked').waitFor();
    await page.getByRole('combobox', { name: 'File' }).selectOption('client.sh');
    const here = page.locator('.here');
    await here.filter({ hasText: 'panda' }).waitFor();
    expect(await page.locator('.source li', { has: here }).innerText()).toContain('lava-send "$1"');
    const { events } = (await (
      await fetch(`${url.replace('/jobs', '/api/jobs')}/events`)
    ).json()) as {
      events: { type: string; data: { message?: string }; version: number }[];
    };
    const wait = events.find(
      ({ type, data }) => type === 'WaitStarted' && data.message === 'ready',
    );
    await page.goto(`${url}?at=${wait?.version}`);
    const told = page.locator('.scripts li', { hasText: 'panda' });
    await told.filter({ hasText: 'lava-wait ready' }).waitFor();
    await told.getByRole('button', { name: 'client.sh:3' }).click();
    await page.locator('.source li.marked .here').waitFor();
    expect(await page.locator('.source li.marked').innerText()).toContain('lava-wait ready');
    expect(await faultsOf(page)).toEqual([]);
  });

  it('has all consoles in one log by time, with the events between the lines, and stands in it', async () => {
    await page.getByRole('tab', { name: 'Combined log' }).click();
    const log = page.getByRole('region', { name: 'Combined log' });
    await page.getByRole('slider', { name: 'Event' }).focus();
    await page.keyboard.press('Home');
    await log.getByText('the job is submitted').waitFor();
    const upTo = await count();
    const lines: string[] = [];
    for (let n = 1; n <= upTo; n += 6) {
      await page.locator('.line-event.now').waitFor();
      for (const text of await log.getByRole('listitem').allInnerTexts())
        if (!lines.includes(text)) lines.push(text);
      for (let step = 0; step < 6; step++) await page.keyboard.press('ArrowRight');
    }
    const of = (text: string) => lines.findIndex((line) => line.includes(text));
    expect(of('the server is up')).toBeGreaterThan(-1);
    expect(of('the client looks for it')).toBeGreaterThan(-1);
    expect(of('the server is up')).toBeLessThan(of('the job failed'));
    expect(of('has its boards')).toBeLessThan(of('the client looks for it'));
    await page.getByRole('checkbox', { name: 'events between the lines' }).uncheck();
    await page.locator('.line-event').first().waitFor({ state: 'detached' });
    await page.keyboard.press('j');
    await page.getByRole('checkbox', { name: /only panda/ }).check();
    await log.getByText('the client looks for it').waitFor();
    expect(await log.getByText('the server is up').count()).toBe(0);
    expect(await faultsOf(page)).toEqual([]);
  });

  it('is as it was when somebody comes back to it, and looks the same to whom its address is sent', async () => {
    await page.locator('.lane-name').nth(1).click();
    await page.getByRole('tab', { name: 'Messages' }).click();
    await page.getByRole('button', { name: /ready port=5001/ }).click();
    const place = await page.locator('.slider-at b').innerText();
    await page.waitForURL(new RegExp(`at=${place}(&|$)`));
    const shared = page.url();
    await page.getByRole('link', { name: 'compare with another run' }).click();
    // Its definition has other parameters: nobody knows which run was the good one.
    await page.getByText('no run of the definition').waitFor();
    await page.getByRole('link', { name: /they meet/ }).click();
    await page.getByText('First divergence').first().waitFor();
    await page.goBack();
    await page.getByText('no run of the definition').waitFor();
    await page.goBack();
    await page.getByRole('tab', { name: 'Messages', selected: true }).waitFor();
    expect(page.url()).toBe(shared);
    const { page: other } = await openPage(context);
    await other.goto(shared);
    await other.locator('.standing .sentence', { hasText: 'sends ready port=5001' }).waitFor();
    await other.getByRole('tab', { name: 'Messages', selected: true }).waitFor();
    expect(await other.locator('.lane-name[aria-pressed=true]').innerText()).toContain('beaglexm');
  });
});

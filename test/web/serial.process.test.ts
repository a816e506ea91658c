/** What boards on a serial line say to Muster is told on the page in words, and kept byte for byte. */
import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { namespacesSkipped } from '../dispatcher/harness.ts';
import { SERIAL_TYPE, serialBoards } from '../lab/serial-lab.ts';
import { browserLacks, openBrowser } from './browser.ts';
import { job, openPage, run, TestLab } from './lab.ts';

const lacks = browserLacks ?? (await namespacesSkipped());
const reason = lacks === undefined ? '' : ` (skipped: ${lacks})`;
const LAB = `
device_types:
${SERIAL_TYPE}
devices:
${serialBoards('s1', 's2')}
`;

describe.skipIf(lacks !== undefined)(`consoles of boards on a serial line${reason}`, () => {
  let browser: Browser;
  let lab: TestLab;
  beforeAll(async () => {
    [browser, lab] = await Promise.all([openBrowser(), TestLab.start(LAB)]);
  });
  afterAll(async () => {
    await browser?.close();
    await lab?.stop();
  });

  it('are shown without their frames and marks, each in words, and are to be had with them', async () => {
    const { page, said } = await openPage(await browser.newContext());
    const id = await lab.submit(
      job('speaks over its line', { peer: [2, 'serial'] }, [
        run('peer', 'lava-send ready ip=10.0.0.1', 'echo between', 'sleep 5', 'lava-sync end'),
      ]),
    );
    const told = 'muster: over its console: send ready ip=10.0.0.1';
    await page.goto(`${lab.url}/boards/s1`);
    await page.locator('.live-text', { hasText: 'between' }).waitFor();
    const live = await page.locator('.live-text').innerText();
    expect(live).toContain(told);
    expect(live).not.toContain('<MUSTER_');
    expect((await lab.over(id)).state).toBe('complete');
    await page.goto(`${lab.url}/jobs/${id}?tab=console&device=s1`);
    await page.locator('.console-text', { hasText: 'over its console: sync end' }).waitFor();
    const shown = await page.locator('.console-text').innerText();
    expect(shown).toContain(told);
    expect(shown).toContain('· muster begins a shell of its own');
    expect(shown).toContain('· suite 0_lava-command-run begins\n+ lava-send');
    expect(shown).not.toMatch(/<(?:MUSTER|LAVA)_/);
    await page.getByRole('checkbox', { name: 'marks as printed' }).check();
    await page.locator('.console-text', { hasText: '<LAVA_SIGNAL_STARTRUN' }).waitFor();
    const printed = await page.locator('.console-text').innerText();
    for (const part of ['<MUSTER_LINE ', '<MUSTER_BOARD_DONE ', '<MUSTER_RUNNER_EXIT '])
      expect(printed).toContain(part);
    await page.getByRole('checkbox', { name: 'marks as printed' }).uncheck();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'all of it, as a file' }).click(),
    ]);
    const whole = await fetch(`${lab.url}/api/jobs/${id}/members/s1/console`);
    const kept = await readFile(await file.path(), 'utf8');
    expect(kept).toBe(await whole.text());
    for (const part of ['<MUSTER_LINE ', '<MUSTER_BOARD_DONE ']) expect(kept).toContain(part);
    const answer = await fetch(`${lab.url}/api/jobs/${id}/events`);
    const { events } = (await answer.json()) as { events: { type: string; version: number }[] };
    const sent = events.find(({ type }) => type === 'MessageSent')?.version;
    await page.goto(`${lab.url}/jobs/${id}?tab=log&events=no&at=${sent}`);
    const log = page.getByRole('region', { name: 'Combined log' });
    await log.getByText(told).first().waitFor();
    await log.getByText('· suite 0_lava-command-run begins').first().waitFor();
    expect(await log.getByText('<MUSTER_').count()).toBe(0);
    await page.getByRole('checkbox', { name: 'marks as printed' }).check();
    await log.getByText('<MUSTER_').first().waitFor();
    expect(said).toEqual([]);
  }, 90_000);
});

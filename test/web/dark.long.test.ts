/** Every place of the page in the dark; in the light they are looked at in each run. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { browserLacks, openBrowser } from './browser.ts';
import { expectRight, placesOfJob, placesOfLab } from './places.ts';
import { ScriptsLab } from './scripts-lab.ts';

const reason = browserLacks === undefined ? '' : ` (skipped: ${browserLacks})`;

describe.skipIf(browserLacks !== undefined)(`the page in the dark${reason}`, () => {
  let browser: Browser;
  let scripts: ScriptsLab;
  let [passed, failed] = [0, 0];
  beforeAll(async () => {
    [browser, scripts] = await Promise.all([openBrowser(), ScriptsLab.start()]);
    passed = await scripts.meet('done');
    failed = await scripts.meet('doen');
  });
  afterAll(async () => {
    await browser?.close();
    await scripts?.lab.stop();
  });

  it('has nothing that axe finds wrong, on a phone and on a desk', async () => {
    const places = [...placesOfLab(passed), ...placesOfJob(failed)];
    await expectRight(browser, scripts.lab.url, places, 'dark');
  }, 120_000);
});

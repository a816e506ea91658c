/** Every place of the page, in the light and in the dark. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { browserLacks, openBrowser } from './browser.ts';
import { expectRight, placesOfJob, placesOfLab } from './places.ts';
import { ScriptsLab } from './scripts-lab.ts';

const reason = browserLacks === undefined ? '' : ` (skipped: ${browserLacks})`;

describe.skipIf(browserLacks !== undefined)(`every place of the page${reason}`, () => {
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

  it.each(['light', 'dark'] as const)(
    'has nothing that axe finds wrong in the %s, on a phone and on a desk',
    async (colors) => {
      const places = [...placesOfLab(passed), ...placesOfJob(failed)];
      await expectRight(browser, scripts.lab.url, places, colors);
    },
    120_000,
  );
});

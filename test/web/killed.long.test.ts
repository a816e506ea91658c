/** A server that is killed while somebody looks, and comes back. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, it, onTestFinished } from 'vitest';
import { ServerProcess } from '../lab/server-process.ts';
import { browserLacks, openBrowser } from './browser.ts';
import { job, LAB, openPage, run } from './lab.ts';

const reason = browserLacks === undefined ? '' : ` (skipped: ${browserLacks})`;

describe.skipIf(browserLacks !== undefined)(`a page that is open${reason}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  it('says that the server was killed, and goes on by itself when it is back, without a hole', async () => {
    const server = await ServerProcess.make(LAB);
    onTestFinished(async () => {
      await server.end('SIGTERM');
      await server.remove();
    });
    await server.start();
    const { id } = await server.post(
      '/api/jobs',
      job('outlives its server', { one: [1, 'panda'], two: [1, 'beaglexm'] }, [
        run('one', 'lava-wait go', 'lava-sync end'),
        run('two', 'sleep 8', 'lava-send go', 'lava-sync end'),
      ]),
    );
    const { page } = await openPage(await browser.newContext());
    await page.goto(`${server.url}/jobs/${id}`);
    await page.locator('.event-text', { hasText: 'waits in lava-wait go' }).waitFor();
    await server.end('SIGKILL');
    await page
      .getByRole('alert')
      .filter({ hasText: 'The server has not answered since' })
      .waitFor();
    await server.start();
    await page.getByRole('alert').waitFor({ state: 'detached', timeout: 15_000 });
    await page
      .locator('.standing .sentence', { hasText: 'the job is complete' })
      .waitFor({ timeout: 25_000 });
    const log = await server.get<{ events: unknown[] }>(`/api/jobs/${id}/events`);
    await page
      .locator('.slider-at', { hasText: `${log.events.length} of ${log.events.length}` })
      .waitFor();
  }, 90_000);
});

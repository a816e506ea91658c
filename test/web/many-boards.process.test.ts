/** A lab of very many boards on the page, each of which has a job of its own. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtPage } from '../../server/package-root.ts';
import { doors, listening } from '../api/bench.ts';
import { allocated, jobOf, submit, until } from '../engine/bench.ts';
import { browserLacks, openBrowser } from './browser.ts';
import { openPage } from './lab.ts';

const reason = browserLacks === undefined ? '' : ` (skipped: ${browserLacks})`;
const BOARDS = 450;
/** Of a page of running jobs. */
const PAGE = 200;

describe.skipIf(browserLacks !== undefined)(`a lab with more jobs than are listed${reason}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  it('says on every tile who plays what, asks for each page of jobs once at most, and for no job alone', async () => {
    const { engine, app } = await doors({ pageFolder: builtPage() ?? '' }, BOARDS + 1);
    const ids: number[] = [];
    for (let n = 0; n < BOARDS; n++)
      ids.push(await submit(engine, jobOf({ [`part${n}`]: 1 }, { name: `job of ${n}` })));
    await until(async () =>
      (await Promise.all(ids.map((id) => engine.job(id)))).every(
        (job) => job?.state === 'allocated',
      )
        ? true
        : undefined,
    );
    const url = `http://127.0.0.1:${await listening(app)}`;
    const { page, said } = await openPage(await browser.newContext());
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url().slice(url.length)));
    await page.goto(url);
    const [first = 0] = ids;
    const search = page.getByRole('searchbox', { name: 'Search boards' });
    await page.getByText(`${BOARDS}, the newest ${PAGE} here`).waitFor();
    const pages = () =>
      asked.filter((path) => path.includes('state=allocated&') && path.includes('before='));
    // Each of these tiles plays in a job that is not among those that are listed.
    for (const n of [0, 120, 249]) {
      await search.fill(String(first + n));
      await page.locator('.tile', { hasText: `job ${first + n} part${n}` }).waitFor();
    }
    await search.fill('');
    const rows = page.getByRole('region', { name: 'Boards', exact: true });
    for (let top = 0; top < 12_000; top += 600) {
      await rows.evaluate(
        (box, to) => ((box as unknown as { scrollTop: number }).scrollTop = to),
        top,
      );
      await until(async () => {
        const tiles = await page.locator('.tile.busy').allInnerTexts();
        return tiles.every((text) => /job \d+ part\d+/.test(text)) ? true : undefined;
      });
    }
    expect(pages().length).toBeLessThanOrEqual(Math.ceil(BOARDS / PAGE));
    expect(new Set(pages()).size).toBe(pages().length);
    expect(asked.filter((path) => /^\/api\/jobs\/\d+$/.test(path))).toEqual([]);

    // Whoever gets a board while somebody looks is told of by the log.
    const before = pages().length;
    const late = await allocated(engine, jobOf({ latecomer: 1 }));
    await search.fill(String(late));
    await page.locator('.tile', { hasText: `job ${late} latecomer` }).waitFor();
    expect(pages().length).toBe(before);
    expect(said).toEqual([]);
  }, 120_000);
});

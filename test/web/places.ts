/** The places of the page, and a look at each: by axe, on a phone and on a desk. */
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import { faultsOf } from './axe.ts';
import { openPage, VIEWPORTS } from './lab.ts';

/** A place, and what is there once it can be looked at. */
export type Place = [path: string, ready: string];

/** @param job one that is over */
export const placesOfLab = (job: number): Place[] =>
  [
    ...['/', '/?wall', '/jobs', `/jobs/${job}?at=9`, `/jobs/${job}?tab=results`],
    ...['/log', '/submit', '/operations', '/boards/panda01'],
  ].map((path) => [path, '.panel']);

/** @param job one that failed */
export const placesOfJob = (job: number): Place[] => [
  [`/jobs/${job}`, '.explained'],
  [`/jobs/${job}?tab=sources`, '.explained'],
  [`/jobs/${job}?tab=log&at=30`, '.standing'],
  [`/jobs/${job}?tab=barriers`, '.explained'],
  [`/jobs/${job}/compare`, '.jobs'],
];

/** Nothing is wrong, nothing is wider than the screen, and the browser has nothing to complain of but answers that say no. */
export async function expectRight(
  browser: Browser,
  url: string,
  places: readonly Place[],
  colorScheme: 'light' | 'dark',
): Promise<void> {
  for (const viewport of VIEWPORTS) {
    const context = await browser.newContext({ colorScheme, viewport });
    const { page, said } = await openPage(context);
    for (const [path, ready] of places) {
      await page.goto(url + path);
      await page.locator(ready).first().waitFor();
      expect([path, await faultsOf(page)]).toEqual([path, []]);
      expect([path, await widthOf(page)]).toEqual([path, viewport.width]);
    }
    expect(said.filter((line) => !line.includes(' 404 '))).toEqual([]);
    await context.close();
  }
}

const widthOf = (page: Page) => page.evaluate('document.documentElement.scrollWidth');

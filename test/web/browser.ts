/** A real browser for the tests of the page: Debian's Chromium, without the network but for this machine. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** Why no page can be looked at here; `undefined`: one can. The test command installs the browser where it may. */
export const browserLacks: string | undefined = existsSync(CHROMIUM)
  ? undefined
  : `there is no ${CHROMIUM}`;

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

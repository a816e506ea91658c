/** A real browser for the tests of the page: Debian's Chromium, without the network but for this machine. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { ensurePrograms } from '../../cli/debian-programs.ts';

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

/** Why no page can be looked at here; `undefined`: one can. */
export async function browserLacks(): Promise<string | undefined> {
  if (existsSync(CHROMIUM)) return undefined;
  const say = (line: string) => process.stdout.write(`muster test: ${line}\n`);
  const lacking = await ensurePrograms([['chromium', 'chromium']], say);
  return lacking === undefined ? undefined : `there is no browser: ${lacking}`;
}

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

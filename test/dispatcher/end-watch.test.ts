import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EndWatch } from '../../dispatcher/drivers/end-watch.ts';

const START = '[    0.000000] Linux version 6.1.0 (root@build)\n';
const REBOOTED = 'the board rebooted (line 3 of its console)';

describe('whether a board that was up still is', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
    folder = mkdtempSync(join(tmpdir(), 'muster-watch-'));
    file = join(folder, 'console');
    writeFileSync(file, 'booted\n$ ');
  });
  afterEach(() => {
    vi.useRealTimers();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What is said of a board that printed `text`, and then nothing for a while. */
  async function said(text: string): Promise<string | undefined> {
    const watch = new EndWatch(file, 9, []);
    appendFileSync(file, text);
    expect(await watch.look(undefined)).toBeUndefined();
    vi.setSystemTime(Date.now() + 3_000);
    return watch.look(undefined);
  }

  test.each([
    ['a login', `\n${START}a board\n\n(none) login: `],
    [
      'a login, and its kernel speaks on',
      `\n${START}(none) login: [    2.180130] tsc: Refined TSC\n[    2.181625] clocksource: Switched\n`,
    ],
    ['a prompt behind colours', `\n${START}\u001b[32mroot@b:~#\u001b[0m `],
  ])('a kernel that starts, and %s: it rebooted', async (_, text) => {
    expect(await said(text)).toBe(REBOOTED);
  });

  test.each([
    ['a log of a kernel that a test prints', `dmesg\n${START}[    1.000000] a line\n`],
    ['the same behind what looks like a prompt', `log of board $ ${START}[    1.000000] a line\n`],
    ['a login without a kernel', '\n(none) login: '],
  ])('%s says nothing', async (_, text) => {
    expect(await said(text)).toBeUndefined();
  });

  test('a kernel that panicked is named, also when the next one asks for a login', async () => {
    const panic = '[    9.000000] Kernel panic - not syncing: Fatal exception\n';
    const named =
      'its kernel panicked: Kernel panic - not syncing: Fatal exception (line 3 of its console)';
    expect(await said(`\n${panic}`)).toBe(named);
    expect(await said(`${panic}${START}b login: `)).toBeDefined();
  });
});

/** The other places of the page, in a real browser: submission, results, log, boards, operations, a token, an empty lab. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { faultsOf } from './axe.ts';
import { browserLacks, openBrowser } from './browser.ts';
import { job, openPage, run, TestLab } from './lab.ts';

const reason = browserLacks === undefined ? '' : ` (skipped: ${browserLacks})`;

const MARKUP = '<img src=x onerror=alert(1)><b>bold</b>';
const measured = (name: string, speed: string) =>
  job(name, { one: [1, 'panda'] }, [
    run(
      'one',
      `lava-test-case speed --result pass --measurement ${speed} --units Mbit/s`,
      'lava-test-case broken --result fail',
      `echo '${MARKUP}'`,
    ),
  ]);

describe.skipIf(browserLacks !== undefined)(`a place of the page${reason}`, () => {
  let browser: Browser;
  let lab: TestLab;
  let context: BrowserContext;
  let page: Page;
  let said: string[];
  let id: number;
  beforeAll(async () => {
    [browser, lab] = await Promise.all([openBrowser(), TestLab.start()]);
    await lab.over(await lab.submit(measured(MARKUP, '90.5')));
    id = await lab.submit(measured('measures', '94.1'));
    await lab.over(id);
  });
  afterAll(async () => {
    await browser?.close();
    await lab?.stop();
  });
  beforeEach(async () => {
    context = await browser.newContext();
    ({ page, said } = await openPage(context));
  });
  afterEach(async () => {
    await context.close();
  });

  it('checks a job as it is typed, with the problem at its line, shows what fits, and submits it', async () => {
    await page.goto(`${lab.url}/submit`);
    await page.getByRole('button', { name: 'Begin with an example' }).click();
    await page.getByText('the boards that there are can run it').waitFor();
    await page.getByRole('row', { name: /client 1 × panda 2 2/ }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    const editor = page.getByRole('textbox', { name: 'The job' });
    const good = await editor.inputValue();
    await editor.fill(good.replace('"count": 1', '"count": "one"'));
    await page.getByRole('button', { name: 'line 5, column' }).click();
    expect(await page.getByRole('button', { name: 'Submit', exact: true }).isDisabled()).toBe(true);
    expect(
      await editor.evaluate(
        (area) => (area as unknown as { selectionStart: number }).selectionStart,
      ),
    ).toBe(good.indexOf('"count": 1') + '"count": '.length);
    expect(await faultsOf(page)).toEqual([]);
    await editor.fill(good.replace('"count": 1', '"count": 7'));
    await page.getByText('2 of 7 boards of type panda').waitFor();
    await editor.fill(good);
    await page.getByRole('button', { name: 'Submit', exact: true }).click();
    await page.getByRole('heading', { name: 'two boards meet' }).waitFor();
    const submitted = Number(/\/jobs\/(\d+)/.exec(page.url())?.[1]);
    expect((await lab.over(submitted)).state).toBe('complete');
    // A live job follows its end.
    await page.locator('.standing .sentence', { hasText: 'the job is complete' }).waitFor();
    // A browser tells of each answer that says no: to a job that is wrong, and to why it waits when it has just got its boards.
    expect(said.filter((line) => !/ 422 | 409 .*\/why\)$/.test(line))).toEqual([]);
  });

  it('takes a file that is dropped on it', async () => {
    await page.goto(`${lab.url}/submit`);
    const text = JSON.stringify(measured('dropped', '1'));
    // What stands in a string runs in the page: this side knows no DOM.
    const data = await page.evaluateHandle(`(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([${JSON.stringify(text)}], 'job.json'));
      return transfer;
    })()`);
    await page.dispatchEvent('.editor', 'drop', { dataTransfer: data });
    await page.getByText('dropped', { exact: true }).waitFor();
  });

  it('has the results of a job by member and suite, to keep as a file, and a case over the last runs', async () => {
    await page.goto(`${lab.url}/jobs/${id}?tab=results`);
    await page.getByRole('rowheader', { name: 'speed', exact: true }).waitFor();
    await page.getByRole('cell', { name: '94.1 Mbit/s' }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'JUnit' }).click(),
    ]);
    expect(file.suggestedFilename()).toBe(`job-${id}-results.xml`);
    await page.getByRole('link', { name: 'speed', exact: true }).click();
    await page.getByRole('textbox', { name: 'Jobs called' }).fill('');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText(/median 9\d\.\d+ Mbit\/s, from 90.5 to 94.1/).waitFor();
    await page.getByRole('group', { name: /2 measurements/ }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    expect(said).toEqual([]);
  });

  it('shows what boards print and what jobs are called as text, never as markup', async () => {
    await page.goto(`${lab.url}/jobs/1?tab=console`);
    await page.getByRole('heading', { name: MARKUP }).waitFor();
    await page.locator('.console-text', { hasText: MARKUP }).waitFor();
    const bold = page.locator('main b', { hasText: 'bold' });
    expect(await bold.count()).toBe(0);
    for (const place of ['/', '/jobs']) {
      await page.goto(lab.url + place);
      await page.locator('main', { hasText: MARKUP }).waitFor();
      expect([place, await bold.count()]).toEqual([place, 0]);
    }
    expect(said).toEqual([]);
  });

  it('is the log, filtered, with causes that can be followed both ways', async () => {
    await page.goto(`${lab.url}/log`);
    await page.getByRole('searchbox', { name: 'Filter events' }).fill(`job-${id} MemberCompleted`);
    await page.getByRole('button', { name: /is complete/ }).click();
    await page.getByRole('heading', { name: /^Event \d+/ }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page
      .locator('.detail')
      .getByRole('button', { name: /the job is complete/ })
      .click();
    await page.getByRole('heading', { name: /JobCompleted/ }).waitFor();
    await page.getByRole('link', { name: `job-${id}` }).click();
    await page.getByRole('heading', { name: 'measures' }).waitFor();
    expect(said).toEqual([]);
  });

  it('takes a board out of use with a reason, and shows its history', async () => {
    await page.goto(`${lab.url}/boards/beaglexm01`);
    await page.getByRole('button', { name: 'To maintenance' }).click();
    await page.getByRole('textbox', { name: 'Why' }).fill('a new fan');
    await page.getByRole('button', { name: 'Do it' }).click();
    await page.getByText('a new fan').first().waitFor();
    await page
      .locator('.history-list', { hasText: 'goes from health unknown to maintenance: a new fan' })
      .waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Health is good' }).click();
    await page.getByRole('textbox', { name: 'Why' }).fill('it turns');
    await page.getByRole('button', { name: 'Do it' }).click();
    await page.locator('.board-head .badge', { hasText: 'idle' }).waitFor();
    expect(said).toEqual([]);
  });

  it('shows what a board prints while it prints it', async () => {
    const running = await lab.submit(
      job('prints', { one: [1, 'beaglexm'] }, [run('one', 'echo first', 'sleep 60')]),
    );
    await page.goto(`${lab.url}/boards/beaglexm01`);
    await page.locator('.live-text', { hasText: 'first' }).waitFor();
    await page.goto(`${lab.url}/jobs/${running}`);
    await page.getByRole('button', { name: 'Cancel…' }).click();
    await page.getByRole('textbox', { name: 'Why the job is cancelled' }).fill('seen enough');
    await page.getByRole('button', { name: 'Cancel all' }).click();
    await page.locator('.ending', { hasText: 'seen enough' }).waitFor();
    await lab.over(running);
    expect(await faultsOf(page)).toEqual([]);
  });

  it('is the workers and the server, with its figures', async () => {
    await page.goto(`${lab.url}/operations`);
    await page.getByText('connected').waitFor();
    await page.getByText('Devices, by state.').waitFor();
    expect(await faultsOf(page)).toEqual([]);
    expect(said).toEqual([]);
  });

  it('lists jobs by state, says what is not there, and keeps the wall free of what nobody can press', async () => {
    await page.goto(`${lab.url}/jobs`);
    await page.getByRole('combobox', { name: 'Jobs in this state' }).selectOption('complete');
    await page.getByRole('link', { name: 'measures' }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page.goto(`${lab.url}/jobs/999999`);
    await page.getByText('there is no job 999999').waitFor();
    await page.goto(`${lab.url}/boards/nobody`);
    await page.getByText('There is no board of this name').waitFor();
    await page.goto(`${lab.url}/?wall`);
    await page.getByRole('link', { name: 'panda01' }).waitFor();
    expect(await page.getByRole('navigation').count()).toBe(0);
    expect(await faultsOf(page)).toEqual([]);
  });
});

describe.skipIf(browserLacks !== undefined)(`a lab on a page${reason}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  it('says what to do next where there are no boards', async () => {
    const lab = await TestLab.start('');
    const { page } = await openPage(await browser.newContext());
    await page.goto(lab.url);
    await page.getByText('This server has no boards yet').waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await lab.stop();
  });

  it('asks for the token where one is wanted, keeps it for its tab alone, and sends no browser anywhere else', async () => {
    const lab = await TestLab.start(undefined, { apiToken: 'open-sesame' });
    const context = await browser.newContext();
    const { page } = await openPage(context);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    const response = await page.goto(lab.url);
    const policy = response?.headers()['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    await page.getByRole('heading', { name: 'This server wants a token' }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('this is not the API token of this server').waitFor();
    await page.getByLabel('Token').fill('open-sesame');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('link', { name: 'panda01' }).waitFor();
    await page.reload();
    await page.getByRole('link', { name: 'panda01' }).waitFor();
    const { page: other } = await openPage(context);
    await other.goto(lab.url);
    await other.getByRole('heading', { name: 'This server wants a token' }).waitFor();
    expect(asked.filter((url) => !url.startsWith(lab.url))).toEqual([]);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'This server wants a token' }).waitFor();
    await context.close();
    await lab.stop();
  });
});

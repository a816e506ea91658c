/** Definitions as the field writes them, on plain boards: what runs, what is heard on the console, what is reported. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MemberCommand } from '../../machines/commands.ts';
import { SourceList } from '../../wire/sources.ts';
import { git, gitRepository, Lab, shell, until } from './harness.ts';

let lab: Lab;
let jobs = 100;
beforeEach(async () => {
  lab = new Lab(['panda01'], { local: { namespaces: false } });
  await lab.open();
});
afterEach(() => lab.close());

const SIGNAL = (name: string, more = 'RESULT=pass') =>
  `<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=${name} ${more}>`;

/** Runs the definitions, each a file of one repository, as one action. */
async function run(
  files: Record<string, string>,
  definitions = ['t.yaml'],
  parameters: [string, string][] = [],
): Promise<string> {
  jobs += 1;
  const folder = gitRepository(join(lab.folder, `repo${jobs}`), files);
  const actions = [shell(...definitions.map((path) => git(folder, path, parameters)))];
  lab.server.allocate(jobs, [{ device: 'panda01', actions }]);
  return (await lab.ends(jobs)).panda01 ?? '';
}
const text = () => lab.console(jobs, 'panda01');
const reported = <T extends MemberCommand['type']>(type: T) =>
  lab.server.reports.flatMap(({ command }) =>
    command.type === type ? [command as Extract<MemberCommand, { type: T }>] : [],
  );
const results = () => reported('RecordResult').map(({ case: id, result }) => `${id} ${result}`);
const script = (...lines: string[]) => `#!/bin/sh\n${lines.join('\n')}\n`;
const STEPS = 'run: {steps: [./s.sh]}';

describe('a definition', () => {
  test('may have a quoted text that goes on at the margin', async () => {
    const about = 'metadata:\n    description: "Looks at the disk,\n    then boots again."\n';
    expect(await run({ 't.yaml': `${about}run:\n    steps:\n    - echo "as read"\n` })).toBe(
      'complete',
    );
    expect(text()).toContain('\nas read\n');
  });

  test('may have nothing to run: it installs, and is told as a suite', async () => {
    const files = {
      'prepare.yaml': 'install:\n  steps:\n  - touch "$HOME/prepared"\nrun: {}\n',
      't.yaml': 'run:\n  steps:\n  - test -e "$HOME/prepared"\n  -\n  - echo "it is there"\n',
    };
    expect(await run(files, ['prepare.yaml', 't.yaml'])).toBe('complete');
    expect(text()).toContain('\nit is there\n');
    expect(reported('PrepareSuite').map(({ suite }) => suite)).toEqual(['0_prepare', '1_t']);
  });

  test('with a key twice runs with the last, and the console says so', async () => {
    const twice = 'params: {A: 1}\nparams: {B: 2}\nrun: {steps: [\'echo "$A/$B"\']}\n';
    expect(await run({ 't.yaml': twice })).toBe('complete');
    expect(text()).toContain('\n/2\n');
    expect(text()).toContain('t.yaml, line 2: params: "params" is here twice');
  });

  test('has what it does not use named once on the console', async () => {
    const more = 'environment: x\nparse: {appendall: {result: pass}}\nrun: {steps: ["true"]}\n';
    expect(await run({ 't.yaml': more })).toBe('complete');
    expect(text().match(/not used: .*/g)).toEqual([
      'not used: environment (line 1), parse.appendall (line 2)',
    ]);
  });

  test("finds its other repositories by the names of parameters, the job's before its own", async () => {
    const tools = gitRepository(join(lab.folder, 'tools'), { 'tool.sh': script('echo "a tool"') });
    const files = (url: string) => ({
      't.yaml': [
        `params: {TOOLS_URL: "${url}", TOOLS_BRANCH: "", WHERE: there}`,
        'install: {git-repos: [{url: TOOLS_URL, branch: TOOLS_BRANCH, destination: WHERE}]}',
        'run: {steps: [there/tool.sh]}',
      ].join('\n'),
    });
    expect(await run(files(tools))).toBe('complete');
    expect(text()).toContain('\na tool\n');
    expect(await run(files('/nowhere'), ['t.yaml'], [['TOOLS_URL', tools]])).toBe('complete');
    expect(text()).toContain('\na tool\n');
  });

  test('may want another repository deep in its checkout', async () => {
    const tools = gitRepository(join(lab.folder, 'deep'), { 'tool.sh': script('echo "a tool"') });
    const where = ['./tools/one/', 'tools/two', 'deep/er/three'];
    const repositories = where.map((to) => `{url: '${tools}/', destination: '${to}'}`);
    const steps = where.map((to) => `${to}/tool.sh`);
    const files = {
      't.yaml': `install: {git-repos: [${repositories}]}\nrun: {steps: [${steps}]}\n`,
    };
    expect(await run(files)).toBe('complete');
    expect(text().match(/^a tool$/gm)).toHaveLength(3);
  });

  test('is told to the server as it was fetched, without secrets, before it runs', async () => {
    const params = 'params: {A: 1, URL: "http://me:hunter2@h/x?token=3"}\nexpected: [a, b]\n';
    expect(
      await run({ 't.yaml': `${params}metadata: {name: x y}\n` }, ['t.yaml'], [['A', '2']]),
    ).toBe('complete');
    const [told] = reported('PrepareSuite');
    expect(told).toMatchObject({
      action: 0,
      suite: '0_x-y',
      definition: 'x y',
      source: { from: 'git', path: 't.yaml', commit: expect.stringMatching(/^[0-9a-f]{40}$/) },
      parameters: [
        ['A', '2'],
        ['URL', 'http://h/x'],
      ],
      expected: ['a', 'b'],
      sources: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const list = SourceList.parse(JSON.parse(lab.server.kept.get(told?.sources ?? '') ?? ''));
    expect(list.definition).toBe('t.yaml');
    const script = lab.server.kept.get(list.scripts[0]?.digest ?? '');
    expect(script).toContain("export A='2'\n");
    expect(script).not.toContain('hunter2');
    const order = lab.server.reports.map(({ command }) => command.type);
    expect(order.indexOf('PrepareSuite')).toBeLessThan(order.indexOf('StartSuite'));
  });
});

describe('a script that ends other than well', () => {
  test('is told with its status, what killed it, and the last command that it showed', async () => {
    const files = {
      'a.yaml': "run: {steps: ['echo fine', './gone --now \"a  b\"', 'echo never']}\n",
      'b.yaml': "install: {steps: ['kill -9 $$']}\nrun: {steps: ['echo never']}\n",
      'c.yaml': 'run: {steps: [echo fine]}\n',
      'd.yaml': "run: {steps: ['echo oom-kill:constraint=NONE', exit 137]}\n",
    };
    expect(await run(files, Object.keys(files))).toBe('complete');
    expect(reported('EndScript').map(({ type: _, member: __, ...ended }) => ended)).toEqual([
      { suite: '0_a', script: 'run.sh', status: 127, command: "./gone --now 'a  b'" },
      {
        suite: '1_b',
        script: 'install.sh',
        status: 137,
        signal: 'SIGKILL',
        command: expect.stringMatching(/^kill -9 \d+$/),
      },
      {
        suite: '3_d',
        script: 'run.sh',
        status: 137,
        signal: 'SIGKILL',
        command: 'exit 137',
        outOfMemory: true,
      },
    ]);
  });
});

describe('a pattern', () => {
  test('makes cases of the lines of its own definition', async () => {
    const parse = [
      "parse:\n  pattern: '^(?!.+ED)(?P<test_case_id>\\w+)\\s+(?P<result>\\w+)\\s+\\d$'",
      '  fixupdict: {PASS: pass, FAIL: fail, CONF: skip}\n',
    ].join('\n');
    const figures = 'read PASS 0\nwrite FAIL 1\nmap CONF 2\nnot a result\nwas FAILED now\n';
    const files = {
      'figures.txt': figures,
      't.yaml': `${parse}run: {steps: [cat figures.txt]}\n`,
      'u.yaml': 'run: {steps: [cat figures.txt]}\n',
    };
    expect(await run(files, ['t.yaml', 'u.yaml'])).toBe('complete');
    expect(results()).toEqual(['read pass', 'write fail', 'map skip']);
    const suites = new Set(reported('RecordResult').map(({ suite }) => suite));
    expect([...suites]).toEqual(['0_t']);
  });

  test('takes figures, and what set -x echoes is not matched', async () => {
    const parse =
      "parse: {pattern: '(?P<test_case_id>[\\w-]+): (?P<measurement>[\\d.]+) (?P<units>\\S+)'}\n";
    const files = { 't.yaml': `${parse}run: {steps: ['echo "speed: 12.50 MB/s, wait: 3 ms"']}\n` };
    expect(await run(files)).toBe('complete');
    expect(reported('RecordResult')).toMatchObject([
      { case: 'speed', result: 'pass', measurement: '12.50', units: 'MB/s,' },
      { case: 'wait', result: 'pass', measurement: '3', units: 'ms' },
    ]);
  });

  test('keeps the order of signals and matches, and the open set holds for both', async () => {
    const parse =
      "parse: {pattern: '(?P<test_case_id>m\\d): (?P<result>ok)', fixupdict: {ok: pass}}\n";
    const lines = [
      'm1: ok',
      SIGNAL('s1'),
      '<LAVA_SIGNAL_TESTSET START x>',
      'm2: ok',
      SIGNAL('s2', 'RESULT=ok'),
    ];
    const files = {
      't.yaml': parse + STEPS,
      's.sh': script(...lines.map((line) => `echo '${line}'`)),
    };
    expect(await run(files)).toBe('complete');
    expect(reported('RecordResult').map((r) => `${r.set ?? '-'} ${r.case}`)).toEqual([
      '- m1',
      '- s1',
      'x m2',
      'x s2',
    ]);
  });

  test('that takes for ever is given up; the server lives, and the job goes on', async () => {
    const parse = "parse: {pattern: '^(?P<test_case_id>(a+)+)$'}\n";
    const line = `echo ${'a'.repeat(60)}b`;
    const files = {
      't.yaml': `${parse}${STEPS}`,
      's.sh': script(line, line, line, line, line, line, `echo '${SIGNAL('after')}'`),
    };
    let beats = 0;
    const heart = setInterval(() => {
      beats += 1;
    }, 20);
    const began = Date.now();
    expect(await run(files)).toBe('complete');
    clearInterval(heart);
    // The event loop beat all the time: nothing of it was in the pattern's hands.
    expect(beats).toBeGreaterThan((Date.now() - began) / 20 / 3);
    expect(results()).toContain('after pass');
    expect(text()).toContain('the patterns of 0_t are given up: they take too long');
  });

  test('that cannot be said in JavaScript fails the action, with its place', async () => {
    expect(await run({ 't.yaml': "parse: {pattern: '(a)(?(1)b|c)'}\n" })).toMatch(
      /^test definition t\.yaml, line 1, column 18: .*cannot be translated \(character 4 of/,
    );
  });
});

describe('a signal', () => {
  test('counts behind and before other text, two on a line, and with a result of its own words', async () => {
    const lines = [
      `echo "${SIGNAL('alone')}"`,
      `printf 'progress 100%% '; echo "${SIGNAL('after-text')}"`,
      `printf '\\033[0m${SIGNAL('after-colour')}\\n'`,
      `printf '\\r${SIGNAL('after-return')}\\n'`,
      `echo "${SIGNAL('before-text')} and so on"`,
      `printf '${SIGNAL('left')}${SIGNAL('right', 'RESULT=fail')}\\n'`,
      `printf '${SIGNAL('split').slice(0, 50)}[   12.345678] usb 1-1: new\\n${SIGNAL('split').slice(50)}\\n'`,
    ];
    expect(await run({ 's.sh': script(...lines), 't.yaml': STEPS })).toBe('complete');
    expect(results()).toEqual([
      ...['alone pass', 'after-text pass', 'after-colour pass', 'after-return pass'],
      ...['before-text pass', 'left pass', 'right fail', 'split pass'],
    ]);
  });

  test('does not count twice though the steps echo it', async () => {
    const steps = [
      `printf 'progress '`,
      `echo "${SIGNAL('one')}"`,
      `(set -x; echo "${SIGNAL('two')}")`,
    ];
    const list = steps.map((step) => `  - ${JSON.stringify(step)}\n`).join('');
    expect(await run({ 't.yaml': `run:\n  steps:\n${list}` })).toBe('complete');
    expect(results()).toEqual(['one pass', 'two pass']);
  });

  test('that cannot be read is told as what it was', async () => {
    const line = SIGNAL('a', 'RESULT=perhaps');
    expect(await run({ 's.sh': script(`echo "${line}"`), 't.yaml': STEPS })).toBe('complete');
    expect(reported('NoteGarbledSignal')).toEqual([
      { type: 'NoteGarbledSignal', member: 'panda01', suite: '0_t', text: line },
    ]);
  });

  test('of a measurement that is no number keeps the text in its note', async () => {
    const lines = [
      SIGNAL('fine', 'RESULT=pass MEASUREMENT=1.5e3 UNITS=us'),
      SIGNAL('glued', 'RESULT=pass MEASUREMENT=9.8MB/s'),
    ];
    expect(await run({ 's.sh': script(...lines.map((l) => `echo "${l}"`)), 't.yaml': STEPS })).toBe(
      'complete',
    );
    expect(reported('RecordResult')).toMatchObject([
      { case: 'fine', measurement: '1.5e3', units: 'us' },
      { case: 'glued', note: 'the measurement "9.8MB/s" is no number' },
    ]);
    expect(reported('RecordResult')[1]).not.toHaveProperty('measurement');
  });
});

describe('an old console that a test prints', () => {
  const old = [
    '<LAVA_SIGNAL_STARTRUN 0_t 0123456789abcdef>',
    SIGNAL('old'),
    '<LAVA_SIGNAL_TESTRAISE old>',
    '<LAVA_SIGNAL_ENDRUN 0_t 0123456789abcdef>',
    '<LAVA_TEST_RUNNER EXIT>',
    '<MUSTER_SCRIPT_ENDED 0123456789abcdef 1 run.sh>',
    '<MUSTER_RUNNER_EXIT 0123456789abcdef>',
    '<MUSTER_RUNNER_ENDED 0 0>',
    '<MUSTER_RUNNER_ENDED 0123456789abcdef 0>',
    '<MUSTER_SHELL_ENDED 1>',
    '<MUSTER_SHELL_FREE 0123456789abcdef>',
  ].join('\n');

  test('ends nothing and counts for nothing', async () => {
    const files = {
      'old.txt': `${old}\n`,
      't.yaml': STEPS,
      's.sh': script('cat old.txt', 'sleep 0.3', `echo '${SIGNAL('after')}'`),
    };
    expect(await run(files)).toBe('complete');
    expect(results()).toEqual(['after pass']);
    expect(text()).toContain('2 signals between the marks of another run (0_t): an old console');
    expect(reported('EndSuite').map(({ suite }) => suite)).toEqual(['0_t']);
  });

  test('whose end is missing takes nothing with it', async () => {
    const files = {
      'old.txt': `${old.split('\n')[0]}\n`,
      't.yaml': STEPS,
      's.sh': script('cat old.txt', `echo '${SIGNAL('after')}'`),
    };
    expect(await run(files)).toBe('complete');
    expect(results()).toEqual(['after pass']);
  });

  test('whose end is missing takes no line from the patterns', async () => {
    const parse = "parse: {pattern: '^(?P<test_case_id>[a-z]+) (?P<result>PASS)$'}\n";
    const files = {
      'old.txt': `${old}\nold PASS\n${old.split('\n')[0]}\n`,
      't.yaml': parse + STEPS,
      's.sh': script('cat old.txt', `echo '<LAVA_SIGNAL_TESTSET START s>'; echo mine PASS`),
    };
    expect(await run(files)).toBe('complete');
    expect(reported('RecordResult').map((r) => `${r.set ?? '-'} ${r.case}`)).toEqual([
      '- old',
      's mine',
    ]);
  });

  test('and a shell that really ends are told apart', async () => {
    const files = {
      't.yaml': STEPS,
      's.sh': script('kill -9 $(ps -o ppid= -p $(ps -o ppid= -p $PPID)); sleep 30'),
    };
    expect(await run(files)).toMatch(
      /(shell|runner) .*ended \(status \d+\) before its tests were through/,
    );
  });
});

test('suites are told by the console alone, for boards that have no network', async () => {
  expect(await run({ 't.yaml': 'run: {steps: ["true"]}' })).toBe('complete');
  expect(reported('StartSuite')).toEqual([
    { type: 'StartSuite', member: 'panda01', suite: '0_t', definition: 't' },
  ]);
  expect(reported('EndSuite')).toMatchObject([{ suite: '0_t' }]);
});

test('many cases are reported in their order, and a report that is refused for good stops nothing', async () => {
  const many =
    'i=0; while [ $i -lt 2000 ]; do echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=c$i RESULT=pass>"; i=$((i+1)); done';
  const report = lab.server.report.bind(lab.server);
  lab.server.report = (job, command, by) =>
    command.type === 'RecordResult' && command.case === 'c7'
      ? Promise.reject(Object.assign(new Error('not now, not ever'), { code: 'member-not-booted' }))
      : report(job, command, by);
  expect(await run({ 's.sh': script(many), 't.yaml': STEPS })).toBe('complete');
  const ids = reported('RecordResult').map((r) => r.case);
  expect(ids).toEqual(Array.from({ length: 2_000 }, (_, i) => `c${i}`).filter((id) => id !== 'c7'));
  expect(text()).toContain('the server refused a report (RecordResult): not now, not ever');
});

test('a report that cannot be taken now is sent again, in its order', async () => {
  const report = lab.server.report.bind(lab.server);
  let isFull = false;
  lab.server.report = (job, command, by) => {
    if (command.type === 'RecordResult' && command.case === 'a') isFull = !isFull;
    return isFull && command.type === 'RecordResult'
      ? Promise.reject(Object.assign(new Error('the disk is full'), { code: 'store-unavailable' }))
      : report(job, command, by);
  };
  const files = {
    's.sh': script(...['a', 'b', 'c'].map((id) => `echo '${SIGNAL(id)}'`)),
    't.yaml': STEPS,
  };
  expect(await run(files)).toBe('complete');
  expect(results()).toEqual(['a pass', 'b pass', 'c pass']);
});

test('a server that starts anew hears the same action with the same keys', async () => {
  const folder = gitRepository(join(lab.folder, 'again'), {
    't.yaml': `parse: {pattern: '(?P<test_case_id>m\\d) ok'}\n${STEPS}`,
    's.sh': script(
      'echo "m1 ok"',
      `echo '${SIGNAL('one')}'`,
      'while ! [ -e "$GO" ]; do sleep 0.05; done',
      'echo "m2 ok"',
      `echo '${SIGNAL('two')}'`,
    ),
  });
  const go = join(lab.folder, 'go');
  jobs += 1;
  lab.server.allocate(jobs, [
    { device: 'panda01', actions: [shell(git(folder, 't.yaml', [['GO', go]]))] },
  ]);
  await until(() => results().includes('one pass'), text);
  await lab.dispatcher?.stop({ killBoards: false });
  expect(existsSync(join(lab.dataDir, 'jobs', String(jobs), 'panda01.console.plan'))).toBe(true);
  await lab.open();
  writeFileSync(go, '');
  expect((await lab.ends(jobs)).panda01).toBe('complete');
  expect(reported('RecordResult').map((r) => r.case)).toEqual(['m1', 'one', 'm2', 'two']);
});

import { describe, expect, it } from 'vitest';
import { JobDefinition } from '../../machines/definition.ts';
import { GROUP_MEMBERS_MAX, TIMEOUT_SECONDS_MAX } from '../../machines/names.ts';
import { parseJob } from '../../submission/job.ts';
import { JOB_ACTIONS_MAX, JOB_NAME_CHARACTERS_MAX } from '../../submission/job-json.ts';
import {
  action,
  definitionOf,
  job,
  line,
  problemsOf,
  repo,
  SEED_JOB,
  said,
  single,
  source,
  warningsOf,
} from './jobs.ts';

const role = (fields: Record<string, unknown>) =>
  job({ device_group: [{ role: 'a', count: 1, device_type: 'panda', ...fields }] });

describe('a right job', () => {
  it("the seed's example gives the definition that it asks for, without a warning", () => {
    const image = 'file:///home/instance-manager/images';
    expect(parseJob(SEED_JOB)).toEqual({
      warnings: [],
      definition: {
        name: 'simple multinode job',
        form: 'json',
        countsSelf: false,
        priority: 50,
        timeoutSeconds: 18_000,
        onUnreachable: 'fail',
        unreachableGraceSeconds: 30,
        roles: [
          { role: 'omap4', count: 2, deviceType: 'panda', tags: ['mytag1'] },
          { role: 'omap3', count: 1, deviceType: 'beaglexm', tags: ['mytag2'] },
        ],
        actions: [
          {
            command: 'deploy_linaro_image',
            roles: ['omap4'],
            timeoutSeconds: 18_000,
            parameters: { image: `${image}/panda-raring_developer_20130529-347.img.gz` },
          },
          {
            command: 'deploy_linaro_image',
            roles: ['omap3'],
            timeoutSeconds: 18_000,
            parameters: { image: `${image}/beagle-ubuntu-desktop.img.gz` },
          },
          {
            command: 'lava_test_shell',
            roles: null,
            timeoutSeconds: 1_800,
            parameters: {
              definitions: [
                {
                  from: 'git',
                  repository: 'git://git.linaro.org/qa/test-definitions.git',
                  path: 'ubuntu/smoke-tests-basic.yaml',
                  parameters: [],
                },
              ],
            },
          },
        ],
      },
    });
    expect(JobDefinition.safeParse(definitionOf(SEED_JOB)).success).toBe(true);
  });

  it('every job field of Muster is taken over', () => {
    const text = job({
      countsSelf: true,
      unreachable_grace_seconds: 0,
      on_unreachable: 'wait',
      queue_timeout: 60,
      priority: 7,
    });
    expect(definitionOf(text)).toMatchObject({
      countsSelf: true,
      unreachableGraceSeconds: 0,
      onUnreachable: 'wait',
      queueTimeoutSeconds: 60,
      priority: 7,
    });
  });

  it.each([
    ['high', 100],
    ['medium', 50],
    ['low', 0],
    [0, 0],
    [100, 100],
  ])('priority %j is %d', (priority, expected) => {
    expect(definitionOf(job({ priority })).priority).toBe(expected);
  });

  it('without device_group it is a group of one with the role default', () => {
    expect(definitionOf(single({ tags: ['usb', 'usb'] })).roles).toEqual([
      { role: 'default', count: 1, deviceType: 'panda', tags: ['usb'] },
    ]);
  });

  it.each(['device', 'target'])('a job of one may name its board as %s', (field) => {
    const text = single({ device_type: undefined, [field]: 'panda01' });
    expect(definitionOf(text).roles).toEqual([
      { role: 'default', count: 1, device: 'panda01', tags: [] },
    ]);
  });

  it('a role with a named device has a count of one, written or not', () => {
    const device_group = [
      { role: 'a', device: 'panda01' },
      { role: 'b', device: 'panda02', count: 1 },
    ];
    expect(definitionOf(job({ device_group })).roles).toEqual([
      { role: 'a', count: 1, device: 'panda01', tags: [] },
      { role: 'b', count: 1, device: 'panda02', tags: [] },
    ]);
  });

  it('a role is essential when it says so', () => {
    const group = (essential: unknown) =>
      job({ device_group: [{ role: 'server', count: 1, device_type: 'panda', essential }] });
    expect(definitionOf(group(true)).roles[0]).toMatchObject({ role: 'server', essential: true });
    for (const not of [false, undefined])
      expect(definitionOf(group(not)).roles[0]).not.toHaveProperty('essential');
    for (const wrong of ['true', 1, null])
      expect(said(group(wrong))).toEqual([
        expect.stringContaining('device_group[0].essential: expected'),
      ]);
  });

  it('several roles may share a device type', () => {
    expect(definitionOf(job({})).roles.map((r) => r.deviceType)).toEqual(['panda', 'panda']);
  });

  it('commands that need no parameters may leave them out', () => {
    const actions = [
      { command: 'boot_linaro_image' },
      { command: 'submit_results' },
      { command: 'submit_results_on_host' },
      { command: 'boot_linaro_image', parameters: { role: 'server', timeout: 5 } },
    ];
    expect(definitionOf(job({ actions })).actions).toEqual([
      { command: 'boot_linaro_image', roles: null, timeoutSeconds: 600, parameters: {} },
      { command: 'submit_results', roles: null, timeoutSeconds: 600, parameters: {} },
      { command: 'submit_results', roles: null, timeoutSeconds: 600, parameters: {} },
      { command: 'boot_linaro_image', roles: ['server'], timeoutSeconds: 5, parameters: {} },
    ]);
  });

  it('submit_results_on_host is submit_results with its server and stream', () => {
    const parameters = { server: 'http://host/RPC2/', stream: '/anonymous/test/' };
    expect(definitionOf(action('submit_results_on_host', parameters)).actions).toEqual([
      { command: 'submit_results', roles: null, timeoutSeconds: 600, parameters },
    ]);
  });

  it('lava_command_run keeps its commands in order', () => {
    const commands = ['echo a', 'printf "%s\\t" b\tc'];
    expect(definitionOf(action('lava_command_run', { commands })).actions).toEqual([
      { command: 'lava_command_run', roles: null, timeoutSeconds: 600, parameters: { commands } },
    ]);
  });

  it('test definitions come from repositories first, then from addresses', () => {
    const parameters = {
      testdef_urls: ['file:///srv/a.yaml'],
      testdef_repos: [{ ...repo, revision: 'v1' }],
    };
    expect(definitionOf(action('lava_test_shell', parameters)).actions[0]?.parameters).toEqual({
      definitions: [
        {
          from: 'git',
          repository: repo['git-repo'],
          path: repo.testdef,
          revision: 'v1',
          parameters: [],
        },
        { from: 'url', url: 'file:///srv/a.yaml', parameters: [] },
      ],
    });
  });

  it('parameters of a definition keep their order, and their numbers as they are written', () => {
    const text = source({ parameters: { B: 'x y', a: '@number@', flag: true } }).replace(
      '"@number@"',
      '1.10',
    );
    const big = text.replace('true', '12345678901234567890');
    expect(definitionOf(text).actions[0]).toMatchObject({
      parameters: {
        definitions: [
          {
            parameters: [
              ['B', 'x y'],
              ['a', '1.10'],
              ['flag', 'true'],
            ],
          },
        ],
      },
    });
    expect(JSON.stringify(definitionOf(big))).toContain('["flag","12345678901234567890"]');
  });

  it('a byte order mark and CR LF change nothing', () => {
    const text = `\uFEFF${SEED_JOB.replaceAll('\n', '\r\n')}`;
    expect(definitionOf(text)).toEqual(definitionOf(SEED_JOB));
  });

  it("an action's timeout is the job's when it has none, and never longer than it", () => {
    const actions = [undefined, 5, 9_999].map((timeout) => ({
      command: 'lava_command_run',
      parameters: { commands: ['true'], timeout },
    }));
    expect(definitionOf(job({ actions })).actions.map((a) => a.timeoutSeconds)).toEqual([
      600, 5, 600,
    ]);
  });
});

describe('fields', () => {
  it.each([
    ['timeout', 0, 'a whole number of seconds, at least 1, got 0'],
    ['timeout', -5, 'a whole number of seconds, at least 1, got -5'],
    ['timeout', 1.5, 'a whole number of seconds, at least 1, got 1.5'],
    ['timeout', '600', 'a whole number of seconds, at least 1, got "600"'],
    ['timeout', TIMEOUT_SECONDS_MAX + 1, `at most ${TIMEOUT_SECONDS_MAX} seconds (a year), got`],
    ['queue_timeout', 0, 'a whole number of seconds, at least 1, got 0'],
    ['unreachable_grace_seconds', -1, 'a whole number of seconds, at least 0, got -1'],
    ['on_unreachable', 'fial', 'one of fail, wait, got "fial"; did you mean "fail"?'],
    ['countsSelf', 'yes', 'true or false, got "yes"'],
    ['priority', 101, 'a whole number from 0 to 100, "high", "medium" or "low", got 101'],
    ['priority', -1, 'a whole number from 0 to 100'],
    ['priority', 1.5, 'a whole number from 0 to 100'],
    ['priority', 'urgent', 'a whole number from 0 to 100'],
    ['logging_level', 'LOUD', 'one of DEBUG, INFO, WARNING, ERROR, CRITICAL, got "LOUD"'],
    ['job_name', ' ', 'one line that is not blank, got " "'],
    ['job_name', 'a\nb', 'one line that is not blank, got "a\\nb"'],
    [
      'job_name',
      'x'.repeat(JOB_NAME_CHARACTERS_MAX + 1),
      `at most ${JOB_NAME_CHARACTERS_MAX} characters`,
    ],
    ['job_name', 5, 'a text, got 5'],
    ['actions', [], 'at least one action, got a list'],
    ['actions', {}, 'a list, got an object'],
    ['device_group', {}, 'a list, got an object'],
    ['actions', Array(JOB_ACTIONS_MAX + 1).fill({ command: 'boot_linaro_image' }), 'at most 1000'],
  ])('%s: %j is an error that says what was expected', (field, value, expected) => {
    const got = said(job({ [field]: value }));
    expect(got).toHaveLength(1);
    expect(got[0]).toContain(`${field}: expected ${expected}`);
  });

  it.each(['timeout', 'job_name', 'actions'])('%s must be there', (field) => {
    expect(problemsOf(job({ [field]: undefined }))).toMatchObject([
      { path: field, line: 1, column: 1, message: expect.stringContaining('missing; expected') },
    ]);
  });

  it('an unknown field is an error wherever it stands', () => {
    const text = job({
      tiemout: 1,
      device_group: [{ role: 'a', count: 1, device_type: 'p', tag: [] }],
      actions: [{ command: 'lava_command_run', parameters: { commands: ['a'], rol: 'a' }, x: 1 }],
    });
    expect(said(text)).toEqual([
      'device_group[0].tag: unknown field "tag"; did you mean "tags"?',
      'actions[0].parameters.rol: unknown field "rol"; did you mean "role"?',
      'actions[0].x: unknown field "x"; expected one of command, parameters',
      'tiemout: unknown field "tiemout"; did you mean "timeout"?',
    ]);
    expect(said(source({ brunch: 'x' }))[0]).toContain('unknown field "brunch"');
  });

  it('all problems come at once, in the order of the document', () => {
    const text = `{ "timeout": 0, "timeout": 1,
  "job_name": "x",
  "device_group": [
    { "role": "a", "count": -1, "device_type": "p" },
    { "role": "a", "count": 1, "device_type": "p", "device": "d" }
  ],
  "actions": [ { "command": "nope" }, { "command": "boot_linaro_image", "parameters": { "role": "b" } } ]
}`;
    expect(problemsOf(text).map((p) => `${p.line}:${p.column} ${line(p)}`)).toEqual([
      '1:14 timeout: expected a whole number of seconds, at least 1, got 0',
      '1:17 timeout: "timeout" is here twice; the first is at line 1, column 3',
      '4:29 device_group[0].count: expected a whole number of at least 1, got -1',
      '5:15 device_group[1].role: the role "a" is already in device_group[0]',
      '5:52 device_group[1].device: "device" stands beside "device_type"; expected exactly one of device_type, device',
      '7:29 actions[0].command: unknown command "nope"; expected one of deploy_linaro_image, boot_linaro_image, lava_test_shell, lava_command_run, submit_results_on_host, submit_results',
      '7:97 actions[1].parameters.role: no role "b" in this group; did you mean "a"? expected one of a',
    ]);
  });

  it.each(['[]', '"x"', '5', 'null'])('a document that is only %s is an error', (text) => {
    expect(said(text)[0]).toContain('expected an object, got');
  });

  it('a malformed document is one problem with its line and column', () => {
    expect(problemsOf('{\n  "timeout": 1,\n}')).toMatchObject([{ line: 2, column: 15 }]);
  });
});

describe('the group', () => {
  it.each([
    [0, 'a whole number of at least 1, got 0'],
    [-1, 'a whole number of at least 1, got -1'],
    [1.5, 'a whole number of at least 1, got 1.5'],
    ['2', 'a whole number of at least 1, got "2"'],
    [null, 'a whole number of at least 1, got null'],
    [1e9, `a whole number of at most ${GROUP_MEMBERS_MAX}, got 1000000000`],
  ])('count %j is an error', (count, expected) => {
    expect(said(role({ count }))).toEqual([`device_group[0].count: expected ${expected}`]);
  });

  it('count must be there beside a device type', () => {
    expect(said(role({ count: undefined }))).toEqual([
      'device_group[0].count: missing; expected a whole number of at least 1',
    ]);
  });

  it('with a named device count is one', () => {
    expect(said(role({ device_type: undefined, device: 'd', count: 2 }))).toEqual([
      'device_group[0].count: expected 1, because "device" names one board, got 2',
    ]);
  });

  it('a role has exactly one of device_type and device', () => {
    expect(said(role({ device: 'd' }))).toEqual([
      'device_group[0].device: "device" stands beside "device_type"; expected exactly one of device_type, device',
    ]);
    expect(said(role({ device_type: undefined }))).toEqual([
      'device_group[0]: missing; expected exactly one of device_type, device',
    ]);
  });

  it('all roles together have a limit', () => {
    const device_group = ['a', 'b'].map((name) => ({
      role: name,
      count: GROUP_MEMBERS_MAX / 2 + 1,
      device_type: 'p',
    }));
    expect(said(job({ device_group }))).toEqual([
      `device_group: expected at most ${GROUP_MEMBERS_MAX} boards in all roles together, got ${GROUP_MEMBERS_MAX + 2}`,
    ]);
  });

  it('a group without roles is an error', () => {
    expect(said(job({ device_group: [] }))).toEqual([
      'device_group: expected at least one role, got an empty list',
    ]);
  });

  it('a role that is there twice is an error', () => {
    const twice = [1, 2].map(() => ({ role: 'a', count: 1, device_type: 'p' }));
    expect(said(job({ device_group: twice }))).toEqual([
      'device_group[1].role: the role "a" is already in device_group[0]',
    ]);
  });

  it('the same named device in two roles is an error', () => {
    const device_group = [
      { role: 'a', device: 'd' },
      { role: 'b', device: 'd' },
    ];
    expect(said(job({ device_group }))).toEqual([
      'device_group[1].device: the device "d" is already in device_group[0]',
    ]);
  });

  it.each(['a b', '', 'a/b', 'x'.repeat(65)])('%j is no name of a role', (name) => {
    expect(said(role({ role: name }))[0]).toContain('expected letters, digits and _ . -, got');
  });

  it('a device is a host name, a tag one word', () => {
    expect(said(role({ device_type: undefined, device: '-d' }))[0]).toContain('a host name');
    expect(said(role({ tags: ['a b'] }))[0]).toContain('device_group[0].tags[0]: expected a word');
    expect(said(role({ tags: 'a' }))[0]).toContain('device_group[0].tags: expected a list');
  });

  it('a job needs a group or a board', () => {
    expect(said(job({ device_group: undefined }))).toEqual([
      ': missing; expected device_group, or exactly one of device_type, device, target',
    ]);
  });

  it('a board cannot stand beside a group', () => {
    expect(said(job({ device_type: 'p', tags: ['x'] }))).toEqual([
      'device_type: "device_type" cannot stand beside "device_group"; move it into a role',
      'tags: "tags" cannot stand beside "device_group"; move it into a role',
    ]);
  });

  it('a job of one has exactly one of device_type, device and target', () => {
    expect(said(single({ target: 'd' }))).toEqual([
      'target: "target" stands beside "device_type"; expected exactly one of device_type, device, target',
    ]);
  });
});

describe('actions', () => {
  it('an unknown command is named, with those that are known', () => {
    expect(said(action('lava_test_shel', {}))).toEqual([
      'actions[0].command: unknown command "lava_test_shel"; did you mean "lava_test_shell"? expected one of deploy_linaro_image, boot_linaro_image, lava_test_shell, lava_command_run, submit_results_on_host, submit_results',
    ]);
  });

  it('a command must be there and be a text', () => {
    expect(said(job({ actions: [{}] }))[0]).toContain(
      'actions[0].command: missing; expected one of',
    );
    expect(said(job({ actions: [{ command: 5 }] }))[0]).toMatch(/expected one of .*, got 5$/);
    expect(said(job({ actions: ['boot'] }))).toEqual([
      'actions[0]: expected an object, got "boot"',
    ]);
  });

  it('a role that the group has not is an error that names the roles there are', () => {
    expect(said(action('boot_linaro_image', { role: 'cleint' }))).toEqual([
      'actions[0].parameters.role: no role "cleint" in this group; did you mean "client"? expected one of server, client',
    ]);
  });

  it('no role is called unknown while the roles cannot be told', () => {
    const actions = [{ command: 'boot_linaro_image', parameters: { role: 'server' } }];
    expect(said(job({ device_group: 5, actions }))).toEqual([
      'device_group: expected a list, got 5',
    ]);
  });

  it('the only role of a job of one is default', () => {
    const actions = (name: string) => [
      { command: 'boot_linaro_image', parameters: { role: name } },
    ];
    expect(said(single({ actions: actions('default') }))).toEqual([]);
    expect(said(single({ actions: actions('server') }))).toEqual([
      'actions[0].parameters.role: no role "server" in this group; expected one of default',
    ]);
  });

  it('role is one name, not a list', () => {
    expect(said(action('boot_linaro_image', { role: ['server'] }))).toEqual([
      'actions[0].parameters.role: expected the name of one role; repeat the action for each role that runs it, got a list',
    ]);
  });

  it('deploy needs an image of a known scheme', () => {
    expect(said(action('deploy_linaro_image'))).toEqual([
      'actions[0].parameters: missing; expected an object',
    ]);
    expect(said(action('deploy_linaro_image', {}))[0]).toContain('parameters.image: missing');
    for (const image of ['', 'ftp://host/x', 'file:///a/../b', '/srv/x'])
      expect(said(action('deploy_linaro_image', { image }))).toEqual([
        `actions[0].parameters.image: expected "host:", file:///path or an http(s) URL, got "${image}"`,
      ]);
  });

  it('lava_test_shell needs at least one definition', () => {
    const expected =
      'actions[0].parameters: missing; expected at least one entry in testdef_repos or testdef_urls';
    expect(said(action('lava_test_shell', {}))).toEqual([expected]);
    expect(said(action('lava_test_shell', { testdef_repos: [], testdef_urls: [] }))).toEqual([
      expected,
    ]);
    expect(said(action('lava_test_shell'))).toHaveLength(1);
  });

  it.each([
    ['git-repo', 'ext::sh -c id', 'an https, http, git, ssh or file URL'],
    ['git-repo', '--upload-pack=id', 'an https, http, git, ssh or file URL'],
    ['git-repo', undefined, 'a text'],
    ['testdef', '../../etc/passwd', 'a relative path inside the repository, without ".."'],
    ['testdef', '/etc/passwd', 'a relative path inside the repository, without ".."'],
    ['testdef', '-x', 'a relative path inside the repository, without ".."'],
    ['testdef', undefined, 'a text'],
    ['revision', '--upload-pack=id', 'a branch, tag or commit'],
  ])('a repository with %s %j is refused at submission', (field, value, expected) => {
    const got = said(source({ [field]: value }));
    expect(got).toHaveLength(1);
    expect(got[0]).toContain(`testdef_repos[0].${field}: `);
    expect(got[0]).toContain(`expected ${expected}`);
  });

  it('parameters of a definition are shell variables with plain values', () => {
    const at = 'actions[0].parameters.testdef_repos[0].parameters';
    expect(said(source({ parameters: { 'a-b': 1 } }))[0]).toContain(
      `${at}.a-b: expected a name of letters, digits and _ that starts with no digit`,
    );
    for (const value of [null, [], {}])
      expect(said(source({ parameters: { a: value } }))[0]).toContain(
        `${at}.a: expected a text without NUL, a number, true or false, got`,
      );
    expect(said(source({ parameters: { a: 'a\0b' } }))[0]).toContain(
      `${at}.a: expected a text without NUL, got "a\\u0000b"`,
    );
    expect(said(source({ parameters: [] }))[0]).toContain(`${at}: expected an object, got a list`);
    expect(said(source({ parameters: { constructor: 'x' } }))).toEqual([]);
  });

  it('testdef_urls are files or http addresses', () => {
    expect(said(action('lava_test_shell', { testdef_urls: ['ftp://x/y'] }))).toEqual([
      'actions[0].parameters.testdef_urls[0]: expected a file:///path or an http(s) URL, got "ftp://x/y"',
    ]);
  });

  it('lava_command_run needs commands of one line each', () => {
    expect(said(action('lava_command_run', {}))[0]).toContain('commands: missing');
    expect(said(action('lava_command_run', { commands: [] }))[0]).toContain('at least one command');
    expect(said(action('lava_command_run', { commands: 'ls' }))[0]).toContain('expected a list');
    for (const command of ['', ' ', 'a\nb', 'a\rb', 'a\0b'])
      expect(said(action('lava_command_run', { commands: [command] }))[0]).toContain(
        'commands[0]: expected a command on one line',
      );
  });

  it.each([0, -1, 1.5, '5', TIMEOUT_SECONDS_MAX + 1])(
    'an action timeout of %j is an error',
    (timeout) => {
      const [got] = problemsOf(action('boot_linaro_image', { timeout }));
      expect(got).toMatchObject({ path: 'actions[0].parameters.timeout' });
    },
  );
});

describe('warnings', () => {
  const places = (text: string) => warningsOf(text).map((w) => `${w.line}: ${line(w)}`);

  it("an action's timeout above the job's is used only as far as the job's", () => {
    expect(places(action('lava_command_run', { commands: ['a'], timeout: 601 }))).toEqual([
      expect.stringMatching(
        /^\d+: actions\[0\]\.parameters\.timeout: 601 s is longer than the job's own 600 s/,
      ),
    ]);
    expect(places(action('lava_command_run', { commands: ['a'], timeout: 600 }))).toEqual([]);
  });

  it('a job that tests nothing is worth a warning', () => {
    expect(places(action('boot_linaro_image'))).toEqual([
      expect.stringContaining('actions: no lava_test_shell and no lava_command_run'),
    ]);
  });

  it('a role that runs no test while others do is worth a warning at that role', () => {
    const text = action('lava_command_run', { commands: ['a'], role: 'server' });
    expect(places(text)).toEqual([
      expect.stringContaining('device_group[1]: role "client" runs no test'),
    ]);
  });

  it('a logging level that changes nothing is worth a warning, the usual INFO is not', () => {
    expect(places(job({ logging_level: 'DEBUG' }))[0]).toContain('logging_level: has no effect');
    expect(places(job({ logging_level: 'INFO' }))).toEqual([]);
  });
});

describe('the YAML form', () => {
  it.each([
    'job_name: x\nprotocols:\n  lava-multinode: {}\n',
    '# comment\n\n---\ndevice_type: qemu\njob_name: x\n',
    'protocols: {}',
    'timeouts:\r\n  job: {minutes: 5}\r\n',
  ])('%j is one problem that says it is not read yet', (text) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain('the YAML form, which this version does not read yet');
  });

  it('a JSON job that is malformed is not taken for YAML', () => {
    expect(said('{\njob_name: "x"\n}')[0]).toContain('expected a field name in double quotes');
    expect(said('hello')[0]).toContain('expected a value');
  });
});

/** Jobs as they were written in the seed's time: what changes nothing is taken with a warning, the rest is named. */
import { describe, expect, test } from 'vitest';
import { parseJob } from '../../submission/job.ts';

const OLD = {
  timeout: 900,
  job_name: 'from the archive',
  logging_level: 'INFO',
  health_check: false,
  target: 'panda01',
  target_type: 'panda',
  metadata: { branch: 'master' },
  actions: [
    {
      command: 'lava_test_shell',
      metadata: { why: 'x' },
      parameters: {
        skip_install: 'deps',
        lava_test_dir: '/lava',
        testdef_repos: [
          { 'git-repo': 'git://h/a.git', testdef: 'a.yaml', branch: 'topic', skip_install: 'all' },
          { 'git-repo': 'git://h/a.git', testdef: 'b.yaml', branch: 'topic', revision: 'v1' },
        ],
      },
    },
    {
      command: 'submit_results',
      parameters: { server: 'http://h/', stream: '/private/x/', token: 't', result_disk: 'd' },
    },
  ],
};
const read = (job: object) => parseJob(JSON.stringify(job));
const problems = (job: object) => {
  const parsed = read(job);
  return 'problems' in parsed
    ? parsed.problems.map(({ path, message }) => `${path}: ${message}`)
    : [];
};

describe('an old job', () => {
  test('is taken, with a warning for each field that has no effect', () => {
    const parsed = read(OLD);
    if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
    expect(parsed.warnings.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      "health_check: has no effect here: a health check is named in the lab's file",
      'target_type: has no effect here: the board is named',
      'metadata: has no effect here',
      'actions[0].metadata: has no effect here',
      'actions[0].parameters.lava_test_dir: has no effect here',
      'actions[1].parameters.token: has no effect here',
      'actions[1].parameters.result_disk: has no effect here',
    ]);
    expect(parsed.warnings.every(({ line, column }) => line === 1 && column > 1)).toBe(true);
    expect(parsed.definition).toMatchObject({
      roles: [{ device: 'panda01', count: 1 }],
      actions: [
        {
          parameters: {
            definitions: [
              { revision: 'topic', skipInstall: ['deps', 'all'] },
              { revision: 'v1', skipInstall: ['deps'] },
            ],
          },
        },
        { command: 'submit_results', parameters: { server: 'http://h/', stream: '/private/x/' } },
      ],
    });
  });

  test('may leave out of an installation what there is, and nothing else', () => {
    const skips = (skip_install: unknown) => ({
      ...OLD,
      actions: [
        {
          command: 'lava_test_shell',
          parameters: { testdef_urls: ['http://h/a.yaml'], skip_install },
        },
      ],
    });
    expect(read(skips(['keys', 'git-repos']))).toMatchObject({
      definition: {
        actions: [{ parameters: { definitions: [{ skipInstall: ['keys', 'git-repos'] }] } }],
      },
    });
    for (const wrong of ['packages', ['deps', 'packages'], [], true])
      expect(problems(skips(wrong)).join()).toContain('actions[0].parameters.skip_install');
  });

  test('that names only the type of its target asks for a board of that type', () => {
    const { target: _, ...typed } = OLD;
    const parsed = read(typed);
    expect(parsed).toMatchObject({ definition: { roles: [{ deviceType: 'panda' }] } });
  });

  test('with a command that only LAVA had is told so, with those that there are', () => {
    const job = { ...OLD, actions: [{ command: 'lava_android_test_run', parameters: {} }] };
    expect(problems(job)).toEqual([
      'actions[0].command: no driver here can do "lava_android_test_run", a command of LAVA; there are ' +
        'deploy_linaro_image, boot_linaro_image, lava_test_shell, lava_command_run, submit_results_on_host, submit_results',
    ]);
  });

  test('with a definition from bzr or tar is told what there is', () => {
    const shell = (from: object) => ({
      ...OLD,
      actions: [{ command: 'lava_test_shell', parameters: { testdef_repos: [from] } }],
    });
    expect(problems(shell({ 'bzr-repo': 'lp:x', testdef: 'a.yaml' }))).toContain(
      'actions[0].parameters.testdef_repos[0].bzr-repo: no worker here can fetch from a "bzr-repo"; use git-repo',
    );
  });

  test('says how its board is deployed and booted: that is for the lab to say', () => {
    const deploy = {
      image: 'http://h/i',
      rootfstype: 'ext4',
      bootloadertype: 'uefi',
      password: 'p',
    };
    const boot = { options: ['x=y'], test_image_prompt: '#', interrupt_boot_prompt: 'any key' };
    const actions = [
      { command: 'deploy_linaro_image', parameters: deploy },
      { command: 'boot_linaro_image', parameters: boot },
    ];
    const parsed = read({ ...OLD, actions });
    if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
    expect(
      parsed.warnings.map(({ path }) => path).filter((path) => path.includes('parameters')),
    ).toEqual(
      ['rootfstype', 'bootloadertype', 'password']
        .map((name) => `actions[0].parameters.${name}`)
        .concat(
          ['options', 'test_image_prompt', 'interrupt_boot_prompt'].map(
            (name) => `actions[1].parameters.${name}`,
          ),
        ),
    );
    expect(JSON.stringify(parsed.definition)).not.toContain('"p"');
    const pack = {
      command: 'deploy_linaro_image',
      parameters: { hwpack: 'http://h/p', rootfs: 'http://h/r' },
    };
    expect(problems({ ...OLD, actions: [pack] })).toEqual(
      expect.arrayContaining([
        'actions[0].parameters.hwpack: no driver here can make an image of a "hwpack"; use image',
      ]),
    );
  });

  test('has no comments: they stay an error, and so does a field that nobody ever knew', () => {
    const parsed = parseJob('{ // a comment\n "timeout": 1 }');
    expect(parsed).toHaveProperty('problems');
    expect(problems({ ...OLD, health_chek: true })).toEqual([
      expect.stringContaining('health_chek: unknown field "health_chek"'),
    ]);
  });
});

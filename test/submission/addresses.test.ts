/** Addresses without their secrets, and jobs that are kept without them. */
import { describe, expect, test } from 'vitest';
import {
  withoutSecrets,
  withSecretsBack,
  withSecretsCovered,
  withSecretsKept,
} from '../../submission/addresses.ts';
import { parseJob } from '../../submission/job.ts';

describe('a text', () => {
  test.each([
    ['http://me:hunter2@h:80/x.git', 'http://h:80/x.git'],
    ['https://token@h/x?sig=1#a', 'https://h/x'],
    ['https://me:p@ss@h/x', 'https://h/x'],
    ['https://h?key=1', 'https://h'],
    ['https://me:pw@h?key=1', 'https://h'],
    ['git://h/x and ssh://git@h/y', 'git://h/x and ssh://h/y'],
    [
      "fatal: unable to access 'http://me:pw@h/x.git/': no",
      "fatal: unable to access 'http://h/x.git/': no",
    ],
    ['{"git-repo": "http:\\/\\/me:pw@h\\/x?y=1"}', '{"git-repo": "http:\\/\\/h\\/x"}'],
    ['git@h:x.git, a@b.c, what? #1', 'git@h:x.git, a@b.c, what? #1'],
  ])('%s shows as %s', (text, shown) => {
    expect(withoutSecrets(text)).toBe(shown);
  });

  test('keeps its places where secrets are covered', () => {
    expect(withSecretsCovered('a http://me:pw@h/x?y=1 b')).toBe('a http://******h/x**** b');
  });
});

const SECRETS = ['hunter2', 'topsecret', 'sig=9', 'pass=5'];
const JOB = JSON.stringify({
  timeout: 60,
  job_name: 'x',
  device_type: 'panda',
  actions: [
    { command: 'deploy_linaro_image', parameters: { image: 'https://h/image?sig=9' } },
    {
      command: 'lava_test_shell',
      parameters: {
        testdef_repos: [
          {
            'git-repo': 'http://me:hunter2@h/x.git',
            testdef: 'a.yaml',
            parameters: { URL: 'see https://topsecret@h/y', N: 1 },
          },
        ],
        testdef_urls: ['https://h/t.yaml'],
      },
    },
    { command: 'lava_command_run', parameters: { commands: ['curl https://h/z?pass=5 -o x'] } },
  ],
});

test('a job is kept without the secrets of its addresses, and its worker gets them back', () => {
  const parsed = parseJob(JOB);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { definition } = parsed;
  const kept = new Map<string, string>();
  const keep = (address: string) => {
    const name = kept.size.toString(16).padStart(32, '0');
    kept.set(name, address);
    return name;
  };
  const job = withSecretsKept({ definition, document: JOB }, keep);
  for (const secret of SECRETS) expect(JSON.stringify(job)).not.toContain(secret);
  expect(job.definition).toMatchObject({
    actions: [
      { parameters: { image: `https://muster-secret-${'0'.repeat(32)}@h/image` } },
      { parameters: { definitions: [{}, { url: 'https://h/t.yaml' }] } },
      {},
    ],
  });
  expect(withSecretsBack(job.definition, (name) => kept.get(name))).toEqual(definition);
  expect(withSecretsBack(job.definition, () => undefined)).toEqual(job.definition);
});

test('a problem of a document says nothing of a secret in it', () => {
  const parsed = parseJob(JOB.replace('http://me:hunter2@h/x.git', 'http://me:hunter2@h/../x y'));
  expect(JSON.stringify(parsed)).not.toContain('hunter2');
});

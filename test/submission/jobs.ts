/** Valid documents for the tests of this room, and short ways to ask for problems. */
import { parseJob } from '../../submission/job.ts';
import { parseLab } from '../../submission/lab.ts';
import type { Problem } from '../../submission/tree.ts';

/** The seed's own example: its two snippets put together, and its last bracket mended. */
export const SEED_JOB = `{
    "timeout": 18000,
    "job_name": "simple multinode job",
    "logging_level": "INFO",
    "device_group": [
        {
            "role": "omap4",
            "count": 2,
            "device_type": "panda",
            "tags": [
                "mytag1"
            ]
        },
        {
            "role": "omap3",
            "count": 1,
            "device_type": "beaglexm",
            "tags": [
                "mytag2"
            ]
        }
    ],
    "actions": [
        {
            "command": "deploy_linaro_image",
            "parameters": {
                "image": "file:///home/instance-manager/images/panda-raring_developer_20130529-347.img.gz",
                "role": "omap4"
            }
        },
        {
            "command": "deploy_linaro_image",
            "parameters": {
                "image": "file:///home/instance-manager/images/beagle-ubuntu-desktop.img.gz",
                "role": "omap3"
            }
        },
        {
            "command": "lava_test_shell",
            "parameters": {
                "testdef_repos": [
                    {
                        "git-repo": "git://git.linaro.org/qa/test-definitions.git",
                        "testdef": "ubuntu/smoke-tests-basic.yaml"
                    }
                ],
                "timeout": 1800
            }
        }
    ]
}
`;

export const LAB = `# six boards of two types
bridge: { subnet: 10.66.0.0/24, name: muster0 }
allow_files: [ /srv/images ]
limits: { processes: 256, console_bytes: 1000000, boot_seconds: 60 }
device_types:
  panda: { driver: local, image: "host:" }
  beaglexm: { image: "file:///srv/images/beagle.tar.gz" }
devices:
  panda01: { type: panda, tags: [mytag1], address: 10.66.0.10 }
  panda02: { type: panda }
  "7": { type: beaglexm, tags: [mytag2, usb] }
`;

type Fields = Record<string, unknown>;

export const repo: Fields = { 'git-repo': 'https://host/tests.git', testdef: 'smoke.yaml' };
const base: Fields = {
  timeout: 600,
  job_name: 'a job',
  device_group: [
    { role: 'server', count: 1, device_type: 'panda' },
    { role: 'client', count: 2, device_type: 'panda' },
  ],
  actions: [{ command: 'lava_test_shell', parameters: { testdef_repos: [repo] } }],
};

/** A valid job with fields changed, added or (`undefined`) taken away. */
export const job = (fields: Fields): string => JSON.stringify({ ...base, ...fields }, null, 1);

/** A valid job of one board. */
export const single = (fields: Fields): string =>
  job({ device_group: undefined, device_type: 'panda', ...fields });

/** A job whose only action runs this. */
export const action = (command: string, parameters?: Fields): string =>
  job({ actions: [{ command, parameters }] });

/** A job whose one test repository has these fields. */
export const source = (fields: Fields): string =>
  action('lava_test_shell', { testdef_repos: [{ ...repo, ...fields }] });

export function problemsOf(text: string): Problem[] {
  const parsed = parseJob(text);
  return 'problems' in parsed ? parsed.problems : [];
}

/** `path: message` of every problem, in order. */
export const said = (text: string): string[] => problemsOf(text).map(line);
export const line = ({ path, message }: Problem): string => `${path}: ${message}`;

export function definitionOf(text: string) {
  const parsed = parseJob(text);
  if ('problems' in parsed) throw new Error(parsed.problems.map(line).join('\n'));
  return parsed.definition;
}

export function warningsOf(text: string): Problem[] {
  const parsed = parseJob(text);
  if ('problems' in parsed) throw new Error(parsed.problems.map(line).join('\n'));
  return parsed.warnings;
}

export function labProblems(text: string): Problem[] {
  const parsed = parseLab(text);
  return 'problems' in parsed ? parsed.problems : [];
}

export function labOf(text: string) {
  const parsed = parseLab(text);
  if ('problems' in parsed) throw new Error(parsed.problems.map(line).join('\n'));
  return parsed.lab;
}

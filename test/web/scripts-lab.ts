/** A lab whose jobs run scripts of a git repository: what ran is kept, and a cause has a file and a line. */
import { join } from 'node:path';
import { gitRepository } from '../dispatcher/harness.ts';
import { LAB, TestLab } from './lab.ts';

const script = (...lines: string[]) => `#!/bin/sh\n${lines.join('\n')}\n`;

const FILES = {
  'meet.yaml': [
    'metadata: { format: Lava-Test Test Definition 1.0, name: meet }',
    'run:',
    '  steps:',
    '    - ./$(lava-role).sh $SPELLING',
    '',
  ].join('\n'),
  'server.sh': script(
    'echo the server is up',
    'lava-send ready port=5001',
    'lava-wait done',
    'echo the server has seen it',
  ),
  'client.sh': script(
    'echo the client looks for it',
    'lava-wait ready',
    '# What the job calls it.',
    'lava-send "$1" took=3',
    'lava-test-case met --result pass',
  ),
};

export class ScriptsLab {
  readonly lab: TestLab;
  readonly #repository: string;

  private constructor(lab: TestLab) {
    this.lab = lab;
    this.#repository = gitRepository(join(lab.folder, 'tests'), FILES);
  }

  static async start(): Promise<ScriptsLab> {
    return new ScriptsLab(await TestLab.start(`${LAB}allow_files: [FOLDER]\n`));
  }

  /** A client and a server that meet, when the client calls what it sends as the server does. */
  async meet(spelling: string): Promise<number> {
    const id = await this.lab.submit({
      timeout: 120,
      job_name: 'they meet',
      device_group: [
        { role: 'client', count: 1, device_type: 'panda' },
        { role: 'server', count: 1, device_type: 'beaglexm' },
      ],
      actions: [
        {
          command: 'lava_test_shell',
          parameters: {
            testdef_repos: [
              {
                'git-repo': this.#repository,
                testdef: 'meet.yaml',
                parameters: { SPELLING: spelling },
              },
            ],
          },
        },
      ],
    });
    await this.lab.over(id);
    return id;
  }
}

/** What a submission says of a job's scripts, and what a server tells lint of its lab. */
import { describe, expect, it } from 'vitest';
import { parseJob } from '../../submission/job.ts';
import type { OpenDefinition } from '../../submission/lint/at-submission.ts';
import { labFactsOf, lintJob } from '../../submission/lint/lint.ts';
import { doors, pair, until } from './bench.ts';

const group = [
  { role: 'server', count: 1, device_type: 'panda' },
  { role: 'client', count: 1, device_type: 'panda' },
];
const commands = (...list: string[]) => [
  { command: 'lava_command_run', parameters: { commands: list } },
];
const shell = (repository: string) => [
  {
    command: 'lava_test_shell',
    parameters: { testdef_repos: [{ 'git-repo': repository, testdef: 'd.yaml' }] },
  },
];
const jobOf = (actions: unknown[], of: unknown = group) =>
  JSON.stringify({ timeout: 900, job_name: 'linted', device_group: of, actions });
const post = (payload: string, query = '') =>
  ({
    method: 'POST',
    url: `/api/jobs${query}`,
    payload,
    headers: { 'content-type': 'application/json' },
  }) as const;

const broken = jobOf(commands('lava-wait up'));

describe('a job that is handed in', () => {
  it('is taken with what lint says of it as warnings', async () => {
    const { app } = await doors();
    const answer = (await app.inject(post(broken))).json();
    expect(answer).toMatchObject({ id: 1, state: 'submitted' });
    expect(answer.warnings.map(({ message }: { message: string }) => message)).toEqual([
      expect.stringContaining('[wait-without-send]'),
    ]);
  });

  it('is refused with ?strict where lint finds an error, and nothing is recorded', async () => {
    const { app, engine } = await doors();
    const answer = await app.inject(post(broken, '?strict=true'));
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({ code: 'invalid-job' });
    expect(answer.json().problems[0]).toMatchObject({
      line: 1,
      message: expect.stringContaining('[wait-without-send]'),
    });
    expect(engine.jobCount).toBe(0);
  });

  it('is taken with ?strict where lint finds nothing', async () => {
    const { app } = await doors();
    const good = jobOf(commands('lava-sync up'));
    expect((await app.inject(post(good, '?strict=true'))).statusCode).toBe(201);
  });

  it('is refused with ?strict where the boards there are can never play its roles together', async () => {
    const { app } = await doors();
    const wide = jobOf(commands('true'), [{ role: 'a', count: 9, device_type: 'panda' }]);
    const answer = (await app.inject(post(wide, '?strict=true'))).json();
    expect(answer.problems[0].message).toContain('[unsatisfiable-roles]');
  });
});

describe('definitions of a job that is handed in', () => {
  const openDefinition: OpenDefinition = async (source) =>
    source.from === 'git' && source.repository === '/srv/tests'
      ? {
          file: 'd.yaml',
          text: 'run:\n  steps:\n    - ./$(lava-role).sh\n',
          readFile: (path) =>
            ({ 'server.sh': 'lava-send up\n', 'client.sh': 'lava-wait upp\n' })[path],
          prefix: '',
        }
      : { missing: 'it lies on another machine' };

  it('are read where the server may read them, with the scripts that they call', async () => {
    const { app } = await doors({ openDefinition });
    const answer = (await app.inject(post(jobOf(shell('/srv/tests'))))).json();
    expect(answer.unread).toBeUndefined();
    expect(answer.warnings[0].message).toMatch(/^client\.sh:1: .*\[wait-without-send\]$/);
  });

  it('that were not read are named in one line, without the secrets of their addresses', async () => {
    const { app } = await doors({ openDefinition });
    const job = jobOf(shell('https://me:secret@example.org/tests.git'));
    const answer = (await app.inject(post(job))).json();
    expect(answer.warnings).toEqual([]);
    expect(answer.unread).toMatch(/^lint did not read d\.yaml of https:.*example\.org/);
    expect(answer.unread).not.toContain('secret');
    // What was not read is no error.
    expect((await app.inject(post(job, '?strict=true'))).statusCode).toBe(201);
  });

  it('that do not come in time are given up, and the job is taken', async () => {
    let isAborted = false;
    const never: OpenDefinition = (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          isAborted = true;
          reject(signal.reason);
        });
      });
    const { app } = await doors({ openDefinition: never });
    const answer = await app.inject(post(jobOf(shell('/srv/slow'))));
    expect([answer.statusCode, isAborted]).toEqual([201, true]);
    expect(answer.json().unread).toContain('d.yaml of /srv/slow');
  });
});

describe('what a server tells lint', () => {
  it('is which boards there are, and what those of a type took from allocation to a shell', async () => {
    const lab = await doors();
    const { job, server, client } = await pair(lab.engine);
    for (const member of [server, client])
      await lab.engine.member(
        job,
        { type: 'EndAction', member, action: 0, outcome: 'ok' },
        { actor: 'worker:w', key: `end ${member}` },
      );
    await until(() => lab.engine.directory.held.size === 0 || undefined);
    const facts = (await lab.app.inject('/api/lint/facts')).json();
    expect(facts.boards).toHaveLength(3);
    expect(facts.boards[0]).toEqual({ name: expect.any(String), type: 'panda', tags: [] });
    expect(facts.times).toEqual([
      {
        type: 'panda',
        deploySeconds: expect.any(Number),
        bootSeconds: expect.any(Number),
        runs: 2,
      },
    ]);
  });

  it('is held against a limit: it is too short where a peer lately took longer to be ready', () => {
    expect(limits({ panda: 5, slow: 300 })).toEqual(['timeout-too-short']);
    expect(limits({ panda: 5, slow: 6 })).toEqual([]);
  });
});

/** What lint says of a limit of 60 s, where boards took so long. */
function limits(took: Record<string, number>): string[] {
  const text = jobOf(commands('timeout 60 lava-sync up'), [
    { role: 'fast', count: 1, device_type: 'panda' },
    { role: 'late', count: 1, device_type: 'slow' },
  ]);
  const parsed = parseJob(text);
  if ('problems' in parsed) throw new Error('no job');
  const times = Object.entries(took).map(([type, bootSeconds]) => ({
    type,
    bootSeconds,
    deploySeconds: 0,
  }));
  const { findings } = lintJob({
    file: 'job',
    text,
    definition: parsed.definition,
    open: () => ({ missing: '' }),
    lab: labFactsOf({ boards: [], times }),
  });
  return findings.map(({ rule }) => rule).filter((rule) => rule !== 'unsatisfiable-roles');
}

/** Jobs on machines that are always on: a real sshd, which the worker knows or does not know. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MARK_VARIABLE, markedProcesses, markOf } from '../../dispatcher/drivers/processes.ts';
import { hashOf, type Lab } from './harness.ts';
import { endOn, labBehind } from './ssh-lab.ts';
import { SshServer, sshSkipped } from './ssh-server.ts';

describe.skipIf(sshSkipped() !== undefined)('a machine behind ssh', { timeout: 120_000 }, () => {
  const machine = new SshServer();
  let lab: Lab;
  beforeAll(() => machine.start());
  afterAll(() => machine.stop());
  afterEach(() => lab.close());

  const open = async (ssh: object) => {
    lab = await labBehind(machine, ssh);
  };
  const endOf = (...lines: string[]) => endOn(lab, ...lines);

  test('runs a job, reaches the server through its line, and is cleaned', async () => {
    await open({});
    const left = join(lab.folder, 'left');
    const lines = [
      'lava-send hello',
      `(trap "" HUP TERM; while :; do sleep 0.1; touch ${left}; done) &`,
    ];
    expect(await endOf(...lines)).toBe('complete');
    expect(lab.server.calls).toContain('m1: send hello');
    await lab.empty();
    expect(existsSync(join(lab.folder, 'cleaned'))).toBe(true);
    expect(existsSync(join(lab.folder, 'machine/lava-1'))).toBe(false);
    // Nobody is left who would make it anew.
    rmSync(left, { force: true });
    const marked = await markedProcesses(MARK_VARIABLE, markOf(hashOf(lab), 'm1'));
    expect(marked).toEqual([]);
    expect(existsSync(left)).toBe(false);
  });

  test('is not believed when its key is another one than was known', async () => {
    const stranger = join(machine.folder, 'strangers');
    writeFileSync(stranger, '');
    await open({ known_hosts: stranger });
    expect(await endOf('true')).toMatch(
      /did not boot: .*(Host key verification failed|No ED25519 host key is known)/,
    );
    expect(lab.server.of('FailMember')[0]).toMatchObject({ fault: 'board' });
  });
});

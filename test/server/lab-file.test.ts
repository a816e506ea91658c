import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LabRefused, readLabFile } from '../../server/lab-file.ts';

const check = { timeout: 60, job_name: 'check', device_type: 'panda' };
const actions = [{ command: 'lava_command_run', parameters: { commands: ['true'] } }];

describe("the lab's file and its health checks", () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-test-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const labWith = async (checks: Record<string, string>) => {
    const types = Object.entries(checks).map(
      ([type, job]) => `  ${type}: { health_check: { job: ${job}, every_jobs: 2 } }\n`,
    );
    const boards = Object.keys(checks).map((type) => `  ${type}01: { type: ${type} }\n`);
    const file = join(folder, 'lab.yaml');
    await writeFile(file, `device_types:\n${types.join('')}devices:\n${boards.join('')}`);
    return file;
  };
  const write = (name: string, job: unknown) =>
    writeFile(join(folder, name), typeof job === 'string' ? job : JSON.stringify(job));

  it('gives every board the check of its type, with its job as it was written', async () => {
    await write('ok.json', { ...check, actions });
    const { healthChecks } = await readLabFile(await labWith({ panda: 'ok.json' }));
    expect([...healthChecks.keys()]).toEqual(['panda01']);
    expect(healthChecks.get('panda01')).toMatchObject({
      everyJobs: 2,
      definition: { name: 'check' },
      document: JSON.stringify({ ...check, actions }),
    });
  });

  it('says all that is wrong with its checks at once, and which type has each', async () => {
    await write('broken.json', '{"timeout": 60,');
    const { device_type, ...rest } = check;
    await write('two.json', {
      ...rest,
      device_group: [{ role: 'a', count: 2, device_type }],
      actions,
    });
    const file = await labWith({ panda: 'gone.json', beagle: 'broken.json', imx: 'two.json' });
    const refused = await readLabFile(file).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(LabRefused);
    const { message } = refused as LabRefused;
    expect(message).toContain(
      `${file}: device_types.panda.health_check.job: the job cannot be read: ENOENT`,
    );
    expect(message).toContain(
      `${file}: device_types.beagle.health_check.job: the job is not right\n`,
    );
    expect(message).toContain(`${join(folder, 'broken.json')}:1:`);
    expect(message).toContain(
      `${file}: device_types.imx.health_check.job: a health check is a job for one board; ${join(folder, 'two.json')} asks for 2`,
    );
  });

  it('is refused in words when it is not there', async () => {
    await expect(readLabFile(join(folder, 'none.yaml'))).rejects.toThrow(
      `${join(folder, 'none.yaml')} is not a lab that can be used\nit cannot be read: ENOENT`,
    );
  });
});

/** docs/jobs.md: its example is a job, and its tables have the fields that a job's boards and times depend on. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseJob } from '../../submission/job.ts';

const page = readFileSync('docs/jobs.md', 'utf8');
const [example = ''] = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => json ?? '');

describe('the page of the job', () => {
  test('has an example that is one, without a warning', () => {
    expect(parseJob(example)).toMatchObject({
      warnings: [],
      definition: {
        priority: 100,
        timeoutSeconds: 1800,
        queueTimeoutSeconds: 86_400,
        roles: [
          { role: 'server', count: 1, deviceType: 'panda', tags: ['wifi'], essential: true },
          { role: 'client', count: 3, deviceType: 'panda', tags: [] },
          { role: 'sniffer', count: 1, device: 'beaglexm01', tags: [] },
        ],
      },
    });
  });

  test.each([
    [{ device_type: 'panda' }, 'must be there with `device_type`'],
    [{ device_type: 'panda', device: 'panda01', count: 1 }, 'this or `device`'],
    [{ device: 'panda01', count: 2 }, 'with `device` it is 1'],
  ])('is right that %j is refused', (role, says) => {
    const group = [{ role: 'a', ...role }];
    const job = { ...JSON.parse(example), device_group: group };
    expect('problems' in parseJob(JSON.stringify(job))).toBe(true);
    expect(page).toContain(says);
  });

  test('is right about what is taken when a field is left out', () => {
    const { priority: _, queue_timeout: __, ...job } = JSON.parse(example);
    const { definition } = parseJob(JSON.stringify(job)) as never as { definition: object };
    expect(definition).toMatchObject({
      priority: 50,
      onUnreachable: 'fail',
      unreachableGraceSeconds: 30,
      countsSelf: false,
    });
    expect(definition).not.toHaveProperty('queueTimeoutSeconds');
  });
});

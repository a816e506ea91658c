/** The lab's file as it lies on this machine, with the files of the health checks that it names. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { HealthCheck } from '../machines/events.ts';
import { formatProblems } from '../submission/format.ts';
import { parseJob } from '../submission/job.ts';
import { type Lab, parseLab } from '../submission/lab.ts';

export interface LabFile {
  lab: Lab;
  /** By device name. */
  healthChecks: ReadonlyMap<string, HealthCheck>;
}

/** What is wrong with the lab's file, or with a file that it names: where, what, and what was expected. */
export class LabRefused extends Error {
  override readonly name = 'LabRefused';
  readonly code = 'lab-refused';
  constructor(file: string, why: string) {
    super(`${file} is not a lab that can be used\n${why.trimEnd()}`);
  }
}

/** `before`: as it was when its boards were opened. @throws LabRefused */
export async function readLabFile(file: string, before?: LabFile): Promise<LabFile> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new LabRefused(file, `it cannot be read: ${error.message}`);
  });
  const parsed = parseLab(text);
  if ('problems' in parsed)
    throw new LabRefused(file, formatProblems(parsed.problems, { file, text }));
  const { lab } = parsed;
  if (before !== undefined && !isDeepStrictEqual(before.lab.bridge, lab.bridge))
    throw new LabRefused(
      file,
      'bridge: boards are on the one that was there at the start: restart for another',
    );
  const checks = new Map<string, Check | string>();
  const healthChecks = new Map<string, HealthCheck>();
  for (const { name, type, healthCheck } of lab.devices) {
    if (healthCheck === undefined) continue;
    const { job, ...due } = healthCheck;
    const field = `${file}: device_types.${type}.health_check.job`;
    const check = checks.get(job) ?? (await readCheck(resolve(dirname(file), job), field));
    checks.set(job, check);
    if (typeof check !== 'string') healthChecks.set(name, { ...due, ...check });
  }
  const refused = [...checks.values()].filter((check) => typeof check === 'string');
  if (refused.length > 0) throw new LabRefused(file, refused.join('\n'));
  return { lab, healthChecks };
}

type Check = Pick<HealthCheck, 'definition' | 'document'>;

/** `field`: where the lab's file names it. What is wrong with it comes back as text. */
async function readCheck(file: string, field: string): Promise<Check | string> {
  const document = await readFile(file, 'utf8').catch((error: Error) => error);
  if (document instanceof Error) return `${field}: the job cannot be read: ${document.message}`;
  const parsed = parseJob(document);
  if ('problems' in parsed) {
    const problems = formatProblems(parsed.problems, { file, text: document }).trimEnd();
    return `${field}: the job is not right\n${problems}`;
  }
  const { definition } = parsed;
  const members = definition.roles.reduce((sum, { count }) => sum + count, 0);
  if (members === 1) return { definition, document };
  return (
    `${field}: a health check is a job for one board; ${file} asks for ${members}. ` +
    'Write it with "device_type" and without "device_group"'
  );
}

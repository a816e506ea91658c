/** The lab's file as it lies on this machine, with the files of the health checks that it names. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { HealthCheck } from '../machines/events.ts';
import { formatProblems } from '../submission/format.ts';
import { parseJob } from '../submission/job-json.ts';
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
}

/** @throws LabRefused */
export async function readLabFile(file: string): Promise<LabFile> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new LabRefused(`the lab's file cannot be read: ${error.message}`);
  });
  const parsed = parseLab(text);
  if ('problems' in parsed) throw new LabRefused(formatProblems(parsed.problems, { file, text }));
  const { lab } = parsed;
  const checks = new Map<string, Check | LabRefused>();
  const healthChecks = new Map<string, HealthCheck>();
  for (const { name, type, healthCheck } of lab.devices) {
    if (healthCheck === undefined) continue;
    const { job, ...due } = healthCheck;
    const field = `${file}: device_types.${type}.health_check.job`;
    const check = checks.get(job) ?? (await readCheck(resolve(dirname(file), job), field));
    checks.set(job, check);
    if (!(check instanceof LabRefused)) healthChecks.set(name, { ...due, ...check });
  }
  const refused = [...checks.values()].filter((check) => check instanceof LabRefused);
  if (refused.length > 0) throw new LabRefused(refused.map(({ message }) => message).join('\n'));
  return { lab, healthChecks };
}

type Check = Pick<HealthCheck, 'definition' | 'document'>;

/** `field`: where the lab's file names it. */
async function readCheck(file: string, field: string): Promise<Check | LabRefused> {
  const document = await readFile(file, 'utf8').catch((error: Error) => error);
  if (document instanceof Error)
    return new LabRefused(`${field}: the job cannot be read: ${document.message}`);
  const parsed = parseJob(document);
  if ('problems' in parsed) {
    const problems = formatProblems(parsed.problems, { file, text: document }).trimEnd();
    return new LabRefused(`${field}: the job is not right\n${problems}`);
  }
  const { definition } = parsed;
  const members = definition.roles.reduce((sum, { count }) => sum + count, 0);
  if (members === 1) return { definition, document };
  return new LabRefused(
    `${field}: a health check is a job for one board; ${file} asks for ${members}. ` +
      'Write it with "device_type" and without "device_group"',
  );
}

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
  const text = await textOf(file, "the lab's file");
  const parsed = parseLab(text);
  if ('problems' in parsed) throw new LabRefused(formatProblems(parsed.problems, { file, text }));
  const { lab } = parsed;
  const jobs = new Map<string, Pick<HealthCheck, 'definition' | 'document'>>();
  const healthChecks = new Map<string, HealthCheck>();
  for (const { name, healthCheck } of lab.devices) {
    if (healthCheck === undefined) continue;
    const { job, ...due } = healthCheck;
    const check = jobs.get(job) ?? (await readCheck(resolve(dirname(file), job)));
    jobs.set(job, check);
    healthChecks.set(name, { ...due, ...check });
  }
  return { lab, healthChecks };
}

async function readCheck(file: string): Promise<Pick<HealthCheck, 'definition' | 'document'>> {
  const document = await textOf(file, 'the job of a health check');
  const parsed = parseJob(document);
  if ('problems' in parsed)
    throw new LabRefused(formatProblems(parsed.problems, { file, text: document }));
  const { definition } = parsed;
  const members = definition.roles.reduce((sum, { count }) => sum + count, 0);
  if (members !== 1)
    throw new LabRefused(
      `${file}: a health check is a job for one board; this one asks for ${members}. Write it with "device_type" and without "device_group"`,
    );
  return { definition, document };
}

async function textOf(file: string, what: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: Error) => {
    throw new LabRefused(`${what} cannot be read: ${error.message}`);
  });
}

/** What a lab's file says to a worker on another machine than its server. */
import { registry } from '../dispatcher/drivers/registry.ts';
import { type LabFile, readLabFile } from '../server/lab-file.ts';
import { WORKER_FRAME_BYTES_MAX } from '../wire/worker-frames.ts';
import type { WorkerLab } from '../worker/worker.ts';

/** A file goes over the line in one frame, in base64. */
const SOURCE_FILE_BYTES_MAX = WORKER_FRAME_BYTES_MAX / 2;

/** `before`: as it was when the worker began. @throws LabRefused */
export async function readWorkerLab(
  file: string,
  before?: LabFile,
): Promise<{ lab: LabFile; part: WorkerLab }> {
  const read = await readLabFile(file, before);
  const { bridge, limits, jobLimit, devices, allowFiles } = read.lab;
  const sourceFileBytes = Math.min(limits.sourceFileBytes, SOURCE_FILE_BYTES_MAX);
  const part = {
    boards: devices,
    ...(jobLimit !== undefined && { jobLimit }),
    limits: { ...limits, sourceFileBytes },
    allowFiles,
    drivers: registry({ bridge, local: { processes: limits.processes } }),
    healthChecks: read.healthChecks,
  };
  return { lab: read, part };
}

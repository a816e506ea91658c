/** The one projection that a server keeps: what it starts with, and what `muster verify` holds against a cold rebuild. */
import type { EventType } from '../machines/events.ts';
import { whileRunning } from '../machines/job/job.ts';
import {
  applyToDirectory,
  type Directory,
  directoryFromJson,
  directoryToJson,
  emptyDirectory,
} from '../projections/directory.ts';
import type { Projection } from './projection-runner.ts';

/** Of nearly all of a log the directory knows nothing. */
const NEEDLESS: ReadonlySet<EventType> = new Set([...whileRunning, 'AllocationVoided']);

export const directoryProjection: Projection<Directory> = {
  name: 'directory',
  version: 6,
  needless: NEEDLESS,
  empty: emptyDirectory,
  apply: applyToDirectory,
  toJson: directoryToJson,
  fromJson: directoryFromJson,
};

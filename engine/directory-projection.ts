/** The one projection that a server keeps: what it starts with, and what `muster verify` holds against a cold rebuild. */
import type { EventType } from '../machines/events.ts';
import {
  applyToDirectory,
  type Directory,
  directoryFromJson,
  directoryToJson,
  emptyDirectory,
} from '../projections/directory.ts';
import type { Projection } from './projection-runner.ts';

/** What a job says of itself while it has its boards, and the directory does not know: nearly all of a log. */
const NEEDLESS: ReadonlySet<EventType> = new Set([
  'AllocationVoided',
  'ActionStarted',
  'ActionEnded',
  'MemberBooting',
  'MemberBooted',
  'MessageSent',
  'RequestRefused',
  'WaitStarted',
  'WaitReleased',
  'WaitResumed',
  'WaitTimedOut',
  'WaitStuck',
  'WaitUnstuck',
  'WaitUnreachable',
  'WaitAbandoned',
  'SuitePrepared',
  'SuiteStarted',
  'ScriptEnded',
  'SuiteEnded',
  'ResultRecorded',
  'SignalGarbled',
  'AttachmentKept',
]);

export const directoryProjection: Projection<Directory> = {
  name: 'directory',
  version: 6,
  needless: NEEDLESS,
  empty: emptyDirectory,
  apply: applyToDirectory,
  toJson: directoryToJson,
  fromJson: directoryFromJson,
};

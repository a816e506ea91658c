/** One plain line for each event, for people who watch a job or read its log. */

import type { AnyEvent, JobEvent, StreamEvent } from '../machines/events.ts';
import { missingText, verbOf } from '../machines/wording.ts';

type Started = Extract<JobEvent, { type: 'WaitStarted' }>['data'];

/** Names as a list that stays short: `a, b, c and 5 more`. */
function names(list: readonly string[], count = list.length): string {
  const rest = count - list.length;
  return rest > 0 ? `${list.join(', ')} and ${rest} more` : list.join(', ');
}

/**
 * Makes a teller: it is given the events of one or more streams in order, and says each in one line. It remembers
 * the waits that began, so that their ends can name them.
 */
export function narrator(): (event: Pick<StreamEvent, 'stream'> & AnyEvent) => string {
  const waits = new Map<string, Started>();
  return (event) => {
    if (event.type === 'WaitStarted') waits.set(`${event.stream} ${event.data.wait}`, event.data);
    const number = 'wait' in event.data ? event.data.wait : 0;
    const wait = waits.get(`${event.stream} ${number}`);
    return sentence(event, wait === undefined ? `wait ${number}` : verbAndRound(wait));
  };
}

const verbAndRound = (wait: Started): string =>
  `${verbOf(wait)}${wait.verb === 'sync' && wait.round > 1 ? ` (round ${wait.round})` : ''}`;

/** The line of one event. `wait`: the wait that it is about, as its board typed it. */
function sentence(event: AnyEvent, wait: string): string {
  switch (event.type) {
    case 'SubmissionReceived':
      return `a job was counted: ${event.data.name}`;
    case 'JobSubmitted':
      return `submitted: ${event.data.definition.name}`;
    case 'JobRejected':
      return `rejected: ${event.data.short.map((s) => `${s.role}: ${s.lacking}`).join('; ')}`;
    case 'JobAllocated':
      return `allocated: ${names(event.data.members.map((m) => `${m.device} (${m.role})`))}`;
    case 'JobPriorityChanged':
      return `priority ${event.data.from} -> ${event.data.to}`;
    case 'AllocationVoided':
      return `boards given back before the job had them: ${event.data.reason}`;
    case 'JobCompleted':
      return 'complete';
    case 'JobFailed':
      return `failed: ${event.data.member}: ${event.data.reason}`;
    case 'JobTimedOut':
      return `timed out: ${event.data.reason}`;
    case 'JobCancelled':
      return `cancelled: ${event.data.reason}`;
    case 'DeviceRegistered': {
      const tags = event.data.tags.length > 0 ? ` with ${names(event.data.tags)}` : '';
      return `registered as ${event.data.deviceType}${tags} by worker ${event.data.worker}`;
    }
    case 'DeviceReserved':
      return `reserved for ${event.data.healthCheck ? 'its health check, ' : ''}job ${event.data.job}`;
    case 'DeviceReleased':
      return `released: ${event.data.reason}`;
    case 'DeviceWentOffline':
      return `offline: ${event.data.reason}`;
    case 'DeviceCameOnline':
      return 'online';
    case 'DeviceHealthChanged':
      return `health ${event.data.from} -> ${event.data.to}: ${event.data.reason}`;
    case 'DeviceRetired':
      return `retired: ${event.data.reason}`;
    case 'DeviceRestored':
      return `restored: ${event.data.reason}`;
    case 'WorkerConnected':
      return `connected with ${event.data.boards.length} boards`;
    case 'WorkerRenewed':
      return `is here until ${new Date(event.data.until).toISOString()} at least`;
    case 'WorkerLost':
      return `lost: ${event.data.reason}`;
    default:
      return `${event.data.member} ${ofMember(event, wait)}`;
  }
}

type MemberEvent = Extract<JobEvent, { data: { member: string } }>;

type Source = Extract<JobEvent, { type: 'SuitePrepared' }>['data']['source'];

function sourceText(source: Source): string {
  if (source.from === 'git')
    return `: ${source.path} of ${source.repository} at ${source.commit.slice(0, 12)}`;
  return source.from === 'url' ? `: ${source.url}` : '';
}

/** What a member did or what happened to it, without its name. */
function ofMember(event: Exclude<MemberEvent, { type: 'JobFailed' }>, wait: string): string {
  switch (event.type) {
    case 'ActionStarted':
      return `starts action ${event.data.action} ${event.data.command}`;
    case 'ActionEnded': {
      const { action, outcome, reason } = event.data;
      const how = outcome === 'timedOut' ? 'timed out' : outcome;
      return `ends action ${action}: ${how}${reason ? ` (${reason})` : ''}`;
    }
    case 'MemberBooting':
      return 'boots';
    case 'MemberBooted':
      return `has booted${event.data.address ? ` at ${event.data.address}` : ''}`;
    case 'MessageSent': {
      const { verb, message, pairs, count } = event.data;
      const words = pairs.map(
        ([key, value]) => ` ${key}=${value.length > 40 ? `${value.slice(0, 37)}...` : value}`,
      );
      return verb === 'sync'
        ? `arrives at lava-sync ${message}${count > 1 ? ` (round ${count})` : ''}`
        : `sends ${message}${words.join('')}`;
    }
    case 'RequestRefused':
      return `was refused: ${event.data.reason}`;
    case 'WaitStarted': {
      const { missing, missingCount } = event.data;
      return missingCount === 0
        ? `calls ${wait}: nobody is missing`
        : `waits in ${wait} for ${names(missing, missingCount)}`;
    }
    case 'WaitReleased':
      return `is released from ${wait}${event.data.by ? ` by ${event.data.by}` : ''}`;
    case 'WaitResumed':
      return `comes back to ${wait} on another server`;
    case 'WaitTimedOut':
      return `timed out in ${wait}, waiting for ${missingText(event.data)}`;
    case 'WaitStuck':
    case 'WaitUnreachable': {
      const { cycle } = event.data;
      const loop = cycle.length > 0 ? ` (${names(cycle)} wait for one another)` : '';
      const how = event.type === 'WaitStuck' ? 'is stuck in' : 'can never be released from';
      return `${how} ${wait}: waiting for ${missingText(event.data)}${loop}`;
    }
    case 'WaitUnstuck':
      return `is no longer stuck in ${wait}`;
    case 'WaitAbandoned':
      return `gave up ${wait} (${event.data.why})`;
    case 'SuitePrepared': {
      const { suite, source } = event.data;
      return `got suite ${suite}${sourceText(source)}`;
    }
    case 'SignalGarbled':
      return `printed a signal that cannot be read: ${event.data.text}`;
    case 'AttachmentKept':
      return `handed in ${event.data.name} (${event.data.bytes} bytes)`;
    case 'SuiteStarted':
      return `starts suite ${event.data.suite}`;
    case 'SuiteEnded':
      return `ends suite ${event.data.suite}`;
    case 'ResultRecorded': {
      const { case: id, result, measurement, units, note } = event.data;
      const measured =
        measurement === undefined ? '' : ` ${measurement}${units ? ` ${units}` : ''}`;
      return `result ${id}: ${result}${measured}${note ? ` (${note})` : ''}`;
    }
    case 'MemberCompleted':
      return 'is complete';
    case 'MemberFailed':
      return `failed: ${event.data.reason}`;
    case 'MemberTimedOut':
      return `timed out: ${event.data.reason}`;
    case 'MemberCancelled':
      return `was cancelled: ${event.data.reason}`;
  }
}

/**
 * What an event of a job says, in a sentence: the words of the command line's `muster events`, which a test holds equal.
 * They are written again here because a browser should not have to load the schemas of all events for them.
 */
import type { MissingMember } from '../../machines/events.ts';
import type { RecordedEvent } from '../api/types.ts';
import { verbText } from './meetings.ts';

type Wait = Parameters<typeof verbText>[0];

const NAMED_MAX = 4;
const MEMBERS_TOLD_MAX = 8;
const VALUE_CHARACTERS_MAX = 40;
const PAIRS_TOLD_MAX = 8;
const COMMIT_SHOWN = 12;

function names(list: readonly string[], count = list.length, max = NAMED_MAX): string {
  const named = list.slice(0, max);
  if (named.length === 0) return `${count} members`;
  const rest = count - named.length;
  return rest > 0 ? `${named.join(', ')} and ${rest} more` : named.join(', ');
}

interface Lacking {
  missingCount: number;
  missing: readonly MissingMember[];
  cycle?: readonly string[];
}

function lack(verb: string | undefined, { missingCount: count, missing, cycle = [] }: Lacking) {
  const who = names(
    missing.map(({ member }) => member),
    count,
  );
  const loop = cycle.length > 0 ? `; ${names(cycle)} wait for one another` : '';
  if (count === 0) return `nobody is missing${loop}`;
  if (verb === 'wait' && count > 1) return `none of ${who} has sent it${loop}`;
  return `${who} ${count === 1 ? 'is' : 'are'} missing${loop}`;
}

const clause = (reason: string | undefined): string => {
  const line = (reason ?? '').split(/\r?\n/).find((each) => each !== '');
  return line === undefined ? '' : `: ${line}`;
};

function pairsText(pairs: readonly (readonly [string, string])[]): string {
  const words = pairs
    .slice(0, PAIRS_TOLD_MAX)
    .map(([key, value]) => {
      const isLong = value.length > VALUE_CHARACTERS_MAX;
      return ` ${key}=${isLong ? `${value.slice(0, VALUE_CHARACTERS_MAX - 3)}...` : value}`;
    })
    .join('');
  const more = pairs.length - PAIRS_TOLD_MAX;
  return more > 0 ? `${words} and ${more} more` : words;
}

const GIVEN_UP = {
  'verb-ended': 'the verb was ended before its wait was over',
  'connection-lost': 'its connection broke and did not come back',
  'member-ended': 'its member ended',
};
const POWERED = { on: 'switched on', off: 'switched off', reset: 'reset' };
const OUTCOMES = { ok: 'ends', failed: 'failed in', timedOut: 'ran out of time in' };

/** @param waitOf a wait by its number, as it began */
export function sentence(
  event: Pick<RecordedEvent, 'type' | 'data' | 'stream'>,
  waitOf: (wait: number) => Wait | undefined,
): string {
  const is = event as RecordedEvent;
  return jobSentence(is) ?? waitSentence(is, waitOf) ?? memberSentence(is) ?? labSentence(is);
}

function jobSentence(is: RecordedEvent): string | undefined {
  switch (is.type) {
    case 'SubmissionReceived':
      return `a job is counted${clause(is.data.name)}`;
    case 'JobSubmitted': {
      const { name, roles } = is.data.definition;
      const wanted = names(roles.map(({ role, count }) => `${count} x ${role}`));
      return `the job is submitted: ${name} (${wanted})`;
    }
    case 'JobRejected':
      return 'the job is rejected: the boards that there are can never run it';
    case 'JobAllocated': {
      const all = is.data.members.map(({ device, role }) => `${device} (${role})`);
      return `the job has its boards: ${names(all, all.length, MEMBERS_TOLD_MAX)}`;
    }
    case 'JobPriorityChanged':
      return `the job goes from priority ${is.data.from} to ${is.data.to}`;
    case 'AllocationVoided':
      return `the job lost its boards before it had them${clause(is.data.reason)}`;
    case 'JobCompleted':
      return 'the job is complete';
    case 'JobFailed':
      return `the job failed, first by ${is.data.member}${clause(is.data.reason)}`;
    case 'JobTimedOut':
      return `the job timed out${clause(is.data.reason)}`;
    case 'JobCancelled':
      return `the job is cancelled${clause(is.data.reason)}`;
    default:
      return undefined;
  }
}

function waitSentence(
  is: RecordedEvent,
  waitOf: (wait: number) => Wait | undefined,
): string | undefined {
  if (is.type === 'WaitStarted') {
    const { member, missing, missingCount, verb } = is.data;
    const text = verbText(is.data);
    if (missingCount === 0) return `${member} calls ${text}: nobody is missing`;
    const one = verb === 'wait' && missingCount > 1 ? 'one of ' : '';
    return `${member} waits in ${text} for ${one}${names(missing, missingCount)}`;
  }
  if (!is.type.startsWith('Wait')) return undefined;
  const { wait: number } = is.data as { wait: number };
  const wait = waitOf(number);
  const text = wait === undefined ? `wait ${number}` : verbText(wait);
  switch (is.type) {
    case 'WaitReleased': {
      const how = wait?.verb === 'sync' ? 'came last' : 'sent it';
      const why = is.data.by === undefined ? 'nobody was missing' : `${is.data.by} ${how}`;
      return `${is.data.member} is released from ${text}: ${why}`;
    }
    case 'WaitResumed':
      return `${is.data.member} comes back to ${text} on another server`;
    case 'WaitTimedOut':
      return `${is.data.member} timed out in ${text} (limit of the ${is.data.limit}): ${lack(wait?.verb, is.data)}`;
    case 'WaitStuck':
      return `${is.data.member} is stuck in ${text}: ${lack(wait?.verb, is.data)}`;
    case 'WaitUnstuck':
      return `${is.data.member} is no longer stuck in ${text}`;
    case 'WaitUnreachable':
      return `${is.data.member} can never be released from ${text}: ${lack(wait?.verb, is.data)}`;
    case 'WaitAbandoned':
      return `${is.data.member} gave up ${text}: ${GIVEN_UP[is.data.why]}`;
    default:
      return undefined;
  }
}

function sourceText(source: Extract<RecordedEvent, { type: 'SuitePrepared' }>['data']['source']) {
  if (source.from === 'git')
    return `: ${source.path} of ${source.repository} at ${source.commit.slice(0, COMMIT_SHOWN)}`;
  return source.from === 'url' ? `: ${source.url}` : '';
}

function memberSentence(is: RecordedEvent): string | undefined {
  switch (is.type) {
    case 'ActionStarted':
      return `${is.data.member} starts action ${is.data.action} ${is.data.command}`;
    case 'ActionEnded':
      return `${is.data.member} ${OUTCOMES[is.data.outcome]} action ${is.data.action}${clause(is.data.reason)}`;
    case 'MemberBooting':
      return `${is.data.member} boots`;
    case 'MemberBooted':
      return `${is.data.member} is up${is.data.address === undefined ? '' : ` at ${is.data.address}`}`;
    case 'MessageSent': {
      const { member, verb, message, count, pairs } = is.data;
      if (verb === 'send') return `${member} sends ${message}${pairsText(pairs)}`;
      return `${member} arrives at ${verbText({ verb, message, round: count })}`;
    }
    case 'RequestRefused':
      return `${is.data.member} is refused${clause(is.data.reason)}`;
    case 'SuitePrepared':
      return `${is.data.member} has its definition of suite ${is.data.suite}${sourceText(is.data.source)}`;
    case 'SuiteStarted': {
      const { member, suite, definition } = is.data;
      const isKnown = definition === undefined || suite.endsWith(definition);
      return `${member} starts suite ${suite}${isKnown ? '' : `: ${definition}`}`;
    }
    case 'ScriptEnded': {
      const { member, suite, script, status, signal, command, outOfMemory } = is.data;
      const how = `status ${status}${signal === undefined ? '' : `, ${signal}`}`;
      const said = command === undefined ? undefined : `the last command was ${command}`;
      const killed = outOfMemory === true ? 'the kernel killed it for want of memory' : undefined;
      return `${member} is thrown out of ${script} of suite ${suite} (${how})${clause(said ?? killed)}`;
    }
    case 'SuiteEnded':
      return `${is.data.member} ends suite ${is.data.suite}`;
    case 'ResultRecorded': {
      const { member, set, case: id, result, measurement, units, note } = is.data;
      const measured = measurement === undefined ? [] : [measurement, units ?? ''];
      const words = [result, ...measured].filter((word) => word !== '').join(' ');
      const aside = note === undefined ? '' : ` (${note})`;
      return `${member} records ${set === undefined ? id : `${set}/${id}`}: ${words}${aside}`;
    }
    case 'SignalGarbled':
      return `${is.data.member} printed a signal that cannot be read${clause(is.data.text)}`;
    case 'AttachmentKept':
      return `${is.data.member} handed in ${is.data.name} (${is.data.bytes} bytes)`;
    case 'MemberCompleted':
      return `${is.data.member} is complete`;
    case 'MemberFailed':
      return `${is.data.member} failed${clause(is.data.reason)}`;
    case 'MemberTimedOut':
      return `${is.data.member} timed out${clause(is.data.reason)}`;
    case 'MemberCancelled':
      return `${is.data.member} is cancelled${clause(is.data.reason)}`;
    default:
      return undefined;
  }
}

function labSentence(is: RecordedEvent): string {
  // Those of a job come without their stream: one that is not known here is told by its type.
  const who = (is.stream ?? '').replace(/^[^-]*-/, '');
  switch (is.type) {
    case 'DeviceRegistered': {
      const { worker, deviceType, tags } = is.data;
      const tagged = tags.length > 0 ? `, tags ${tags.join(' ')}` : '';
      return `${who} is registered by worker ${worker}: type ${deviceType}${tagged}`;
    }
    case 'DeviceReserved':
      return `${who} is reserved for job ${is.data.job}${is.data.healthCheck ? ', its health check' : ''}`;
    case 'DeviceReleased':
      return `${who} is given back by job ${is.data.job}${clause(is.data.reason)}`;
    case 'DeviceWentOffline':
      return `${who} goes offline${clause(is.data.reason)}`;
    case 'DeviceCameOnline':
      return `${who} is online`;
    case 'DeviceHealthChanged':
      return `${who} goes from health ${is.data.from} to ${is.data.to}${clause(is.data.reason)}`;
    case 'DeviceRetired':
      return `${who} is retired${clause(is.data.reason)}`;
    case 'DeviceRestored':
      return `${who} is restored${clause(is.data.reason)}`;
    case 'DevicePowerSwitched': {
      const { power, outcome, reason } = is.data;
      return `${who} ${outcome === 'done' ? 'is' : 'could not be'} ${POWERED[power]}${clause(reason)}`;
    }
    case 'WorkerConnected': {
      const count = is.data.boards.length;
      return `worker ${who} is connected with ${count} ${count === 1 ? 'board' : 'boards'}`;
    }
    case 'WorkerRenewed':
      return `worker ${who} is here until ${new Date(is.data.until).toISOString()} at least`;
    case 'WorkerLost':
      return `worker ${who} is lost${clause(is.data.reason)}`;
    case 'WorkerDisconnected': {
      const back = new Date(is.data.until).toISOString();
      return `worker ${who} is away, and lost unless it is back by ${back}${clause(is.data.reason)}`;
    }
    case 'WorkerDrained':
      return `worker ${who} takes no new jobs${clause(is.data.reason)}`;
    case 'WorkerUndrained':
      return `worker ${who} takes jobs again`;
    case 'WorkerTokenMade':
      return `worker ${who} has a new token`;
    case 'WorkerTokenRevoked':
      return `worker ${who} has no token any more${clause(is.data.reason)}`;
    default:
      // Written by a newer version of Muster than this page.
      return (is as { type: string }).type;
  }
}

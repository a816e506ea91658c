/** What would have been: a recorded job with changes, and all orders in which it could have happened. */
import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import { isOver } from '../machines/job/job.ts';
import { duration } from '../machines/wording.ts';
import type { OrdersView, WhatIfView } from './compared-views.ts';
import { explore, type Order } from './interleave.ts';
import { Moments } from './moments.ts';
import { type Recording, recordingOf } from './recorded-steps.ts';
import { AnswerRefused } from './refused.ts';
import { eventPlace } from './state-at.ts';
import { type Change, openWaits, type Played, play } from './what-if.ts';

type Events = readonly RecordedEvent<JobEvent>[];

export interface ChangeWords {
  delay?: readonly string[] | undefined;
  drop?: readonly string[] | undefined;
  crash?: readonly string[] | undefined;
}

/**
 * @param withEvents whether the log that would be is a part of the answer
 * @throws AnswerRefused `invalid-request`, `no-such-event`
 */
export function whatIf(
  job: number,
  events: Events,
  words: ChangeWords,
  withEvents = false,
): WhatIfView {
  const recording = expectRecording(job, events);
  const changes = changesIn(words, events, recording);
  const moments = new Moments(events);
  const recorded = moments.at(moments.count).job;
  const last = events.at(-1)?.meta.at ?? 0;
  const played = play(recording, changes, job);
  const isUnknown = played.beyond.length > 0 || !isOver(played.job);
  const secondsTo = (at: number) => Math.max(0, at - recording.allocated.at) / 1000;
  const state = played.job.state === 'none' ? 'submitted' : played.job.state;
  return {
    id: job,
    changes: changes.map(changeText),
    recorded: {
      state: recorded.state === 'none' ? 'submitted' : recorded.state,
      seconds: secondsTo(recorded.endedAt ?? last),
    },
    outcome: isUnknown ? 'unknown' : state,
    seconds: secondsTo(played.endedAt),
    ...(played.job.reason !== null && { reason: played.job.reason }),
    members: played.job.members.map((member, place) => ({
      device: member.device,
      role: member.role,
      state: member.state,
      recorded: recorded.members[place]?.state ?? 'allocated',
      ...(member.ended?.reason && { reason: member.ended.reason }),
    })),
    hangs: played.hangs.map((wait) => ({ ...wait, missing: [...wait.missing] })),
    beyond: [...played.beyond],
    assumed: assumedIn(played, changes),
    ...(withEvents && { events: [...played.events] }),
  };
}

function assumedIn(played: Played, changes: readonly Change[]): string[] {
  const assumed = ['each script does what it did, so long after what it did it after'];
  const failed = played.events.some(
    ({ type }) => type === 'WaitUnreachable' || type === 'WaitTimedOut',
  );
  if (failed) assumed.push('a script ends where a wait of it fails that had not failed before');
  if (changes.some(({ kind }) => kind === 'drop'))
    assumed.push('a board whose arrival at a sync is lost waits for its answer');
  return assumed;
}

/** @param statesMax of the conversation: more are not looked at */
export function ordersOf(job: number, events: Events, statesMax: number): OrdersView {
  const recording = expectRecording(job, events);
  const moments = new Moments(events);
  const { states, all, ends, shortest, races } = explore(recording, { statesMax });
  return {
    id: job,
    states,
    all,
    ends: { ...ends },
    orders: Object.values(shortest).map((order) => orderView(order, moments, recording)),
    races: races.map(({ member, event, reads }) => ({
      member,
      wait: eventPlace(moments, event),
      reads: reads.map((lines) => [...lines]),
    })),
  };
}

/** What boards say to one another is told; how they boot is not. */
const orderView = ({ outcome, steps, job }: Order, moments: Moments, { allocated }: Recording) => ({
  outcome,
  steps: steps
    .filter(
      ({ command }) =>
        'abandons' in command ||
        command.type === 'CallVerb' ||
        command.type === 'FailMember' ||
        command.type === 'EndAction',
    )
    .map(({ event }) => eventPlace(moments, event)),
  waiting: openWaits(job, allocated.at).map((wait) => ({ ...wait, missing: [...wait.missing] })),
});

function expectRecording(job: number, events: Events): Recording {
  const recording = recordingOf(events);
  if (recording !== undefined) return recording;
  throw new AnswerRefused(
    'no-such-event',
    `job ${job} never had its boards: nothing was said that could be said again`,
  );
}

// the changes, as they are written

const CHANGE = {
  delay: 'DEVICE:20s, or DEVICE@EVENT:20s',
  drop: 'the number of an event in which a message is sent',
  crash: 'DEVICE@EVENT',
} as const;

function changesIn(words: ChangeWords, events: Events, recording: Recording): Change[] {
  const changes: Change[] = [];
  for (const text of words.delay ?? []) {
    const [, member = '', event, amount = ''] = /^([^@:]+)(?:@(\d{1,9}))?:(.+)$/.exec(text) ?? [];
    const ms = milliseconds(amount);
    if (ms === undefined) throw wrong('delay', text);
    expectMember(recording, member);
    if (event !== undefined) expectStep(recording, member, Number(event));
    changes.push({
      kind: 'delay',
      member,
      ms,
      ...(event !== undefined && { event: Number(event) }),
    });
  }
  for (const text of words.drop ?? []) {
    if (!/^\d{1,9}$/.test(text)) throw wrong('drop', text);
    const event = Number(text);
    expectSend(events, event);
    changes.push({ kind: 'drop', event });
  }
  for (const text of words.crash ?? []) {
    const [, member = '', event] = /^([^@:]+)@(\d{1,9})$/.exec(text) ?? [];
    if (event === undefined) throw wrong('crash', text);
    expectMember(recording, member);
    expectEvent(events, Number(event));
    changes.push({ kind: 'crash', member, event: Number(event) });
  }
  return changes;
}

const wrong = (kind: keyof typeof CHANGE, text: string) =>
  new AnswerRefused(
    'invalid-request',
    `${kind} ${JSON.stringify(text.slice(0, 60))} is not ${CHANGE[kind]}`,
  );

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  '': 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
};
/** A year, as any limit of a job. */
const DELAY_MS_MAX = 31_536_000_000;

function milliseconds(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|min|m|h)?$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  const ms = Math.round(Number(number) * (UNITS[unit] ?? 1_000));
  return ms <= DELAY_MS_MAX ? ms : undefined;
}

function expectMember({ scripts }: Recording, member: string): void {
  if (scripts.has(member)) return;
  throw new AnswerRefused(
    'invalid-request',
    `${member} is no board of the job; its boards: ${[...scripts.keys()].slice(0, 20).join(', ')}`,
  );
}

function expectEvent(events: Events, event: number): RecordedEvent<JobEvent> {
  const found = events[event - 1];
  if (found !== undefined) return found;
  throw new AnswerRefused(
    'no-such-event',
    `there is no event ${event}: the job has ${events.length}`,
  );
}

function expectSend(events: Events, event: number): void {
  const { type } = expectEvent(events, event);
  if (type !== 'MessageSent')
    throw new AnswerRefused(
      'invalid-request',
      `event ${event} (${type}) is no message that could be lost`,
    );
}

function expectStep({ scripts }: Recording, member: string, event: number): void {
  const steps = scripts.get(member) ?? [];
  if (steps.some((step) => step.event === event)) return;
  throw new AnswerRefused(
    'invalid-request',
    `event ${event} is nothing that ${member} did by itself; near it: ${nearest(
      steps.map((step) => step.event),
      event,
    )}`,
  );
}

const nearest = (events: readonly number[], wanted: number): string =>
  [...events]
    .sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted))
    .slice(0, 3)
    .sort((a, b) => a - b)
    .join(', ');

function changeText(change: Change): string {
  switch (change.kind) {
    case 'delay': {
      const where =
        change.event === undefined ? 'from its start on' : `from event ${change.event} on`;
      const long = change.ms % 1000 === 0 ? duration(change.ms) : `${change.ms} ms`;
      return `${change.member} is ${long} later ${where}`;
    }
    case 'drop':
      return `the message of event ${change.event} is lost`;
    case 'crash':
      return `${change.member} crashes after event ${change.event}`;
  }
}

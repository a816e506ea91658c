/** A job at one of its events, as people and programs see it. */
import type { JobState } from '../machines/job/job.ts';
import { barriersOf } from '../projections/barriers.ts';
import { jobView } from '../projections/job-view.ts';
import { narrator } from '../projections/timeline.ts';
import { iso } from '../projections/views.ts';
import type { BoardMemory, Moment, Moments } from './moments.ts';
import type { BoardMoment, EventPlace, MailboxView, StateView } from './views.ts';

/**
 * The whole state after an event.
 *
 * @param event its version, from 1
 * @throws AnswerRefused `no-such-event`
 */
export function stateAt(job: number, moments: Moments, event: number): StateView {
  const last = moments.event(event);
  const moment = moments.at(event);
  const now = last.meta.at;
  return {
    id: job,
    at: eventPlace(moments, event),
    events: moments.count,
    job: jobView(job, moment.job, now),
    boards: boardsOf(moment),
    barriers: barriersOf(moments.events.slice(0, event)),
    mailboxes: mailboxesOf(moment.job),
  };
}

/** An event as it is named in answers. A wait's end names its wait, so that the events before it are told too. */
export function eventPlace(moments: Moments, version: number): EventPlace {
  const event = moments.event(version);
  const say = narrator();
  // Its beginning is all that the end of a wait needs to be told.
  const number = 'wait' in event.data ? event.data.wait : undefined;
  const begun =
    number === undefined
      ? undefined
      : moments.events.find(({ type, data }) => type === 'WaitStarted' && data.wait === number);
  if (begun !== undefined && begun !== event) say(begun);
  const [says = event.type] = say(event).lines;
  return { event: version, at: iso(event.meta.at), type: event.type, says };
}

function boardsOf({ job, boards }: Moment): BoardMoment[] {
  const seen = new Map<string, number>();
  return job.members.map((member, place) => {
    const { device, role, action, suite, suiteRuns, ended } = member;
    const index = seen.get(role) ?? 0;
    seen.set(role, index + 1);
    const known = boards[place];
    return {
      device,
      role,
      index,
      ...(action !== null && ended === null && { action: { ...action, since: iso(action.since) } }),
      ...(suite !== null && { suite }),
      suiteRuns: suiteRuns && ended === null,
      ...(known !== undefined && memoryOf(known)),
    };
  });
}

const memoryOf = ({ cache, networkCache, call, console }: BoardMemory) => ({
  ...(call !== null && { call }),
  ...(console !== null && { console }),
  ...(cache !== null && { cache: { ...cache, lines: [...cache.lines] } }),
  ...(networkCache !== null && {
    networkCache: { ...networkCache, lines: [...networkCache.lines] },
  }),
});

function mailboxesOf({ members, conversation }: JobState): MailboxView[] {
  const name = (place: number) => members[place]?.device ?? '';
  return conversation.topics
    .flat(2)
    .map(({ message, counts, pairs, waits }) => ({
      message,
      senders: counts.flatMap((count, place) =>
        count === 0
          ? []
          : [
              {
                member: name(place),
                count,
                pairs: (pairs[place] ?? []).map(({ key, value }) => ({ key, value })),
              },
            ],
      ),
      waiting: waits.flat().map(({ wait, member, verb }) => ({ wait, member: name(member), verb })),
    }))
    .sort((a, b) => (a.message < b.message ? -1 : 1));
}

/** A job at one of its events, as people and programs see it. */
import type { DataOf, JobEvent, RecordedEvent } from '../machines/events.ts';
import type { JobState } from '../machines/job/job.ts';
import { jobView } from '../projections/job-view.ts';
import { narrator } from '../projections/timeline.ts';
import { iso } from '../projections/views.ts';
import type { BoardMemory, Moment, Moments, Told } from './moments.ts';
import type { BoardMoment, EventPlace, LabMoment, MailboxView, StateView } from './views.ts';

/** More than these are not shown: of barriers the last ones, beside those in which somebody waits. */
const SHOWN = { barriersMax: 200, waitsMax: 500 };
const MAILBOXES_MAX = 500;

/**
 * The whole state after an event.
 *
 * @param event its version, from 1
 * @param lab as it was then; absent: unknown
 * @throws AnswerRefused `no-such-event`
 */
export const stateAt = (job: number, moments: Moments, event: number, lab?: LabMoment): StateView =>
  stateOf(job, moments.told(event), lab);

/** The same, of what was told of one event. */
export function stateOf(job: number, told: Told, lab?: LabMoment): StateView {
  const { event, moment, count } = told;
  const { barriers, leftOut } = told.barriers.at(event.version, moment.job, SHOWN);
  const mailboxes = mailboxesOf(moment.job);
  const open = mailboxes.filter(({ waiting }) => waiting.length > 0);
  const shown = new Set([...open, ...mailboxes].slice(0, MAILBOXES_MAX));
  return {
    id: job,
    at: placeOf(event, 'wait' in event.data ? told.barriers.started(event.data.wait) : undefined),
    events: count,
    job: jobView(job, moment.job, event.meta.at),
    boards: boardsOf(moment),
    barriers,
    mailboxes: mailboxes.filter((mailbox) => shown.has(mailbox)),
    ...(lab !== undefined && { lab }),
    leftOut: { barriers: leftOut, mailboxes: mailboxes.length - shown.size },
  };
}

/** An event as it is named in answers. */
export function eventPlace(moments: Moments, version: number): EventPlace {
  const event = moments.event(version);
  return placeOf(event, moments.begun(event));
}

/** @param begun the wait that it is about: its beginning is all that the end of a wait needs to be told */
function placeOf(
  event: RecordedEvent<JobEvent>,
  begun: DataOf<'WaitStarted'> | undefined,
): EventPlace {
  const { version, type, meta, stream } = event;
  const say = narrator();
  if (begun !== undefined && type !== 'WaitStarted')
    say({ stream, type: 'WaitStarted', data: begun });
  const [says = type] = say(event).lines;
  return { event: version, at: iso(meta.at), type, says };
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

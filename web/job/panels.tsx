/** What stands below the lanes: the event at which the page stands, events, barriers, messages. */
import type { Callers } from '../../machines/events.ts';
import { plural, Section } from '../ui/parts.tsx';
import { Rows } from '../ui/rows.tsx';
import { exactly, lasting } from '../ui/time.ts';
import { arrivals, type CacheFile, cacheAt, heldFor, memberAt, missingAt } from './at.ts';
import type { JobPage } from './job-state.ts';
import { verbText } from './meetings.ts';
import { type Barrier, OPEN, type WaitSpan } from './spans.ts';
import { askHere } from './what-if-menu.tsx';
import { eventText, sinceBoards } from './words.ts';

const EVENT_ROW_HEIGHT = 24;

/** The event, and what it means: its cause, what it caused, and the chosen member with its cache file. */
export function Standing({ page }: { page: JobPage }) {
  const at = page.at.value;
  const event = page.fold.events[at];
  if (event === undefined) return null;
  const lane = page.lane.value >= 0 ? page.lane.value : (page.fold.laneOf[at] ?? -1);
  const callers = 'member' in event.data && 'from' in event.data ? event.data.from : undefined;
  return (
    <Section
      title={`Event ${at + 1}`}
      count={sinceBoards(page.fold, at)}
      class="standing"
      aside={
        page.fold.lanes.length > 0 && (
          <button
            type="button"
            title="w, or the menu on a mark or a member"
            onClick={({ currentTarget }) => askHere(page, currentTarget)}
          >
            What if…
          </button>
        )
      }
    >
      <p class="sentence">{eventText(page, at)}</p>
      <Causes page={page} at={at} />
      <dl class="facts">
        <dt>type</dt>
        <dd>
          {event.type} <span class="soft">by {event.meta.actor}</span>
        </dd>
        {callers !== undefined && (
          <>
            <dt>script</dt>
            <dd>{callersText(callers)}</dd>
          </>
        )}
        <dt>time</dt>
        <dd>
          <time>{exactly(event.meta.at)}</time>
        </dd>
        <dt>log</dt>
        <dd>
          <a href={`/log?after=${event.position - 1}`}>position {event.position}</a>
        </dd>
      </dl>
      {lane >= 0 && <MemberAt page={page} lane={lane} at={at} />}
    </Section>
  );
}

/** The program that called, and those that called it: the nearest first. */
const callersText = (from: Callers): string =>
  from
    .map(
      ({ argv, read }) => `${argv.join(' ')}${read === undefined ? '' : ` (read to byte ${read})`}`,
    )
    .join(' ← ');

const CAUSED_SHOWN_MAX = 6;

function Causes({ page, at }: { page: JobPage; at: number }) {
  const { arrows } = page.fold;
  const cause = arrows.find(({ to }) => to === at);
  const caused = arrows.filter(({ from }) => from === at);
  if (cause === undefined && caused.length === 0) return null;
  return (
    <ul class="causes">
      {cause !== undefined && (
        <li>
          because <EventLink page={page} at={cause.from} />
        </li>
      )}
      {caused.slice(0, CAUSED_SHOWN_MAX).map(({ to }) => (
        <li key={to}>
          so <EventLink page={page} at={to} />
        </li>
      ))}
      {caused.length > CAUSED_SHOWN_MAX && (
        <li class="soft">and {caused.length - CAUSED_SHOWN_MAX} more</li>
      )}
    </ul>
  );
}

export function EventLink({ page, at }: { page: JobPage; at: number }) {
  return (
    <button type="button" class="link" onClick={() => page.stand(at)}>
      <span class="soft">{at + 1}</span> {eventText(page, at)}
    </button>
  );
}

const CACHE_LINES_SHOWN_MAX = 200;

function MemberAt({ page, lane, at }: { page: JobPage; lane: number; at: number }) {
  const is = page.fold.lanes[lane];
  if (is === undefined) return null;
  const { state, doing, waits } = memberAt(is, at);
  return (
    <div class="member">
      <h3>
        {is.device} <span class="soft">{is.role}</span>
      </h3>
      <p>
        {state === doing ? state : `${state}: ${doing}`}
        {waits.map((wait) => (
          <span key={wait.wait} class="lacks">
            {' '}
            for {lasting(heldFor(page.fold, wait, at, page.lens.now.value))};{' '}
            {lackText(missingAt(page.fold, wait, at), wait)}
          </span>
        ))}
      </p>
      <CacheText title="Cache file" cache={cacheAt(page.fold, lane, at)} />
      {is.waits.some(({ file }) => file === 'network') && (
        <CacheText title="Network cache" cache={cacheAt(page.fold, lane, at, 'network')} />
      )}
    </div>
  );
}

function CacheText({ title, cache }: { title: string; cache: CacheFile }) {
  return (
    <>
      <h4>
        {title}{' '}
        <span class="soft">
          {cache.wait === undefined ? 'no wait has written it' : `of ${cache.wait.label}`}
        </span>
      </h4>
      <pre class="cache">
        {cache.lines.length === 0
          ? '(empty)'
          : cache.lines.slice(0, CACHE_LINES_SHOWN_MAX).join('\n')}
        {cache.lines.length > CACHE_LINES_SHOWN_MAX &&
          `\nand ${cache.lines.length - CACHE_LINES_SHOWN_MAX} more lines`}
      </pre>
    </>
  );
}

function lackText(missing: readonly string[], { verb }: WaitSpan): string {
  if (missing.length === 0) return 'nobody is missing';
  const named = missing.slice(0, 4).join(', ');
  const rest = missing.length > 4 ? ` and ${missing.length - 4} more` : '';
  if (verb === 'wait' && missing.length > 1) return `none of ${named}${rest} has sent it`;
  return `${named}${rest} ${missing.length === 1 ? 'is' : 'are'} missing`;
}

export function Events({ page }: { page: JobPage }) {
  const at = page.at.value;
  return (
    <Rows
      class="events"
      count={page.count.value}
      rowHeight={EVENT_ROW_HEIGHT}
      focus={at}
      label="Events"
      row={(n) => (
        <div role="listitem" class={`event ${n === at ? 'now' : ''} ${n > at ? 'later' : ''}`}>
          <button
            type="button"
            aria-current={n === at ? 'step' : undefined}
            onClick={() => page.stand(n)}
          >
            <span class="event-n">{n + 1}</span>
            <span class="event-time">{sinceBoards(page.fold, n)}</span>
            <span class={`event-text ${toneOf(page, n)}`}>{eventText(page, n)}</span>
          </button>
        </div>
      )}
    />
  );
}

const BAD =
  /^(Job(Failed|TimedOut|Rejected)|Member(Failed|TimedOut)|Wait(TimedOut|Stuck|Unreachable)|RequestRefused|SignalGarbled|ScriptEnded)$/;

function toneOf(page: JobPage, at: number): string {
  const event = page.fold.events[at];
  if (event === undefined) return '';
  if (BAD.test(event.type)) return 'bad';
  if (event.type === 'ResultRecorded') return event.data.result === 'fail' ? 'bad' : '';
  return '';
}

const BARRIER_ROW_HEIGHT = 30;

export function Barriers({ page }: { page: JobPage }) {
  void page.count.value;
  const at = page.at.value;
  const { barriers } = page.fold;
  if (barriers.length === 0) return <p class="empty">No member has waited in this job.</p>;
  const chosen = barriers.findLastIndex(({ waits }) => (waits[0]?.from ?? OPEN) <= at);
  return (
    <Rows
      class="barriers"
      count={barriers.length}
      rowHeight={BARRIER_ROW_HEIGHT}
      focus={Math.max(0, chosen)}
      label="Barriers"
      row={(n) => <BarrierRow page={page} barrier={barriers[n]} at={at} />}
    />
  );
}

function BarrierRow(props: { page: JobPage; barrier: Barrier | undefined; at: number }) {
  const { page, barrier, at } = props;
  if (barrier === undefined) return null;
  const { fold } = page;
  const begun = barrier.waits.filter(({ from }) => from <= at);
  const now = page.lens.now.value;
  const longest = Math.max(0, ...begun.map((wait) => heldFor(fold, wait, at, now)));
  const { word, tone } = standOf(barrier, begun, at);
  const came = [...arrivals(fold, barrier, Math.min(at, barrier.opened)).keys()];
  const last = barrier.opened <= at ? barrier.last : undefined;
  const first = barrier.waits[0]?.from ?? 0;
  return (
    <div role="listitem" class={`barrier ${begun.length === 0 ? 'later' : ''}`}>
      <button
        type="button"
        onClick={() => page.stand(barrier.opened === OPEN ? first : barrier.opened)}
      >
        <span class="barrier-name">{verbText(barrier)}</span>
        <span class={`barrier-state ${tone}`}>{word}</span>
        <span class="barrier-came">
          {last === undefined
            ? `${came.length} came`
            : `${last} came last${barrier.verb === 'wait' ? '' : ` of ${came.length}`}`}
        </span>
        <span class="barrier-bars" aria-hidden="true">
          {begun.slice(0, 40).map((wait) => (
            <i
              key={wait.wait}
              title={`${fold.lanes[wait.lane]?.device}: ${lasting(heldFor(fold, wait, at, now))}`}
              style={{ height: `${2 + 16 * (heldFor(fold, wait, at, now) / (longest || 1))}px` }}
            />
          ))}
        </span>
        <span class="barrier-held">
          {begun.length > 0 && `${plural(begun.length, 'wait')}, up to ${lasting(longest)}`}
        </span>
      </button>
    </div>
  );
}

function standOf(
  barrier: Barrier,
  begun: readonly WaitSpan[],
  at: number,
): { word: string; tone: string } {
  if (begun.length === 0) return { word: 'not yet', tone: 'soft' };
  const bad = begun.find(
    ({ to, outcome }) => to <= at && outcome !== 'released' && outcome !== 'open',
  );
  if (bad !== undefined) {
    const words = {
      timedOut: '✕ timed out',
      unreachable: '✕ unreachable',
      abandoned: '⊘ given up',
    };
    return { word: words[bad.outcome as keyof typeof words], tone: 'bad' };
  }
  const open = begun.filter(({ to }) => to > at);
  if (open.some(({ stuck }) => stuck.some(({ from, to }) => from <= at && to > at)))
    return { word: '! stuck', tone: 'bad' };
  if (open.length > 0) return { word: '‖ open', tone: 'warn' };
  return { word: barrier.opened <= at ? '✓ released' : '‖ open', tone: 'good' };
}

export function Messages({ page }: { page: JobPage }) {
  const at = page.at.value;
  const { fold } = page;
  void page.count.value;
  const sends: number[] = [];
  for (let n = 0; n < fold.length; n++) if (fold.events[n]?.type === 'MessageSent') sends.push(n);
  if (sends.length === 0) return <p class="empty">No member has sent a message in this job.</p>;
  const focus = sends.findLastIndex((n) => n <= at);
  return (
    <Rows
      class="events"
      count={sends.length}
      rowHeight={EVENT_ROW_HEIGHT}
      focus={Math.max(0, focus)}
      label="Messages"
      row={(place) => {
        const n = sends[place] ?? 0;
        const event = fold.events[n];
        if (event?.type !== 'MessageSent') return null;
        const { member, verb, message, pairs } = event.data;
        return (
          <div role="listitem" class={`event ${n === at ? 'now' : ''} ${n > at ? 'later' : ''}`}>
            <button type="button" onClick={() => page.stand(n)}>
              <span class="event-n">{n + 1}</span>
              <span class="event-time">{sinceBoards(page.fold, n)}</span>
              <span class="message-from">{member}</span>
              <span class="message-id">{verb === 'sync' ? `sync ${message}` : message}</span>
              <span class="event-text soft">
                {pairs.map(([key, value]) => `${key}=${value}`).join(' ')}
              </span>
            </button>
          </div>
        );
      }}
    />
  );
}

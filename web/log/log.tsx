/** The log as it is: every event of every stream, live, filtered; and what caused what, both ways. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { get, toldOf } from '../api/client.ts';
import { follow } from '../api/stream.ts';
import type { EventPage, RecordedEvent, ServerHealth } from '../api/types.ts';
import type { verbText } from '../job/meetings.ts';
import { sentence } from '../job/telling.ts';
import { boardLink, jobLink, plural, Section, Trouble } from '../ui/parts.tsx';
import { query, setQuery } from '../ui/router.ts';
import { Rows } from '../ui/rows.tsx';
import { exactly, moment } from '../ui/time.ts';

/** So many of the last events are shown when nobody asks for older ones. */
const LAST = 300;
/** More are not kept: the oldest go. */
const KEPT_MAX = 20_000;
const OLDER_PAGE = 500;
/** What comes in between is shown together. */
const SHOWN_EVERY_MS = 200;
const ROW_HEIGHT = 24;

export function Log() {
  const events = useSignal<readonly RecordedEvent[]>([]);
  const trouble = useSignal('');
  const isLoaded = useSignal(false);
  const asked = useMemo(() => Number(query.peek().get('after') ?? Number.NaN), []);
  useEffect(() => {
    document.title = 'Log · Muster';
    const stop = new AbortController();
    let came: RecordedEvent[] = [];
    let shows: ReturnType<typeof setTimeout> | undefined;
    const show = () => {
      shows = undefined;
      events.value = [...events.value, ...came].slice(-KEPT_MAX);
      came = [];
      isLoaded.value = true;
    };
    void start(asked, stop.signal, {
      add(more) {
        came.push(...more);
        shows ??= setTimeout(show, isLoaded.value ? SHOWN_EVERY_MS : 0);
      },
      fail(why) {
        trouble.value = why;
      },
    });
    return () => {
      stop.abort();
      clearTimeout(shows);
    };
  }, [asked]);
  const older = async () => {
    const first = events.value[0]?.position ?? 1;
    try {
      const page = await get<EventPage>(
        `/api/events?after=${Math.max(0, first - 1 - OLDER_PAGE)}&limit=${OLDER_PAGE}`,
      );
      events.value = [...page.events.filter(({ position }) => position < first), ...events.value];
    } catch (error) {
      trouble.value = toldOf(error);
    }
  };
  return (
    <LogList
      events={events.value}
      trouble={trouble.value}
      older={older}
      isLoaded={isLoaded.value}
    />
  );
}

interface Ears {
  add(events: readonly RecordedEvent[]): void;
  fail(why: string): void;
}

async function start(asked: number, signal: AbortSignal, ears: Ears): Promise<void> {
  try {
    const { position } = await get<ServerHealth>('/api/health', signal);
    const after = Number.isInteger(asked) && asked >= 0 ? asked : Math.max(0, position - LAST);
    if (after >= position) ears.add([]);
    await follow({
      path: '/api/events',
      after,
      placeOf: (event) => event.position,
      onEvents: ears.add,
      onRefused: (error) => ears.fail(error.message),
      signal,
    });
  } catch (error) {
    if (!signal.aborted) ears.fail(toldOf(error));
  }
}

function LogList(props: {
  events: readonly RecordedEvent[];
  trouble: string;
  isLoaded: boolean;
  older(): void;
}) {
  const { events, trouble } = props;
  const words = query.value.get('q') ?? '';
  const chosen = Number(query.value.get('event') ?? 0);
  const tell = useMemo(() => teller(events), [events]);
  const shown = useMemo(() => {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    if (wanted.length === 0) return events;
    return events.filter((event) => {
      const text = `${event.stream} ${event.type} ${event.meta.actor} ${tell(event)}`.toLowerCase();
      return wanted.every((word) => text.includes(word));
    });
  }, [events, words, tell]);
  const at = chosen === 0 ? shown.length - 1 : shown.findIndex((e) => e.position === chosen);
  const event = events.find(({ position }) => position === chosen);
  return (
    <div class={`log ${event === undefined ? '' : 'with-event'}`}>
      <Section
        title="Log"
        count={`${shown.length === events.length ? '' : `${shown.length} of `}${plural(events.length, 'event')}`}
        aside={
          <search class="filters">
            <input
              type="search"
              aria-label="Filter events"
              placeholder="job-12 panda01 WaitReleased …"
              value={words}
              onInput={({ currentTarget: { value } }) => setQuery({ q: value })}
            />
            {(events[0]?.position ?? 0) > 1 && (
              <button type="button" onClick={props.older}>
                Older
              </button>
            )}
          </search>
        }
      >
        {trouble !== '' && <Trouble>{trouble}</Trouble>}
        {shown.length === 0 && props.isLoaded && (
          <p class="empty">
            {events.length === 0 ? 'Nothing has happened yet.' : 'No event is like this.'}
          </p>
        )}
        <Rows
          class="log-rows"
          count={shown.length}
          rowHeight={ROW_HEIGHT}
          focus={Math.max(0, at)}
          label="Events of the log"
          row={(n) => <LogRow event={shown[n]} tell={tell} chosen={chosen} />}
        />
      </Section>
      {event !== undefined && <Detail event={event} events={events} tell={tell} />}
    </div>
  );
}

type Tell = (event: RecordedEvent) => string;

/** Sentences, with the waits that they are about where their beginning is among these events. */
function teller(events: readonly RecordedEvent[]): Tell {
  const waits = new Map<string, Parameters<typeof verbText>[0]>();
  for (const { type, stream, data } of events)
    if (type === 'WaitStarted') waits.set(`${stream} ${data.wait}`, data);
  return (event) => sentence(event, (wait) => waits.get(`${event.stream} ${wait}`));
}

function LogRow(props: { event: RecordedEvent | undefined; tell: Tell; chosen: number }) {
  const { event, tell, chosen } = props;
  if (event === undefined) return null;
  const isChosen = event.position === chosen;
  return (
    <div role="listitem" class={`event ${isChosen ? 'now' : ''}`}>
      <button
        type="button"
        aria-current={isChosen ? 'true' : undefined}
        onClick={() => setQuery({ event: isChosen ? undefined : String(event.position) })}
      >
        <span class="event-n">{event.position}</span>
        <span class="event-time" title={exactly(event.meta.at)}>
          {moment(event.meta.at)}
        </span>
        <span class="log-stream">{event.stream}</span>
        <span class="log-type">{event.type}</span>
        <span class="event-text">{tell(event)}</span>
      </button>
    </div>
  );
}

function Detail(props: { event: RecordedEvent; events: readonly RecordedEvent[]; tell: Tell }) {
  const { event, events, tell } = props;
  const { meta, stream, version } = event;
  const cause = events.find(({ id }) => id === meta.causationId);
  const caused = events.filter((other) => other.meta.causationId === event.id);
  const together = events.filter(
    (other) =>
      other !== event && other.meta.causationId === meta.causationId && cause === undefined,
  );
  return (
    <Section title={`Event ${event.position}`} count={event.type} class="detail">
      <p class="sentence">{tell(event)}</p>
      <dl class="facts">
        <dt>stream</dt>
        <dd>
          <StreamLink stream={stream} version={version} /> version {version}
        </dd>
        <dt>time</dt>
        <dd>{exactly(meta.at)}</dd>
        <dt>by</dt>
        <dd>{meta.actor}</dd>
        <dt>id</dt>
        <dd>
          <code>{event.id}</code>
        </dd>
      </dl>
      <Links title="Caused by" events={cause === undefined ? [] : [cause]} tell={tell}>
        {`request or event ${meta.causationId}, which is not among those shown`}
      </Links>
      <Links title="Caused" events={caused} tell={tell}>
        none of the events shown
      </Links>
      {together.length > 0 && <Links title="Of the same request" events={together} tell={tell} />}
      <h3>Data</h3>
      <pre class="cache">{JSON.stringify(event.data, null, 2)}</pre>
    </Section>
  );
}

const LINKS_SHOWN_MAX = 30;

function Links(props: {
  title: string;
  events: readonly RecordedEvent[];
  tell: Tell;
  children?: string;
}) {
  return (
    <div>
      <h3>{props.title}</h3>
      {props.events.length === 0 ? (
        <p class="soft">{props.children}</p>
      ) : (
        <ul>
          {props.events.slice(0, LINKS_SHOWN_MAX).map((event) => (
            <li key={event.position}>
              <button
                type="button"
                class="link"
                onClick={() => setQuery({ event: String(event.position) })}
              >
                {event.position} {props.tell(event)}
              </button>
            </li>
          ))}
          {props.events.length > LINKS_SHOWN_MAX && (
            <li class="soft">and {props.events.length - LINKS_SHOWN_MAX} more</li>
          )}
        </ul>
      )}
    </div>
  );
}

function StreamLink({ stream, version }: { stream: string; version: number }) {
  const id = stream.slice(stream.indexOf('-') + 1);
  if (stream.startsWith('job-'))
    return <a href={jobLink(Number(id), `?at=${version}`)}>{stream}</a>;
  if (stream.startsWith('device-')) return <a href={boardLink(id)}>{stream}</a>;
  return <>{stream}</>;
}

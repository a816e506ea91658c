/** One board: how it is, who has it, what it prints now, how it was used, and taking it out of use with a reason. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { get, send, toldOf } from '../api/client.ts';
import type { DeviceView, EventPage, RecordedEvent, ServerHealth } from '../api/types.ts';
import { AsPrinted } from '../job/printed.tsx';
import { sentence } from '../job/telling.ts';
import { stateOf } from '../lab/boards.tsx';
import { devices, isLoaded, watchLab } from '../lab/lab-state.ts';
import { At, Badge, jobLink, plural, Section, Since, Trouble } from '../ui/parts.tsx';
import { LiveConsole } from './live-console.tsx';
import { Use } from './use.tsx';

/** The log is read backwards, so far at a time: it has no index by board that could be asked. */
const LOG_EVENTS = 1_000;
const LOG_PAGES = 4;

export function Board({ name }: { name: string }) {
  useEffect(watchLab, []);
  useEffect(() => {
    document.title = `${name} · Muster`;
  }, [name]);
  const board = devices.value.get(name);
  if (!isLoaded.value) return <p class="loading">Asking for {name}…</p>;
  if (board === undefined)
    return (
      <>
        <h1>{name}</h1>
        <Trouble>
          There is no board of this name. <a href="/">All boards</a>
        </Trouble>
      </>
    );
  return (
    <div class="board">
      <Head board={board} />
      {board.job !== undefined && (
        <Section
          title="Console"
          count={`job ${board.job}`}
          aside={
            <span class="console-aside">
              <AsPrinted />
              <a href={jobLink(board.job, `?device=${encodeURIComponent(name)}`)}>its lanes</a>
            </span>
          }
          class="console"
        >
          <LiveConsole key={board.job} job={board.job} device={name} />
        </Section>
      )}
      <Orders board={board} />
      <History board={board} />
    </div>
  );
}

function Head({ board }: { board: DeviceView }) {
  const { word, tone, why } = stateOf(board);
  const { healthCheck } = board;
  return (
    <header class="board-head">
      <h1>{board.name}</h1>
      <p class="job-facts">
        <Badge tone={tone}>{word}</Badge>
        {board.job !== undefined && <a href={jobLink(board.job)}>job {board.job}</a>}
        <span>
          type {board.type}
          {board.tags.length > 0 && `, tags ${board.tags.join(' ')}`}
        </span>
        <span>health {board.health}</span>
        <span>
          worker {board.worker}, driver {board.driver}
        </span>
        {board.state === 'idle' && (
          <span>
            idle for <Since at={board.idleSince} />
          </span>
        )}
        {healthCheck !== undefined && (
          <span>
            {healthCheck.due === undefined ? 'checked' : `check due: ${healthCheck.due}`}
            {healthCheck.lastAt !== undefined && (
              <>
                {' '}
                last <At at={healthCheck.lastAt} />
              </>
            )}
          </span>
        )}
      </p>
      {why !== undefined && <p class="why">{why}</p>}
    </header>
  );
}

const ORDERS = [
  ['offline', 'Take offline', { offline: true }],
  ['maintenance', 'To maintenance', { health: 'maintenance' }],
  ['good', 'Health is good', { health: 'good' }],
  ['bad', 'Health is bad', { health: 'bad' }],
  ['retire', 'Retire', {}],
] as const;
type Order = (typeof ORDERS)[number][0] | 'online' | 'restore';

function ordersFor(board: DeviceView): [Order, string][] {
  if (board.state === 'retired') return [['restore', 'Bring it back']];
  const all = ORDERS.filter(([order]) => order !== board.health).map(
    ([order, words]) => [order, words] as [Order, string],
  );
  const isOffline = board.offlineReason !== undefined;
  return isOffline
    ? [['online', 'Bring online'], ...all.filter(([order]) => order !== 'offline')]
    : all;
}

function Orders({ board }: { board: DeviceView }) {
  const asked = useSignal<Order | undefined>(undefined);
  const reason = useSignal('');
  const isForced = useSignal(false);
  const trouble = useSignal('');
  const give = async (event: Event) => {
    event.preventDefault();
    const order = asked.value;
    if (order === undefined) return;
    const path = `/api/devices/${encodeURIComponent(board.name)}`;
    const because = { reason: reason.value.trim() };
    try {
      const now = ['maintenance', 'good', 'bad'].includes(order)
        ? await send<DeviceView>('POST', `${path}/health`, {
            health: order,
            ...because,
            ...(isForced.value && { force: true }),
          })
        : await send<DeviceView>(
            'POST',
            `${path}/${order}`,
            order === 'online' ? undefined : because,
          );
      devices.value = new Map([...devices.value, [now.name, now]]);
      asked.value = undefined;
      reason.value = '';
      trouble.value = '';
    } catch (error) {
      trouble.value = toldOf(error);
    }
  };
  const canForce =
    board.job !== undefined && (asked.value === 'maintenance' || asked.value === 'bad');
  return (
    <Section title="In and out of use" class="orders">
      <div class="order-buttons">
        {ordersFor(board).map(([order, words]) => (
          <button
            key={order}
            type="button"
            aria-pressed={asked.value === order}
            onClick={() => {
              asked.value = asked.value === order ? undefined : order;
            }}
          >
            {words}…
          </button>
        ))}
      </div>
      {asked.value !== undefined && (
        <form class="asking" onSubmit={give}>
          {asked.value !== 'online' && (
            <input
              aria-label="Why"
              placeholder="why (is recorded)"
              required
              value={reason.value}
              onInput={({ currentTarget: { value } }) => {
                reason.value = value;
              }}
            />
          )}
          {canForce && (
            <label>
              <input
                type="checkbox"
                checked={isForced.value}
                onChange={({ currentTarget: { checked } }) => {
                  isForced.value = checked;
                }}
              />{' '}
              take it from job {board.job}, whose member fails at once
            </label>
          )}
          <button type="submit">Do it</button>
        </form>
      )}
      {trouble.value !== '' && <Trouble>{trouble.value}</Trouble>}
    </Section>
  );
}

function History({ board }: { board: DeviceView }) {
  const events = useSignal<readonly RecordedEvent[]>([]);
  const from = useSignal(Number.POSITIVE_INFINITY);
  const trouble = useSignal('');
  const load = async (before: number, known: readonly RecordedEvent[]) => {
    try {
      let start = before;
      const found: RecordedEvent[] = [];
      for (let page = 0; page < LOG_PAGES && start > 0; page++) {
        const end = start;
        start = Math.max(0, end - LOG_EVENTS);
        for (let after: number | undefined = start; after !== undefined && after < end; ) {
          const { events: some, next }: EventPage = await get<EventPage>(
            `/api/events?after=${after}&limit=${LOG_EVENTS}`,
          );
          const mine = some.filter((e) => e.stream === `device-${board.name}` && e.position <= end);
          found.push(...mine);
          after = next;
        }
      }
      const all = new Map([...found, ...known].map((event) => [event.position, event]));
      events.value = [...all.values()].sort((a, b) => a.position - b.position);
      from.value = start;
      trouble.value = '';
    } catch (error) {
      trouble.value = toldOf(error);
    }
  };
  // Each change of the board is an event more.
  const stamp = [board.state, board.job, board.health, board.online, board.offlineReason].join(' ');
  useEffect(() => {
    void get<ServerHealth>('/api/health').then(
      ({ position }) => load(position, events.value),
      () => {},
    );
  }, [board.name, stamp]);
  return (
    <Section
      title="History"
      count={plural(events.value.length, 'event')}
      class="history"
      aside={
        from.value > 0 &&
        Number.isFinite(from.value) && (
          <button type="button" onClick={() => void load(from.value, events.value)}>
            Further back
          </button>
        )
      }
    >
      {trouble.value !== '' && <Trouble>{trouble.value}</Trouble>}
      <Use events={events.value} />
      <ul class="history-list">
        {[...events.value].reverse().map((event) => (
          <li key={event.position}>
            <At at={event.meta.at} />{' '}
            {'job' in event.data && typeof event.data.job === 'number' ? (
              <a href={jobLink(event.data.job)}>{sentence(event, () => undefined)}</a>
            ) : (
              sentence(event, () => undefined)
            )}{' '}
            <span class="soft">by {event.meta.actor}</span>
          </li>
        ))}
      </ul>
      {events.value.length === 0 && <p class="empty">Nothing among the last events of the log.</p>}
    </Section>
  );
}

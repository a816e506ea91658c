/** What the lab is like now: asked for once, then again where the log says that it changed. */
import { batch, computed, signal } from '@preact/signals';
import { awaySince, get, toldOf } from '../api/client.ts';
import { follow } from '../api/stream.ts';
import type {
  DeviceView,
  JobPage,
  JobView,
  QueueEntry,
  QueuePage,
  RecordedEvent,
  ServerHealth,
} from '../api/types.ts';
import { deviceAfter } from './device-fold.ts';
import { hearParts, learnParts, watchParts } from './playing.ts';

export const devices = signal<ReadonlyMap<string, DeviceView>>(new Map());
/** What is in sight of the queue, in pages by their number: it may be very long. */
interface QueueInSight {
  total: number;
  /** Since when the one waits that has waited longest. */
  oldest: string | undefined;
  pages: ReadonlyMap<number, readonly QueueEntry[]>;
}
export const queue = signal<QueueInSight>({ total: 0, oldest: undefined, pages: new Map() });
export const running = signal<readonly JobView[]>([]);
export const lately = signal<readonly JobView[]>([]);
export const health = signal<ServerHealth | undefined>(undefined);
export const trouble = signal('');
export const isLoaded = signal(false);

const byName = new Intl.Collator('en', { numeric: true });
let names: readonly string[] = [];

/** All boards by name. They are sorted again when there are others: each has its news many times a minute. */
export const boards = computed((): readonly DeviceView[] => {
  const all = devices.value;
  if (names.length !== all.size || !names.every((name) => all.has(name)))
    names = [...all.keys()].sort(byName.compare);
  return names.flatMap((name) => all.get(name) ?? []);
});

/** What the members of listed jobs are about, by their boards. */
export const doingOn = computed(
  () =>
    new Map(
      running.value.flatMap(({ members }) => members.map(({ device, doing }) => [device, doing])),
    ),
);

/** How many jobs have boards: more than are listed, where there are very many. */
export const runningCount = computed(() => {
  const jobs = new Set(running.value.map(({ id }) => id));
  for (const { state, job } of devices.value.values())
    if (state === 'reserved' && job !== undefined) jobs.add(job);
  return jobs.size;
});

/** Changes come in bursts; between two questions there is a pause of this many times what the last one took. */
const PAUSE_FACTOR = 4;
const PAUSE_MS_MIN = 1_000;
/** Of what events say by themselves. */
const SHOWN_EVERY_MS = 200;
/** More boards than these are asked for all at once. */
const ASKED_ALONE_MAX = 12;
const QUEUE_PAGE = 200;
const RUNNING_MAX = 200;
const LATELY_MAX = 12;
const OVER = 'complete,failed,timedOut,cancelled,rejected';

type Part = 'queue' | 'jobs' | 'devices';

class Watch {
  readonly #stop = new AbortController();
  readonly #stale = new Set<Part>();
  readonly #staleBoards = new Set<string>();
  /** Events of boards that are not shown yet. */
  #heard: RecordedEvent[] = [];
  #shows: ReturnType<typeof setTimeout> | undefined;
  /** Events of boards that came while boards were asked for: the answer may be from before them. */
  #meanwhile: RecordedEvent[] = [];
  #isAsking = false;

  async run(): Promise<void> {
    const { signal } = this.#stop;
    watchParts(signal);
    while (!signal.aborted) {
      try {
        health.value = await get<ServerHealth>('/api/health', signal);
        await this.#ask(['devices', 'queue', 'jobs']);
        isLoaded.value = true;
        trouble.value = '';
        break;
      } catch (error) {
        if (signal.aborted) return;
        trouble.value = toldOf(error);
        await new Promise((done) => setTimeout(done, 1_000));
      }
    }
    const after = health.value?.position ?? 0;
    const placeOf = (event: RecordedEvent) => event.position;
    const onEvents = (events: readonly RecordedEvent[]) => this.#hear(events);
    await follow({ path: '/api/events', after, placeOf, onEvents, signal });
  }

  stop(): void {
    this.#stop.abort();
    clearTimeout(this.#shows);
  }

  /** What has to be asked for again after these events. */
  #hear(events: readonly RecordedEvent[]): void {
    hearParts(events);
    const ofBoards: RecordedEvent[] = [];
    for (const event of events) {
      const { stream, type } = event;
      if (stream.startsWith('device-')) ofBoards.push(event);
      else if (stream.startsWith('worker-') && type !== 'WorkerRenewed') this.#stale.add('devices');
      else if (stream.startsWith('job-')) {
        if (/^Job|^Allocation/.test(type)) this.#stale.add('queue');
        this.#stale.add('jobs');
      }
    }
    if (this.#isAsking) this.#meanwhile.push(...ofBoards);
    this.#heard.push(...ofBoards);
    if (ofBoards.length > 0) this.#shows ??= setTimeout(() => this.#show(), SHOWN_EVERY_MS);
    void this.#catchUp();
  }

  #show(): void {
    clearTimeout(this.#shows);
    this.#shows = undefined;
    if (this.#heard.length > 0) devices.value = this.#after(devices.peek(), this.#heard);
    this.#heard = [];
    void this.#catchUp();
  }

  /** The boards after these events; those that have to be asked for are noted. */
  #after(
    before: ReadonlyMap<string, DeviceView>,
    events: readonly RecordedEvent[],
  ): ReadonlyMap<string, DeviceView> {
    const all = new Map(before);
    for (const event of events) {
      const name = event.stream.slice('device-'.length);
      const board = all.get(name);
      const now = board === undefined ? undefined : deviceAfter(board, event);
      if (now === undefined) this.#staleBoards.add(name);
      else all.set(name, now);
    }
    return all;
  }

  async #catchUp(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const { signal } = this.#stop;
    while (!signal.aborted && (this.#stale.size > 0 || this.#staleBoards.size > 0)) {
      const began = performance.now();
      const parts = [...this.#stale];
      const boards = [...this.#staleBoards];
      this.#stale.clear();
      this.#staleBoards.clear();
      this.#meanwhile = [];
      try {
        this.#show();
        await this.#ask(parts, boards);
        trouble.value = '';
      } catch (error) {
        if (signal.aborted) break;
        trouble.value = toldOf(error);
        for (const part of parts) this.#stale.add(part);
        for (const board of boards) this.#staleBoards.add(board);
      }
      this.#meanwhile = [];
      const pause = Math.max(PAUSE_MS_MIN, PAUSE_FACTOR * (performance.now() - began));
      await new Promise((done) => setTimeout(done, pause));
    }
    this.#isAsking = false;
  }

  async #ask(parts: readonly Part[], boards: readonly string[] = []): Promise<void> {
    const { signal } = this.#stop;
    const [some, waiting, now, over] = await Promise.all([
      this.#askForBoards(parts.includes('devices'), boards),
      parts.includes('queue') ? queueInSight(signal) : undefined,
      parts.includes('jobs')
        ? get<JobPage>(`/api/jobs?state=allocated&limit=${RUNNING_MAX}`, signal)
        : undefined,
      parts.includes('jobs')
        ? get<JobPage>(`/api/jobs?state=${OVER}&limit=${LATELY_MAX}`, signal)
        : undefined,
    ]);
    if (signal.aborted) return;
    batch(() => {
      if (some !== undefined) devices.value = this.#after(some, this.#meanwhile);
      if (waiting !== undefined) queue.value = waiting;
      if (now !== undefined) {
        running.value = now.jobs;
        learnParts(now);
      }
      if (over !== undefined) lately.value = over.jobs;
    });
  }

  /** All boards, those of these names asked for anew; `undefined`: none were. */
  async #askForBoards(
    wantsAll: boolean,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, DeviceView> | undefined> {
    const { signal } = this.#stop;
    if (wantsAll || names.length > ASKED_ALONE_MAX) {
      const { devices: all } = await get<{ devices: DeviceView[] }>('/api/devices', signal);
      return new Map(all.map((board) => [board.name, board]));
    }
    if (names.length === 0) return undefined;
    const some = await Promise.all(
      names.map((name) => get<DeviceView>(`/api/devices/${encodeURIComponent(name)}`, signal)),
    );
    return new Map([...devices.peek(), ...some.map((board) => [board.name, board] as const)]);
  }
}

/** The pages of the queue that are in sight: they alone are asked for, and asked for again. */
let pagesInSight: readonly number[] = [0];
let isFilling = false;

export const entryAt = ({ pages }: QueueInSight, place: number): QueueEntry | undefined =>
  pages.get(Math.floor(place / QUEUE_PAGE))?.[place % QUEUE_PAGE];

/** These places are looked at now, up to and without `end`. */
export function lookAtQueue(begin: number, end: number): void {
  const first = Math.floor(begin / QUEUE_PAGE);
  const last = Math.floor(Math.max(begin, end - 1) / QUEUE_PAGE);
  pagesInSight = Array.from({ length: last - first + 1 }, (_, n) => first + n);
  void fillQueue();
}

/** Asks for what is in sight and not there, a page at a time: whoever scrolls on is not behind by what went by. */
async function fillQueue(): Promise<void> {
  if (isFilling) return;
  isFilling = true;
  try {
    while (awaySince.peek() === undefined) {
      const { pages } = queue.peek();
      const missing = pagesInSight.find((page) => !pages.has(page));
      if (missing === undefined) break;
      const { queue: entries, total, oldest } = await queuePage(missing);
      const all = new Map([...queue.peek().pages, [missing, entries]]);
      queue.value = { total, oldest, pages: all };
    }
  } catch {
    // It is asked for again with the next change of the queue, or when somebody scrolls.
  }
  isFilling = false;
}

const queuePage = (page: number, signal?: AbortSignal): Promise<QueuePage> =>
  get<QueuePage>(`/api/queue?after=${page * QUEUE_PAGE}&limit=${QUEUE_PAGE}`, signal);

async function queueInSight(signal: AbortSignal): Promise<QueueInSight> {
  const wanted = pagesInSight;
  const got = await Promise.all(wanted.map((page) => queuePage(page, signal)));
  return {
    total: got[0]?.total ?? 0,
    oldest: got[0]?.oldest,
    pages: new Map(got.map(({ queue: entries }, n) => [wanted[n] ?? 0, entries])),
  };
}

let watch: Watch | undefined;
let watchers = 0;

/** Keeps the lab fresh for as long as somebody looks at it. @returns ends it */
export function watchLab(): () => void {
  watchers++;
  if (watch === undefined) {
    watch = new Watch();
    void watch.run();
  }
  return () => {
    watchers--;
    if (watchers > 0) return;
    watch?.stop();
    watch = undefined;
  };
}

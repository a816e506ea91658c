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

export const devices = signal<ReadonlyMap<string, DeviceView>>(new Map());
export const queue = signal<{ entries: readonly QueueEntry[]; total: number }>({
  entries: [],
  total: 0,
});
export const running = signal<readonly JobView[]>([]);
export const lately = signal<readonly JobView[]>([]);
export const health = signal<ServerHealth | undefined>(undefined);
export const trouble = signal('');
export const isLoaded = signal(false);

/** The member that a board plays in the job that has it. */
export const memberOfBoard = computed(() => {
  const members = new Map<string, { job: JobView; role: string; doing: string }>();
  for (const job of running.value)
    for (const { device, role, doing } of job.members) members.set(device, { job, role, doing });
  return members;
});

/** Changes come in bursts; between two questions there is a pause of this many times what the last one took. */
const PAUSE_FACTOR = 4;
const PAUSE_MS_MIN = 250;
/** More boards than these are asked for all at once. */
const ASKED_ALONE_MAX = 12;
const QUEUE_PAGE = 200;
const QUEUE_PAGE_MAX = 1_000;
const RUNNING_MAX = 200;
const LATELY_MAX = 12;
const OVER = 'complete,failed,timedOut,cancelled,rejected';

type Part = 'queue' | 'jobs' | 'devices';

class Watch {
  readonly #stop = new AbortController();
  readonly #stale = new Set<Part>();
  readonly #staleBoards = new Set<string>();
  #isAsking = false;

  async run(): Promise<void> {
    const { signal } = this.#stop;
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
  }

  /** What has to be asked for again after these events. */
  #hear(events: readonly RecordedEvent[]): void {
    for (const { stream, type } of events) {
      if (stream.startsWith('device-')) this.#staleBoards.add(stream.slice('device-'.length));
      else if (stream.startsWith('worker-') && type !== 'WorkerRenewed') this.#stale.add('devices');
      else if (stream.startsWith('job-')) {
        if (/^Job|^Allocation/.test(type)) this.#stale.add('queue');
        this.#stale.add('jobs');
      }
    }
    void this.#catchUp();
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
      try {
        await this.#ask(parts, boards);
        trouble.value = '';
      } catch (error) {
        if (signal.aborted) break;
        trouble.value = toldOf(error);
        for (const part of parts) this.#stale.add(part);
        for (const board of boards) this.#staleBoards.add(board);
      }
      const pause = Math.max(PAUSE_MS_MIN, PAUSE_FACTOR * (performance.now() - began));
      await new Promise((done) => setTimeout(done, pause));
    }
    this.#isAsking = false;
  }

  async #ask(parts: readonly Part[], boards: readonly string[] = []): Promise<void> {
    const { signal } = this.#stop;
    const wantsAll = parts.includes('devices') || boards.length > ASKED_ALONE_MAX;
    const [all, some, waiting, now, over] = await Promise.all([
      wantsAll ? get<{ devices: DeviceView[] }>('/api/devices', signal) : undefined,
      wantsAll
        ? []
        : Promise.all(
            boards.map((name) =>
              get<DeviceView>(`/api/devices/${encodeURIComponent(name)}`, signal),
            ),
          ),
      parts.includes('queue') ? queuePages(signal) : undefined,
      parts.includes('jobs')
        ? get<JobPage>(`/api/jobs?state=allocated&limit=${RUNNING_MAX}`, signal)
        : undefined,
      parts.includes('jobs')
        ? get<JobPage>(`/api/jobs?state=${OVER}&limit=${LATELY_MAX}`, signal)
        : undefined,
    ]);
    if (signal.aborted) return;
    batch(() => {
      if (all !== undefined) devices.value = new Map(all.devices.map((d) => [d.name, d]));
      else if (some.length > 0)
        devices.value = new Map([...devices.value, ...some.map((d) => [d.name, d] as const)]);
      if (waiting !== undefined) queue.value = waiting;
      if (now !== undefined) running.value = now.jobs;
      if (over !== undefined) lately.value = over.jobs;
    });
  }
}

let wanted = QUEUE_PAGE;

/** More of the queue is looked at: it is asked for, and kept fresh from then on. */
export async function loadQueue(upTo: number): Promise<void> {
  if (upTo < wanted || awaySince.value !== undefined) return;
  wanted = upTo + QUEUE_PAGE;
  queue.value = await queuePages(new AbortController().signal).catch(() => queue.value);
}

async function queuePages(
  signal: AbortSignal,
): Promise<{ entries: readonly QueueEntry[]; total: number }> {
  const entries: QueueEntry[] = [];
  for (let after = 0; ; ) {
    const limit = Math.min(QUEUE_PAGE_MAX, wanted - entries.length);
    const page = await get<QueuePage>(`/api/queue?after=${after}&limit=${limit}`, signal);
    entries.push(...page.queue);
    if (page.next === undefined || entries.length >= wanted) return { entries, total: page.total };
    after = page.next;
  }
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

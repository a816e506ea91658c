/**
 * Who plays what on which board. The log says it as jobs get their boards; of jobs that had theirs before somebody looked
 * it is asked for once, a page of jobs at a time, and no further than tiles in sight want it.
 */
import { signal } from '@preact/signals';
import { get } from '../api/client.ts';
import type { JobPage, JobView, RecordedEvent } from '../api/types.ts';

export interface Part {
  job: number;
  role: string;
  /** Since when the job has the board. */
  since: string;
}

const JOBS_PAGE = 200;
const RETRY_MS = 1_000;

/** By the names of boards. Of a board that was given back it is the part that was played last. */
const parts = signal<ReadonlyMap<string, Part>>(new Map());

/** `undefined`: it is not known yet. */
export function partOf(board: string, job: number): Part | undefined {
  const part = parts.value.get(board);
  return part?.job === job ? part : undefined;
}

/** A tile in sight wants to know. */
export function wantPart(job: number): void {
  playing?.want(job);
}

/** Jobs that have boards, newest first; the pages before `next` are to come. */
export function learnParts({ jobs, next }: JobPage): void {
  tell(jobs.flatMap(partsOfJob));
  playing?.begin(next);
}

/** Jobs that got their boards. */
export function hearParts(events: readonly RecordedEvent[]): void {
  tell(events.flatMap(partsOfEvent));
}

function tell(news: readonly (readonly [string, Part])[]): void {
  const known = parts.peek();
  const isNews = news.some(([board, { job }]) => known.get(board)?.job !== job);
  if (isNews) parts.value = new Map([...known, ...news]);
}

const partsOfJob = ({ id, allocatedAt, submittedAt, members }: JobView) =>
  members.map(
    ({ device, role }) => [device, { job: id, role, since: allocatedAt ?? submittedAt }] as const,
  );

function partsOfEvent({ type, stream, data, meta }: RecordedEvent) {
  if (type !== 'JobAllocated') return [];
  const job = Number(stream.slice('job-'.length));
  const since = new Date(meta.at).toISOString();
  return data.members.map(({ device, role }) => [device, { job, role, since }] as const);
}

/** Goes through the jobs that have boards from the newest on: each page is asked for once, however many tiles want it. */
class Playing {
  readonly #signal: AbortSignal;
  readonly #wanted = new Set<number>();
  /** Jobs with lower numbers were not asked for yet; `undefined`: there are none, or nobody has begun. */
  #next: number | undefined;
  #hasBegun = false;
  #isAsking = false;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  begin(next: number | undefined): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#learned(next);
    void this.#ask();
  }

  want(job: number): void {
    if (this.#hasBegun && job >= (this.#next ?? 0)) return;
    this.#wanted.add(job);
    void this.#ask();
  }

  async #ask(): Promise<void> {
    if (this.#isAsking || !this.#hasBegun) return;
    this.#isAsking = true;
    while (this.#wanted.size > 0 && this.#next !== undefined && !this.#signal.aborted) {
      try {
        const path = `/api/jobs?state=allocated&limit=${JOBS_PAGE}&before=${this.#next}`;
        const { jobs, next } = await get<JobPage>(path, this.#signal);
        tell(jobs.flatMap(partsOfJob));
        this.#learned(next);
      } catch {
        if (!this.#signal.aborted) await new Promise((done) => setTimeout(done, RETRY_MS));
      }
    }
    this.#isAsking = false;
  }

  /** All jobs that are not below `next` are known, or have no boards: what they get is in the log. */
  #learned(next: number | undefined): void {
    this.#next = next;
    for (const job of this.#wanted) if (job >= (next ?? 0)) this.#wanted.delete(job);
  }
}

let playing: Playing | undefined;

/** Begins anew: what happened while nobody looked is not known. */
export function watchParts(signal: AbortSignal): void {
  parts.value = new Map();
  playing = new Playing(signal);
}

/** One case over the runs of a lab's jobs, from the log. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { caseHistory, JOBS_LOOKED_AT_MAX } from '../../api/case-history.ts';
import { History } from '../../api/history/history.ts';
import type { JobEvent, NewEvent, RecordedEvent } from '../../machines/events.ts';
import { UnreadableEvent } from '../../machines/events.ts';
import { emptyDirectory } from '../../projections/directory.ts';
import { recorded, story, submitted } from '../cli/job-12.ts';
import { doors, engineBut, listening, opened, pair, until } from './bench.ts';

type Case = Extract<JobEvent, { type: 'ResultRecorded' }>['data'];

/** A job that ran on one board, with these cases. */
function pastJob(id: number, name: string, cases: Partial<Case>[]): RecordedEvent[] {
  if (submitted.type !== 'JobSubmitted') throw new Error('the first event is the submission');
  const { definition, document } = submitted.data;
  const device = `panda0${1 + (id % 2)}`;
  return recorded(
    [
      { type: 'JobSubmitted', data: { document, definition: { ...definition, name } } },
      { type: 'JobAllocated', data: { lease: `l${id}`, members: [{ device, role: 'client' }] } },
      ...cases.map(
        (is): JobEvent => ({
          type: 'ResultRecorded',
          data: { member: device, suite: '0_iperf', case: 'throughput', result: 'pass', ...is },
        }),
      ),
      { type: 'MemberCompleted', data: { member: device } },
      { type: 'JobCompleted', data: {} },
    ],
    id,
  ).map((event) => ({ ...event, id: randomUUID() }));
}

/** A server whose log has these jobs, the first of them number 1. */
async function withPast(...jobs: RecordedEvent[][]) {
  const lab = await doors();
  for (const [at, events] of jobs.entries())
    await lab.store.append(
      `job-${at + 1}`,
      0,
      events.map(({ stream: _, version: __, position: ___, ...event }): NewEvent => event),
    );
  await until(() => (lab.engine.directory.uncounted.size === jobs.length ? true : undefined));
  const ask = async (query: string) => (await lab.app.inject(`/api/results?${query}`)).json();
  return { ...lab, ask };
}

const measured = (text: string) => [{ measurement: text, units: 'Mbit/s' }];

describe('a case over runs', () => {
  it('has a series with median, spread and what changed, the oldest run first', async () => {
    const texts = ['93.5', '93.7', '93.4', '93.6', '93.5', '40.1', '40.2'];
    const { ask } = await withPast(
      ...texts.map((text, at) => pastJob(at + 1, 'wifi-throughput', measured(text))),
    );
    const { series, lookedAt, without, next } = await ask('case=throughput&name=wifi*');
    expect(series).toHaveLength(1);
    expect(series[0]).toMatchObject({
      role: 'client',
      index: 0,
      suite: '0_iperf',
      summary: { pass: 7 },
      measured: { count: 7, median: 93.5, units: 'Mbit/s', min: 40.1, max: 93.7 },
      changes: [{ what: 'measurement', job: 6, to: 40.1, from: { count: 5, median: 93.5 } }],
    });
    const runs = series[0].runs as { job: number; device: string; measurement: string }[];
    expect(runs.map(({ job, measurement }) => [job, measurement])).toEqual(
      texts.map((text, at) => [at + 1, text]),
    );
    expect(new Set(runs.map(({ device }) => device))).toEqual(new Set(['panda01', 'panda02']));
    expect([lookedAt.jobs, without, next]).toEqual([7, [], undefined]);
  });

  it('is of the jobs of that name, and names those in which it did not come', async () => {
    const { ask } = await withPast(
      pastJob(1, 'wifi-a', measured('1')),
      pastJob(2, 'ethernet', measured('2')),
      pastJob(3, 'wifi-b', []),
    );
    const jobsOf = (answer: { series: { runs: { job: number }[] }[] }) =>
      answer.series.flatMap(({ runs }) => runs.map(({ job }) => job));
    const named = await ask('case=throughput&name=wifi-?');
    expect([jobsOf(named), named.without, named.name]).toEqual([[1], [3], 'wifi-?']);
    const any = await ask('case=throughput');
    expect([jobsOf(any), any.without]).toEqual([[1, 2], []]);
    expect(jobsOf(await ask('case=through'))).toEqual([]);
  });

  it('is of the last jobs in which it came; older ones are looked at from there on', async () => {
    const { ask } = await withPast(
      ...[1, 2, 3, 4, 5].map((id) => pastJob(id, 'n', id === 4 ? [] : measured(`${id}`))),
    );
    const jobsOf = ({ series }: { series: { runs: { job: number }[] }[] }) =>
      series[0]?.runs.map(({ job }) => job);
    const newest = await ask('case=throughput&last=2');
    expect([jobsOf(newest), newest.next]).toEqual([[3, 5], 3]);
    const older = await ask('case=throughput&last=2&before=3');
    expect([jobsOf(older), older.next]).toEqual([[1, 2], undefined]);
  });

  it('is nothing of a job that goes on', async () => {
    const lab = await doors();
    const { job, server } = await pair(lab.engine);
    await lab.engine.member(
      job,
      { type: 'RecordResult', member: server, case: 'x', result: 'pass' },
      { actor: 'user:test' },
    );
    const answer = (await lab.app.inject('/api/results?case=x')).json();
    expect([answer.series, answer.lookedAt.jobs]).toEqual([[], 0]);
    await lab.engine.cancel(job, 'enough', { actor: 'user:test' });
    await until(() => (lab.engine.directory.jobs.has(job) ? undefined : true));
    const after = (await lab.app.inject('/api/results?case=x')).json();
    expect(after.series[0].runs[0]).toMatchObject({ job, device: server, result: 'pass' });
  });

  it.each([
    ['without a case', ''],
    ['of an empty name', 'case='],
    ['over no run', 'case=x&last=0'],
    ['over too many runs', 'case=x&last=201'],
    ['over some runs', 'case=x&last=many'],
    ['with too long a pattern', `case=x&name=${'a'.repeat(201)}`],
  ])('%s is refused', async (_, query) => {
    const { app } = await doors();
    const response = await app.inject(`/api/results?${query}`);
    expect([response.statusCode, response.json().code]).toEqual([400, 'invalid-request']);
  });
});

describe('the work of one answer', () => {
  const never = new AbortController().signal;
  /** A log of so many jobs that are over; `asked`: which of them were read. */
  function past(jobCount: number, eventsOf: (id: number) => RecordedEvent[]) {
    const asked: number[] = [];
    async function* jobEvents(id: number) {
      asked.push(id);
      yield* eventsOf(id);
    }
    const directory = emptyDirectory();
    const engine = { directory, jobCount, jobEvents, job: async () => undefined };
    const history = new History({
      ...engine,
      allEvents: () => jobEvents(0),
      streamEvents: () => jobEvents(0),
      streamRows: async () => undefined,
    });
    return { asked, log: { engine, history } };
  }
  const fail = (error: Error) => {
    throw error;
  };

  it('is bounded: at most a thousand jobs are looked at, which it says, with where to go on', async () => {
    const { asked, log } = past(5_000, (id) => pastJob(id, 'other', measured('1')));
    const query = { case: 'throughput', name: 'wifi', last: 20 };
    const answer = await caseHistory(log, query, never, fail);
    expect(answer).toMatchObject({ lookedAt: { jobs: JOBS_LOOKED_AT_MAX }, next: 4_001 });
    expect(asked).toHaveLength(JOBS_LOOKED_AT_MAX);
    expect(Math.max(...asked)).toBe(5_000);
  });

  it('is one event of a job of another name', async () => {
    const { log } = past(3, (id) => pastJob(id, id === 2 ? 'wifi' : 'other', measured('1')));
    const answer = await caseHistory(
      log,
      { case: 'throughput', name: 'wifi', last: 20 },
      never,
      fail,
    );
    expect(answer.lookedAt).toEqual({ jobs: 3, events: 1 + 5 + 1 });
  });

  it('passes over a job whose events cannot be read, and one that was archived', async () => {
    const { log } = past(3, (id) => {
      if (id === 2) throw new UnreadableEvent({ stream: 'job-2', version: 1, type: 'X' }, 'odd');
      return id === 1 ? [] : pastJob(id, 'n', measured('1'));
    });
    const told: string[] = [];
    const answer = await caseHistory(log, { case: 'throughput', last: 20 }, never, (error) =>
      told.push(error.stream),
    );
    expect(answer.series[0]?.runs.map(({ job }) => job)).toEqual([3]);
    expect(told).toEqual(['job-2']);
  });

  it('ends when its client goes', async () => {
    const lab = await doors();
    let hasBegun = () => {};
    const began = new Promise<void>((resolve) => {
      hasBegun = resolve;
    });
    let wasClosed = () => {};
    const closed = new Promise<void>((resolve) => {
      wasClosed = resolve;
    });
    let read = 0;
    async function* jobEvents(id: number) {
      hasBegun();
      try {
        // Of a job without an end.
        for (;;) {
          read += 1;
          yield recorded(story.slice(6, 7), id)[0]!;
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        wasClosed();
      }
    }
    const { app } = await doors({ engine: engineBut(lab.engine, { jobCount: 9, jobEvents }) });
    const port = await listening(app);
    const request = opened(port, { url: '/api/results?case=x' });
    onTestFinished(() => void request.client.destroy());
    await began;
    request.client.destroy();
    await closed;
    const before = read;
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(read).toBe(before);
  });
});

/** What each event says, in words: one table, of which all views are made. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { renderBarriers, renderJob } from '../../cli/pages/job-page.ts';
import { progress } from '../../cli/pages/progress.ts';
import { hangLines, textWidth } from '../../cli/pages/text.ts';
import { isWaitEnd, waitEnd } from '../../engine/wait-end.ts';
import type { DataOf, EventType, JobEvent, RecordedEvent } from '../../machines/events.ts';
import { schemas } from '../../machines/events.ts';
import { evolveJob, initialJob, type JobState } from '../../machines/job/job.ts';
import { barriersOf } from '../../projections/barriers.ts';
import { jobView } from '../../projections/job-view.ts';
import {
  details,
  newMemory,
  predicate,
  sentence,
  standing,
  type Tellable,
  tell,
} from '../../projections/telling.ts';
import { narrator } from '../../projections/timeline.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { importEvents } from '../../store/transfer.ts';
import { anyHistory, labOf, play } from '../machines/history.ts';
import { Lab } from '../machines/lab.ts';
import { assertHolds } from '../machines/runs.ts';
import { samples } from './samples.ts';

/** A stream that holds such events. */
function streamFor(type: EventType): string {
  if (type.startsWith('Device')) return 'device-a';
  if (type.startsWith('Worker')) return 'worker-w';
  return type === 'SubmissionReceived' ? 'submissions' : 'job-1';
}
const sample = (type: EventType): Tellable => ({
  stream: streamFor(type),
  type,
  data: samples[type],
});

describe('every type of event', () => {
  it.each(Object.keys(schemas) as EventType[])(
    'that there is has a sentence of its own with its subject and its reason: %s',
    (type) => {
      const data = samples[type];
      const telling = tell(sample(type), newMemory());
      const said = sentence(telling);
      expect(said).toMatch(/^[\x20-\x7e]{4,}$/);
      expect(said).not.toMatch(/undefined|null|NaN|object/);
      expect(said).toBe(`${telling.subject} ${predicate(telling)}`);
      if ('reason' in data && data.reason !== undefined) expect(said).toContain(data.reason);
      if ('member' in data && type !== 'JobFailed') expect(telling.subject).toBe(data.member);
    },
  );

  it('says something different from every other', () => {
    const types = Object.keys(schemas) as EventType[];
    const said = types.map((type) => sentence(tell(sample(type), newMemory())));
    expect(new Set(said).size).toBe(types.length);
  });
});

describe('the ends of a wait', () => {
  /** How an event tells of a `lava-sync ready` that a, b and c take part in. */
  function told(type: 'WaitTimedOut' | 'WaitUnreachable' | 'WaitAbandoned' | 'WaitReleased') {
    const memory = newMemory();
    const started: DataOf<'WaitStarted'> = {
      wait: 1,
      member: 'a',
      verb: 'sync',
      message: 'ready',
      round: 2,
      missingCount: 2,
      missing: ['b', 'c'],
    };
    tell({ stream: 'job-1', type: 'WaitStarted', data: started }, memory);
    const missing = [
      { member: 'b', role: 'r', state: 'booting', doing: 'boots for 12 s' },
      { member: 'c', role: 's', state: 'failed', doing: 'ended failed 3 s ago: no power' },
    ];
    const is = { wait: 1, member: 'a', missingCount: 2, missing };
    const data = {
      WaitTimedOut: { ...is, limit: 'action' },
      WaitUnreachable: { ...is, form: 'certain', cycle: ['a', 'b'] },
      WaitAbandoned: { wait: 1, member: 'a', why: 'connection-lost' },
      WaitReleased: { wait: 1, member: 'a', by: 'c' },
    }[type];
    return tell({ stream: 'job-1', type, data }, memory);
  }

  it('that failed say who is missing in one sentence, and then a line a member what it was last seen doing', () => {
    const timedOut = told('WaitTimedOut');
    expect([sentence(timedOut), ...details(timedOut)]).toEqual([
      'a timed out in lava-sync ready (round 2) (limit of the action): b, c are missing',
      'b (r): boots for 12 s',
      'c (s): ended failed 3 s ago: no power',
    ]);
    expect(sentence(told('WaitUnreachable'))).toBe(
      'a can never be released from lava-sync ready (round 2): b, c are missing; a, b wait for one another',
    );
    expect(timedOut).toMatchObject({ missingCount: 2, cycle: [], tone: 'bad', kind: 'wait-end' });
    expect(told('WaitUnreachable').cycle).toEqual(['a', 'b']);
  });

  it('have the same words where the wait is spoken of, and not the member', () => {
    expect(standing(told('WaitTimedOut'))[0]).toBe(
      'timed out (limit of the action): b, c are missing',
    );
    expect(standing(told('WaitUnreachable'))[0]).toMatch(/^can never be released: b, c/);
    expect(standing(told('WaitAbandoned'))).toEqual([
      'was given up: its connection broke and did not come back',
    ]);
    expect(standing(told('WaitReleased'))).toEqual(['is released: c came last']);
  });

  it('are the only ones that were given up, and that alone is what the words mean', () => {
    for (const type of Object.keys(schemas) as EventType[]) {
      const said = sentence(tell(sample(type), newMemory()));
      expect(/g[ai]ven? up/.test(said), said).toBe(type === 'WaitAbandoned');
    }
  });

  it('of a lava-wait that several could have released say that none has sent', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.wait('a', 'x');
    lab.pass(600);
    lab.do({ type: 'TimeOutAction', member: 'a', action: 0 });
    const lines = lab.events.map(narrator()).map(({ lines }) => lines[0]);
    expect(lines).toContain(
      'a timed out in lava-wait x (limit of the action): none of b, c has sent it',
    );
  });

  it('name four of many, and count the others', () => {
    const lab = new Lab(Array.from({ length: 40 }, (_, i) => `b${i}:r`).join(' '));
    lab.waitAll('b0', 'x');
    lab.pass(600);
    lab.do({ type: 'TimeOutAction', member: 'b0', action: 0 });
    const cutOff = lab.events.map(narrator()).find(({ lines }) => lines.length > 1);
    expect(cutOff?.lines[0]).toBe(
      'b0 timed out in lava-wait-all x (limit of the action): b1, b2, b3, b4 and 35 more are missing',
    );
    expect(cutOff?.lines).toHaveLength(18);
    expect(cutOff?.lines.at(-1)).toBe('and 23 more');
  });
});

describe('a memory', () => {
  it('forgets a wait that has ended and a job that is over', () => {
    const lab = new Lab('a:r b:r');
    lab.waitAll('a', 'x');
    const memory = newMemory();
    for (const event of lab.events) tell(event, memory);
    expect(memory.size).toBe(1);
    const hear = (act: () => void) => {
      const before = lab.events.length;
      act();
      for (const event of lab.events.slice(before)) tell(event, memory);
    };
    hear(() => lab.send('b', 'x'));
    expect(memory.size).toBe(0);
    hear(() => lab.waitAll('a', 'y'));
    hear(() => lab.do({ type: 'CancelJob', reason: 'enough' }));
    expect(memory.size).toBe(0);
  });
});

const page = (columns: number) => ({ columns, colors: picocolors.createColors(false) });

/** Every view of these events, with the width that it was laid out for. */
function* views(events: readonly RecordedEvent[]): Generator<[text: string, columns: number]> {
  const jobs = new Map<string, RecordedEvent<JobEvent>[]>();
  for (const columns of [60, 80, 120]) {
    const [say, follow] = [narrator(), progress(page(columns))];
    for (const event of events) {
      yield [hangLines('    1  2026-08-01 12:00:00  ', say(event).lines, columns), columns];
      yield [follow(event), columns];
    }
  }
  for (const event of events) {
    if (!event.stream.startsWith('job-')) continue;
    const of = jobs.get(event.stream) ?? [];
    of.push(event as RecordedEvent<JobEvent>);
    jobs.set(event.stream, of);
  }
  for (const [stream, of] of jobs) {
    yield [renderBarriers({ job: 1, barriers: barriersOf(of) }, page(80)), 80];
    let job = initialJob;
    for (const event of of) {
      job = evolveJob(job, event);
      yield [boardHears(job, event, of), Number.POSITIVE_INFINITY];
    }
    const number = Number(stream.slice(4));
    yield [renderJob(jobView(number, job, of.at(-1)?.meta.at ?? 0), [], page(80)), 80];
  }
}

/** The one line that a board hears when its wait ends so. */
function boardHears(job: JobState, event: JobEvent, of: readonly JobEvent[]): string {
  if (!isWaitEnd(event)) return '';
  const began = of.find((e) => e.type === 'WaitStarted' && e.data.wait === event.data.wait);
  if (began?.type !== 'WaitStarted') throw new Error(`wait ${event.data.wait} never began`);
  const end = waitEnd(job, began.data, event);
  if (end.status === 'ok') return end.note ?? '';
  expect(end.reason).not.toContain('\n');
  return end.reason;
}

function assertReads(events: readonly RecordedEvent[]): void {
  for (const [text, columns] of views(events)) {
    expect(text).not.toMatch(/undefined|NaN|\[object|null|\\u\{a\}/);
    for (const line of text.split('\n')) expect(textWidth(line), text).toBeLessThanOrEqual(columns);
  }
}

const folder = fileURLToPath(new URL('../histories/', import.meta.url));

describe('every view', () => {
  it.each(readdirSync(folder).filter((name) => name.endsWith('.jsonl')))(
    'of the recorded history %s says something of each event, never “undefined”, and keeps to its width',
    async (file) => {
      const store = openMemoryStore();
      await importEvents(store, `${folder}${file}`, 1, () => {});
      const events: RecordedEvent[] = [];
      for await (const event of store.readAll()) events.push(event);
      assertReads(events);
      const memory = newMemory();
      for (const event of events) expect(sentence(tell(event, memory))).not.toBe('');
    },
  );

  it('of any history does so', () =>
    assertHolds(anyHistory, ([group, ops]) => assertReads(play(labOf(group), ops).events), 30));
});

describe('a reason that is decided today', () => {
  it('is whole, and no other one that tells of a wait stands within it, in any history', () =>
    assertHolds(
      anyHistory,
      ([group, ops]) => {
        const { events } = play(labOf(group), ops);
        for (const { lines } of events.map(narrator())) {
          expect(lines.join('\n')).not.toMatch(/\.\.\.|still waiting/);
          for (const line of lines.slice(1))
            expect(line).not.toMatch(/ (is|are) missing| has sent/);
        }
      },
      600,
    ));
});

/** What answers say of a log that is damaged, newer or unfinished, of a large group, and of what is not there to be read. */
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { DiffView, WhatIfView } from '../../answers/compared-views.ts';
import { diffOf } from '../../answers/diff-view.ts';
import type { ConsoleReader, Evidence, RanSource } from '../../answers/evidence.ts';
import { explain } from '../../answers/explain/explain.ts';
import { Explanation } from '../../answers/explain/explanation.ts';
import { lastLine } from '../../answers/last-line.ts';
import { Moments } from '../../answers/moments.ts';
import { scriptLines } from '../../answers/script-lines.ts';
import { sourcesView } from '../../answers/sources.ts';
import { stateAt } from '../../answers/state-at.ts';
import { traceOf } from '../../answers/trace.ts';
import { StateView, TraceView } from '../../answers/views.ts';
import { whatIf } from '../../answers/what-if-view.ts';
import { bundleOf } from '../../api/bundle.ts';
import { openConsole } from '../../api/evidence.ts';
import { readBundle } from '../../cli/bundle-file.ts';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { readRecorded } from '../explain/recorded.ts';
import { scenarios } from '../explain/scenarios.ts';
import { Lab } from '../machines/lab.ts';
import { keptEvidence, newFolder, removeFolders } from './kept.ts';

afterAll(removeFolders);

type Answer = (evidence: Evidence) => Promise<unknown>;

/** What was written into a file, and read from it again. */
async function throughBundle(evidence: Evidence): Promise<Evidence> {
  const file = join(newFolder(), 'job.tar.gz');
  writeFileSync(file, await buffer(bundleOf(evidence, { version: '1', now: 0 })));
  return (await readBundle(file)).evidence;
}

/** Each of them checks what it gives by its own schema. */
const answers = {
  explain: async (of) => Explanation.parse(await explain(of)),
  replay: async ({ job, events }) => {
    const moments = new Moments(events);
    return StateView.parse(stateAt(job, moments, moments.count));
  },
  diff: async (of) => DiffView.parse(diffOf(of, of, false)),
  trace: async (of) => TraceView.parse(traceOf(of, of.events.at(-1)?.version ?? 0)),
  'what-if': async ({ job, events }) =>
    WhatIfView.parse(whatIf(job, events, { delay: [`${boardOf(events)}:1s`] })),
  bundle: throughBundle,
} satisfies Record<string, Answer>;

const boardOf = (events: readonly RecordedEvent<JobEvent>[]): string =>
  events.flatMap(({ type, data }) => (type === 'JobAllocated' ? data.members : []))[0]?.device ??
  '';

/** Two boards that meet, then one that fails while the other waits for it. */
function failedJob(): Lab {
  const lab = new Lab('a:server b:client');
  lab.sync('a', 'ready');
  lab.sync('b', 'ready');
  lab.send('a', 'up', 'ip=10.0.0.1');
  lab.wait('b', 'up');
  lab.wait('a', 'done');
  lab.fail('b');
  return lab;
}

const named = (recording: string): Evidence => {
  const found = scenarios.find(({ name }) => name === recording);
  if (found === undefined) throw new Error(recording);
  return readRecorded(readFileSync(found.recorded, 'utf8'));
};

describe('a log with a hole', () => {
  const HOLE = 9;
  let holed: Evidence;
  beforeAll(async () => {
    const damage = `DELETE FROM events WHERE version = ${HOLE}`;
    holed = await keptEvidence(failedJob().events, { damage });
  });

  test.each(['replay', 'diff', 'what-if'] as const)(
    'is refused by %s, with the event that is missing',
    async (name) => {
      await expect(answers[name](holed)).rejects.toMatchObject({
        code: 'unreadable-event',
        message: expect.stringContaining(`event ${HOLE} of the job is missing`),
      });
    },
  );

  it('is explained as far as it goes, and the answer says which event it did not see', async () => {
    const { unseen } = await answers.explain(holed);
    expect(unseen).toContain(`events ${HOLE} are not in the log that was read`);
  });

  it('is traced from events by their own numbers, before the hole and behind it', async () => {
    for (const { version, type } of holed.events)
      expect(traceOf(holed, version).event).toMatchObject({ event: version, type });
    expect(() => traceOf(holed, HOLE)).toThrow(`event ${HOLE} of job 1 is missing`);
  });

  it('makes a bundle that nobody takes for whole', async () => {
    await expect(throughBundle(holed)).rejects.toThrow(
      `event ${HOLE} of job 1 is not where it should be`,
    );
  });
});

describe('an event of a newer version', () => {
  const newer = `UPDATE events SET rest = '{"schema":999}' WHERE version = 9`;

  it('is not guessed at: no answer is made from a log that holds it', async () => {
    await expect(keptEvidence(failedJob().events, { damage: newer })).rejects.toThrow(
      /event 9 .*a newer version of Muster wrote it/,
    );
  });

  it('in a bundle is refused in the same words', async () => {
    const evidence = await keptEvidence(failedJob().events);
    const events = evidence.events.map((event) =>
      event.version === 9 ? { ...event, meta: { ...event.meta, schema: 999 } } : event,
    );
    await expect(throughBundle({ ...evidence, events })).rejects.toThrow(
      /event 9 .*a newer version of Muster wrote it/,
    );
  });
});

describe('a job that still runs', () => {
  const running = () => {
    const lab = new Lab('a:server b:client');
    lab.wait('b', 'up');
    return keptEvidence(lab.events);
  };

  it('is told of as one that has not ended', async () => {
    const evidence = await running();
    expect((await answers.explain(evidence)).failure).toBe('the job still runs');
    expect((await answers.replay(evidence)).job.state).toBe('allocated');
    const { equal, states, failure } = await answers.diff(evidence);
    expect([equal, states, failure]).toEqual([
      true,
      { good: 'allocated', bad: 'allocated' },
      undefined,
    ]);
    expect((await answers['what-if'](evidence)).outcome).toBe('unknown');
    expect((await answers.trace(evidence)).event.type).toBe('WaitStarted');
    expect((await throughBundle(evidence)).events).toEqual(evidence.events);
  });

  it('before it has boards has no conversation to change, and all else is told', async () => {
    const evidence = await keptEvidence(new Lab('a:r', { unbooted: true }).events.slice(0, 1));
    expect((await answers.explain(evidence)).failure).toBe('the job waits for boards');
    expect((await answers.replay(evidence)).boards).toEqual([]);
    expect((await answers.diff(evidence)).equal).toBe(true);
    await expect(answers['what-if'](evidence)).rejects.toMatchObject({ name: 'AnswerRefused' });
  });
});

describe('a group of 128', () => {
  const MEMBERS = 128;
  const LOST = 'b77';
  const names = Array.from({ length: MEMBERS }, (_, at) => `b${at}`);
  function meeting(lost: string | undefined): Lab {
    const lab = new Lab(names.map((name) => [name, 'node'] as const));
    for (const round of ['first', 'last'])
      for (const name of names)
        if (round === 'first' || name !== lost) lab.sync(name, round);
        else
          lab.do({
            type: 'FailMember',
            member: name,
            reason: 'the board is off',
            fault: 'board',
          });
    for (const name of names) if (name !== lost) lab.endAction(name);
    return lab;
  }

  it('is answered of by every command', async () => {
    const bad = await keptEvidence(meeting(LOST).events);
    const explained = await answers.explain(bad);
    expect(explained.culprit?.device).toBe(LOST);
    const state = await answers.replay(bad);
    expect([state.boards.length, state.barriers.length]).toEqual([MEMBERS, 2]);
    const good = { ...(await keptEvidence(meeting(undefined).events)), job: 2 };
    const { pairs, first } = DiffView.parse(diffOf(good, bad, false));
    expect([pairs.length, first?.boards.bad]).toEqual([MEMBERS, LOST]);
    const send = good.events.findLast(({ type }) => type === 'MessageSent')?.version ?? 0;
    expect(traceOf(good, send).effects.length).toBeGreaterThanOrEqual(MEMBERS);
    const { outcome, hangs } = whatIf(2, good.events, { drop: [String(send)] });
    expect([outcome, hangs.length]).toEqual(['failed', MEMBERS - 1]);
    expect(hangs[0]?.missing.join()).toContain(names.at(-1));
    expect((await throughBundle(bad)).events).toEqual(bad.events);
  });
});

describe('what ran', () => {
  const typo = () => named('arrived-with-another-id-typo');
  const withTexts = (evidence: Evidence, made: (text: string) => string): Evidence => ({
    ...evidence,
    sources: evidence.sources.map((source): RanSource => {
      const text = (digest: string) => {
        const is = source.text(digest);
        return is === undefined ? undefined : made(is);
      };
      return { ...source, text };
    }),
  });

  it('with ends of lines of DOS is found line by line, and shown without them', async () => {
    const plain = (await explain(typo())).culprit;
    const dos = withTexts(typo(), (text) => text.replaceAll('\n', '\r\n'));
    const { culprit, kind } = await explain(dos);
    expect([kind, culprit?.file, culprit?.line, culprit?.text]).toEqual([
      'arrived-with-another-id',
      plain?.file,
      plain?.line,
      plain?.text,
    ]);
    expect(
      scriptLines(dos)
        .lines.map(({ text }) => text)
        .join(),
    ).not.toContain('\r');
  });

  test.each([
    ['binary', '\u0000\u0001\uFFFD\u007FELF\u0000'.repeat(500)],
    [
      'of another language',
      '#!/usr/bin/env node\nconst { execSync } = require("child_process");\n',
    ],
    ['empty', ''],
  ])('that is %s names no line, and the cause is found all the same', async (_, text) => {
    const { kind, culprit } = Explanation.parse(await explain(withTexts(typo(), () => text)));
    expect(kind).toBe('arrived-with-another-id');
    expect(culprit?.role).toBe('server');
  });

  it('that is not there any more is said to be gone, by every answer that would show it', async () => {
    const lab = failedJob();
    const before = lab.events.findIndex(({ type }) => type === 'MessageSent');
    const source = { from: 'commands' } as const;
    const suite: JobEvent = {
      type: 'SuitePrepared',
      data: {
        member: 'a',
        action: 0,
        suite: '0_s',
        source,
        parameters: [],
        sources: 'f'.repeat(64),
      },
    };
    const first = lab.events[before] as RecordedEvent<JobEvent>;
    const events = [
      ...lab.events.slice(0, before),
      { ...first, ...suite, id: '11111111-1111-4111-8111-111111111111' } as RecordedEvent<JobEvent>,
      ...lab.events.slice(before),
    ];
    const evidence = await keptEvidence(events);
    expect(sourcesView(evidence).suites).toMatchObject([{ suite: '0_s', kept: false, files: [] }]);
    expect(scriptLines(evidence).lines).toEqual([]);
    expect((await answers.diff(evidence)).equal).toBe(true);
    expect((await answers.explain(evidence)).culprit?.line).toBeUndefined();
    expect(sourcesView(await throughBundle(evidence)).suites).toMatchObject([{ kept: false }]);
  });
});

describe('a console of 100 MB', () => {
  const BYTES = 100_000_000;
  const END = 'Kernel panic - not syncing: attempted to kill init!\n';
  /** A real file; what lies before its end takes no room on the disk. */
  function largeConsole(folder: string, device: string): void {
    const file = openSync(join(folder, device), 'w');
    ftruncateSync(file, BYTES - END.length);
    writeSync(file, END, BYTES - END.length);
    closeSync(file);
  }
  const counted = (reader: ConsoleReader, read: number[]): ConsoleReader => ({
    bytes: reader.bytes,
    read: async (from, to) => {
      const bytes = await reader.read(from, to);
      read.push(bytes.length);
      return bytes;
    },
    timeAt: (offset) => reader.timeAt(offset),
    offsetAt: (time) => reader.offsetAt(time),
  });
  /** Bytes that this process has read by now, as the kernel counts them. */
  const readByNow = () => Number(/^rchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);

  it('is read at its end alone, by explain and for the last line of a board', async () => {
    const folder = newFolder();
    for (const device of ['a', 'b']) largeConsole(folder, device);
    const evidence = await keptEvidence(failedJob().events, { folder });
    const read: number[] = [];
    const before = readByNow();
    const console = (device: string) => counted(evidence.console(device), read);
    await explain({ ...evidence, console });
    expect((await lastLine(console('b')))?.text).toBe(END.trim());
    const all = read.reduce((sum, bytes) => sum + bytes, 0);
    expect(all).toBeGreaterThan(END.length);
    expect(all).toBeLessThan(BYTES / 100);
    expect(readByNow() - before).toBeLessThan(BYTES / 10);
  });

  it('goes into a bundle piece by piece, none of them large, and is whole in it', async () => {
    const folder = newFolder();
    largeConsole(folder, 'a');
    const evidence = await keptEvidence(failedJob().events, { folder });
    const read: number[] = [];
    const reader = counted(openConsole(join(folder, 'a')), read);
    const bundled = await throughBundle({
      ...evidence,
      console: (device) => (device === 'a' ? reader : evidence.console(device)),
    });
    expect(Math.max(...read)).toBeLessThan(1_000_000);
    expect(read.reduce((sum, bytes) => sum + bytes, 0)).toBe(BYTES);
    expect(bundled.console('a').bytes).toBe(BYTES);
    expect((await lastLine(bundled.console('a')))?.text).toBe(END.trim());
  });
});

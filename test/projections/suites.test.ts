/** What the results say beside cases: suites, what was expected, measurements, what could not be read, files. */
import { describe, expect, it } from 'vitest';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { placeNames } from '../../projections/result-words.ts';
import { ResultsFold, resultsOf } from '../../projections/results.ts';
import { iso, ResultsView } from '../../projections/views.ts';
import { anyHistory, labOf, play } from '../machines/history.ts';
import { Lab } from '../machines/lab.ts';
import { assertHolds } from '../machines/runs.ts';
import { START } from '../machines/spec.ts';

const results = (lab: Lab) => resultsOf(lab.events);
const say = (lab: Lab, member: string, name: string, more: object = {}) =>
  lab.do({ type: 'RecordResult', member, case: name, result: 'pass', ...more });
const prepare = (lab: Lab, suite: string, expected?: string[]) =>
  lab.do({
    type: 'PrepareSuite',
    member: 'a',
    action: 0,
    suite,
    definition: 'smoke',
    source: { from: 'git', repository: 'https://host/x', commit: 'c0ffee', path: 'a.yaml' },
    parameters: [],
    ...(expected && { expected }),
  });
const start = (lab: Lab, suite: string) => lab.do({ type: 'StartSuite', member: 'a', suite });
const end = (lab: Lab, suite: string) => lab.do({ type: 'EndSuite', member: 'a', suite });
const suites = (lab: Lab) => results(lab).suites.map((s) => `${s.device} ${s.suite} ${s.state}`);
/** `case result (note)` */
const lines = (lab: Lab) =>
  results(lab).cases.map((c) => `${c.case} ${c.result}${c.note ? ` (${c.note})` : ''}`);

/** A log as an older version wrote it: what decides today would not record it so. */
function recorded(...events: JobEvent[]): RecordedEvent[] {
  const meta = { at: START, actor: 'board:a', causationId: 'c', correlationId: 'job-1' };
  return events.map((event, n) => ({
    ...event,
    id: `e${n}`,
    meta,
    stream: 'job-1',
    version: n + 1,
    position: n + 1,
  }));
}

describe('suites', () => {
  it('that ran are named, also those without a case, in the order of the log', () => {
    const lab = new Lab('a:r b:r');
    for (const suite of ['0_first', '1_silent', '2_third']) {
      start(lab, suite);
      if (suite !== '1_silent') say(lab, 'a', 'one');
      end(lab, suite);
    }
    expect(suites(lab)).toEqual(['a 0_first ended', 'a 1_silent ended', 'a 2_third ended']);
    expect(results(lab).suites[1]?.summary).toEqual({ pass: 0, fail: 0, skip: 0, unknown: 0 });
  });

  it('say where they came from, when they ran and what counts in them', () => {
    const lab = new Lab('a:r');
    prepare(lab, '0_smoke');
    lab.pass(1);
    start(lab, '0_smoke');
    say(lab, 'a', 'x', { result: 'fail' });
    say(lab, 'a', 'x');
    say(lab, 'a', 'y', { result: 'skip' });
    lab.pass(1);
    end(lab, '0_smoke');
    expect(results(lab).suites).toEqual([
      {
        device: 'a',
        role: 'r',
        suite: '0_smoke',
        definition: 'smoke',
        source: { from: 'git', repository: 'https://host/x', commit: 'c0ffee', path: 'a.yaml' },
        state: 'ended',
        startedAt: iso(START + 1000),
        endedAt: iso(START + 2000),
        summary: { pass: 1, fail: 0, skip: 1, unknown: 0 },
      },
    ]);
  });

  it('that are prepared or run are told from those that their member ended before', () => {
    const lab = new Lab('a:r b:r');
    prepare(lab, '0_one');
    prepare(lab, '1_two');
    start(lab, '0_one');
    expect(suites(lab)).toEqual(['a 0_one running', 'a 1_two prepared']);
    lab.fail('a');
    expect(suites(lab)).toEqual(['a 0_one cutOff', 'a 1_two notRun']);
  });

  it('that nobody announced are named where a case came for them', () => {
    const lab = new Lab('a:r b:r');
    lab.send('b', 'x');
    say(lab, 'a', 'y', { suite: '7_odd' });
    expect(suites(lab)).toEqual(['b lava undefined', 'a 7_odd undefined']);
  });

  it('of the same name on two boards are two', () => {
    const lab = new Lab('a:r b:r');
    for (const member of ['a', 'b']) lab.do({ type: 'StartSuite', member, suite: '0_same' });
    expect(suites(lab)).toEqual(['a 0_same running', 'b 0_same running']);
  });
});

describe('cases that a definition expects', () => {
  it('and that did not come are failed ones once the suite has ended, not before', () => {
    const lab = new Lab('a:r');
    prepare(lab, '0_smoke', ['came', 'never-came', 'never-came']);
    start(lab, '0_smoke');
    say(lab, 'a', 'came');
    expect(lines(lab)).toEqual(['came pass']);
    end(lab, '0_smoke');
    say(lab, 'a', 'later', { suite: '1_other' });
    expect(lines(lab)).toEqual([
      'came pass',
      'never-came fail (expected, and did not come)',
      'later pass',
    ]);
    expect(results(lab).summary).toEqual({ pass: 2, fail: 1, skip: 0, unknown: 0 });
    expect(results(lab).suites[0]?.expected).toEqual(['came', 'never-came']);
  });

  it('fail when their member ended, in a suite that ran as in one that did not', () => {
    const lab = new Lab('a:r b:r');
    prepare(lab, '0_one', ['x']);
    prepare(lab, '1_two', ['y']);
    start(lab, '0_one');
    lab.fail('a');
    expect(results(lab).cases.map((c) => `${c.suite} ${c.case} ${c.result}`)).toEqual([
      '0_one x fail',
      '1_two y fail',
    ]);
  });

  it('that come after the end of their suite came: a console is read behind the board', () => {
    const lab = new Lab('a:r');
    prepare(lab, '0_smoke', ['slow']);
    start(lab, '0_smoke');
    end(lab, '0_smoke');
    say(lab, 'a', 'slow', { suite: '0_smoke' });
    lab.endAction('a');
    expect(lines(lab)).toEqual(['slow pass']);
  });

  it('came in a set too, and not in another suite', () => {
    const lab = new Lab('a:r');
    prepare(lab, '0_one', ['x', 'y']);
    start(lab, '0_one');
    say(lab, 'a', 'x', { set: 's' });
    say(lab, 'a', 'y', { suite: '1_two' });
    end(lab, '0_one');
    expect(lines(lab)).toEqual(['x pass', 'y pass', 'y fail (expected, and did not come)']);
  });

  it('make the others unexpected, which is a note and no failure; calls of the API and steps are not', () => {
    const lab = new Lab('a:r b:r');
    prepare(lab, '0_one', ['x']);
    start(lab, '0_one');
    say(lab, 'a', 'x');
    say(lab, 'a', 'z', { note: 'status 3', result: 'skip' });
    say(lab, 'a', 'exit', { note: 'status 1', result: 'fail' });
    lab.send('a', 'hello');
    expect(lines(lab)).toEqual([
      'x pass',
      'z skip (status 3; not expected)',
      'exit fail (status 1)',
      'multinode-send-hello pass',
    ]);
  });

  it('are nobody’s where the definition lists none', () => {
    const lab = new Lab('a:r');
    prepare(lab, '0_one');
    start(lab, '0_one');
    say(lab, 'a', 'x');
    end(lab, '0_one');
    expect(lines(lab)).toEqual(['x pass']);
  });
});

describe('what was measured', () => {
  const old = (measurement: string, units?: string) =>
    resultsOf(
      recorded({
        type: 'ResultRecorded',
        data: {
          member: 'a',
          suite: 's',
          case: 'rate',
          result: 'pass',
          measurement,
          ...(units && { units }),
        },
      }),
    ).cases[0];

  it.each(['9.8MB/s', '', '1,5', '--units', '9.8 10.2 10.0', '1e999'])(
    'is nothing where an old log says %j, which the note says',
    (text) => {
      const is = old(text, 's');
      expect(is).not.toHaveProperty('measurement');
      expect(is).not.toHaveProperty('units');
      expect(is?.note).toContain(text);
      expect(is?.result).toBe('pass');
    },
  );

  it('is a number with its text', () => {
    expect(old('1.5e3', 'us')).toMatchObject({
      measurement: '1.5e3',
      value: 1500,
      units: 'us',
    });
  });
});

describe('the results of a job', () => {
  it('name the places of the group: the n-th of each role', () => {
    const lab = new Lab('a:client b:server c:client');
    const { members } = results(lab);
    expect([...placeNames(members)]).toEqual([
      ['a', 'client[0]'],
      ['b', 'server[0]'],
      ['c', 'client[1]'],
    ]);
  });

  it('say the address of a reference', () => {
    const lab = new Lab('a:r');
    say(lab, 'a', 'report', { note: 'https://host/a?b=c' });
    say(lab, 'a', 'words', { note: 'see https://host/a' });
    say(lab, 'a', 'odd', { note: 'http://[' });
    expect(results(lab).cases.map((c) => c.url)).toEqual([
      'https://host/a?b=c',
      undefined,
      undefined,
    ]);
  });

  it('list signals that could not be read as what they were, and the files that were handed in', () => {
    const lab = new Lab('a:r');
    const text = '<LAVA_SIGNAL_TESTCASE TEST_CA[  12.3] eth0: link up';
    lab.do({ type: 'NoteGarbledSignal', member: 'a', text });
    start(lab, '0_one');
    lab.do({ type: 'NoteGarbledSignal', member: 'a', text });
    const file = { member: 'a', name: 'dmesg.txt', bytes: 5, digest: 'd' } as const;
    lab.do({ type: 'KeepAttachment', ...file });
    const at = iso(START);
    const who = { device: 'a', role: 'r' };
    expect(results(lab).garbled).toEqual([
      { ...who, text, at },
      { ...who, suite: '0_one', text, at },
    ]);
    expect(results(lab).attachments).toEqual([
      { ...who, suite: '0_one', name: 'dmesg.txt', bytes: 5, digest: 'd', at },
    ]);
  });

  it('are what their schema says, whatever happened, and the same when they are asked for on the way', () =>
    assertHolds(
      anyHistory,
      ([group, ops]) => {
        const { events } = play(labOf(group), ops);
        const fold = new ResultsFold();
        for (const event of events) {
          fold.take(event);
          fold.results();
        }
        const whole = resultsOf(events);
        expect(fold.results()).toEqual(whole);
        expect(ResultsView.parse(whole)).toEqual(whole);
        for (const one of whole.cases)
          expect(whole.suites).toContainEqual(
            expect.objectContaining({ device: one.device, suite: one.suite }),
          );
      },
      100,
    ));

  it('of ten thousand cases in two hundred suites, all expected, are all there', () => {
    const events: JobEvent[] = [];
    for (let s = 0; s < 200; s++) {
      const names = Array.from({ length: 50 }, (_, n) => `case-${n}`);
      const suite = `${s}_suite`;
      events.push({
        type: 'SuitePrepared',
        data: {
          member: 'a',
          action: 0,
          suite,
          source: { from: 'inline' },
          parameters: [],
          expected: [...names, 'never'],
        },
      });
      events.push({ type: 'SuiteStarted', data: { member: 'a', suite } });
      for (const name of names)
        events.push({
          type: 'ResultRecorded',
          data: { member: 'a', suite, case: name, result: 'pass' },
        });
      events.push({ type: 'SuiteEnded', data: { member: 'a', suite } });
    }
    const { summary, suites: named } = resultsOf(recorded(...events));
    expect(summary).toEqual({ pass: 10_000, fail: 200, skip: 0, unknown: 0 });
    expect(named).toHaveLength(200);
  });
});

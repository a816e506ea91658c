/** Results whose names are as bad as names can be, and large ones. */
import type { JobResults } from '../../api/formats/by-suite.ts';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { resultsOf } from '../../projections/results.ts';
import { recorded, submitted } from '../cli/job-12.ts';

export const ODD_TEXTS = [
  'plain',
  'with blanks  and more',
  ' edge ',
  'quotes " and \' and <tags> & entities &amp;',
  ']]> <![CDATA[ -->',
  'two\nlines\r\nand\ttabs',
  'controls \u0000\u0001\u001b[31m\u007f\u0085\u009b',
  'halves \ud800 and \udfff, not characters \ufffe\uffff',
  'grüße 世界 😀 e\u0301 \u200f\u05d0 \u2028\u2029 \ufeff',
  '# not a directive # SKIP \\# TODO',
  'ok 3 - not a point',
  '1..9',
  'Bail out!',
  '---',
  '...',
  '=HYPERLINK("http://x")',
  '+1',
  '-1+cmd',
  '@SUM(A1)',
  '\uff1d1+1',
  'a,b;c',
  'no',
  '12:30',
  '0777',
  '~',
  '{}',
  '',
  '\\u{1b}',
] as const;

const member = (index: number, role: string) => ({ device: `panda0${index}`, role });

/** Every odd text as the name of a suite, a set, a case, units and a note, with every result. */
export function oddEvents(): JobEvent[] {
  const events: JobEvent[] = [
    submitted,
    {
      type: 'JobAllocated',
      data: {
        lease: 'l',
        members: [member(1, 'client'), member(2, 'server'), member(3, 'server')],
      },
    },
  ];
  const results = ['pass', 'fail', 'skip', 'unknown'] as const;
  for (const [at, text] of ODD_TEXTS.entries()) {
    const device = `panda0${1 + (at % 3)}`;
    const suite = `${at}_${text}`;
    events.push({ type: 'SuiteStarted', data: { member: device, suite, definition: text } });
    for (const result of results)
      events.push({
        type: 'ResultRecorded',
        data: {
          member: device,
          suite,
          set: text,
          case: `${text}${result}`,
          result,
          measurement: `${at}e21`,
          units: text,
          note: text,
        },
      });
    events.push(
      { type: 'SignalGarbled', data: { member: device, suite, text } },
      {
        type: 'AttachmentKept',
        data: { member: device, suite, name: text, bytes: at, digest: 'd'.repeat(64) },
      },
      { type: 'SuiteEnded', data: { member: device, suite } },
    );
  }
  return [...events, ...twiceAndNone()];
}

/** A case that came three times, a suite without a case, and one that never ran though a case is expected. */
export function twiceAndNone(): JobEvent[] {
  const [a, suite] = ['panda01', '90_twice'];
  const again = (result: 'pass' | 'fail'): JobEvent => ({
    type: 'ResultRecorded',
    data: { member: a, suite, case: 'again', result, note: 'a note' },
  });
  return [
    { type: 'SuiteStarted', data: { member: a, suite } },
    again('pass'),
    again('fail'),
    again('pass'),
    { type: 'SuiteEnded', data: { member: a, suite } },
    { type: 'SuiteStarted', data: { member: a, suite: '91_silent' } },
    { type: 'SuiteEnded', data: { member: a, suite: '91_silent' } },
    {
      type: 'SuitePrepared',
      data: {
        member: a,
        action: 0,
        suite: '92_never',
        source: { from: 'git', repository: 'https://h/x', commit: 'c0ffee', path: 'a&b.yaml' },
        parameters: [],
        expected: ['wanted'],
      },
    },
    { type: 'MemberFailed', data: { member: a, reason: 'the board <burned> & "died"' } },
  ];
}

/** Many of them. */
export function manyEvents(suites: number, casesOfEach: number): JobEvent[] {
  const events: JobEvent[] = [
    submitted,
    { type: 'JobAllocated', data: { lease: 'l', members: [member(1, 'client')] } },
  ];
  for (let s = 0; s < suites; s++) {
    const of = { member: 'panda01', suite: `${s}_suite` };
    events.push({ type: 'SuiteStarted', data: of });
    for (let c = 0; c < casesOfEach; c++)
      events.push({
        type: 'ResultRecorded',
        data: { ...of, case: `case-${c}`, result: 'pass', measurement: '93.5', units: 'Mbit/s' },
      });
    events.push({ type: 'SuiteEnded', data: of });
  }
  return events;
}

export function answered(
  events: readonly JobEvent[],
  is: Pick<JobResults, 'state' | 'reason'> = { state: 'complete' },
): JobResults {
  const log: RecordedEvent[] = recorded(events);
  return { job: 12, ...is, ...resultsOf(log) };
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rejected } from '../../machines/deciding.ts';
import { decideJob } from '../../machines/job/decide.ts';
import { bootOf, Lab } from './lab.ts';
import { counter, envAt, START } from './spec.ts';

const suite = { member: 'a', suite: '0_smoke' } as const;

/** A member whose shell answers. */
function shell(): Lab {
  const lab = new Lab('a:r', { unbooted: true });
  for (const step of bootOf('a')) lab.do(step);
  return lab;
}

describe('a suite', () => {
  it('that its board and its console tell of begins once and ends once', () => {
    const lab = shell();
    const types = (type: 'StartSuite' | 'EndSuite') =>
      lab.do({ type, ...suite }).map((e) => e.type);
    expect(types('StartSuite')).toEqual(['SuiteStarted']);
    expect(types('StartSuite')).toEqual([]);
    expect(types('EndSuite')).toEqual(['SuiteEnded']);
    expect(types('EndSuite')).toEqual([]);
    expect(types('StartSuite')).toEqual([]);
  });

  it('begins once and ends once, in order, however far its console is behind its board', () => {
    const told = Array.from({ length: 12 }, (_, n) => `${n}_t`).flatMap((name) => [
      { type: 'StartSuite', member: 'a', suite: name } as const,
      { type: 'EndSuite', member: 'a', suite: name } as const,
    ]);
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 48, maxLength: 48 }), (turns) => {
        const lab = shell();
        const left = [[...told], [...told]];
        const seen = turns.flatMap((isBoard) => {
          const next = left[isBoard ? 0 : 1]?.shift();
          return next === undefined ? [] : lab.do(next);
        });
        for (const next of left.flat()) seen.push(...lab.do(next));
        expect(seen.map(({ type, data }) => [type, (data as { suite: string }).suite])).toEqual(
          told.map(({ type, suite: name }) => [
            type === 'StartSuite' ? 'SuiteStarted' : 'SuiteEnded',
            name,
          ]),
        );
      }),
    );
  });

  it('that runs takes the files and the unreadable signals of its member', () => {
    const lab = shell();
    lab.do({ type: 'StartSuite', ...suite });
    const file = { member: 'a', name: 'dmesg', bytes: 5, digest: 'd' } as const;
    expect(lab.do({ type: 'KeepAttachment', ...file })[0]?.data).toEqual({
      ...file,
      suite: '0_smoke',
    });
    const signal = { member: 'a', text: '<LAVA_SIGNAL_' } as const;
    expect(lab.do({ type: 'NoteGarbledSignal', ...signal })[0]?.data).toEqual({
      ...signal,
      suite: '0_smoke',
    });
  });

  it('takes no file while a server on the log would not know what it is', () => {
    const lab = shell();
    const file = { type: 'KeepAttachment', member: 'a', name: 'x', bytes: 1, digest: 'd' } as const;
    const decided = decideJob(file, lab.state, { ...envAt(START, counter()), vocabulary: 1 });
    expect(decided).toBeInstanceOf(Rejected);
    expect(decided).toHaveProperty('code', 'too-new');
  });
});

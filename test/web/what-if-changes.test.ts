/** What the page offers at a place of a job is what the server takes; and what it comes to is said in a word. */
import { describe, expect, it } from 'vitest';
import { whatIf } from '../../answers/what-if-view.ts';
import { changesIn, flagsOf, offersAt, wordsOf } from '../../web/job/what-if-changes.ts';
import { verdictOf } from '../../web/job/what-if-verdict.ts';
import { foldOf, histories, jobsOf } from './histories.ts';

/** So many places of a job are tried. */
const PLACES = 12;

describe.each(histories)('at every place of %s that is tried', (name) => {
  const jobs = jobsOf(name)
    .map((events) => ({ events, fold: foldOf(events) }))
    .filter(({ fold }) => fold.lanes.length > 0);

  it('each offer is taken by the server, changes a lane that is there, and comes to a verdict', () => {
    for (const { events, fold } of jobs)
      for (let at = 0; at < events.length; at += Math.ceil(events.length / PLACES)) {
        const lane = Math.max(0, fold.laneOf[at] ?? 0);
        for (const { change, text } of offersAt(fold, lane, at)) {
          const view = whatIf(1, events, wordsOf([change]), true);
          expect(view.changes, text).toHaveLength(1);
          expect(view.events?.length).toBeGreaterThan(1);
          expect(flagsOf(fold, [change]), text).toHaveLength(1);
          expect(verdictOf(view).word, text).not.toBe('');
        }
      }
  });

  it('changes stand in the address as the server reads them, and are read back', () => {
    for (const { events, fold } of jobs)
      for (let at = 0; at < events.length; at += Math.ceil(events.length / PLACES)) {
        const changes = offersAt(fold, Math.max(0, fold.laneOf[at] ?? 0), at).map(
          ({ change }) => change,
        );
        const query = new URLSearchParams();
        for (const [kind, words] of Object.entries(wordsOf(changes)))
          for (const word of words) query.append(kind, word);
        const byText = (list: readonly object[]) => list.map((one) => JSON.stringify(one)).sort();
        expect(byText(changesIn(query))).toEqual(byText(changes));
      }
  });
});

describe('an address', () => {
  it('whose changes cannot be read has none', () => {
    const query = new URLSearchParams('delay=panda01&delay=@3:2s&drop=x&crash=panda01&crash=@');
    expect(changesIn(query)).toEqual([]);
  });
});

describe('the verdict', () => {
  const base = {
    hangs: [],
    beyond: [],
    members: [],
    recorded: { state: 'complete' as const, seconds: 1 },
  };
  const hang = [{ member: 'a', what: 'lava-wait x', missing: ['b: runs'] }];
  it.each([
    ['converges', { ...base, outcome: 'complete' as const }],
    ['hangs', { ...base, outcome: 'failed' as const, hangs: hang }],
    ['times out', { ...base, outcome: 'timedOut' as const, hangs: hang }],
    ['fails', { ...base, outcome: 'failed' as const }],
    ['nobody knows', { ...base, outcome: 'unknown' as const, beyond: [{ member: 'a', event: 3 }] }],
  ])('is that it %s', (word, is) => {
    expect(verdictOf(is).word).toBe(word);
  });
});

/** `stuckWaits` against its definition (SEMANTICS 2.1), by brute force over all subsets and by letting everybody send. */
import { describe, expect, it } from 'vitest';
import {
  began,
  type Conversation,
  type Group,
  heard,
  missing,
  releasable,
  silence,
} from '../../machines/job/conversation.ts';
import { type JobState, terminals } from '../../machines/job/job.ts';
import { type Stuck, stuckWaits } from '../../machines/job/unreachable.ts';
import type { OpenWait } from '../../machines/job/wait-list.ts';
import { anyHistory, type History, labOf, play } from './history.ts';
import { assertHolds, isCaught } from './runs.ts';

type Rule = typeof stuckWaits;

/** The same talk with these waits open. */
function withWaits(talk: Conversation, waits: readonly OpenWait[]): Conversation {
  const { pairCount } = talk;
  const topics = talk.topics.map((row) => row.map((few) => few.map((t) => ({ ...t, waits: [] }))));
  return waits.reduce(began, { ...silence, topics, pairCount });
}

const told = (stuck: readonly Pick<Stuck, 'wait' | 'form'>[]) =>
  stuck.map(({ wait, form }) => `wait ${wait.wait} ${form}`);

/** Whether a wait can only be released by members of whom `is` holds. */
function onlyBy(talk: Conversation, group: Group, wait: OpenWait, is: (m: number) => boolean) {
  const lacking = missing(talk, group, wait);
  return wait.verb === 'wait' ? lacking.every(is) : lacking.some(is);
}

/**
 * S by its definition: the union of all sets of blocked members of which every open wait can only be released by
 * members of the set or terminal ones.
 */
function byDefinition(
  talk: Conversation,
  group: Group,
  terminal: readonly boolean[],
): Pick<Stuck, 'wait' | 'form'>[] {
  const isDead = (m: number) => terminal[m] === true;
  const blocked = [...new Set(talk.waits.flat().map((w) => w.member))];
  const s = new Set<number>();
  for (let bits = 0; bits < 2 ** blocked.length; bits++) {
    const set = new Set(blocked.filter((_, i) => bits & (1 << i)));
    const theirs = talk.waits.flat().filter((w) => set.has(w.member));
    if (theirs.every((w) => onlyBy(talk, group, w, (m) => set.has(m) || isDead(m))))
      for (const m of set) s.add(m);
  }
  return talk.waits.flat().flatMap((wait): Pick<Stuck, 'wait' | 'form'>[] => {
    if (onlyBy(talk, group, wait, isDead)) return [{ wait, form: 'certain' }];
    return s.has(wait.member) ? [{ wait, form: 'deadlocked' }] : [];
  });
}

/**
 * The waits that stay open when every member that is not blocked sends everything, again and again, and whoever
 * is let go by any of its waits joins in. One that was let go is not stuck: another wait of its own counts only if
 * it misses somebody who has ended.
 */
function byPlaying(talk: Conversation, group: Group, terminal: readonly boolean[]): number[] {
  const rounds = Math.max(0, ...talk.waits.flat().map((w) => w.round));
  const ids = [...new Set(talk.waits.flat().map((w) => w.message))];
  const letGo = new Set<number>();
  for (let before = -1; before < talk.waits.flat().length; ) {
    for (const [m, isDead] of terminal.entries()) {
      const isBlocked = !letGo.has(m) && talk.waits.flat().some((w) => w.member === m);
      if (isDead || isBlocked) continue;
      for (const id of ids)
        for (let n = 0; n < rounds; n++) talk = heard(talk, terminal.length, m, id, []);
    }
    const released = ids.flatMap((id) => releasable(talk, group, id));
    for (const { member } of released) letGo.add(member);
    before = released.length > 0 ? -1 : talk.waits.flat().length;
    const open = talk.waits.flat().filter((w) => !released.includes(w));
    talk = withWaits(talk, open);
  }
  const isCertain = (w: OpenWait) => onlyBy(talk, group, w, (m) => terminal[m] === true);
  const stuck = talk.waits.flat().filter((w) => !letGo.has(w.member) || isCertain(w));
  return stuck.map((w) => w.wait);
}

/** Every state along a history, in which nothing stuck was ended yet. */
const inEveryState =
  (check: (job: JobState) => void) =>
  ([group, ops]: History): void => {
    play(
      labOf({ ...group, onUnreachable: 'wait', unbooted: false, actions: 'shell' }),
      ops,
      (lab) => check(lab.state),
    );
  };

const equalsDefinition = (rule: Rule) =>
  inEveryState(({ conversation, group, ...job }) => {
    const terminal = terminals({ conversation, group, ...job });
    expect(told(rule(conversation, group, terminal))).toEqual(
      told(byDefinition(conversation, group, terminal)),
    );
  });

const equalsPlaying = (rule: Rule) =>
  inEveryState(({ conversation, group, ...job }) => {
    const terminal = terminals({ conversation, group, ...job });
    const stuck = rule(conversation, group, terminal).map((s) => s.wait.wait);
    expect(stuck.sort((a, b) => a - b)).toEqual(byPlaying(conversation, group, terminal));
  });

const mutants: [string, Rule][] = [
  [
    'does not see who has ended',
    (talk, group, terminal) =>
      stuckWaits(
        talk,
        group,
        terminal.map(() => false),
      ),
  ],
  [
    'calls every deadlock certain',
    (talk, group, terminal) =>
      stuckWaits(talk, group, terminal).map((s) => ({ ...s, form: 'certain' as const })),
  ],
  [
    'takes one wait of a member for all of them',
    (talk, group, terminal) => {
      const last = new Map(talk.waits.flat().map((w) => [w.member, w]));
      const waits = [...last.values()].sort((a, b) => a.wait - b.wait);
      return stuckWaits(withWaits(talk, waits), group, terminal);
    },
  ],
  [
    'takes a lava-wait for a lava-wait-all',
    (talk, group, terminal) => {
      const waits = talk.waits
        .flat()
        .map((w): OpenWait => ({ ...w, verb: w.verb === 'wait' ? 'wait-all' : w.verb }));
      return stuckWaits(withWaits(talk, waits), group, terminal);
    },
  ],
  [
    'finds nothing but what is certain',
    (talk, group, terminal) =>
      stuckWaits(talk, group, terminal).filter((s) => s.form === 'certain'),
  ],
];

describe('the waits that are stuck', () => {
  it('are those of the definition, with every subset of the blocked members tried', () =>
    assertHolds(anyHistory, equalsDefinition(stuckWaits), 200));

  it.each(mutants)('are caught by the definition when the rule %s', (_, rule) =>
    isCaught(anyHistory, equalsDefinition(rule)),
  );

  it('are those that no sends of members who are not blocked can release', () =>
    assertHolds(anyHistory, equalsPlaying(stuckWaits), 200));

  it.each(mutants.filter(([name]) => !name.includes('certain')))(
    'are caught by playing on when the rule %s',
    (_, rule) => isCaught(anyHistory, equalsPlaying(rule)),
  );

  it('each come with those they lack, and a deadlock with a cycle of members that need one another', () =>
    assertHolds(
      anyHistory,
      inEveryState((job) => {
        const { conversation, group } = job;
        const stuck = stuckWaits(conversation, group, terminals(job));
        for (const { wait, form, lacking, cycle } of stuck) {
          expect(lacking).toEqual(missing(conversation, group, wait));
          if (form === 'certain') expect(cycle).toEqual([]);
          // Without a cycle the chain of those who need one another ends at a member that has ended.
          else expect(cycle.length > 0 || stuck.some((s) => s.form === 'certain')).toBe(true);
          const blocked = new Set(conversation.waits.flat().map((w) => w.member));
          for (const m of cycle) expect(blocked.has(m)).toBe(true);
          expect(cycle).toEqual([...cycle].sort((a, b) => a - b));
        }
      }),
      200,
    ));
});

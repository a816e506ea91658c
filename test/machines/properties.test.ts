/** What holds of every group and every history (DESIGN, invariants 4 and 5); each property catches its mutants. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  began,
  type Conversation,
  cacheLines,
  type Group,
  heard,
  isReleased,
  missing,
  type Question,
  releasable,
  silence,
} from '../../machines/job/conversation.ts';
import { decideJob } from '../../machines/job/decide.ts';
import { evolveJob, initialJob, isOver, type JobState, terminals } from '../../machines/job/job.ts';
import { deadlinesOf } from '../../machines/job/next.ts';
import { noTopics, topicOf, withTopic } from '../../machines/job/topics.ts';
import { stuckWaits } from '../../machines/job/unreachable.ts';
import type { OpenWait } from '../../machines/job/wait-list.ts';
import { anyHistory, type History, labOf, play } from './history.ts';
import { type Decide, type Evolve, Lab } from './lab.ts';
import { assertHolds, isCaught } from './runs.ts';

const ROLES = ['client', 'server', 'database'];

const anyTalkers: fc.Arbitrary<Group> = fc.record({
  roles: fc.array(fc.constantFrom(...ROLES), { minLength: 1, maxLength: 6 }),
  countsSelf: fc.boolean(),
});

const anyQuestion: fc.Arbitrary<Question> = fc
  .record({
    member: fc.nat(5),
    verb: fc.constantFrom('wait', 'wait-all', 'sync'),
    message: fc.constantFrom('x', 'y'),
    role: fc.option(fc.constantFrom(...ROLES)),
    round: fc.integer({ min: 1, max: 3 }),
  })
  .map((q) => ({
    ...q,
    role: q.verb === 'wait-all' ? q.role : null,
    round: q.verb === 'sync' ? q.round : 1,
  }));

const anySend = fc.record({
  member: fc.nat(5),
  id: fc.constantFrom('x', 'y'),
  pairs: fc.array(fc.tuple(fc.constantFrom('k', 'ip'), fc.constantFrom('1', '2', '3')), {
    maxLength: 2,
  }),
});
type Send = typeof anySend extends fc.Arbitrary<infer T> ? T : never;

const within = (group: Group, n: number) => n % group.roles.length;

function say(talk: Conversation, group: Group, { member, id, pairs }: Send): Conversation {
  return heard(talk, group.roles.length, within(group, member), id, pairs);
}

describe('a release is monotone', () => {
  type Rule = (talk: Conversation, group: Group, question: Question) => boolean;
  const rule: Rule = (talk, group, question) =>
    isReleased(group, question, missing(talk, group, question));

  const staysReleased =
    (is: Rule) =>
    ([group, drawn, sends]: [Group, Question, Send[]]): void => {
      const question = { ...drawn, member: within(group, drawn.member) };
      let talk = silence;
      let released = is(talk, group, question);
      for (const send of sends) {
        talk = say(talk, group, send);
        const now = is(talk, group, question);
        expect(now || !released, 'a released wait is no longer released').toBe(true);
        released = now;
      }
    };
  const anyTalk = fc.tuple(anyTalkers, anyQuestion, fc.array(anySend, { maxLength: 15 }));

  it('what has released a wait goes on releasing it, whatever follows', () =>
    assertHolds(anyTalk, staysReleased(rule), 1000));

  it('is caught when a round must be met exactly', () => {
    const exact: Rule = (talk, group, question) => {
      const counts = topicOf(talk.topics, question.message)?.counts ?? [];
      return group.roles.every((_, m) => m === question.member || counts[m] === question.round);
    };
    isCaught(anyTalk, staysReleased(exact));
  });

  it('is caught when a new send of anybody takes the old ones away', () => {
    const forgetful: Rule = (talk, group, question) =>
      rule(talk, group, question) && talk.pairCount % 3 < 2;
    isCaught(anyTalk, staysReleased(forgetful));
  });
});

describe('the waits that are released together', () => {
  type Rule = typeof releasable;
  const areThoseWhoseConditionIsMet =
    (rule: Rule) =>
    ([group, questions, sends]: [Group, Question[], Send[]]): void => {
      const waits = questions.map((question, i): OpenWait => {
        const member = within(group, question.member);
        const { verb, message, role, round } = question;
        const barrier = JSON.stringify([verb, message, role, round]);
        return { ...question, member, wait: i + 1, barrier, since: 0, resumed: 0, stuck: null };
      });
      let talk: Conversation = waits.reduce(began, silence);
      for (const send of sends) talk = say(talk, group, send);
      for (const id of ['x', 'y']) {
        const slow = waits.filter(
          (w) => w.message === id && isReleased(group, w, missing(talk, group, w)),
        );
        expect(rule(talk, group, id).map((w) => w.wait)).toEqual(slow.map((w) => w.wait));
      }
    };
  const anyWaits = fc.tuple(
    anyTalkers,
    fc.array(anyQuestion, { maxLength: 8 }),
    fc.array(anySend, { maxLength: 15 }),
  );

  it('are those whose own condition is met, though one look at the group serves all who ask the same', () =>
    assertHolds(anyWaits, areThoseWhoseConditionIsMet(releasable), 1000));

  it('are caught when a waiter is given the answer of another one that asks the same', () => {
    const shared: Rule = (talk, group, message) => {
      const answers = new Map<string, boolean>();
      return talk.waits.flat().filter((wait) => {
        if (wait.message !== message) return false;
        const own = isReleased(group, wait, missing(talk, group, wait));
        if (!answers.has(wait.barrier)) answers.set(wait.barrier, own);
        return answers.get(wait.barrier);
      });
    };
    isCaught(anyWaits, areThoseWhoseConditionIsMet(shared));
  });
});

describe('the order of commuting arrivals does not matter', () => {
  /** What one member does, in its own order; it syncs an id at most once, for a board blocks on it. */
  const anyScript = fc.array(
    fc.record({
      verb: fc.constantFrom('send', 'send', 'wait', 'waitAll', 'sync'),
      id: fc.constantFrom('x', 'y'),
      word: fc.constantFrom('k=1', 'k=2', 'ip=3'),
      role: fc.option(fc.constantFrom(...ROLES)),
    }),
    { maxLength: 5 },
  );
  type Script = typeof anyScript extends fc.Arbitrary<infer T> ? T : never;
  const anyOrders = fc
    .tuple(
      fc.array(fc.tuple(fc.constantFrom(...ROLES), anyScript), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
    )
    .chain(([members, countsSelf]) => {
      const turns = members.flatMap(([, script], m) => script.map(() => m));
      const order = fc.shuffledSubarray(turns, { minLength: turns.length });
      return fc.tuple(fc.constant(members), fc.constant(countsSelf), order, order);
    });

  /** Plays the scripts in one order of turns; tells each wait by its member and its place in the script. */
  function outcome(
    members: [string, Script][],
    countsSelf: boolean,
    turns: number[],
    decide: Decide,
  ) {
    const group = members.map(([role], m) => [`m${m}`, role] as const);
    const lab = new Lab(group, { countsSelf, decide });
    const roles = new Set(members.map(([role]) => role));
    const at = members.map(() => 0);
    const waits = new Map<string, number>();
    const synced = new Set<string>();
    for (const m of turns) {
      const line = members[m]![1][at[m]!++]!;
      const { id, role, word } = line;
      const verb = line.verb === 'sync' && synced.has(`${m} ${id}`) ? 'send' : line.verb;
      if (verb === 'sync') synced.add(`${m} ${id}`);
      if (verb === 'send') lab.send(`m${m}`, id, word);
      else {
        const words = verb === 'waitAll' && role !== null && roles.has(role) ? [id, role] : [id];
        waits.set(`m${m} line ${at[m]}`, lab[verb](`m${m}`, ...words));
      }
    }
    return [...waits]
      .map(([name, wait]) => {
        const isAll = lab.asked(wait).verb === 'wait-all';
        return { name, is: lab.is(wait), lines: isAll ? lab.cacheOf(wait).sort() : [] };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  const isTheSame =
    (decide: Decide) =>
    ([members, countsSelf, one, other]: [[string, Script][], boolean, number[], number[]]): void =>
      expect(outcome(members, countsSelf, one, decide)).toEqual(
        outcome(members, countsSelf, other, decide),
      );

  it('the same waits are released, and a wait-all reads the same lines', () =>
    assertHolds(anyOrders, isTheSame(decideJob), 400));

  it('is caught when only the last member of the group releases', () => {
    const byTheLast: Decide = (command, job, env) => {
      const events = decideJob(command, job, env);
      const last = job.members.at(-1)?.device;
      if (!Array.isArray(events) || command.type !== 'CallVerb' || command.member === last)
        return events;
      return events.filter((e) => e.type !== 'WaitReleased');
    };
    isCaught(anyOrders, isTheSame(byTheLast));
  });

  it('is caught when a send before the wait is not heard', () => {
    const deaf: Decide = (command, job, env) => {
      const waits = command.type === 'CallVerb' && command.verb.startsWith('wait');
      const conversation = waits ? { ...job.conversation, topics: noTopics } : job.conversation;
      return decideJob(command, { ...job, conversation }, env);
    };
    isCaught(anyOrders, isTheSame(deaf));
  });
});

type Rules = { decide?: Decide; evolve?: Evolve };

describe('exactly once', () => {
  const eachWaitEndsOnce =
    (rules: Rules = {}) =>
    ([group, ops]: History): void => {
      // The lab itself throws when a wait ends that is not open, or ends a second time.
      const lab = play(labOf(group, rules), ops);
      const started = lab.all('WaitStarted').map((w) => w.wait);
      expect(started).toEqual(started.map((_, i) => i + 1));
      const open = started.filter((wait) => lab.is(wait) === 'open');
      expect(lab.state.conversation.waits.flat().map((w) => w.wait)).toEqual(open);
      if (isOver(lab.state)) expect(open, 'open waits of a job that has ended').toEqual([]);
    };

  it('each wait ends once, and every wait of a job that has ended has ended', () =>
    assertHolds(anyHistory, eachWaitEndsOnce()));

  it('is caught when cancel forgets the waits', () => {
    const decide: Decide = (command, job, env) => {
      const events = decideJob(command, job, env);
      if (command.type !== 'CancelJob' || !Array.isArray(events)) return events;
      return events.filter((e) => e.type === 'JobCancelled');
    };
    isCaught(anyHistory, eachWaitEndsOnce({ decide }));
  });

  it('is caught when a wait is released twice', () => {
    const decide: Decide = (command, job, env) => {
      const events = decideJob(command, job, env);
      if (!Array.isArray(events)) return events;
      return [...events, ...events.filter((e) => e.type === 'WaitReleased')];
    };
    isCaught(anyHistory, eachWaitEndsOnce({ decide }));
  });
});

describe('every history', () => {
  const dropping =
    (type: string): Decide =>
    (command, job, env) => {
      const events = decideJob(command, job, env);
      return Array.isArray(events) ? events.filter((e) => e.type !== type) : events;
    };

  it('is decided without a throw, and what is decided is legal for evolve', () =>
    assertHolds(anyHistory, ([group, ops]) => void play(labOf(group), ops), 600));

  it('and that is caught when a member ends without its waits', () =>
    isCaught(anyHistory, ([group, ops]) => {
      play(labOf(group, { decide: dropping('WaitAbandoned') }), ops);
    }));

  /** The state is JSON: through a checkpoint or not, the fold is the same. */
  const foldsThroughJson =
    (evolve: Evolve) =>
    ([group, ops]: History): void => {
      const { events, state } = play(labOf(group), ops);
      let plain: JobState = initialJob;
      let stored: JobState = initialJob;
      for (const event of events) {
        plain = evolve(plain, event);
        stored = evolve(JSON.parse(JSON.stringify(stored)), JSON.parse(JSON.stringify(event)));
      }
      expect(isDeepStrictEqual(stored, plain)).toBe(true);
      expect(isDeepStrictEqual(JSON.parse(JSON.stringify(plain)), plain)).toBe(true);
      if (evolve === evolveJob) expect(isDeepStrictEqual(plain, state)).toBe(true);
    };

  it('folds to the same state through JSON after every event', () =>
    assertHolds(anyHistory, foldsThroughJson(evolveJob)));

  it('and that is caught when the state holds what JSON has no word for', () => {
    const withSet: Evolve = (job, event) => ({
      ...evolveJob(job, event),
      voided: new Set(['lease']) as never,
    });
    const withUndefined: Evolve = (job, event) => ({
      ...evolveJob(job, event),
      lease: event.type === 'JobSubmitted' ? (undefined as never) : job.lease,
    });
    isCaught(anyHistory, foldsThroughJson(withSet));
    isCaught(anyHistory, foldsThroughJson(withUndefined));
  });

  /** After every step, what is noted as stuck is what is stuck. */
  const notesWhatIsStuck =
    (rules: Rules = {}) =>
    ([group, ops]: History): void => {
      play(labOf(group, rules), ops, ({ state }) => {
        const { conversation } = state;
        const is = stuckWaits(conversation, state.group, terminals(state));
        const noted = conversation.waits
          .flat()
          .flatMap((w) => (w.stuck === null ? [] : [[w.wait, w.stuck.form]]));
        expect(noted).toEqual(is.map(({ wait, form }) => [wait.wait, form]));
        if (group.onUnreachable === 'fail')
          expect(is.filter((s) => s.form === 'certain')).toEqual([]);
      });
    };

  it('has noted after every step exactly the waits that are stuck, and ended the certain ones', () =>
    assertHolds(anyHistory, notesWhatIsStuck(), 600));

  it.each(['WaitStuck', 'WaitUnstuck', 'WaitUnreachable'])(
    'and that is caught without %s',
    (type) => isCaught(anyHistory, notesWhatIsStuck({ decide: dropping(type) })),
  );

  /** A deadline changes nothing before its time, and something at its time: no loop can spin on it. */
  const deadlinesAreTrue =
    (rules: Rules = {}) =>
    ([group, ops]: History): void => {
      play(labOf(group, rules), ops, (lab) => {
        for (const { command, due } of deadlinesOf(lab.state)) {
          const env = { now: due, newId: () => 'id', request: REQUEST };
          const decide = rules.decide ?? decideJob;
          expect(decide(command, lab.state, { ...env, now: due - 1 })).toEqual([]);
          expect(decide(command, lab.state, env)).not.toEqual([]);
        }
      });
    };

  it('has deadlines that change nothing early and something when they are due', () =>
    assertHolds(anyHistory, deadlinesAreTrue()));

  it('and that is caught when a broken deadlock keeps its deadline', () =>
    isCaught(anyHistory, deadlinesAreTrue({ decide: dropping('WaitUnstuck') })));

  it('and that is caught when a limit comes a second early', () => {
    const decide: Decide = (command, job, env) =>
      decideJob(command, job, { ...env, now: env.now + 1000 });
    isCaught(anyHistory, deadlinesAreTrue({ decide }));
  });
});

const REQUEST = { id: 'r', actor: 'engine:deadlines', correlationId: 'job-1' };

describe('cache lines', () => {
  /** Later wins, in the order in which the keys first came: the same as writing each pair into a Map. */
  const areAMap =
    (lines: typeof cacheLines) =>
    ([group, drawn, sends]: [Group, Question, Send[]]): void => {
      const question: Question = { ...drawn, member: within(group, drawn.member) };
      const members = group.roles.map((_, m) => ({ device: `m${m}` }));
      const cache = new Map<string, string>();
      let talk = silence;
      for (const send of sends) {
        talk = say(talk, group, send);
        const from = within(group, send.member);
        const self = from === question.member && !group.countsSelf;
        const counted = !self && (question.role === null || group.roles[from] === question.role);
        if (question.verb === 'sync' || send.id !== question.message || !counted) continue;
        for (const [key, value] of send.pairs)
          cache.set(question.verb === 'wait' ? key : `m${from}:${key}`, value);
      }
      expect(lines(talk, group, members, question)).toEqual(
        [...cache].map(([key, value]) => `${key}=${value}`),
      );
    };
  const anyTalk = fc.tuple(anyTalkers, anyQuestion, fc.array(anySend, { maxLength: 15 }));

  it('are what a map would hold into which each pair is written as it comes', () =>
    assertHolds(anyTalk, areAMap(cacheLines), 1000));

  it('are caught when they come in the order of the last values', () => {
    const byLast: typeof cacheLines = (talk, group, members, wait) => {
      const topic = topicOf(talk.topics, wait.message);
      if (topic === undefined) return [];
      const pairs = topic.pairs.map((said) => said.map((p) => ({ ...p, first: p.last })));
      const topics = withTopic(talk.topics, { ...topic, pairs });
      return cacheLines({ ...talk, topics }, group, members, wait);
    };
    isCaught(anyTalk, areAMap(byLast));
  });

  it('are caught when the first sender of a key wins', () => {
    const firstWins: typeof cacheLines = (talk, group, members, wait) => {
      const topic = topicOf(talk.topics, wait.message);
      if (topic === undefined) return [];
      const pairs = topic.pairs.map((said) => said.map((p) => ({ ...p, last: 1_000 - p.first })));
      const topics = withTopic(talk.topics, { ...topic, pairs });
      return cacheLines({ ...talk, topics }, group, members, wait);
    };
    isCaught(anyTalk, areAMap(firstWins));
  });
});

/** The conversation equals a dumb model of it, under random groups and commands; each mutant is caught. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WaitVerb } from '../../machines/events.ts';
import { decideJob } from '../../machines/job/decide.ts';
import { evolveJob, type JobState } from '../../machines/job/job.ts';
import { noTopics, topicOf, withTopic } from '../../machines/job/topics.ts';
import { type Decide, type Evolve, Lab } from './lab.ts';
import { Model, type ModelGroup } from './model.ts';
import { assertHolds, isCaught } from './runs.ts';

const IDS = ['ready', 'done', '__proto__'];
const name = (member: number) => `m${member}`;

/** One step on both sides; then both must be the same. */
abstract class Step implements fc.Command<Model, Lab> {
  protected readonly seed: number;
  constructor(seed: number) {
    this.seed = seed;
  }
  check(model: Model): boolean {
    return !model.over && model.isAlive(this.member(model));
  }
  run(model: Model, lab: Lab): void {
    this.both(model, lab, this.member(model));
    assertSame(model, lab);
  }
  protected member = (model: Model): number => this.seed % model.group.roles.length;
  protected abstract both(model: Model, lab: Lab, member: number): void;
}

class Send extends Step {
  readonly id: string;
  readonly pairs: string[];
  constructor(seed: number, id: string, pairs: string[]) {
    super(seed);
    this.id = id;
    this.pairs = pairs;
  }
  protected override both(model: Model, lab: Lab, member: number): void {
    model.send(member, this.id, this.pairs);
    lab.send(name(member), this.id, ...this.pairs);
  }
  override toString = () => `m${this.seed} sends ${this.id} ${this.pairs.join(' ')}`;
}

class Wait extends Step {
  readonly verb: WaitVerb;
  readonly id: string;
  readonly role: number | null;
  constructor(seed: number, verb: WaitVerb, id: string, role: number | null) {
    super(seed);
    this.verb = verb;
    this.id = id;
    this.role = role;
  }
  protected override both(model: Model, lab: Lab, member: number): void {
    const { roles } = model.group;
    const role =
      this.verb === 'wait-all' && this.role !== null ? roles[this.role % roles.length] : null;
    model.wait(member, this.verb, this.id, role ?? null);
    lab.call(name(member), this.verb, this.id, ...(role ? [role] : []));
  }
  override toString = () => `m${this.seed} lava-${this.verb} ${this.id} ${this.role ?? ''}`;
}

class Abandon extends Step {
  override check = (model: Model) => !model.over && model.open().length > 0;
  protected override both(model: Model, lab: Lab): void {
    const open = model.open();
    const wait = open[this.seed % open.length]!;
    model.abandon(wait);
    lab.do({
      type: 'AbandonWait',
      member: name(wait.member),
      wait: wait.number,
      why: 'verb-ended',
    });
  }
  override toString = () => `open wait ${this.seed} is abandoned`;
}

class Reboot extends Step {
  protected override both(model: Model, lab: Lab, member: number): void {
    model.reboot(member);
    lab.do({ type: 'StartBoot', member: name(member) });
    lab.do({ type: 'ConfirmBoot', member: name(member) });
  }
  override toString = () => `m${this.seed} boots anew`;
}

class Finish extends Step {
  protected override both(model: Model, lab: Lab, member: number): void {
    model.finish(member);
    lab.endAction(name(member));
  }
  override toString = () => `m${this.seed} ends its action`;
}

class Burn extends Step {
  protected override both(model: Model, lab: Lab, member: number): void {
    model.burn(member);
    lab.fail(name(member));
  }
  override toString = () => `m${this.seed} fails`;
}

class Look extends Step {
  override check = (model: Model) => !model.over;
  protected override both(model: Model, lab: Lab): void {
    model.now += this.seed * 1000;
    lab.pass(this.seed);
    model.look();
    lab.do({ type: 'EndUnreachable' });
  }
  override toString = () => `${this.seed} s pass, somebody looks`;
}

function assertSame(model: Model, lab: Lab): void {
  const { conversation, members, state } = lab.state;
  expect(conversation.waits.flat().map((w) => w.wait)).toEqual(model.open().map((w) => w.number));
  for (const wait of model.waits) {
    expect(lab.is(wait.number), `wait ${wait.number}`).toBe(wait.end ?? 'open');
    expect(lab.asked(wait.number).round, `round of wait ${wait.number}`).toBe(wait.round);
    expect(lab.lines(wait.number), `lines of wait ${wait.number}`).toEqual(wait.lines);
  }
  expect(lab.stuck()).toEqual(model.stuck());
  for (const [m, member] of members.entries()) {
    const waits = model.open().some((w) => w.member === m);
    const ended = model.ended.get(m);
    if (ended !== undefined) expect(member.state).toBe(ended);
    else expect(member.state === 'waiting', `m${m} ${member.state}`).toBe(waits);
  }
  const ends = [...model.ended.values()];
  if (!model.over) expect(state).toBe('allocated');
  else expect(state).toBe(ends.every((end) => end === 'complete') ? 'complete' : 'failed');
}

const seeds = fc.nat(5);
const id = fc.constantFrom(...IDS);
const pairs = fc.array(fc.constantFrom('k=1', 'k=2', 'ip=3', 'ip=4'), { maxLength: 2 });
const verbs = fc.constantFrom<WaitVerb>('wait', 'wait-all', 'sync');
const role = fc.option(fc.nat(5));

const steps = fc.commands(
  [
    fc.tuple(seeds, id, pairs).map((drawn) => new Send(...drawn)),
    fc.tuple(seeds, verbs, id, role).map((drawn) => new Wait(...drawn)),
    fc.tuple(seeds, verbs, id, role).map((drawn) => new Wait(...drawn)),
    seeds.map((seed) => new Abandon(seed)),
    seeds.map((seed) => new Reboot(seed)),
    seeds.map((seed) => new Finish(seed)),
    seeds.map((seed) => new Burn(seed)),
    fc.constantFrom(0, 10, 30, 40).map((seconds) => new Look(seconds)),
  ],
  { maxCommands: 40, size: 'max' },
);

const groups: fc.Arbitrary<ModelGroup> = fc.record({
  roles: fc.array(fc.constantFrom('client', 'server', 'database'), { minLength: 1, maxLength: 6 }),
  countsSelf: fc.boolean(),
});

const equalsTheModel =
  (decide: Decide = decideJob, evolve: Evolve = evolveJob) =>
  ([group, drawn]: [ModelGroup, Iterable<fc.Command<Model, Lab>>]): void => {
    const { countsSelf } = group;
    const members = group.roles.map((of, m) => [name(m), of] as const);
    fc.modelRun(
      () => ({ model: new Model(group), real: new Lab(members, { countsSelf, decide, evolve }) }),
      drawn,
    );
  };

const anyRun = fc.tuple(groups, steps);

/** The rules as they are, in a world that was tampered with. */
const seeing =
  (tamper: (job: JobState, type: string) => JobState): Decide =>
  (command, job, env) =>
    decideJob(command, tamper(job, command.type === 'CallVerb' ? command.verb : ''), env);

const without =
  (type: string): Decide =>
  (command, job, env) => {
    const decision = decideJob(command, job, env);
    return Array.isArray(decision) ? decision.filter((e) => e.type !== type) : decision;
  };

const mutants: [string, Decide, Evolve?][] = [
  [
    'the self scope turned around',
    seeing((job) => ({ ...job, group: { ...job.group, countsSelf: !job.group.countsSelf } })),
  ],
  [
    'a retried sync that is a new round',
    seeing((job) => ({ ...job, members: job.members.map((m) => ({ ...m, unreleasedSyncs: {} })) })),
  ],
  [
    'a wait that hears only what comes after it',
    seeing((job, verb) =>
      verb.startsWith('wait')
        ? { ...job, conversation: { ...job.conversation, topics: noTopics } }
        : job,
    ),
  ],
  ['an unreachable wait that nobody ends', without('WaitUnreachable')],
  ['a deadlock that nobody notes', without('WaitStuck')],
  ['a broken deadlock that nobody notes', without('WaitUnstuck')],
  [
    'a failed wait that is forgotten',
    seeing((job) => ({ ...job, members: job.members.map((m) => ({ ...m, failing: null })) })),
  ],
  [
    'a first value that wins over later ones',
    decideJob,
    (job, event) => {
      const next = evolveJob(job, event);
      if (event.type !== 'MessageSent') return next;
      const before = topicOf(job.conversation.topics, event.data.message)?.pairs;
      const topic = topicOf(next.conversation.topics, event.data.message);
      if (before === undefined || topic === undefined) return next;
      const pairs = topic.pairs.map((said, m) => [
        ...(before[m] ?? []),
        ...said.slice(before[m]?.length ?? 0),
      ]);
      const topics = withTopic(next.conversation.topics, { ...topic, pairs });
      return { ...next, conversation: { ...next.conversation, topics } };
    },
  ],
];

describe('the conversation', () => {
  it('equals a dumb model, whatever the group and whatever it does', () =>
    assertHolds(anyRun, equalsTheModel(), 400));

  it.each(mutants)('and the model catches %s', (_, decide, evolve) =>
    isCaught(anyRun, equalsTheModel(decide, evolve)),
  );
});

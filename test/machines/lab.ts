/**
 * A job on the bench: a group that is allocated, booted and runs its action, driven by commands alone
 * (`decideJob`, then `evolveJob`), with every event kept as the store would keep it.
 */
import type { JobCommand } from '../../machines/commands.ts';
import { Rejected } from '../../machines/deciding.ts';
import type { Action, JobDefinition } from '../../machines/definition.ts';
import type { DataOf, JobEvent, NewEvent, RecordedEvent, Verb } from '../../machines/events.ts';
import { cacheLines } from '../../machines/job/conversation.ts';
import { decideJob } from '../../machines/job/decide.ts';
import { evolveJob, initialJob, type JobState, memberOf, placeOf } from '../../machines/job/job.ts';
import type { Member } from '../../machines/job/member.ts';
import { assertStorable, counter, envAt, START } from './spec.ts';

export type Decide = typeof decideJob;
export type Evolve = typeof evolveJob;
export type WaitOutcome = 'released' | 'timedOut' | 'unreachable' | 'abandoned';

/** A group as tests write it: `panda01:client panda02:server`, or as pairs of device and role. */
export type GroupText = string | readonly (readonly [device: string, role: string])[];

export const testShell = (over: Partial<Action> = {}): Action =>
  ({
    command: 'lava_test_shell',
    roles: null,
    timeoutSeconds: 600,
    parameters: { definitions: [{ from: 'url', url: 'http://host/x.yaml', parameters: [] }] },
    ...over,
  }) as Action;

export const deploy = (over: Partial<Action> = {}): Action =>
  ({
    command: 'deploy_linaro_image',
    roles: null,
    timeoutSeconds: 300,
    parameters: { image: 'host:' },
    ...over,
  }) as Action;

export const boot = (over: Partial<Action> = {}): Action =>
  ({
    command: 'boot_linaro_image',
    roles: null,
    timeoutSeconds: 300,
    parameters: {},
    ...over,
  }) as Action;

function pairsOf(group: GroupText): [string, string][] {
  if (typeof group !== 'string') return group.map(([device, role]) => [device, role]);
  return group.split(' ').map((word) => {
    const [device = '', role = ''] = word.split(':');
    return [device, role];
  });
}

/** A job of one shell action (600 s) within an hour, for these members. */
export function definitionOf(group: GroupText, over: Partial<JobDefinition> = {}): JobDefinition {
  const roles = [...new Set(pairsOf(group).map(([, role]) => role))];
  return {
    name: 'a job',
    form: 'json',
    countsSelf: false,
    priority: 50,
    timeoutSeconds: 3600,
    onUnreachable: 'fail',
    unreachableGraceSeconds: 30,
    roles: roles.map((role) => ({
      role,
      count: pairsOf(group).filter(([, of]) => of === role).length,
      deviceType: 'panda',
      tags: [],
    })),
    actions: [testShell()],
    ...over,
  };
}

export const submitOf = (definition: JobDefinition): JobCommand => ({
  type: 'SubmitJob',
  definition,
  document: '{}',
  short: [],
});

export const allocateOf = (group: GroupText, lease = 'lease-1'): JobCommand => ({
  type: 'AllocateJob',
  lease,
  members: pairsOf(group).map(([device, role]) => ({ device, role })),
});

/** Brings a member to the shell of its first action. */
export const bootOf = (member: string, action = 0): JobCommand[] => [
  { type: 'StartBoot', member },
  { type: 'ConfirmBoot', member },
  { type: 'StartAction', member, action },
];

export interface LabOptions extends Partial<JobDefinition> {
  /** The rule under test: a mutant goes here. */
  decide?: Decide;
  evolve?: Evolve;
  /** Leave the group allocated: nobody boots. */
  unbooted?: boolean;
}

export class Lab {
  now = START;
  state: JobState = initialJob;
  readonly events: RecordedEvent<JobEvent>[] = [];
  /** How each wait ended, with the cache lines that its board got. */
  readonly outcomes = new Map<number, { how: WaitOutcome; lines: string[] }>();
  readonly #decide: Decide;
  readonly #evolve: Evolve;
  readonly #id = counter();

  constructor(group: GroupText, options: LabOptions = {}) {
    const { decide, evolve, unbooted, ...over } = options;
    this.#decide = decide ?? decideJob;
    this.#evolve = evolve ?? evolveJob;
    this.do(submitOf(definitionOf(group, over)));
    this.do(allocateOf(group));
    if (unbooted) return;
    for (const [member] of pairsOf(group)) for (const step of bootOf(member)) this.do(step);
  }

  /** Decides and, unless rejected, records. */
  try(command: JobCommand): NewEvent<JobEvent>[] | Rejected {
    const decision = this.#decide(command, this.state, envAt(this.now, this.#id));
    if (decision instanceof Rejected) return decision;
    assertStorable(decision);
    for (const event of decision) {
      this.state = this.#evolve(this.state, event);
      const version = this.events.length + 1;
      this.events.push({ ...event, stream: 'job-1', version, position: version * 10 });
      this.#note(event);
    }
    return decision;
  }

  /** @throws when the command is rejected */
  do(command: JobCommand): NewEvent<JobEvent>[] {
    const decision = this.try(command);
    if (decision instanceof Rejected)
      throw new Error(`${command.type}: ${decision.code}: ${decision.reason}`);
    return decision;
  }

  pass(seconds: number): void {
    this.now += seconds * 1000;
  }

  call(member: string, verb: Verb, ...words: string[]): NewEvent<JobEvent>[] {
    return this.do({ type: 'CallVerb', member, verb, words });
  }

  send(member: string, ...words: string[]): NewEvent<JobEvent>[] {
    return this.call(member, 'send', ...words);
  }

  /** Each of these gives the number of the wait that it started. */
  wait = (member: string, ...words: string[]) => this.#started(member, 'wait', words);
  waitAll = (member: string, ...words: string[]) => this.#started(member, 'wait-all', words);
  sync = (member: string, ...words: string[]) => this.#started(member, 'sync', words);

  abandon(wait: number, why: 'verb-ended' | 'connection-lost' = 'verb-ended') {
    return this.do({ type: 'AbandonWait', member: this.asked(wait).member, wait, why });
  }

  endAction(member: string, outcome: 'ok' | 'failed' = 'ok', action = 0, reason?: string) {
    const why = reason === undefined ? {} : { reason };
    return this.do({ type: 'EndAction', member, action, outcome, ...why });
  }

  fail(member: string, reason = 'the board burned'): NewEvent<JobEvent>[] {
    return this.do({ type: 'FailMember', member, reason });
  }

  /** `open`, or how the wait ended. */
  is(wait: number): 'open' | WaitOutcome {
    this.asked(wait);
    return this.outcomes.get(wait)?.how ?? 'open';
  }

  /** The cache lines that the end of the wait gave. */
  lines(wait: number): string[] {
    return this.outcomes.get(wait)?.lines ?? [];
  }

  asked(wait: number): DataOf<'WaitStarted'> {
    const found = this.all('WaitStarted').find((data) => data.wait === wait);
    if (found === undefined) throw new Error(`there is no wait ${wait}`);
    return found;
  }

  /** The data of all events of a type so far. */
  all<T extends JobEvent['type']>(type: T): DataOf<T>[] {
    return this.events.flatMap((e) => (e.type === type ? [e.data as DataOf<T>] : []));
  }

  /** The data of the only event of a type. */
  only<T extends JobEvent['type']>(type: T): DataOf<T> {
    const found = this.all(type);
    const [first] = found;
    if (first === undefined || found.length > 1)
      throw new Error(`${found.length} events ${type}, not one`);
    return first;
  }

  member(device: string): Member {
    const found = memberOf(this.state, device);
    if (found === undefined) throw new Error(`${device} is no member`);
    return found;
  }

  /** The numbers of the open waits that are noted as stuck. */
  stuck(): number[] {
    return this.state.conversation.waits.flat().flatMap((w) => (w.stuck === null ? [] : [w.wait]));
  }

  #started(member: string, verb: Verb, words: string[]): number {
    this.call(member, verb, ...words);
    const refused = this.events.at(-1);
    if (refused?.type === 'RequestRefused') throw new Error(refused.data.reason);
    return this.state.conversation.waitCount;
  }

  #note(event: JobEvent): void {
    const how = outcomeOf[event.type];
    if (how === undefined || !('wait' in event.data)) return;
    const { wait } = event.data;
    if (this.outcomes.has(wait)) throw new Error(`wait ${wait} ended twice`);
    this.outcomes.set(wait, { how, lines: how === 'released' ? this.cacheOf(wait) : [] });
  }

  /** What a wait's board would read now. */
  cacheOf(wait: number): string[] {
    const asked = this.asked(wait);
    const question = {
      ...asked,
      member: placeOf(this.state, asked.member),
      role: asked.role ?? null,
    };
    const { conversation, group, members } = this.state;
    return cacheLines(conversation, group, members, question);
  }
}

const outcomeOf: Partial<Record<JobEvent['type'], WaitOutcome>> = {
  WaitReleased: 'released',
  WaitTimedOut: 'timedOut',
  WaitUnreachable: 'unreachable',
  WaitAbandoned: 'abandoned',
};

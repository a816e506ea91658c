/** Random histories of whole jobs: any command at any time, sensible or not, on a lab. */
import fc from 'fast-check';
import type { JobCommand } from '../../machines/commands.ts';
import { deadlinesOf } from '../../machines/job/next.ts';
import { boot, deploy, Lab, type LabOptions, testShell } from './lab.ts';

export interface AnyGroup {
  members: [device: string, role: string][];
  countsSelf: boolean;
  onUnreachable: 'fail' | 'wait';
  actions: 'shell' | 'two shells' | 'deploy, boot, shell';
  unbooted: boolean;
}

const anyGroup: fc.Arbitrary<AnyGroup> = fc.record({
  members: fc
    .array(fc.constantFrom('client', 'server', 'database'), { minLength: 1, maxLength: 6 })
    .map((roles) => roles.map((role, m): [string, string] => [`m${m}`, role])),
  countsSelf: fc.boolean(),
  onUnreachable: fc.constantFrom('fail', 'fail', 'wait'),
  actions: fc.constantFrom('shell', 'shell', 'two shells', 'deploy, boot, shell'),
  unbooted: fc.constantFrom(false, false, false, true),
});

/** One step of a history. `pick` chooses the member, the wait or the deadline among those there are. */
export interface Op {
  kind: (typeof kinds)[number];
  pick: number;
  id: string;
  word: string;
}

const kinds = [
  'send',
  'send',
  'wait',
  'wait-all',
  'sync',
  'sync',
  'abandon',
  'any abandon',
  'resume',
  'start action',
  'end action',
  'fail action',
  'start boot',
  'confirm boot',
  'fail',
  'raise',
  'suite',
  'result',
  'time passes',
  'a deadline',
  'look',
  'job timeout',
  'cancel',
] as const;

const anyOp: fc.Arbitrary<Op> = fc.record({
  kind: fc.constantFrom(...kinds),
  pick: fc.nat(99),
  id: fc.constantFrom('x', 'y', '__proto__'),
  word: fc.constantFrom('', 'k=1', 'k=2', 'ip=1', 'client', 'server', 'nobody', 'a b'),
});

export type History = [AnyGroup, Op[]];
export const anyHistory: fc.Arbitrary<History> = fc.tuple(
  anyGroup,
  fc.array(anyOp, { maxLength: 50, size: 'max' }),
);

const actionsOf = { shell: [testShell()], 'two shells': [testShell(), testShell()] };

export function labOf(group: AnyGroup, rules: Pick<LabOptions, 'decide' | 'evolve'> = {}): Lab {
  const { members, countsSelf, onUnreachable, unbooted } = group;
  if (group.actions !== 'deploy, boot, shell')
    return new Lab(members, {
      ...rules,
      countsSelf,
      onUnreachable,
      unbooted,
      actions: actionsOf[group.actions],
    });
  const actions = [deploy(), boot(), testShell()];
  return new Lab(members, { ...rules, countsSelf, onUnreachable, unbooted: true, actions });
}

/** Plays a history; what is rejected is passed over. `look` sees the lab after every step. */
export function play(
  lab: Lab,
  ops: readonly Op[],
  look: (lab: Lab) => void = () => undefined,
): Lab {
  for (const op of ops) {
    const command = commandOf(lab, op);
    if (command !== undefined) lab.try(command);
    look(lab);
  }
  return lab;
}

const nth = <T>(items: readonly T[], pick: number): T | undefined => items[pick % items.length];

function commandOf(lab: Lab, { kind, pick, id, word }: Op): JobCommand | undefined {
  const { members, conversation } = lab.state;
  const is = nth(members, pick);
  if (is === undefined) return undefined;
  const { device: member } = is;
  const open = nth(conversation.waits.flat(), pick);
  const words = word === '' ? [id] : [id, word];
  const running = is.action?.index ?? 0;
  switch (kind) {
    case 'send':
      return { type: 'CallVerb', member, verb: kind, words };
    case 'wait':
    case 'sync':
      return { type: 'CallVerb', member, verb: kind, words: [id] };
    case 'wait-all': {
      const role = word.includes('=') ? [] : words.slice(1);
      return { type: 'CallVerb', member, verb: kind, words: [id, ...role] };
    }
    case 'abandon': {
      const owner = members[open?.member ?? -1]?.device;
      if (open === undefined || owner === undefined) return undefined;
      return { type: 'AbandonWait', member: owner, wait: open.wait, why: 'verb-ended' };
    }
    case 'resume':
      return { type: 'ResumeWait', member, wait: open?.wait ?? 1 };
    case 'any abandon':
      return { type: 'AbandonWait', member, wait: 1 + (pick % 7), why: 'connection-lost' };
    case 'start action':
      return { type: 'StartAction', member, action: is.actionsDone };
    case 'end action':
      return { type: 'EndAction', member, action: running, outcome: 'ok' };
    case 'fail action':
      return { type: 'EndAction', member, action: running, outcome: 'failed', reason: 'it broke' };
    case 'start boot':
      return { type: 'StartBoot', member };
    case 'confirm boot':
      return { type: 'ConfirmBoot', member };
    case 'fail': {
      const fault = pick % 3 === 0 ? { fault: 'board' as const } : {};
      return { type: 'FailMember', member, reason: 'burned', ...fault };
    }
    case 'raise':
      return { type: 'RaiseMember', member, reason: 'no disk' };
    case 'suite':
      return { type: pick % 2 === 0 ? 'StartSuite' : 'EndSuite', member, suite: id };
    case 'result':
      return { type: 'RecordResult', member, case: id, result: 'pass' };
    case 'time passes':
      lab.pass(pick);
      return undefined;
    case 'a deadline': {
      const deadline = nth(deadlinesOf(lab.state), pick);
      if (deadline === undefined) return undefined;
      // Every fourth comes early.
      if (pick % 4 > 0) lab.now = Math.max(lab.now, deadline.due);
      return deadline.command;
    }
    case 'look':
      return { type: 'EndUnreachable' };
    case 'job timeout':
      return { type: 'TimeOutJob', limit: 'job' };
    case 'cancel':
      return pick % 5 === 0 ? { type: 'CancelJob', reason: 'enough' } : undefined;
  }
}

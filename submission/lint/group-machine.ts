/** A group on the machines (machines/job): the same rules as on a server, without boards, and time stands still. */
import type { JobCommand } from '../../machines/commands.ts';
import { Rejected } from '../../machines/deciding.ts';
import type { JobDefinition } from '../../machines/definition.ts';
import type { JobEvent, RefusalCode, Verb } from '../../machines/events.ts';
import { isReleased, missing } from '../../machines/job/conversation.ts';
import { decideJob } from '../../machines/job/decide.ts';
import { evolveJob, initialJob, type JobState } from '../../machines/job/job.ts';
import type { OpenWait } from '../../machines/job/wait-list.ts';

export interface Answer {
  /** The wait that it began, where it was not released at once. */
  readonly blockedOn: number | null;
  readonly refused: { readonly code: RefusalCode; readonly reason: string } | null;
  /** Waits of others that it released. */
  readonly released: readonly number[];
}

const NOW = 1_000;
const deviceOf = (member: number): string => `m${member}`;

export class GroupMachine {
  #state: JobState = initialJob;
  #ids = 0;

  /** @param roles of the members, in `lava-group` order */
  constructor(definition: Pick<JobDefinition, 'countsSelf' | 'roles'>, roles: readonly string[]) {
    const action = { command: 'lava_command_run', roles: null, timeoutSeconds: 1_000 } as const;
    this.#run({
      type: 'SubmitJob',
      definition: {
        name: 'lint',
        form: 'json',
        countsSelf: definition.countsSelf,
        priority: 0,
        timeoutSeconds: 1_000,
        onUnreachable: 'wait',
        unreachableGraceSeconds: 0,
        // How a member ends is not what is asked here.
        roles: definition.roles.map(({ essential: _, ...role }) => role),
        actions: [{ ...action, parameters: { commands: [':'] } }],
      },
      document: '',
      short: [],
    });
    const members = roles.map((role, member) => ({ device: deviceOf(member), role }));
    this.#run({ type: 'AllocateJob', lease: 'l', members });
    for (const { device: member } of members) {
      this.#run({ type: 'StartBoot', member });
      this.#run({ type: 'ConfirmBoot', member });
      this.#run({ type: 'StartAction', member, action: 0 });
    }
  }

  #run(command: JobCommand): readonly JobEvent[] {
    const newId = () => {
      this.#ids += 1;
      return String(this.#ids);
    };
    const request = { id: '', actor: 'lint', correlationId: '' };
    const events = decideJob(command, this.#state, { now: NOW, newId, request });
    if (events instanceof Rejected) return [];
    for (const event of events) this.#state = evolveJob(this.#state, event);
    return events;
  }

  call(member: number, verb: Verb, words: readonly string[]): Answer {
    const events = this.#run({
      type: 'CallVerb',
      member: deviceOf(member),
      verb,
      words: [...words],
    });
    let blockedOn: number | null = null;
    let refused: Answer['refused'] = null;
    const released: number[] = [];
    for (const { type, data } of events) {
      if (type === 'WaitStarted') blockedOn = data.wait;
      else if (type === 'RequestRefused') refused = data;
      else if (type === 'WaitReleased') {
        if (data.wait === blockedOn) blockedOn = null;
        else released.push(data.wait);
      }
    }
    return { blockedOn, refused, released };
  }

  /** A verb that was killed. */
  abandon(member: number, wait: number): void {
    this.#run({ type: 'AbandonWait', member: deviceOf(member), wait, why: 'verb-ended' });
  }

  raise(member: number): void {
    this.#run({ type: 'RaiseMember', member: deviceOf(member), reason: '' });
  }

  open(): readonly OpenWait[] {
    return this.#state.conversation.waits.flat();
  }

  lacking(wait: OpenWait): readonly number[] {
    return missing(this.#state.conversation, this.#state.group, wait);
  }

  /** Whether a wait would be released now. */
  isHeard(wait: OpenWait): boolean {
    return isReleased(this.#state.group, wait, this.lacking(wait));
  }

  get group() {
    return this.#state.group;
  }
}

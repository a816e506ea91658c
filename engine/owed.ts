/** What is owed to the members of a job, as a worker is told it. Derived from the job's state. Pure. */
import { type Action, actionsOf, type JobDefinition } from '../machines/definition.ts';
import { type JobState, memberOf } from '../machines/job/job.ts';
import { isTerminal, type Member } from '../machines/job/member.ts';
import { nextStep } from '../machines/job/next.ts';
import type { Owed } from '../wire/server-port.ts';

/** One entry for each live member on a board for which `isMine` holds. */
export function owedBy(id: number, job: JobState, isMine: (device: string) => boolean): Owed[] {
  const { definition, lease } = job;
  if (job.state !== 'allocated' || definition === null || lease === null) return [];
  const group = job.members.map(({ device, role }) => ({ device, role }));
  return job.members
    .filter((member) => !isTerminal(member) && isMine(member.device))
    .map((member) => {
      const step = nextStep(job, member);
      return {
        job: id,
        jobName: definition.name,
        device: member.device,
        role: member.role,
        lease,
        group,
        step,
        ...(member.image !== null && { image: member.image }),
        suitesBefore: suitesBefore(definition, member),
        booted: member.up,
      };
    });
}

/** How many suites the ended actions of a member had: suites are numbered over the whole member. */
function suitesBefore(definition: JobDefinition, member: Member): number {
  return actionsOf(definition, member.role)
    .slice(0, member.actionsDone)
    .reduce((n, { action }) => n + suitesOf(action), 0);
}

/** A test shell runs one suite a definition, a run of commands is one suite. */
function suitesOf(action: Action): number {
  if (action.command === 'lava_test_shell') return action.parameters.definitions.length;
  return action.command === 'lava_command_run' ? 1 : 0;
}

/** The last words on a member's console: how it ended, one line for each thing to say. */
export function lastWords(job: JobState, device: string): string[] | undefined {
  const member = memberOf(job, device);
  if (!member?.ended) return undefined;
  const { reason } = member.ended;
  return [`${device} ended ${member.state}`, ...(reason === null ? [] : reason.split('\n'))];
}

import { wordsOf } from '../facts.ts';
import { type Cause, culpritMember, firstOfEach, gapsOf } from '../situation.ts';
import { found, waitSteps, who } from '../words.ts';

export const neverBooted: Cause = {
  kind: 'never-booted',
  title: 'A board never booted',
  page: `A member was started and no shell ever answered on its console, so nothing of its test ran and nobody heard of it.
The others waited for it. It is told by a boot that began and did not end, or by an action that failed while it booted.

Look at the end of the board's console: it says how far the boot came. When the same board does this in other jobs, take it out
for maintenance; when every board of the type does, it is the image or the boot limit of the lab.`,
  example: `server: boots, and hangs before its shell
client: lava-wait ready        # waits until its limit`,
  find(situation) {
    const { group } = situation;
    return group.members.flatMap((member) => {
      const boot = member.boots.at(-1);
      const booted = member.boots.some(({ done }) => done !== undefined);
      if (boot === undefined || booted || member.end === undefined) return [];
      if (member.end.how === 'complete' || member.end.how === 'cancelled') return [];
      if (member.end.fault === 'worker') return [];
      const gaps = gapsOf(situation, member);
      const [gap] = firstOfEach(gaps);
      const [clause = ''] = member.end.reason.split('\n');
      const last = situation.said.get(member.device)?.at(-1);
      const steps = [
        { text: `${who(member)} begins to boot`, event: boot.version },
        ...(last === undefined
          ? []
          : [
              {
                text: `the last line of its console`,
                device: member.device,
                offset: last.offset,
                said: last.text,
              },
            ]),
        { text: `${who(member)} ${endWord(member.end.how)}: ${clause}`, event: member.end.version },
        ...waitSteps(situation, gaps),
      ];
      const waits =
        gap === undefined ? '' : `; ${who(gap.wait.member)} waited for it in ${wordsOf(gap.wait)}`;
      return [
        found({
          kind: 'never-booted',
          culprit: culpritMember(situation, member),
          missing: [member.device],
          first: { member, version: boot.version },
          steps,
          summary: `${who(member)} never booted${waits}`,
          advice: [
            `read the end of its console: muster logs JOB --device ${member.device}`,
            `see whether it does so in other jobs: muster device ${member.device}`,
          ],
        }),
      ];
    });
  },
};

const endWord = (how: string): string => (how === 'timedOut' ? 'timed out' : 'failed');

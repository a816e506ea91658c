import { lastSaid } from '../consoles.ts';
import { placeOfDeath } from '../death-place.ts';
import type { Culprit } from '../explanation.ts';
import { type Member, wordsOf } from '../facts.ts';
import { type Cause, culpritMember, gapsOf, placed, type Situation } from '../situation.ts';
import { found, waitSteps, who } from '../words.ts';

export const crashedBeforeArriving: Cause = {
  kind: 'crashed-before-arriving',
  title: 'A board crashed before it arrived',
  page: `A member had booted, and then its board ended: its kernel, its shell or its power. It is not a script that ended, but the
board under it; the others then waited for somebody who could never come.

The last lines of its console are all that is left of it. The line named is the last call that the board made: what crashed it
comes after that.`,
  example: `server: lava-send up; sysctl kernel.panic_on_oops=1; ./load-module
client: lava-wait up; lava-sync loaded        # nobody comes`,
  find: (situation) =>
    situation.group.members.flatMap((member) => {
      const { end } = member;
      const hasBooted = member.boots.some(({ done }) => done !== undefined);
      if (end?.how !== 'failed' || !hasBooted || !isCrash(end.fault, end.reason)) return [];
      const gaps = gapsOf(situation, member);
      const [gap] = gaps;
      const last = member.calls.at(-1);
      const said = lastSaid(situation.said.get(member.device));
      const [clause = ''] = end.reason.split('\n');
      const steps = [
        ...(last === undefined
          ? []
          : [{ text: `${who(member)} calls ${wordsOf(last)}, its last`, event: last.version }]),
        ...(said === undefined
          ? []
          : [
              {
                text: 'the last line of its console',
                device: member.device,
                offset: said.offset,
                said: said.text,
              },
            ]),
        { text: `${who(member)} fails: ${clause}`, event: end.version },
        ...waitSteps(situation, gaps),
      ];
      const waits =
        gap === undefined
          ? ''
          : `, so ${who(gap.wait.member)} waited in vain in ${wordsOf(gap.wait)}`;
      return [
        found({
          kind: 'crashed-before-arriving',
          culprit: whereOf(situation, member, gap?.wait.message),
          missing: [member.device],
          first: { member, version: end.version },
          steps,
          summary: `the board of ${who(member)} ended under its test${waits}`,
          advice: [`read the end of its console: muster logs JOB --device ${member.device}`],
        }),
      ];
    }),
};

/** The line that ran last, as its shell told; else its last call. */
function whereOf(situation: Situation, member: Member, id: string | undefined): Culprit {
  const last = member.calls.at(-1);
  const suite = member.suites.at(-1);
  const at =
    suite === undefined || member.end === undefined
      ? undefined
      : placeOfDeath(situation, {
          ...member.end,
          member,
          suite: suite.name,
          script: 'run.sh',
          status: KILLED,
          signal: 'SIGKILL',
          command: undefined,
          outOfMemory: false,
          ofCall: undefined,
          inCase: undefined,
          after: last,
        });
  const file = culpritMember(situation, member, id);
  const place = at?.place ?? (last === undefined ? undefined : situation.placeOf(last));
  return { ...file, ...placed(place) };
}
const KILLED = 137;

/** What is said of a board that is gone, and of one whose shell is; a broken definition is neither. */
const isCrash = (fault: string | undefined, reason: string): boolean =>
  fault === 'board' ||
  /board is gone|board ended|on the board ended|shell of the board ended|nobody reads the console|first process ended|ended at once/.test(
    reason,
  );

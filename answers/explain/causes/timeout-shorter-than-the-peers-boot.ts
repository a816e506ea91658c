import { ago, wordsOf } from '../facts.ts';
import { type Cause, culpritOf } from '../situation.ts';
import { callStep, endStep, found, who } from '../words.ts';
import { isLimitTooShort, lateBoots, limitOf } from './late-boots.ts';

export const timeoutShorterThanThePeersBoot: Cause = {
  kind: 'timeout-shorter-than-the-peers-boot',
  title: 'The limit of a wait is shorter than the boot that it waits for',
  page: `A wait ran into the limit that the job gives it, and the member that it waited for had not yet booted: its deployment and
boot, which took no longer than they take on boards like it, need more time than the limit allows. It can only succeed by luck.

Give the action (JSON form) or the protocol (YAML form) of the waiting role a longer limit, or let it deploy and boot the same as
its peer before it waits.`,
  example: `server: deploys and boots in 60 s
client: needs no deployment; its lava_test_shell has "timeout": 30 and begins with lava-wait ready`,
  find: (situation) =>
    lateBoots(situation)
      .filter((late) => isLimitTooShort(situation, late))
      .map(({ gap: { wait, member }, boot, done, tookMs }) => {
        const limit = ago(limitOf(situation, wait) ?? 0);
        const steps = [
          { text: `${who(member)} begins to boot`, event: boot.version },
          callStep(situation, wait),
          endStep(situation, wait),
          {
            text: `${who(member)} is up, ${ago(tookMs)} after the job had its boards`,
            event: done.version,
          },
        ];
        return found({
          kind: 'timeout-shorter-than-the-peers-boot',
          culprit: culpritOf(situation, wait),
          missing: [member.device],
          first: { member: wait.member, version: wait.version },
          steps,
          summary: `${who(wait.member)} may wait ${limit} in ${wordsOf(wait)}, and ${who(member)} needed ${ago(tookMs)} to be up`,
          advice: [
            `give the action in which ${wait.member.role} waits a limit above ${ago(tookMs)}`,
          ],
        });
      }),
};

import { ago, type Member, wordsOf } from '../facts.ts';
import { type Cause, culpritMember, placed } from '../situation.ts';
import { callStep, endStep, found, who } from '../words.ts';
import { isLimitTooShort, lateBoots } from './late-boots.ts';

export const bootedLate: Cause = {
  kind: 'booted-late',
  title: 'A board booted too late',
  page: `A member did boot, but only when the wait for it was over already: its boot took longer than that of boards like it, or
began later, while the limit of the wait would have been long enough for an ordinary boot.

The board named is the one that was late; the line is that of the wait which gave up on it.

Look at what the board printed while it booted. A wait that may begin long before its peer is up needs a limit of its own, or
comes after a \`lava-sync\` with which all say that they are up.`,
  example: `server: takes 90 s to boot instead of 20 s
client: timeout 60 lava-wait ready`,
  find: (situation) =>
    lateBoots(situation)
      .filter((late) => !isLimitTooShort(situation, late))
      .map(({ gap, boot, done }) => {
        const { wait, member } = gap;
        const steps = [
          { text: `${who(member)} begins to boot`, event: boot.version },
          callStep(situation, wait),
          endStep(situation, wait),
          {
            text: `${who(member)} is up, ${ago(done.at - boot.at)} after its boot began`,
            event: done.version,
          },
        ];
        return found({
          kind: 'booted-late',
          culprit: {
            ...culpritMember(situation, member, wait.message),
            ...placed(situation.placeOf(wait)),
          },
          missing: [member.device],
          first: { member, version: boot.version },
          steps,
          summary: `${who(member)} booted ${lateness(done.at, wait)}: ${who(wait.member)} waited for it in ${wordsOf(wait)}`,
          advice: advice(member),
        });
      }),
};

const lateness = (at: number, wait: { end: { at: number } | undefined }): string =>
  wait.end !== undefined && at > wait.end.at
    ? `${ago(at - wait.end.at)} after the wait for it was over`
    : 'too late to come in time';

const advice = ({ device }: Member): string[] => [
  `read what it printed while it booted: muster logs JOB --device ${device}`,
  'give the wait a limit that is longer than the slowest boot, or let all meet in a lava-sync first',
];

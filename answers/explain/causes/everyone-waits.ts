import { wordsOf } from '../facts.ts';
import { type Cause, culpritOf } from '../situation.ts';
import { callStep, endStep, found, namesOf, who } from '../words.ts';
import { mismatches } from './mismatch.ts';

export const everyoneWaits: Cause = {
  kind: 'everyone-waits',
  title: 'Everyone waits, nobody sends',
  page: `All members of the group wait for the same message, and none of them has sent it: each expects it of another. Where all
should meet, \`lava-sync\` is the verb: it sends and waits. Where one gives the word, that one has to send.`,
  example: `server: lava-wait start
client: lava-wait start`,
  find(situation) {
    const [one] = mismatches(situation, 'everyone');
    if (one === undefined) return [];
    const { group } = situation;
    const { wait } = one.gap;
    const waits = group.members.flatMap(
      (member) => member.calls.find((call) => call.message === wait.message) ?? [],
    );
    const [first = wait] = waits;
    const start = Math.min(...waits.map(({ version }) => version));
    return [
      found({
        kind: 'everyone-waits',
        culprit: culpritOf(situation, first),
        missing: namesOf(group.members),
        first: { member: waits.find(({ version }) => version === start)?.member, version: start },
        steps: [
          ...waits.slice(0, 4).map((each) => callStep(situation, each)),
          endStep(situation, wait),
        ],
        summary: `all ${group.members.length} members wait for ${wait.message}, and none of them sends it: ${who(first.member)} in ${wordsOf(first)}`,
        advice: [
          `let one of them call lava-send ${wait.message}, or let all call lava-sync ${wait.message}`,
        ],
      }),
    ];
  },
};

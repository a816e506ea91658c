import { wordsOf } from '../facts.ts';
import { type Cause, culpritOf } from '../situation.ts';
import { callStep, endStep, found, who } from '../words.ts';
import { mismatches } from './mismatch.ts';

export const roundsOutOfStep: Cause = {
  kind: 'rounds-out-of-step',
  title: 'The rounds of a sync are out of step',
  page: `The same \`lava-sync\` again is its next round, and every member has to come to each of them. One came to fewer rounds than
another: a loop that runs once less, a \`break\`, a \`continue\` before the sync, a retry that counts as a round of its own. The same
holds for rounds that are counted in the id (\`step-1\`, \`step-2\`).

Let all members run the same number of rounds; the line named is the last sync of the one that stopped early.`,
  example: `server: for i in 1 2 3; do lava-sync step; done
client: for i in 1 2; do lava-sync step; done`,
  find: (situation) =>
    mismatches(situation, 'rounds').map(({ gap: { wait, member }, last }) => {
      const rounds =
        last.message === wait.message
          ? `came to ${last.round} of its rounds, and ${who(wait.member)} waits in round ${wait.round}`
          : `was last at ${last.message}, and ${who(wait.member)} waits at ${wait.message}`;
      return found({
        kind: 'rounds-out-of-step',
        culprit: culpritOf(situation, last),
        missing: [member.device],
        first: { member, version: last.version },
        steps: [
          callStep(
            situation,
            last,
            `${who(member)} calls ${wordsOf(last)} for the last time (round ${last.round})`,
          ),
          callStep(
            situation,
            wait,
            `${who(wait.member)} calls ${wordsOf(wait)} (round ${wait.round})`,
          ),
          endStep(situation, wait),
        ],
        summary: `${who(member)} ${rounds} (${wordsOf(wait)})`,
        advice: ['let every member come to the same number of rounds'],
      });
    }),
};

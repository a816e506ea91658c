import { wordsOf } from '../facts.ts';
import { sentLiterals } from '../scripts.ts';
import { type Cause, culpritOf, missingOf } from '../situation.ts';
import { callStep, endStep, found, nearest, who } from '../words.ts';
import { mismatches } from './mismatch.ts';

export const messageThatNobodySends: Cause = {
  kind: 'message-that-nobody-sends',
  title: 'A message that nobody sends',
  page: `A member waits for an id that nobody sent, and no script of those whom it counts has a line that would send it. The send
was forgotten, or was taken out, or has quite another name.

Add the \`lava-send\`, or take the wait away. The nearest id that any script sends is named, where one is near.`,
  example: `client: lava-wait go        # the server sends "ready" only`,
  find(situation) {
    const all = mismatches(situation, 'nobody-sends');
    const waits = [...new Set(all.map(({ gap }) => gap.wait))];
    return waits.map((wait) => {
      const ids = situation.group.members.flatMap((member) => [
        ...sentLiterals(situation, member).keys(),
        ...member.calls.flatMap((call) =>
          call.verb === 'send' || call.verb === 'sync' ? [call.message] : [],
        ),
      ]);
      const near = nearest(
        wait.message,
        ids.filter((id) => id !== wait.message),
      );
      return found({
        kind: 'message-that-nobody-sends',
        culprit: culpritOf(situation, wait),
        missing: missingOf(situation, wait),
        first: { member: wait.member, version: wait.version },
        steps: [callStep(situation, wait), endStep(situation, wait)],
        summary: `${who(wait.member)} waits in ${wordsOf(wait)}, and nobody sends ${wait.message}`,
        advice: [
          near === undefined
            ? `add a lava-send ${wait.message}, or take the wait away`
            : `the nearest id that is sent is ${near}`,
        ],
      });
    });
  },
};

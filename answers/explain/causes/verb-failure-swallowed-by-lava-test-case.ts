import { type Call, hasFailed, wordsOf } from '../facts.ts';
import { type Cause, culpritOf, gapsOf, type Situation } from '../situation.ts';
import { callStep, found, waitSteps, who } from '../words.ts';
import { wentOn, wrapperOf } from './refused-calls.ts';

export const verbFailureSwallowedByLavaTestCase: Cause = {
  kind: 'verb-failure-swallowed-by-lava-test-case',
  title: 'lava-test-case hid that a verb failed',
  page: `\`lava-test-case ID --shell CMD\` records how CMD went and ends with 0 whatever that was. When CMD is a verb that is refused
or that gives up, \`set -e\` does not hear of it: the script goes on as if the barrier had been passed or the message sent.

Call the verb by itself, or write \`lava-test-case ID --strict --shell CMD\`, which ends as CMD did.`,
  example: `client: lava-test-case get-address --shell lava-wait-all address servers   # no such role: refused
client: ping "$address"                                                    # runs all the same`,
  find: (situation) =>
    situation.group.members
      .flatMap(({ calls }) => calls)
      .filter((call) => isSwallowed(situation, call))
      .map((call) => {
        const gaps = gapsOf(situation, call.member).filter(({ wait }) => wait !== call);
        const [name = ''] = wrapperOf(call) ?? [];
        const end = call.end ?? call;
        const why = call.end?.how === 'refused' ? `is refused: ${call.end.reason}` : 'fails';
        return found({
          kind: 'verb-failure-swallowed-by-lava-test-case',
          culprit: culpritOf(situation, call),
          missing: gaps.length > 0 ? [call.member.device] : [],
          first: { member: call.member, version: call.version },
          steps: [
            callStep(
              situation,
              call,
              `${who(call.member)} calls ${wordsOf(call)} in lava-test-case ${name}`,
            ),
            {
              text: `it ${why}; lava-test-case ends with 0 and the script goes on`,
              event: end.version,
            },
            ...waitSteps(situation, gaps),
          ],
          summary: `lava-test-case ${name} of ${who(call.member)} hid that ${wordsOf(call)} ${why.split(':')[0]}, and its script went on`,
          advice: [`write lava-test-case ${name} --strict --shell ..., or call the verb by itself`],
        });
      }),
};

/** A refusal is its own doing. A wait that failed is another's, unless its own `timeout` ended it or it asked for what nobody is. */
function isSwallowed(situation: Situation, call: Call): boolean {
  if (wrapperOf(call) === undefined || !wentOn(call)) return false;
  if (call.end?.how === 'refused') return call.end.code !== 'too-large';
  return hasFailed(call) && hasConsequence(situation, call);
}

/** Something failed after it, which a script that had stopped would not have reached. */
function hasConsequence({ failed, deaths }: Situation, call: Call): boolean {
  const over = call.end?.version ?? Number.POSITIVE_INFINITY;
  return (
    failed.some((wait) => wait !== call && (wait.end?.version ?? 0) > over) ||
    deaths.some(({ member, version }) => member === call.member && version > over)
  );
}

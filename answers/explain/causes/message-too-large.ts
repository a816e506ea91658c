import { wordsOf } from '../facts.ts';
import { type Cause, culpritOf } from '../situation.ts';
import { callStep, found, who } from '../words.ts';
import { gapsOfMessage } from './refused-calls.ts';

export const messageTooLarge: Cause = {
  kind: 'message-too-large',
  title: 'A message was too large',
  page: `One message holds at most 65,536 bytes, counted over its \`key=value\` words. This one had more, so it was refused: nobody
heard of it, and whoever waited for it waited in vain.

Send less (a digest, an address) and hand the data on by the network of the boards, or in several messages.`,
  example: `server: lava-send log text="$(cat /var/log/dmesg)"
client: lava-wait log`,
  find: (situation) =>
    situation.group.refusals.flatMap((call) => {
      if (call.end?.how !== 'refused' || call.end.code !== 'too-large') return [];
      const gaps = gapsOfMessage(situation, call);
      return [
        found({
          kind: 'message-too-large',
          culprit: culpritOf(situation, call),
          missing: gaps.length === 0 ? [] : [call.member.device],
          first: { member: call.member, version: call.version },
          steps: [
            callStep(situation, call),
            { text: `it is refused: ${call.end.reason}`, event: call.version },
            ...gaps
              .slice(0, 2)
              .map(({ wait }) =>
                callStep(situation, wait, `${who(wait.member)} waits in vain in ${wordsOf(wait)}`),
              ),
          ],
          summary: `${who(call.member)} sent too much in ${wordsOf(call)}, so it was not sent at all`,
          advice: ['send less: at most 65,536 bytes a message'],
        }),
      ];
    }),
};

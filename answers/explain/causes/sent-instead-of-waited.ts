import { type Call, isSend, isWait, wordsOf } from '../facts.ts';
import { firstAfter } from '../harm.ts';
import { type Cause, culpritOf, type Finding, type Situation } from '../situation.ts';
import { callStep, endStep, found, who } from '../words.ts';
import { mismatches } from './mismatch.ts';

export const sentInsteadOfWaited: Cause = {
  kind: 'sent-instead-of-waited',
  title: 'A member sent where it should have waited',
  page: `At a point where the others meet, or where one gives the word to another, a member called \`lava-send\` where
\`lava-wait\` or \`lava-sync\` was meant. \`lava-send\` does not wait: the member ran ahead of the others, and failed with what was
not there yet. The barrier itself looks fine, because a send counts as an arrival.`,
  example: `server: start-daemon; lava-sync serving
client: lava-send serving; fetch http://server/     # before there is a daemon`,
  find: (situation) => [...sentARound(situation), ...aheadOfOthers(situation)],
};

/** It sent, and synced later: the send was its first round, and nobody else comes to the next one. */
const sentARound = (situation: Situation): Finding[] =>
  mismatches(situation, 'sent').map(({ gap: { wait, member }, send }) =>
    found({
      kind: 'sent-instead-of-waited',
      culprit: culpritOf(situation, send),
      missing: [member.device],
      first: { member: send.member, version: send.version },
      steps: [
        callStep(situation, send),
        callStep(
          situation,
          wait,
          `${who(wait.member)} calls ${wordsOf(wait)}, its round ${wait.round} already`,
        ),
        endStep(situation, wait),
      ],
      summary: `${who(send.member)} calls ${wordsOf(send)} before its ${wordsOf(wait)}: the send counts as a round, and ${who(member)} comes to one only`,
      advice: [`take the lava-send away, or was lava-wait ${send.message} meant?`],
    }),
  );

const aheadOfOthers = (situation: Situation): Finding[] =>
  [...situation.group.byMessage.values()].flatMap((calls) => {
    // Whoever sends it more often did so with its last one, too.
    const lastOfEach = new Map(
      calls.flatMap((one) =>
        one.verb === 'send' && isSend(one) ? [[one.member, one] as const] : [],
      ),
    );
    const call = [...lastOfEach.values()].find((one) => ranAhead(situation, one, calls));
    if (call === undefined) return [];
    const other = calls.find((one) => one.member !== call.member && isSend(one)) ?? call;
    return [
      found({
        kind: 'sent-instead-of-waited',
        culprit: culpritOf(situation, call),
        missing: [],
        first: { member: call.member, version: call.version },
        steps: [
          callStep(situation, call),
          callStep(situation, other),
          ...hurtStep(situation, call),
        ],
        summary: `${who(call.member)} calls ${wordsOf(call)} where ${who(other.member)} calls ${wordsOf(other)}: it did not wait, and ran ahead`,
        advice: [`was lava-sync ${call.message} or lava-wait ${call.message} meant?`],
      }),
    ];
  });

function ranAhead(situation: Situation, call: Call, calls: readonly Call[]): boolean {
  const others = calls.filter((one) => one.member.role !== call.member.role);
  const waitsItself = calls.some((one) => one.member === call.member && isWait(one));
  if (waitsItself || !hurt(situation, call)) return false;
  const syncs = others.filter(({ verb }) => verb === 'sync');
  // All others meet here, and it does not.
  if (syncs.length > 0 && others.every(({ verb }) => verb === 'sync')) return true;
  // Two give the word, and nobody takes it.
  const senders = others.filter((one) => one.verb === 'send' && isSend(one));
  const nobodyWaits = calls.every((one) => !isWait(one));
  return (
    senders.length > 0 &&
    nobodyWaits &&
    senders.every(
      (one) =>
        situation.before.order(one, call) !== 'before' && one.pairs.length >= call.pairs.length,
    ) &&
    !others.some(
      (one) => one.member.calls.length === 1 && one.verb === 'send' && hurt(situation, one),
    )
  );
}

/** What of its own failed after it. */
function hurt({ harms }: Situation, call: Call): { version: number; text: string } | undefined {
  const harm = harms.get(call.member);
  if (harm === undefined) return undefined;
  const death = firstAfter(harm.deaths, call.version);
  if (death !== undefined)
    return { version: death.version, text: `its script ends with status ${death.status}` };
  const failed = firstAfter(harm.failures, call.version);
  return failed === undefined
    ? undefined
    : { version: failed.version, text: `its case ${failed.case} fails` };
}

const hurtStep = (situation: Situation, call: Call) => {
  const is = hurt(situation, call);
  return is === undefined ? [] : [{ text: is.text, event: is.version }];
};

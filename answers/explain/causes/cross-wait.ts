import { type Call, wordsOf } from '../facts.ts';
import { type Cause, culpritOf } from '../situation.ts';
import { callStep, endStep, found, listed, namesOf, who } from '../words.ts';
import { mismatches } from './mismatch.ts';

export const crossWait: Cause = {
  kind: 'cross-wait',
  title: 'Members wait for one another',
  page: `Each of some members waits for what another of them would only send after its own wait is over: in a circle, so that
nobody begins. Often the same two syncs stand in another order on the two sides.

Change the order on one side: one of them has to send before it waits.`,
  example: `server: lava-wait client-up; lava-send server-up
client: lava-wait server-up; lava-send client-up`,
  find(situation) {
    const crossed = mismatches(situation, 'cross');
    const waits = [...new Set(crossed.flatMap(({ gap, with: other }) => [gap.wait, other]))].sort(
      (a, b) => a.member.place - b.member.place,
    );
    const [first] = waits;
    if (first === undefined) return [];
    const start = Math.min(...waits.map(({ version }) => version));
    const members = [...new Set(waits.map(({ member }) => member))];
    return [
      found({
        kind: 'cross-wait',
        culprit: culpritOf(situation, first),
        missing: namesOf(members),
        first: { member: waits.find(({ version }) => version === start)?.member, version: start },
        steps: [
          ...waits.slice(0, 4).map((wait) => callStep(situation, wait)),
          endStep(situation, firstOver(waits)),
        ],
        summary: `${listed(members.map(who))} wait for one another: ${waits
          .slice(0, 3)
          .map((wait) => `${wait.member.device} in ${wordsOf(wait)}`)
          .join(', ')}`,
        advice: ['let one of them send before it waits'],
      }),
    ];
  },
};

const firstOver = (waits: readonly [Call, ...Call[]] | readonly Call[]): Call =>
  [...waits].sort(
    (a, b) => (a.end?.version ?? Number.MAX_VALUE) - (b.end?.version ?? Number.MAX_VALUE),
  )[0] as Call;

import { type Cause, culpritMember, gapsOf } from '../situation.ts';
import { found, listed, namesOf, waitSteps, who } from '../words.ts';

export const workerLost: Cause = {
  kind: 'worker-lost',
  title: 'The worker of a board was lost',
  page: `The machine that drives a board did not renew its word in time, so its members failed. Nothing is said of the board or of
the test: they may have gone on.

Look at the worker: its process, its machine, its way to the server. Its boards are checked before they get jobs again.`,
  example:
    'the worker that drives panda02 loses its network while panda02 waits in lava-sync ready',
  find(situation) {
    const lost = situation.group.members.filter(({ end }) => end?.fault === 'worker');
    const [first] = [...lost].sort((a, b) => (a.end?.version ?? 0) - (b.end?.version ?? 0));
    if (first?.end === undefined) return [];
    const [clause = ''] = first.end.reason.split('\n');
    const gaps = lost.flatMap((member) => gapsOf(situation, member));
    return [
      found({
        kind: 'worker-lost',
        culprit: { ...culpritMember(situation, first) },
        missing: namesOf(lost),
        first: { member: first, version: first.end.version },
        steps: [
          { text: `${listed(lost.map(who))} lost the worker: ${clause}`, event: first.end.version },
          ...waitSteps(situation, gaps),
        ],
        summary: `the worker of ${listed(lost.map(who))} was lost: ${clause}`,
        advice: [`see how its worker is: muster device ${first.device}`],
      }),
    ];
  },
};

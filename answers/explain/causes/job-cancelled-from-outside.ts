import { type Cause, culpritMember, type Finding, gapsOf, type Situation } from '../situation.ts';
import { found, waitSteps, who } from '../words.ts';

export const jobCancelledFromOutside: Cause = {
  kind: 'job-cancelled-from-outside',
  title: 'Somebody cancelled the job',
  page: `The job ended because it was cancelled, and nothing had failed before. The event says who ordered it and the reason given.
What failed before the order is told instead: then the cancel is no cause. So is told who took a board out of the job while it ran
(\`muster device NAME --maintenance WHY --force\`): then that board is named.`,
  example: 'muster cancel 12 --reason "the lab moves"',
  find(situation) {
    const { group, failed } = situation;
    const { end } = group;
    if (end?.how !== 'cancelled') return takenAway(situation);
    const open = failed.filter((wait) => wait.end !== undefined && wait.end.version < end.version);
    const [clause = ''] = end.reason.split('\n');
    const by = end.actor.replace(/^user:/, '');
    return [
      found({
        kind: 'job-cancelled-from-outside',
        culprit: null,
        missing: [],
        first: {
          member: undefined,
          version: open.length > 0 ? end.version : firstCancelled(group),
        },
        steps: [
          {
            text: `${by} cancels the job${clause === '' ? '' : `: ${clause}`}`,
            event: end.version,
          },
        ],
        summary: `the job was cancelled by ${by}${clause === '' ? '' : `: ${clause}`}`,
        advice: [],
      }),
    ];
  },
};

/** All ends of its members come of the one order. */
const firstCancelled = (group: {
  members: readonly { end: { version: number; how: string } | undefined }[];
  end: { version: number } | undefined;
}): number =>
  Math.min(
    group.end?.version ?? Number.POSITIVE_INFINITY,
    ...group.members.flatMap(({ end }) => (end?.how === 'cancelled' ? [end.version] : [])),
  );

/** As the registry of boards says it. */
const TAKEN = /^\S+ was taken from it, health /;

/** An operator needed a board at once. */
const takenAway = (situation: Situation): Finding[] =>
  situation.group.members.flatMap((member) => {
    const { end } = member;
    if (end?.how !== 'failed' || !TAKEN.test(end.reason)) return [];
    const [clause = ''] = end.reason.split('\n');
    const gaps = gapsOf(situation, member);
    return [
      found({
        kind: 'job-cancelled-from-outside',
        culprit: culpritMember(situation, member),
        missing: gaps.length > 0 ? [member.device] : [],
        first: { member, version: end.version },
        steps: [
          { text: `${who(member)} is taken away: ${clause}`, event: end.version },
          ...waitSteps(situation, gaps),
        ],
        summary: `${who(member)} was taken out of the job from outside: ${clause}`,
        advice: [`see what it is out for: muster device ${member.device}`],
      }),
    ];
  });

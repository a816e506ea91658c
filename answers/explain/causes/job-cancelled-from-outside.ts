import type { Cause } from '../situation.ts';
import { found } from '../words.ts';

export const jobCancelledFromOutside: Cause = {
  kind: 'job-cancelled-from-outside',
  title: 'Somebody cancelled the job',
  page: `The job ended because it was cancelled, and nothing had failed before. The event says who ordered it and the reason given.
What failed before the order is told instead: then the cancel is no cause.`,
  example: 'muster cancel 12 --reason "the lab moves"',
  find({ group, failed }) {
    const { end } = group;
    if (end?.how !== 'cancelled') return [];
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

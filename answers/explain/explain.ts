/**
 * `explain`: from a job's evidence to what went wrong first. Rules find causes (`causes.ts`); here they are ranked by what
 * happened before what, and put into one answer.
 */
import type { Evidence as Given } from '../evidence.ts';
import { CAUSES } from './causes.ts';
import { consoleTails } from './consoles.ts';
import type { Explanation, Step } from './explanation.ts';
import { otherwise } from './otherwise.ts';
import { rank } from './rank.ts';
import { groupOf } from './read-group.ts';
import { type Finding, type Situation, situationOf } from './situation.ts';
import { unseenOf } from './unseen.ts';

export async function explain(given: Given): Promise<Explanation> {
  const group = groupOf(given.events);
  const situation = situationOf(group, given, await consoleTails(given, group));
  return explanationOf(given.job, situation);
}

export function explanationOf(job: number, situation: Situation): Explanation {
  const found = CAUSES.flatMap((cause) => cause.find(situation));
  const { end } = situation.group;
  // A failed case fails no job: of one that did not end well it is not the cause.
  const isElsewhere =
    end !== undefined &&
    end.how !== 'complete' &&
    found.length > 0 &&
    found.every(({ kind }) => kind === 'test-failed');
  const ranked = rank(situation, isElsewhere ? [otherwise(situation), ...found] : found);
  const finding: Finding = ranked[0]?.finding ?? otherwise(situation);
  const { kind, culprit, missing, evidence, summary, steps, advice } = finding;
  return {
    job,
    kind,
    culprit,
    missing: [...missing],
    evidence: [...evidence],
    ranked: ranked.map(({ finding: one, because }) => ({
      kind: one.kind,
      culprit: one.culprit,
      missing: [...one.missing],
      evidence: [...one.evidence],
      summary: one.summary,
      because,
    })),
    summary,
    failure: failureOf(situation),
    chain: inOrder(steps),
    advice: advice.map((text) => text.replaceAll('JOB', String(job))),
    unseen: unseenOf(situation),
  };
}

/** By their events; what has none, as a line of a console, stays before what it was told before. */
function inOrder(steps: readonly Step[]): Step[] {
  const place = (at: number): number =>
    steps.slice(at).find(({ event }) => event !== undefined)?.event ?? Number.POSITIVE_INFINITY;
  return steps
    .map((step, at) => ({ step, at, event: place(at) }))
    .sort((a, b) => (a.event === b.event ? a.at - b.at : a.event - b.event))
    .map(({ step }) => step);
}

/** What the log says of the end, in one sentence. */
function failureOf({ group: { end, allocated } }: Situation): string {
  if (end === undefined)
    return allocated === undefined ? 'the job waits for boards' : 'the job still runs';
  const [clause = ''] = end.reason.split('\n');
  const why = clause === '' ? '' : `: ${clause}`;
  switch (end.how) {
    case 'complete':
      return 'the job is complete';
    case 'failed':
      return `the job failed, first by ${end.member ?? 'a member'}${why}`;
    case 'timedOut':
      return `the job timed out${why}`;
    case 'cancelled':
      return `the job was cancelled${why}`;
    case 'rejected':
      return `the job was rejected${why}`;
  }
}

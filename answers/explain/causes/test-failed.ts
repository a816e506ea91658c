import type { Mark, Member, Result } from '../facts.ts';
import { type Cause, culpritMember, placed, rolesOf, type Situation } from '../situation.ts';
import { found, inFile, who } from '../words.ts';

export const testFailed: Cause = {
  kind: 'test-failed',
  title: 'A test case failed, and nothing else',
  page: `The boards met as they should, and a test case was recorded as failed: that is the test's result and no fault of the
synchronisation. The first one is named. A failed case does not fail its job.`,
  example: 'client: lava-test-case ping --shell ping -c 1 server       # no answer',
  find: (situation) => {
    // They did not meet: why not is another question, and may have no answer.
    if (situation.failed.length > 0 && situation.group.end?.how !== 'complete') return [];
    const failures = situation.group.members.flatMap((member) =>
      [...(situation.harms.get(member)?.failures ?? []), ...neverCame(member)].map((result) => ({
        member,
        result,
      })),
    );
    const [first] = failures.sort((a, b) => a.result.version - b.result.version);
    if (first === undefined) return [];
    const { member, result } = first;
    const culprit = culpritFor(situation, member, result);
    const more = failures.length > 1 ? `, and ${failures.length - 1} more` : '';
    const note = result.note === undefined ? '' : ` (${result.note})`;
    return [
      found({
        kind: 'test-failed',
        culprit,
        missing: [],
        first: { member, version: result.version },
        steps: [
          { text: `${who(member)} records ${result.case}: fail${note}`, event: result.version },
        ],
        summary: `test case ${result.case} of ${who(member)} failed${note}${inFile(culprit)}${more}`,
        advice: [`see its cases: muster results JOB`],
      }),
    ];
  },
};

/** Cases that a definition expects, and that did not come before its suite was over. */
function neverCame({ suites, results }: Member): Result[] {
  const came = new Set(results.map((one) => `${one.suite} ${one.case}`));
  return suites.flatMap(({ name, prepared, end }) =>
    (end === undefined ? [] : (prepared?.expected ?? []))
      .filter((id) => !came.has(`${name} ${id}`))
      .map((id) => ({
        ...(end as Mark),
        suite: name,
        case: id,
        result: 'fail',
        note: 'it was expected and did not come',
        from: undefined,
      })),
  );
}

function culpritFor(situation: Situation, member: Member, result: Result) {
  const place = situation.places.find({
    member: member.device,
    role: member.role,
    roles: rolesOf(situation.group),
    suite: result.suite,
    verb: 'test-case',
    words: [result.case],
    from: result.from,
    isWhole: false,
  });
  return {
    ...culpritMember(situation, member, result.case),
    ...placed(place),
  };
}

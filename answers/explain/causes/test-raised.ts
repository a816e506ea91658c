import { wordsOf } from '../facts.ts';
import { placeOfSite, sitesOfMember } from '../scripts.ts';
import { type Cause, culpritMember, gapsOf, placed } from '../situation.ts';
import { found, waitSteps, who } from '../words.ts';

export const testRaised: Cause = {
  kind: 'test-raised',
  title: 'The test ended itself with lava-test-raise',
  page: `\`lava-test-raise\` says that going on makes no sense: its member ends as failed at once, and whoever waits for it is told.
It is the test's own judgement: the reason given with it is the place to look.`,
  example: `server: [ -e /dev/sda ] || lava-test-raise "no disk"`,
  find: (situation) =>
    situation.group.members.flatMap((member) => {
      const { end } = member;
      if (end === undefined || !end.reason.startsWith('lava-test-raise')) return [];
      const [clause = ''] = end.reason.split('\n');
      const gaps = gapsOf(situation, member);
      const words = clause.replace(/^lava-test-raise: ?/, '');
      const sites = sitesOfMember(situation, member, ['test-raise']);
      const site =
        sites.find(({ site: one }) => words.startsWith((one.words[0] ?? ['\0'])[0] ?? '\0')) ??
        sites[0];
      const place = site === undefined ? undefined : placeOfSite(situation, site);
      const waits =
        gaps[0] === undefined
          ? ''
          : `; ${who(gaps[0].wait.member)} waited for it in ${wordsOf(gaps[0].wait)}`;
      return [
        found({
          kind: 'test-raised',
          culprit: {
            ...culpritMember(situation, member),
            ...placed(place),
          },
          missing: gaps.length > 0 ? [member.device] : [],
          first: { member, version: end.version },
          steps: [
            { text: `${who(member)} ends itself: ${words}`, event: end.version },
            ...waitSteps(situation, gaps),
          ],
          summary: `the test of ${who(member)} ended itself: ${words}${waits}`,
          advice: [],
        }),
      ];
    }),
};

import { functionAround } from '../../branches.ts';
import type { Place } from '../../places.ts';
import { matched } from '../../shell-sites.ts';
import { reached } from '../death-place.ts';
import type { Culprit } from '../explanation.ts';
import { isSend, type Member, wordsOf } from '../facts.ts';
import { type MemberSite, mentions, placeOfSite, sendersOf, sitesOfMember } from '../scripts.ts';
import {
  type Cause,
  culpritMember,
  type Gap,
  placed,
  rolesOf,
  type Situation,
} from '../situation.ts';
import { callStep, endStep, found, listed, namesOf, who } from '../words.ts';
import { mismatches } from './mismatch.ts';

export const syncThatOneRoleNeverCalls: Cause = {
  kind: 'sync-that-one-role-never-calls',
  title: 'A sync that one role never calls',
  page: `\`lava-sync\` needs every member of the group, and \`lava-wait-all\` every one that it counts. One role ran to its end, or runs
on, without ever calling it: its script has no such line, has it in a branch that was not taken, or waits there
(\`lava-wait\`) where it should sync.

The line named is the one that was not reached, or the call that stands in its place; where there is none, the \`exit\` by which
the role left, or the last line that it came to.`,
  example: `server: lava-sync configured
client: lava-sync configured
monitor: (nothing)`,
  find(situation) {
    const found_ = mismatches(situation, 'never-calls');
    const messages = new Set(found_.map(({ gap }) => gap.wait.message));
    return [...messages].flatMap((message) => {
      const gaps = found_.map(({ gap }) => gap).filter(({ wait }) => wait.message === message);
      const [gap] = gaps;
      return gap === undefined ? [] : [tell(situation, gap, gaps)];
    });
  },
};

function tell(situation: Situation, gap: Gap, gaps: readonly Gap[]) {
  const { wait, member } = gap;
  const members = [...new Set(gaps.map((one) => one.member))];
  const roles = [...new Set(members.map(({ role }) => role))];
  const suite = member.suites.at(-1);
  const over = suite?.end ?? member.end ?? member.last;
  const ends = gap.absence.why === 'busy' ? 'runs on' : 'ends its tests';
  const culprit = whereItWould(situation, gap);
  return found({
    kind: 'sync-that-one-role-never-calls',
    culprit,
    missing: namesOf(members),
    first: { member, version: over.version },
    steps: [
      callStep(situation, wait),
      { text: `${listed(members.map(who))} ${ends} without it`, event: over.version },
      endStep(situation, wait),
    ],
    summary: `role ${listed(roles)} never calls ${wordsOf({ ...wait, role: undefined })}: ${who(wait.member)} waits for ${listed(namesOf(members))}`,
    advice: [`let ${listed(roles)} call lava-sync ${wait.message}, too`],
  });
}

/** The line that was not reached, the call in its place, or the last line before the end. */
function whereItWould(situation: Situation, { wait, member }: Gap): Culprit {
  const file = culpritMember(situation, member, wait.message);
  const instead = sitesOfMember(situation, member, ['wait', 'wait-all']).find(({ site: one }) => {
    const [word] = one.words;
    return word !== undefined && matched(word, wait.message) !== undefined;
  });
  const called = member.calls.find((call) => call.message === wait.message && !isSend(call));
  const place =
    (called === undefined ? undefined : situation.placeOf(called)) ??
    ownLine(situation, member, wait.message) ??
    (instead === undefined ? undefined : placeOfSite(situation, instead)) ??
    exitOf(situation, member) ??
    lastLineOf(situation, member);
  return { ...file, ...placed(place) };
}

/** The line of its own that would send it. */
function ownLine(situation: Situation, member: Member, message: string): Place | undefined {
  const own = sendersOf(situation, member, message).find(
    (one) => !isInFunctionOfAnother(situation, one),
  );
  return own === undefined ? undefined : placeOfSite(situation, own);
}

/** In `step_server`, which nobody calls by that name: it is run as `step_$(lava-role)`. */
function isInFunctionOfAnother(
  situation: Situation,
  { member, script, site }: MemberSite,
): boolean {
  const name = functionAround(script, site.line);
  if (name === undefined || mentions(situation, name) !== 1) return false;
  const isOf = (role: string) => name.startsWith(role) || name.endsWith(role);
  return !isOf(member.role) && [...rolesOf(situation.group)].some(isOf);
}

/** The one `exit` between its last call and the next of its script, which it did not make. */
function exitOf(situation: Situation, member: Member): Place | undefined {
  const suite = member.suites.at(-1);
  const course =
    suite === undefined ? undefined : situation.graphs.courseOf(member, suite.name, 'run.sh');
  if (suite === undefined || course === undefined) return undefined;
  const version = suite.end?.version ?? Number.POSITIVE_INFINITY;
  const end = { member, suite: suite.name, version, inCase: undefined };
  const [from] = reached(situation, end, course);
  const next = course.calls.find(({ at }) => at > from)?.at ?? 0;
  const exits = course.points.filter(
    ({ at, kind, isInner }) => at > from && at < next && kind === 'exit' && !isInner,
  );
  const [exit] = exits;
  if (exit === undefined) return undefined;
  if (exits.some(({ file, line }) => file !== exit.file || line !== exit.line)) return undefined;
  return { suite: suite.name, file: exit.file, line: exit.line, text: exit.lineText };
}

/** The last line that its scripts come to: the call would have to stand behind it. */
function lastLineOf({ graphs }: Situation, member: Member): Place | undefined {
  const suite = member.suites.at(-1)?.name;
  const course = suite === undefined ? undefined : graphs.courseOf(member, suite, 'run.sh');
  const last = course?.points.findLast(
    ({ isInner, hiddenBy }) => !isInner && hiddenBy === undefined,
  );
  if (suite === undefined || last === undefined) return undefined;
  return { suite, file: last.file, line: last.line, text: last.lineText };
}

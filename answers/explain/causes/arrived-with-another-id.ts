import { type Call, wordsOf } from '../facts.ts';
import { mentions } from '../scripts.ts';
import { type Cause, culpritOf, type Situation } from '../situation.ts';
import { callStep, endStep, family, found, nearness, who } from '../words.ts';
import { mismatches } from './mismatch.ts';

export const arrivedWithAnotherId: Cause = {
  kind: 'arrived-with-another-id',
  title: 'A member arrived with another id',
  page: `A member did come, but with an id that differs a little from the one that was waited for: \`raedy\` for \`ready\`, another
case, a prefix, a suffix, a number that is counted from 0 on one side and from 1 on the other. Ids are compared byte by byte, so
nobody hears of it, and often both sides wait.

The line named is that of the id that stands alone: the others use the other one.`,
  example: `server: lava-send raedy
client: lava-wait ready`,
  find: (situation) =>
    mismatches(situation, 'another-id').map(({ gap: { wait, member }, other }) => {
      const odd = isOdd(situation, wait, other) ? wait : other;
      const [mine, theirs] = odd === wait ? [wait, other] : [other, wait];
      const culprit = culpritOf(situation, odd);
      const where = culprit.line === undefined ? '' : ' in the line above';
      return found({
        kind: 'arrived-with-another-id',
        culprit,
        missing: [member.device],
        first: { member: odd.member, version: odd.version },
        steps: [callStep(situation, other), callStep(situation, wait), endStep(situation, wait)],
        summary: `${who(mine.member)} calls ${wordsOf(mine)}, and ${who(theirs.member)} calls ${wordsOf(theirs)}: ${howAlike(mine.message, theirs.message)}`,
        advice: [`use one id: ${theirs.message} instead of ${mine.message}${where}`],
      });
    }),
};

/** Whether it is the waiting side that stands alone with its id. */
function isOdd(situation: Situation, wait: Call, other: Call): boolean {
  const users = (message: string) =>
    new Set((situation.group.byMessage.get(message) ?? []).map(({ member }) => member.role)).size;
  const byUse = users(wait.message) - users(other.message);
  if (byUse !== 0) return byUse < 0;
  const byFamily = Number(isShared(situation, wait)) - Number(isShared(situation, other));
  if (byFamily !== 0) return byFamily < 0;
  const byText = mentions(situation, wait.message) - mentions(situation, other.message);
  if (byText !== 0) return byText < 0;
  return hasAffix(wait.message, other.message);
}

/** Whether ids of its form are those of several roles: `phase_2`, where all have met in `phase_1`. */
function isShared({ group }: Situation, { message }: Call): boolean {
  const form = family(message);
  if (form === message) return false;
  return [...group.byMessage].some(
    ([id, calls]) =>
      id !== message &&
      family(id) === form &&
      new Set(calls.map(({ member }) => member.role)).size > 1,
  );
}

/** Whether it is the other id with something before or behind it. */
const hasAffix = (id: string, other: string): boolean =>
  id.length > other.length && nearness(id, other) !== 2 && nearness(id, other) !== 3;

const howAlike = (a: string, b: string): string =>
  nearness(a, b) === 0 ? 'the ids differ in case or signs only' : 'the ids differ a little';

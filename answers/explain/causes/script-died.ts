import { scriptOf } from '../../callers.ts';
import { lastSaid } from '../consoles.ts';
import { type DeathPlace, MUST_BE_SET, placeOfDeath, reached } from '../death-place.ts';
import type { Death } from '../deaths.ts';
import { type Call, type Result, wordsOf } from '../facts.ts';
import {
  type Cause,
  culpritMember,
  culpritOf,
  type Finding,
  gapsOf,
  placed,
  type Situation,
} from '../situation.ts';
import { found, inFile, waitSteps, who } from '../words.ts';

export const scriptDied: Cause = {
  kind: 'script-died',
  title: 'A script ended by itself, or was killed',
  page: `A script ended before its last line, but not because \`set -e\` caught a failed command: it called \`exit\`, a signal killed it,
the kernel killed it for want of memory, or its shell could not read it. What comes after in it was not reached, and whoever waited
for that waited in vain.`,
  example: `server: [ -e /dev/sdb ] || exit 1
server: lava-sync formatted        # not reached
client: lava-sync formatted`,
  find: (situation) => deathsThat(situation, (_, isOwn) => isOwn, 'script-died'),
};

export const scriptDiedUnderSetE: Cause = {
  kind: 'script-died-under-set-e',
  title: 'A command failed, and set -e ended the script',
  page: `The steps of a definition run in one shell under \`set -e\`: the first command that fails ends them, and so it does in scripts
that say \`set -e\` themselves. What comes after was not reached: neither the send nor the sync that others wait for.

Mend the command, or say that it may fail: \`command || true\`. Where cleaning up has to be done, \`trap\` it. Beware of
\`x=$(command)\`, of \`grep\` that finds nothing, of \`[ ... ] &&\` as the last command.`,
  example: `server: grep -q ready /etc/motd         # finds nothing: status 1
server: lava-send ready                # not reached
client: lava-wait ready`,
  find: (situation) => deathsThat(situation, (_, isOwn) => !isOwn, 'script-died-under-set-e'),
};

function deathsThat(
  situation: Situation,
  is: (death: Death, isOwn: boolean) => boolean,
  kind: Finding['kind'],
): Finding[] {
  const roots = situation.deaths.filter(isRoot).sort((a, b) => a.version - b.version);
  return roots.slice(0, DEATHS_TOLD_MAX).flatMap((death) => {
    const at = death.ofCall === undefined ? placeOfDeath(situation, death) : undefined;
    if (isVerdict(situation, death, at)) return [];
    return is(death, isOwnEnd(death, at)) ? [tell(situation, death, at, kind)] : [];
  });
}

/** Those after so many are no news. */
const DEATHS_TOLD_MAX = 40;

/** Not that of a verb whose wait failed: that has a cause of its own. Nor of one whose refusal has. */
function isRoot({ ofCall }: Death): boolean {
  if (ofCall === undefined) return true;
  const { end } = ofCall;
  return end?.how === 'refused' && end.code !== 'too-large' && end.code !== 'unknown-role';
}

/** It ended as its failed case says, and nobody waited for more of it: that is the test's result. */
function isVerdict(situation: Situation, death: Death, at: DeathPlace | undefined): boolean {
  if (gapsOf(situation, death.member).length > 0) return false;
  return death.member.results.some(
    (one) =>
      one.version < death.version &&
      one.suite === death.suite &&
      one.result === 'fail' &&
      one.case !== 'exit' &&
      (at?.isExit === true || saysNo(situation, death, at, one)),
  );
}

/** What recorded the case ended badly itself, without a word, and had nothing left to do. */
function saysNo(
  situation: Situation,
  death: Death,
  at: DeathPlace | undefined,
  { from }: Result,
): boolean {
  const { member, suite, script, command, signal } = death;
  const isOfIt = from?.some((caller) => {
    const name = scriptOf(caller).path?.split('/').at(-1);
    return name !== undefined && command?.includes(name) === true;
  });
  const course = situation.graphs.courseOf(member, suite, script);
  if (isOfIt !== true || at?.said !== undefined || signal !== undefined) return false;
  if (course === undefined) return true;
  const [since] = reached(situation, death, course);
  return !course.calls.some((call) => call.at > since && call.isCertain);
}

const isOwnEnd = (death: Death, at: DeathPlace | undefined): boolean =>
  death.signal !== undefined ||
  death.outOfMemory ||
  /^exit\b/.test(death.command ?? '') ||
  /syntax error|unbound variable|parameter (?:null or )?not set|bad substitution|read-?only|: \.: (?:cannot|can't) open/i.test(
    at?.said?.text ?? '',
  ) ||
  (at?.said !== undefined && MUST_BE_SET.test(at.place.text)) ||
  at?.isExit === true;

function tell(
  situation: Situation,
  death: Death,
  at: DeathPlace | undefined,
  kind: Finding['kind'],
): Finding {
  const { member } = death;
  const gaps = gapsOf(situation, member).filter(
    ({ absence, wait }) =>
      absence.why === 'script-died' ||
      absence.why === 'verb-failed' ||
      death.inCase?.hides.includes(wait.message) === true,
  );
  const culprit = culpritFor(situation, death, at);
  const said = at?.said ?? lastSaid(situation.said.get(member.device));
  const how = howOf(death);
  const gap = gaps[0];
  const waits =
    gap === undefined ? '' : `, so ${who(gap.wait.member)} waited in vain in ${wordsOf(gap.wait)}`;
  const of = death.ofCall === undefined ? '' : ` of the refused ${wordsOf(death.ofCall)}`;
  return found({
    kind,
    culprit,
    missing: gap === undefined ? [] : [member.device],
    first: { member, version: death.ofCall?.version ?? death.version },
    steps: [
      ...(said === undefined
        ? []
        : [
            {
              text: `the console of ${who(member)}`,
              device: member.device,
              offset: said.offset,
              said: said.text,
            },
          ]),
      { text: `${whatOf(death)} of ${who(member)} ends ${how}${of}`, event: death.version },
      ...waitSteps(situation, gaps),
    ],
    summary: `${death.inCase === undefined ? 'the script' : whatOf(death)} of ${who(member)} ended ${how}${of}${inFile(culprit)}${waits}`,
    advice:
      kind === 'script-died'
        ? ['see why it ends there, and let it come to the calls that others wait for']
        : ['mend the command, or let it fail without ending the script: command || true'],
  });
}

const whatOf = ({ script, inCase }: Death): string =>
  inCase === undefined ? script : `what lava-test-case ${inCase.name} runs`;

function howOf({ status, signal, outOfMemory }: Death): string {
  if (outOfMemory) return `because the board had no memory left`;
  if (signal !== undefined) return `by ${signal}`;
  return `with status ${status}`;
}

function culpritFor(situation: Situation, death: Death, at: DeathPlace | undefined) {
  const { member, ofCall } = death;
  const missing: Call | undefined = gapsOf(situation, member)[0]?.wait;
  if (ofCall !== undefined) return culpritOf(situation, ofCall);
  const file = culpritMember(situation, member, missing?.message);
  if (at === undefined) return file;
  return { ...file, ...placed(at.place) };
}

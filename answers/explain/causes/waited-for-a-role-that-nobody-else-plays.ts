import { type Call, counted, wordsOf } from '../facts.ts';
import { type Cause, culpritOf, type Situation } from '../situation.ts';
import { callStep, found, listed, nearest, who } from '../words.ts';
import { wrapperOf } from './refused-calls.ts';

export const waitedForARoleThatNobodyElsePlays: Cause = {
  kind: 'waited-for-a-role-that-nobody-else-plays',
  title: 'A wait for a role that nobody else plays',
  page: `\`lava-wait-all ID ROLE\` counts the members of that role alone. Here nobody plays it, so that the
verb is refused; or the caller alone plays it. Then nobody is left to wait for and the barrier is none, or, in the YAML form,
where a wait counts its own caller, the caller waits for itself.

The name of a role is that of the job, not of a board or of a definition. \`lava-role list\` says which there are.`,
  example: `roles: server, client
client: lava-wait-all ready clients      # there is no role "clients"`,
  find: (situation) =>
    situation.group.members
      .flatMap(({ calls }) => calls)
      .flatMap((call) => {
        const why = problemOf(situation, call);
        if (why === undefined) return [];
        const roles = [...new Set(situation.group.members.map(({ role }) => role))];
        const near = nearest(roleOf(call) ?? '', roles);
        return [
          found({
            kind: 'waited-for-a-role-that-nobody-else-plays',
            culprit: culpritOf(situation, call),
            missing: [],
            first: { member: call.member, version: call.version },
            steps: [callStep(situation, call), { text: why, event: (call.end ?? call).version }],
            summary: `${who(call.member)} waits in ${call.role === undefined ? `${wordsOf(call)} ${roleOf(call) ?? ''}`.trim() : wordsOf(call)}, and ${why}`,
            advice: [
              `the roles of the job are ${listed(roles, 8)}${near === undefined ? '' : `; was ${near} meant?`}`,
            ],
          }),
        ];
      }),
};

function problemOf(situation: Situation, call: Call): string | undefined {
  const { group, deaths, failed } = situation;
  if (call.end?.how === 'refused')
    return call.end.code === 'unknown-role' && wrapperOf(call) === undefined
      ? `no member has the role ${roleOf(call) ?? 'that it names'}`
      : undefined;
  if (call.role === undefined || call.verb === 'sync' || call.verb === 'send') return undefined;
  const others = counted(group, call).filter((member) => member !== call.member);
  if (others.length > 0) return undefined;
  if (call.end?.how === 'released') {
    // It fell through: a cause only where something of it failed afterwards.
    const over = call.end.version;
    const hurt =
      deaths.some(({ member, version }) => member === call.member && version > over) ||
      failed.some((wait) => (wait.end?.version ?? 0) > over);
    return hurt ? `only it has the role ${call.role}: it did not wait for anybody` : undefined;
  }
  return `only it has the role ${call.role}: it waits for itself`;
}

/** As the reason of the refusal names it. */
const roleOf = (call: Call): string | undefined =>
  call.role ??
  (call.end?.how === 'refused'
    ? /no role "?(.+?)"? in this job/.exec(call.end.reason)?.[1]
    : undefined);

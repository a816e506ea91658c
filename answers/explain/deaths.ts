/** Scripts that ended other than well, and which of them did so only because a verb of their own had failed. */
import { type Call, hasFailed, lastUpTo, type Mark, type Member } from './facts.ts';

export interface Death extends Mark {
  readonly member: Member;
  readonly suite: string;
  readonly script: 'install.sh' | 'run.sh';
  readonly status: number;
  readonly signal: string | undefined;
  /** The last command that its shell said it runs. */
  readonly command: string | undefined;
  readonly outOfMemory: boolean;
  /** The verb that failed, where it died of that. */
  readonly ofCall: Call | undefined;
  /** The last call before it. */
  readonly after: Call | undefined;
  /** It was in a `lava-test-case`, which hid it: its name, its place in the course, and the messages that were not sent. */
  readonly inCase: { name: string; at: number; hides: readonly string[] } | undefined;
}

/** From the scripts' own ends; in logs from before there were such events, from the cases `exit` and `install`. */
export function deathsOf(member: Member): Death[] {
  if (member.scripts.length > 0) return member.scripts.map((script) => deathOf(member, script));
  return member.results
    .filter((one) => (one.case === 'exit' || one.case === 'install') && one.result === 'fail')
    .flatMap((one) => {
      const [, status, signal] =
        /^status (\d+)(?:, killed by (SIG\w+))?/.exec(one.note ?? '') ?? [];
      if (status === undefined) return [];
      const script = one.case === 'exit' ? 'run.sh' : 'install.sh';
      const { version, at, console, suite } = one;
      const mark = { version, at, console };
      return [
        deathOf(member, {
          ...mark,
          suite,
          script,
          status: Number(status),
          signal,
          command: undefined,
          outOfMemory: false,
        }),
      ];
    });
}

function deathOf(
  member: Member,
  script: Omit<Death, 'member' | 'ofCall' | 'after' | 'inCase'>,
): Death {
  const after = lastUpTo(member.calls, script.version - 1);
  const ofCall = verbThatFailed(after, script);
  return { ...script, signal: killedBy(script), member, after, ofCall, inCase: undefined };
}

/** A writer whose reader is through fails as commands do: `pipefail` made it count, and nobody was killed. */
const killedBy = ({ signal }: Pick<Death, 'signal'>): string | undefined =>
  signal === 'SIGPIPE' ? undefined : signal;

function verbThatFailed(
  after: Call | undefined,
  { suite, command, version }: Pick<Death, 'suite' | 'command' | 'version'>,
): Call | undefined {
  if (after === undefined || after.suite !== suite) return undefined;
  const { end } = after;
  if (end === undefined || end.version > version) return undefined;
  if (!hasFailed(after) && end.how !== 'refused') return undefined;
  if (command === undefined || command.includes(`lava-${after.verb}`)) return after;
  // The shell told of the helper that called it.
  const helpers = (after.from ?? []).slice(0, -1).flatMap(({ argv }) => argv.slice(0, 3));
  return helpers.some((word) => command.includes(word.split('/').at(-1) ?? word))
    ? after
    : undefined;
}

/**
 * Scripts that ended early inside of a `lava-test-case`: it records the failure, and ends with 0. It matters where others wait
 * for a call that was not reached by it.
 */
import { couldBe } from '../../submission/lint/patterns.ts';
import type { Course, Point } from './course.ts';
import type { Death } from './deaths.ts';
import type { Call, Member, Result } from './facts.ts';
import type { Graphs } from './graphs.ts';

/** `lacked`: the failed waits, with each of those whom they lacked. */
export function deathsInCases(
  graphs: Graphs,
  lacked: readonly { wait: Call; member: Member }[],
): Death[] {
  const members = new Map<Member, Set<string>>();
  for (const { wait, member } of lacked)
    members.set(member, (members.get(member) ?? new Set()).add(wait.message));
  return [...members].flatMap(([member, messages]) =>
    member.results.flatMap((result) => deathOf(graphs, member, result, messages) ?? []),
  );
}

function deathOf(
  graphs: Graphs,
  member: Member,
  result: Result,
  messages: ReadonlySet<string>,
): Death | undefined {
  if (result.result !== 'fail' || /^(?:multinode-|exit$|install$)/.test(result.case))
    return undefined;
  const course = graphs.courseOf(member, result.suite, 'run.sh');
  const point = course?.points.find((one) => runsCase(one, result.case));
  if (course === undefined || point === undefined) return undefined;
  const hides = [...messages].filter((message) => isHidden(course, point, member, message));
  if (hides.length === 0) return undefined;
  const { version, at, console, suite } = result;
  const after = member.calls.findLast((call) => call.version < version);
  return {
    version,
    at,
    console,
    member,
    suite,
    script: 'run.sh',
    status: Number(/\bstatus (\d+)/.exec(result.note ?? '')?.[1] ?? 1),
    signal: undefined,
    command: undefined,
    outOfMemory: false,
    ofCall: undefined,
    after,
    inCase: { name: result.case, at: point.at, hides },
  };
}

const runsCase = ({ words: [program, name, ...rest] }: Point, id: string): boolean =>
  program?.kind === 'exact' &&
  /(?:^|\/)lava-test-case$/.test(program.text) &&
  name !== undefined &&
  couldBe(name, id) &&
  rest.some((word) => word.kind === 'exact' && word.text === '--shell');

/** It stands in the case, and its member never came to it. */
const isHidden = ({ calls }: Course, point: Point, member: Member, message: string): boolean =>
  calls.some(
    ({ hiddenBy, verb, id }) =>
      hiddenBy === point.at &&
      (verb === 'send' || verb === 'sync') &&
      id.kind !== 'unknown' &&
      couldBe(id, message),
  ) && member.calls.every((call) => call.message !== message);

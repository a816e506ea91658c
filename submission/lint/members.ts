/** What each member of a group runs, read from its scripts. */
import { actionsOf, type JobDefinition, type TestSource } from '../../machines/definition.ts';
import { placeIn } from '../tree.ts';
import type { Entry, ReadFile } from './call-graph.ts';
import { graphOf } from './graph.ts';
import type { MemberProgram } from './outcome.ts';

/** A test definition with the files around it, or why it was not to be had. */
export type Opened =
  | {
      readonly file: string;
      readonly text: string;
      readonly readFile: ReadFile;
      /** Put before the paths of its checkout where they are named. */
      readonly prefix: string;
    }
  | { readonly missing: string };

/** Members of a role that are looked at: more of them do the same. */
const MEMBERS_OF_ROLE_MAX = 4;
const MEMBERS_MAX = 16;

/** What each member runs; of a role with many members a few stand for all. */
export function membersOf(
  job: { readonly definition: Pick<JobDefinition, 'roles'> },
  entries: (role: string) => readonly Entry[],
): MemberProgram[] {
  const { roles } = job.definition;
  const counts = roles.map(({ role, count, device }) => ({
    role,
    count,
    ...(device !== undefined && { device }),
  }));
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  const own = new Map(counts.map(({ role }) => [role, entries(role)]));
  const graph = (role: string, of: typeof counts, member: number, errors: 'die' | 'go-on') =>
    graphOf(() => undefined, own.get(role) ?? [], {
      role,
      roles: of,
      member,
      parameters: [],
      errors,
    });
  const first = new Map(counts.map(({ role }) => [role, graph(role, counts, 0, 'die')]));
  const isWhole =
    total <= MEMBERS_MAX || [...first.values()].some((of) => of.isOfGroup || of.isOfMember);
  return counts.flatMap(({ role, count }) =>
    Array.from(
      { length: isWhole ? count : Math.min(count, MEMBERS_OF_ROLE_MAX) },
      (_, member): MemberProgram => {
        const known = first.get(role);
        const of =
          known !== undefined && (member === 0 || !known.isOfMember)
            ? known
            : graph(role, counts, member, 'die');
        return {
          role,
          graph: of,
          ...(of.deaths.length > 0 && { undying: graph(role, counts, member, 'go-on') }),
        };
      },
    ),
  );
}

export function entriesOf(
  job: { readonly file: string; readonly text: string; readonly definition: JobDefinition },
  role: string,
  open: (source: TestSource) => Opened,
): Entry[] {
  let from = 0;
  return actionsOf(job.definition, role).flatMap(({ action }): Entry[] => {
    if (action.command === 'lava_command_run') {
      const place = placeIn(job.text);
      const commands = action.parameters.commands.map((text) => {
        const at = job.text.indexOf(JSON.stringify(text), from);
        if (at >= 0) from = at;
        return { text, ...place(at < 0 ? 0 : at + 1) };
      });
      return [{ kind: 'commands', file: job.file, commands }];
    }
    if (action.command !== 'lava_test_shell') return [];
    return action.parameters.definitions.map((source): Entry => {
      const of = open(source);
      if ('missing' in of)
        return { kind: 'definition', file: job.file, text: '', missing: of.missing };
      const { file, text, readFile, prefix } = of;
      return {
        kind: 'definition',
        file: prefix + file,
        text,
        readFile,
        prefix,
        parameters: source.parameters,
      };
    });
  });
}

/** A test definition by itself, without a job: for the roles that its scripts name, or that somebody names. */
import type { RoleRequest } from '../../machines/definition.ts';
import type { Entry, ReadFile } from './call-graph.ts';
import type { LintReport } from './findings.ts';
import { definitionFindings, lintMembers } from './lint.ts';
import { membersOf } from './members.ts';
import { rolesIn } from './roles-in.ts';

export interface DefinitionToLint {
  readonly file: string;
  readonly text: string;
  readonly readFile: ReadFile;
  /** Paths of files beside it: scripts of the roles are among them. */
  readonly files: readonly string[];
  /** Absent: those that its scripts name, one board each. */
  readonly roles?: readonly { readonly role: string; readonly count: number }[];
  readonly countsSelf: boolean;
  /** Put before paths where they are named. */
  readonly prefix?: string;
}

export interface DefinitionReport extends LintReport {
  readonly roles: readonly { readonly role: string; readonly count: number }[];
}

export function lintDefinition(of: DefinitionToLint): DefinitionReport {
  const { file: path, text, readFile, countsSelf, prefix = '' } = of;
  const file = prefix + path;
  const roles = of.roles ?? rolesIn(of).map((role) => ({ role, count: 1 }));
  const asked = roles.map((one): RoleRequest => ({ ...one, deviceType: 'any', tags: [] }));
  const definition = { countsSelf, roles: asked, actions: [] };
  const entry: Entry = { kind: 'definition', file, text, readFile, prefix };
  const members = membersOf({ definition }, () => [entry]);
  const texts = new Map([[file, text]]);
  for (const { graph } of members)
    for (const name of graph.files) {
      const inside = readFile(name.slice(prefix.length));
      if (typeof inside === 'string' && !texts.has(name)) texts.set(name, inside);
    }
  const findings = definitionFindings(file, text);
  return { ...lintMembers({ definition, findings, texts }, members), roles };
}

/** A script as the steps of a definition, linted: lines are those of the script. */
import type { RoleRequest } from '../../../machines/definition.ts';
import type { LintReport } from '../../../submission/lint/findings.ts';
import { type LabFacts, lintMembers } from '../../../submission/lint/lint.ts';
import { membersOf } from '../../../submission/lint/members.ts';

export function lintScript(
  script: string,
  roles: readonly { role: string; count: number }[],
  {
    times,
    countsSelf = false,
    files = {},
  }: LabFacts & { countsSelf?: boolean; files?: Record<string, string | null> } = {},
): LintReport {
  const asked = roles.map((one): RoleRequest => ({ ...one, deviceType: one.role, tags: [] }));
  const action = { command: 'lava_test_shell', roles: null, timeoutSeconds: 3_600 } as const;
  const definition = {
    countsSelf,
    roles: asked,
    actions: [{ ...action, parameters: { definitions: [] } }],
  };
  const readFile = (path: string) => files[path];
  const entry = { kind: 'script', file: 'run.sh', text: script, errexit: true, readFile } as const;
  const members = membersOf({ definition }, () => [entry]);
  const texts = new Map([['run.sh', script]]);
  for (const [file, text] of Object.entries(files)) if (text !== null) texts.set(file, text);
  const lab = times === undefined ? {} : { lab: { times } };
  return lintMembers({ definition, findings: [], texts, ...lab }, members);
}

/** docs/lint.md, made from the rules' own texts. */
import { type Rule, rules } from './findings.ts';

const HEAD = `# What \`muster lint\` says

\`muster lint FILE|DIR\` reads a job or a test definition, and the scripts that they call, as each role runs them, and runs the
calls of the MultiNode API that it finds on the machines of a real job. So what it says of a group is not a guess: a job that
is called broken stands still on every way that it can take.

- **clean**: every way comes to its end, and everything was read.
- **broken**: there is an error. Each names the line that is the cause, not those that merely wait for it.
- **unknown**: something depends on what only a board knows, or on a file that is not here. It is named in a note.

What it follows: functions, sourced files, \`./run-$(lava-role).sh\`, \`sh -c\`, \`eval\`, \`case\`, \`if\`, \`&&\` and \`||\`, loops over known
words and numbers, variables, parameters of the job and of the definition, \`lava-group\` in pipes, \`lava-test-case --shell\`,
\`timeout\`, background processes, \`trap ... EXIT\`, \`set -e\`. A command that is not the script's own is taken to succeed where the
script does not ask, and may end either way where it does.

Repositories are read where they lie on this machine (an absolute path, a \`file:\` address, a path beside the job, or
\`--checkout URL=DIR\`); nothing is fetched. A definition by itself is linted for the roles that its scripts name, one board each,
or for those of \`--roles server,client:2\`.

\`--format text|json|sarif|github\`; exit status 0: no errors, 1: errors (with \`--strict\` also warnings), 2: nothing to lint. At
submission the server says what it can tell from the document alone as warnings in its answer; \`muster submit --strict\` hands
nothing in where there are any.

A finding is taken away by a comment on its line, or on a line of its own above it, with the rule and a reason:

\`\`\`sh
# muster-lint: ignore wait-without-send the harness outside of the lab sends it
lava-wait start
\`\`\`

The test test/submission/lint/page.test.ts writes this page from the rules.
`;

export const lintPage = (): string => [HEAD, ...rules.map(section)].join('\n');

function section(rule: Rule): string {
  const { id, severity, title, page, example, fix } = rule;
  const script =
    example.script === ''
      ? ''
      : `\nRoles: ${example.roles}\n\n\`\`\`sh\n${example.script}\n\`\`\`\n${example.line === 0 ? '' : `\nLine ${example.line}.\n`}`;
  return `## ${id}\n\n${title} (${severity}). ${page}\n${script}\n${fix}\n`;
}

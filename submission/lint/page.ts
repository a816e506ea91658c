/** docs/lint.md, made from the rules' own texts. */
import { type Rule, rules } from './findings.ts';

const HEAD = `# What \`muster lint\` says

\`muster lint FILE|DIR\` reads a job or a test definition, and the scripts that they call, as each role runs them, and runs the
calls of the MultiNode API that it finds on the machines of a real job. So what it says of a group is not a guess: a job that
is called broken stands still on every way that it can take.

- **clean**: every way comes to its end, everything was read, and no warning says otherwise (but for a failure that is hidden where nothing fails).
- **broken**: there is an error. Each names the line that is the cause, not those that merely wait for it.
- **unknown**: something depends on what only a board knows, on a file that is not here, or on whether something goes well that the
  script itself does not take for granted. Each is named in a note, with its line.

What it follows: functions, sourced files, \`./run-$(lava-role).sh\`, \`sh -c\`, \`eval\`, \`case\`, \`if\`, \`&&\` and \`||\`, loops over known
words and numbers, variables and which of them are exported, arrays and tables, \`printf\`, \`getopts\`, parameters of the job and of the
definition, scripts and files that a script writes (here-documents, \`cp\`, \`tee\`), \`lava-group\` in pipes, \`lava-test-case --shell\`,
\`timeout\`, retries until a call goes well, background processes, \`trap ... EXIT\`, \`set -e\` and \`pipefail\`, and what \`grep\`, \`sed\` and \`awk\`
find in the cache file, by what the group sends. A result that is kept (\`rc=$?\`, \`ok=1\`) is as good as the call itself.

A command that is not the script's own is taken to succeed where the script does not ask, and may end either way where it does.
What a script foresees to go wrong is tried once each: an \`exit\` with a status or a \`die\` behind a check, a bare test under \`set -e\`, a loop that waits for
something of the board without an end, a limit or a refusal that is hidden. Where its peers then wait in vain, the verdict is unknown.

Repositories are read where they lie on this machine (an absolute path, a \`file:\` address, a path beside the job, or
\`--checkout URL=DIR\`); nothing is fetched. A definition by itself is linted for the roles that its scripts name, one board each,
or for those of \`--roles server,client:2\`.

Two rules need a server, since they speak of a lab: **timeout-too-short** (what boards of a type lately took from allocation to a shell: the
median of the last twenty in the sixty newest jobs) and **unsatisfiable-roles** (which boards there are; a board that is named twice is
found without). \`muster lint --server [URL]\` asks one (\`GET /api/lint/facts\`); at submission they are there.

\`--format text|json|sarif|github\`; exit status 0: no errors, 1: errors (with \`--strict\` also warnings), 2: nothing to lint. At
submission the server says errors and warnings in its answer, and \`muster submit --strict\` (\`?strict=true\`) hands nothing in where there are any. It
reads commands in the document, and definitions in repositories and files that lie on its machine where jobs may read (\`allow_files\`), small
text files alone and not longer than a second and a half; what it did not read it names in one line.

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

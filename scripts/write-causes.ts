/** Writes docs/causes.md: a section a kind, of the rules' own texts (`npm run docs`). */
import { realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CAUSES, OTHERWISE } from '../answers/explain/causes.ts';

export const CAUSES_MD = fileURLToPath(new URL('../docs/causes.md', import.meta.url));

const HEAD = `# Causes

What \`muster explain\` tells apart, by the word that \`--json\` has for it. Each is a rule of \`answers/explain/causes/\`, and each section
is that rule's own text: this page is made of them (\`npm run docs\`). How they are used is in
[how-to/debug-a-failed-sync.md](how-to/debug-a-failed-sync.md).

Several rules may fit. They are ranked by what happened first: by the order of a board's own events, and from each send to the
waits that it released. Of two that are independent the one that stands earlier in the log is named first; a failed test case comes
after all that ends a wait or a member. Each of \`ranked\` says \`because\` of what it stands where it does. Nothing is guessed: where no
rule fits it is \`unknown\`, with what is known.

**To add one**: a file in \`answers/explain/causes/\` with \`kind\`, \`title\`, \`page\`, \`example\` and \`find\`, a pure function from the situation
to what it found; a line in \`answers/explain/causes.ts\`; the word in \`Kind\` of \`answers/explain/explanation.ts\`; two failures that it is to
find and one that it is not to in \`test/corpus/failures\`, run on real boards by \`npx tsx scripts/failures.ts record NAME\`.
`;

export function causesPage(): string {
  const causes = CAUSES.map(({ kind, title, page, example }) =>
    section(kind, title, `${page}\n\n\`\`\`\n${example}\n\`\`\``),
  );
  const others = OTHERWISE.map(({ kind, title, page }) => section(kind, title, page));
  return [HEAD, ...causes, ...others].join('\n');
}

const section = (kind: string, title: string, text: string): string =>
  `## ${kind}\n\n**${title}.** ${text}\n`;

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  writeFileSync(CAUSES_MD, causesPage());

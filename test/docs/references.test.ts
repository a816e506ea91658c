/** The rules that code cites are on the pages: `SEMANTICS n.m` in docs/semantics.md, `STYLE.md n` in docs/style.md. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { projectFiles } from './files.ts';

interface Reference {
  place: string;
  number: string;
  /** A part of the rule that is cited by its name. */
  parts: string[];
}

const files = projectFiles
  .filter((file) => /\.(ts|mjs|cjs|md|sh|bash|yaml)$|^board\/bin\//.test(file))
  .filter((file) => !/^(test\/corpus\/|test\/docs\/|docs\/(semantics|style)\.md$)/.test(file));

// One citation may name several rules: `SEMANTICS 2, 2.3 "Refused", "Sizes"`, also over the end of a comment's line.
const ITEM = String.raw`(?:\d+(?:\.\d+)*|"[^"]+")`;
const JOINT = String.raw`(?:,\s*|\s+and\s+|;\s*|:\s*|\s+)`;
const citations = (word: string) =>
  new RegExp(`${word},? (\\d[\\d.]*(?:${JOINT}${ITEM})*|"[^"]+")`, 'g');

function referencesTo(word: string): Reference[] {
  return files.flatMap((file) => {
    const text = readFileSync(file, 'utf8').replace(/\n\s*(?:\*|\/\/|#)\s/g, ' ');
    return [...text.matchAll(citations(word))].flatMap(([all, cited = '']) => {
      const found: Reference[] = [];
      for (const [item] of cited.matchAll(new RegExp(ITEM, 'g'))) {
        if (!item.startsWith('"'))
          found.push({ place: `${file}: ${all}`, number: item, parts: [] });
        else if (found.length === 0)
          found.push({ place: `${file}: ${all}`, number: '', parts: [item.slice(1, -1)] });
        else found.at(-1)?.parts.push(item.slice(1, -1));
      }
      return found;
    });
  });
}

/** The sections of a page by number, each with its text; `''` is the whole page. */
function sectionsOf(page: string): Map<string, string> {
  const text = readFileSync(page, 'utf8');
  const sections = new Map([['', text]]);
  for (const [, number = '', section = ''] of text.matchAll(
    /^##+ (\d+(?:\.\d+)*) ([\s\S]*?)(?=^##|$(?![\s\S]))/gm,
  ))
    sections.set(number, section);
  return sections;
}

it.each([
  ['SEMANTICS', 'docs/semantics.md', 60],
  ['STYLE\\.md', 'docs/style.md', 3],
])(
  'every %s cited in the code is a rule of %s, and every part that is named is in it',
  (word, page, least) => {
    const sections = sectionsOf(page);
    const references = referencesTo(word);
    expect(references.length).toBeGreaterThanOrEqual(least);
    for (const { place, number, parts } of references) {
      const section = sections.get(number);
      expect(section, `${place}: ${page} has no ${number}`).toBeDefined();
      for (const part of parts)
        expect(section?.toLowerCase(), `${place}: ${part}`).toContain(part.toLowerCase());
    }
  },
);

it('code cites the pages of the project, and no other document by that name', () => {
  for (const file of files)
    expect(readFileSync(file, 'utf8'), file).not.toMatch(
      /(?<!docs\/)\b(HOUSE|DESIGN|FIELD|SEMANTICS)\.md/,
    );
});

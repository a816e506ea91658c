/**
 * Where a script in another language than the shell's speaks of a verb: in a list of words (`["lava-sync", "ready"]`), or in
 * a command line (`system("lava-sync ready")`). What is no text between quotes may be anything.
 */
import { type Pattern, type Site, sitesOf, wordsOf } from './shell-sites.ts';

const VERB =
  /(["'`])(?:[^"'`\n]*[\s/;&|])?lava-(send|wait-all|wait|sync|test-raise|test-case)(?![\w.-])/g;
/** What only the program knows, as a word of the shell that anything may come of. */
const HOLE = '$?';
const REST_CHARACTERS_MAX = 2_048;
const WORDS_MAX = 32;

/** Whether a file is a script in a language like Python or Perl. */
export const isForeign = ({ path, text }: { path: string; text: string }): boolean =>
  /^#!.*\b(?:python|perl|ruby|node|lua|awk|expect|tclsh)/.test(text) ||
  (!text.startsWith('#!') &&
    (/\.(?:py|pl|pm|rb|js|lua|exp|tcl)$/.test(path) ||
      /^(?:import|from)\s+\w|^use strict/m.test(text)));

/** Its words stand without quotes, as those of a shell. */
const isTcl = (text: string): boolean =>
  /^#!.*\b(?:expect|tclsh)/.test(text) || /^\s*(?:set|proc|spawn)\s+\w+\s+[{[]/m.test(text);

export function foreignSitesOf(text: string): Site[] {
  if (isTcl(text)) return sitesOf(text);
  const sites: Site[] = [];
  let start = 0;
  for (const [index, line] of text.split('\n').entries()) {
    if (!/^\s*(?:#|\/\/)/.test(line))
      for (const found of line.matchAll(VERB)) {
        const [whole, quote = '', verb = ''] = found;
        const at = start + found.index + whole.length;
        sites.push({
          line: index + 1,
          offset: Buffer.byteLength(text.slice(0, start + found.index), 'utf8'),
          verb,
          words: wordsBehind(text.slice(at, at + REST_CHARACTERS_MAX), quote),
        });
      }
    start += line.length + 1;
  }
  return sites;
}

/** From behind the verb's name, within the quotes that it stands in. */
function wordsBehind(rest: string, quote: string): Pattern[] {
  const end = closing(rest, quote);
  const inside = rest.slice(0, end);
  const behind = rest.slice(end + 1);
  if (inside.trim() === '' && /^\s*[,\])]/.test(behind)) return listed(behind);
  const goesOn = /^\s*(?:\+|\.(?!format))/.test(behind) ? HOLE : '';
  return wordsOf(`${filledIn(inside)}${goesOn}`);
}

const closing = (text: string, quote: string): number => {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === quote || text[at] === '\n') return at;
  }
  return text.length;
};

/** `{word}`, `%s`, `#{word}`, `$word`, as the shell would write them. */
const filledIn = (text: string): string => text.replace(/[#$]?\{[^}]*\}|%[sd]|@\w+/g, () => HOLE);

/** The members of a list, up to its end. */
function listed(text: string): Pattern[] {
  const words: Pattern[] = [];
  let depth = 0;
  let item = '';
  let goesOn = false;
  for (let at = 0; at < text.length && words.length < WORDS_MAX; at++) {
    const c = text[at] ?? '';
    if (c === '"' || c === "'") {
      const end = closing(text.slice(at + 1), c);
      item += text.slice(at, at + end + 2);
      at += end + 1;
    } else if (/[([{]/.test(c)) {
      depth += 1;
      item += c;
    } else if (/[)\]}]/.test(c)) {
      if (depth === 0) {
        // `["lava-send", "facts"] + pairs`
        goesOn = /^\s*\+/.test(text.slice(at + 1));
        break;
      }
      depth -= 1;
      item += c;
    } else if (c === ';') break;
    else if (c === ',' && depth === 0) {
      if (item.trim() !== '') words.push(patternOf(item.trim()));
      item = '';
    } else item += c;
  }
  if (item.trim() !== '') words.push(patternOf(item.trim()));
  if (goesOn) words.push(['', '']);
  return words;
}

/** `"ready"`, `f"{me}-up"`, `"data=" + text`: the texts of it, and between them whatever it is. */
function patternOf(item: string): Pattern {
  const parts: string[] = [''];
  let at = 0;
  for (const found of item.matchAll(/[a-zA-Z]{0,2}("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/g)) {
    if (/[^\s+.]/.test(item.slice(at, found.index))) parts.push('');
    const text = filledIn((found[1] ?? '').slice(1, -1));
    for (const [index, piece] of text.split(HOLE).entries()) {
      if (index > 0) parts.push('');
      parts[parts.length - 1] += piece;
    }
    at = found.index + found[0].length;
  }
  // What stands behind a `%` fills the places that are counted already.
  if (/^\s*[^\s+.%]|^\s*[+.]/.test(item.slice(at))) parts.push('');
  return parts.length === 1 && at === 0 ? ['', ''] : parts;
}

/** Of a script in another language: the lines with which it runs programs. */
export const linesThatRun = ({ path, text }: { path: string; text: string }): number[] =>
  isForeign({ path, text })
    ? text.split('\n').flatMap((line, index) => (RUNS_PROGRAM.test(line) ? [index + 1] : []))
    : [];
const RUNS_PROGRAM =
  /\b(?:subprocess\.\w+|os\.system|os\.popen|os\.exec\w+|system|exec|spawn\w*|popen)\s*\(/;

/** Statements by which a script takes in other files of its own: `use Peers;`, `from lib.link import up`, `require "./x"`. */
const IMPORTS =
  /^[ \t]*(?:use|require|require_relative|load|import|from|source)\b[^\n;]*|\brequire\(\s*["'][^"'\n]+/gm;

/** The names of those files, without what stands behind the dot. */
export const importedBy = (text: string): string[] =>
  [...text.matchAll(IMPORTS)].flatMap(([statement]) =>
    [...statement.matchAll(/\w[\w.:/-]*/g)].map(([name]) =>
      name.replace(/\.(?:p[ylm]|rb|js|lua|tcl)$/, '').replace(/::|\./g, '/'),
    ),
  );

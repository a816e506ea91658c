/**
 * Which lines of a console a shell printed because of `set -x`. Much else begins with a plus: what a diff adds, its `+++ file`,
 * C++ that is printed, what a package manager says that it installed. A line that only looks so is none.
 */

/** `PS4` as shells have it: pluses, one blank. */
const USUAL = /^\++ (?=\S)/;
/** As scripts like to have it: `+(x.sh:12): `, `+x.sh:12: `. */
const WITH_PLACE = /^\++(?=\(|[\w./-]*:\d+)/;
/** What lines of a console may begin with. */
const STAMP = /^(?:\[[^\]]*\] *|\d{1,4}[-:][\d:.TZ-]* +)*/;

/** Line by line the command that was shown; `undefined`: it is no such line. */
export function tracesOf(lines: readonly string[]): (string | undefined)[] {
  const diff = new DiffReader();
  return lines.map((line) => {
    const text = line.replace(STAMP, '');
    return diff.holds(text) ? undefined : commandOf(text);
  });
}

function commandOf(text: string): string | undefined {
  if (WITH_PLACE.test(text)) return text.replace(WITH_PLACE, '').trim();
  if (!USUAL.test(text)) return undefined;
  const command = text.replace(USUAL, '').trim();
  return NO_COMMAND.test(command) || (text.startsWith('++') && isCode(command))
    ? undefined
    : command;
}

/** A comment, a bracket, a bare number, a package with its version. */
const NO_COMMAND = /^(?:[*#<>|;&)}]|\d+(?:\s|$)|\S+@\d[\w.-]*$|\S*[;,](?:\s|$))/;

/** C: of the shells only bash doubles the plus, and it puts quotes around what ends a statement. */
const isCode = (command: string): boolean =>
  !/['"]/.test(command.replace(/'[^']*'/g, '')) && /(?:[;{]|\*\/)$/.test(command);

/** Follows diffs of every form by what their heads say of their length. */
class DiffReader {
  /** Lines of a hunk that are yet to come, on the two sides. */
  #old = 0;
  #new = 0;
  /** How many characters say whose a line is: more than one in a diff of a merge. */
  #columns = 1;
  /** Lines that may yet come of a section of a context diff. */
  #section = 0;
  #isAfterOld = false;

  /** Whether the line is of a diff. */
  holds(line: string): boolean {
    const isAfterOld = this.#isAfterOld;
    this.#isAfterOld = /^--- \S/.test(line);
    if (this.#begins(line)) return true;
    if (this.#old > 0 || this.#new > 0) return this.#isInHunk(line);
    if (this.#section > 0) return this.#isInSection(line);
    return /^\+\+\+ \S/.test(line) && (isAfterOld || NEW_FILE.test(line));
  }

  #begins(line: string): boolean {
    const hunk = HUNK.exec(line);
    const section = SECTION.exec(line);
    if (hunk === null && section === null) return false;
    const [, marks = '', old, added] = hunk ?? [];
    this.#columns = Math.max(1, marks.length - 1);
    // Of a merge's diff the lines that are left count alone.
    this.#old = hunk === null || this.#columns > 1 ? 0 : lengthOf(old);
    this.#new = hunk === null ? 0 : lengthOf(added);
    this.#section =
      section === null ? 0 : 1 + Number(section[2] ?? section[1]) - Number(section[1]);
    return true;
  }

  #isInHunk(line: string): boolean {
    const marks = line.slice(0, this.#columns);
    const isOf = /^[ +-]*$/.test(marks);
    if (isOf && !marks.includes('+')) this.#old -= 1;
    if (isOf && !marks.includes('-')) this.#new -= 1;
    if (!isOf && !marks.startsWith('\\')) this.#old = this.#new = 0;
    return this.#old > 0 || this.#new > 0 || isOf;
  }

  #isInSection(line: string): boolean {
    const isOf = /^[ +!-] /.test(line);
    this.#section = isOf ? this.#section - 1 : 0;
    return isOf;
  }
}

const HUNK = /^(@@+) -(?:\d+(?:,(\d+))?)(?: -\d+(?:,\d+)?)* \+\d+(?:,(\d+))? @@/;
const SECTION = /^(?:\*\*\*|---) (\d+)(?:,(\d+))? (?:\*\*\*\*|----)$/;
/** Its head without the line before it, as `grep '^+++'` leaves it. */
const NEW_FILE = /^\+\+\+ (?:b\/|\/dev\/null\b|[^\t]+\t)/;

const lengthOf = (count: string | undefined): number => (count === undefined ? 1 : Number(count));

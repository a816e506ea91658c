/** Where a reader of a shell script stands: over blanks, comments and ends of lines. */

export const META = ' \t\n;&|()<>';
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const BLANKS = /(?:[ \t]|\\\n)*/y;
const MAY_BE_BLANK = ' \t\\#';

export abstract class Cursor {
  readonly text: string;
  readonly base: number;
  at = 0;

  constructor(text: string, base: number) {
    this.text = text;
    this.base = base;
  }

  protected abstract fail(): never;
  /** Behind the end of a line: here-documents begin there. */
  protected abstract lineEnds(): void;

  protected char(): string {
    return this.text.charAt(this.at);
  }
  protected looksAt(sign: string): boolean {
    return this.text.startsWith(sign, this.at);
  }
  protected expect(sign: string): void {
    if (!this.looksAt(sign)) this.fail();
    this.at += sign.length;
  }

  /** Over blanks, continued lines and a comment, not over the end of a line. */
  protected blanks(): void {
    if (!MAY_BE_BLANK.includes(this.char())) return;
    BLANKS.lastIndex = this.at;
    this.at += BLANKS.exec(this.text)?.[0].length ?? 0;
    const before = this.text.charAt(this.at - 1);
    if (this.char() !== '#' || !(this.at === 0 || META.includes(before))) return;
    const end = this.text.indexOf('\n', this.at);
    this.at = end < 0 ? this.text.length : end;
  }

  /** Over ends of lines, too: here-documents begin behind one. */
  protected newlines(): void {
    for (;;) {
      this.blanks();
      if (this.char() !== '\n') return;
      this.#newline();
    }
  }

  #newline(): void {
    this.at += 1;
    this.lineEnds();
  }

  protected name(): string | undefined {
    NAME.lastIndex = this.at;
    const found = NAME.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }
}

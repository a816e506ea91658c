/**
 * A shell script as a tree of our own: only what matters to who calls what, with the place of everything. The tree is
 * made from tree-sitter's by `shell-parser.ts`.
 */

/** Offsets in the script, from 0. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type WordPart =
  | { readonly kind: 'text'; readonly text: string; readonly isQuoted: boolean }
  | ({ readonly kind: 'variable'; readonly isQuoted: boolean } & Expansion)
  | {
      readonly kind: 'command';
      readonly body: readonly Statement[];
      readonly isQuoted: boolean;
      readonly source: string;
    }
  | { readonly kind: 'arithmetic'; readonly source: string; readonly isQuoted: boolean }
  /** What a shell can do and nobody here reads: `<(...)`, `{a..c}`. */
  | { readonly kind: 'other'; readonly source: string; readonly body: readonly Statement[] };

export interface Expansion {
  readonly source: string;
  readonly name: string;
  /** `${a[0]}`, `${a[@]}`. */
  readonly index?: string;
  /** `${#a}`. */
  readonly isLength?: true;
  /** `${!a}`: the variable that is named in a variable. */
  readonly isIndirect?: true;
  /** `:-`, `##`, `/` and the like, with what stands behind it. */
  readonly operator?: string;
  readonly operand?: string;
  readonly operandWord?: Word;
}

export interface Word extends Span {
  readonly parts: readonly WordPart[];
  readonly source: string;
  /** What it says, where it is nothing but text of which no shell makes anything else. */
  readonly plain: string | undefined;
}

export interface Assignment extends Span {
  readonly name: string;
  readonly index?: string;
  readonly isAppended: boolean;
  readonly value: Word | null;
  readonly array?: readonly Word[];
}

export interface Redirect extends Span {
  /** `<`, `>`, `>>`, `<<` (with `text`), `<<<` and the like. */
  readonly operator: string;
  readonly descriptor?: string;
  readonly target: Word | null;
}

interface Common extends Span {
  readonly redirects: readonly Redirect[];
  readonly isBackground: boolean;
}

export type Statement = Common &
  (
    | {
        readonly kind: 'simple';
        readonly assignments: readonly Assignment[];
        readonly words: readonly Word[];
      }
    | {
        readonly kind: 'declare';
        readonly command: string;
        readonly assignments: readonly Assignment[];
        readonly words: readonly Word[];
      }
    | {
        readonly kind: 'list';
        readonly left: Statement;
        readonly operator: '&&' | '||';
        readonly right: Statement;
      }
    | { readonly kind: 'pipeline'; readonly stages: readonly Statement[] }
    | { readonly kind: 'not'; readonly body: Statement }
    | { readonly kind: 'group'; readonly body: readonly Statement[] }
    | { readonly kind: 'subshell'; readonly body: readonly Statement[] }
    | {
        readonly kind: 'if';
        readonly branches: readonly {
          condition: readonly Statement[];
          body: readonly Statement[];
        }[];
        readonly otherwise: readonly Statement[] | null;
      }
    | {
        readonly kind: 'case';
        readonly word: Word;
        readonly items: readonly {
          patterns: readonly Word[];
          body: readonly Statement[];
          falls: '' | ';&' | ';;&';
        }[];
      }
    | {
        readonly kind: 'for';
        readonly name: string;
        readonly words: readonly Word[] | null;
        readonly body: readonly Statement[];
      }
    | {
        readonly kind: 'count';
        readonly initial: string;
        readonly condition: string;
        readonly update: string;
        readonly body: readonly Statement[];
      }
    | {
        readonly kind: 'while';
        readonly isUntil: boolean;
        readonly condition: readonly Statement[];
        readonly body: readonly Statement[];
      }
    | { readonly kind: 'function'; readonly name: string; readonly body: Statement }
    /** `[ ... ]` and `[[ ... ]]`: operands and operators in a row. */
    | { readonly kind: 'test'; readonly isDouble: boolean; readonly words: readonly Word[] }
    | { readonly kind: 'arithmetic'; readonly source: string }
    /** What could not be read: what is in it may be called or not. */
    | { readonly kind: 'broken'; readonly body: readonly Statement[] }
  );

export interface Script {
  readonly text: string;
  readonly body: readonly Statement[];
  /** Where the parser found something that it cannot read. */
  readonly broken: readonly Span[];
}

/**
 * The lexer of the `yaml` package, but that indentation means nothing inside quotes and brackets, as PyYAML has it
 * (YAML 1.1): a quoted text may go on at the margin, and a bracket may close there.
 *
 * The package looks at its own field `indentNext` to see where such a thing ends. It is private there: the package's
 * version is pinned, and the tests of test/submission/upstream-yaml.test.ts fail when it is not looked at any more.
 */
import { Lexer } from 'yaml';

interface Inside {
  lex(source: string): Generator<string, void>;
  indentNext: number;
  flowLevel: number;
  parseQuotedScalar(): Generator<string, unknown>;
}
const Base = Lexer as unknown as new () => Inside;

class MarginLexer extends Base {
  readonly #state = { indentNext: 0, isQuoted: false };

  constructor() {
    super();
    const state = this.#state;
    Object.defineProperty(this, 'indentNext', {
      get: () => (state.isQuoted || this.flowLevel > 0 ? 0 : state.indentNext),
      set: (value: number) => {
        state.indentNext = value;
      },
    });
  }

  override *parseQuotedScalar(): Generator<string, unknown> {
    this.#state.isQuoted = true;
    try {
      return yield* super.parseQuotedScalar();
    } finally {
      this.#state.isQuoted = false;
    }
  }
}

/** The lexemes of a text, as PyYAML cuts it. */
export const marginLexemes = (text: string): Generator<string, void> => new MarginLexer().lex(text);

/** A map whose keys are lists of words: looked up word by word, so that no key is put together only to look. */

type Word = string | number;

/** A place in the tree: what a list of words leads to. */
export class WordNode<T> {
  value: T | undefined;
  readonly #above: WordNode<T> | undefined;
  readonly #word: Word;
  readonly #next = new Map<Word, WordNode<T>>();

  constructor(above?: WordNode<T>, word: Word = '') {
    this.#above = above;
    this.#word = word;
  }

  /** One word further. */
  step(word: Word): WordNode<T> {
    const found = this.#next.get(word);
    if (found !== undefined) return found;
    const made = new WordNode<T>(this, word);
    this.#next.set(word, made);
    return made;
  }

  /** Takes the value away, and all places that lead to no other. */
  clear(): void {
    this.value = undefined;
    this.#prune();
  }

  #prune(): void {
    if (this.#above === undefined || this.value !== undefined || this.#next.size > 0) return;
    this.#above.#next.delete(this.#word);
    this.#above.#prune();
  }
}

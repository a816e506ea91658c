/** The causal order: of each event the length of the longest chain of causes that leads to it. Pure. */
export class Ranks {
  readonly of: number[] = [];
  max = 0;
  /** The ranks that the next event of a lane, and of all, comes after. */
  readonly #ofLane: number[] = [];
  #ofJob = 0;

  addLane(): void {
    this.#ofLane.push(0);
  }

  /**
   * @param lane -1: of all
   * @param caused the event on another lane that this one had to wait for
   */
  take(at: number, lane: number, caused: number | undefined): void {
    const before = lane < 0 ? this.max : Math.max(this.#ofJob, this.#ofLane[lane] ?? 0);
    const rank = Math.max(before, caused === undefined ? 0 : (this.of[caused] ?? 0)) + 1;
    this.of[at] = rank;
    if (lane < 0) this.#ofJob = rank;
    else this.#ofLane[lane] = rank;
    this.max = Math.max(this.max, rank);
  }
}

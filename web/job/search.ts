/** The search that keeps a painting to what is in sight. */

/** The first of a sorted list for which this holds; its length when there is none. */
export function firstThat(count: number, holds: (at: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

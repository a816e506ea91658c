/** One after another, in the order of the calls; one that fails holds up none behind it. */
export function inTurn<T>(act: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const done = last.then(act);
    last = done.catch(() => undefined);
    return done;
  };
}
